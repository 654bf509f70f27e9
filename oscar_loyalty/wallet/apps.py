from django.urls import path
from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig

from oscar_loyalty.loading import get_class


class WalletConfig(OscarConfig):
    name = "oscar_loyalty.wallet"
    label = "loyalty_wallet"
    verbose_name = _("Wallet passes")
    default_auto_field = "django.db.models.BigAutoField"
    namespace = "loyalty-wallet"

    def ready(self):
        from oscar_loyalty.wallet import checks, handlers, held, merging, receivers  # noqa: F401  (they register themselves)

    def get_urls(self):
        def view(name):
            return get_class("wallet.views", name).as_view()

        # The addresses are Apple's: it appends them to the pass's webServiceURL.
        return self.post_process_urls(
            [
                path(
                    "v1/devices/<str:device>/registrations/<str:kind>/<uuid:serial>",
                    view("RegistrationView"),
                    name="registration",
                ),
                path("v1/devices/<str:device>/registrations/<str:kind>", view("ChangedView"), name="changed"),
                path("v1/passes/<str:kind>/<uuid:serial>", view("LatestView"), name="latest"),
                path("v1/log", view("LogView"), name="log"),
            ]
        )
