from django.urls import path
from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig

from oscar_loyalty.loading import get_class


class StorefrontConfig(OscarConfig):
    name = "oscar_loyalty.storefront"
    label = "loyalty_storefront"
    verbose_name = _("Shop pages")
    namespace = "loyalty-storefront"

    def ready(self):
        from oscar_loyalty.storefront import receivers

        receivers.connect()

    def get_urls(self):
        giftcards = get_class("storefront.views", "GiftCardsView")
        balance = get_class("storefront.views", "BalanceView")
        pay_with_points = get_class("storefront.views", "PayWithPointsView")
        print_card = get_class("storefront.views", "PrintCardView")
        invitation = get_class("storefront.friends", "InvitationView")
        scan = get_class("storefront.friends", "ScanView")
        guest_pass = get_class("storefront.passes", "GuestPassView")
        return self.post_process_urls(
            [
                path("r/<str:code>/", invitation.as_view(), name="invitation"),
                path("loyalty/scan/<str:token>/", scan.as_view(), name="scan"),
                path("loyalty/pass/<str:token>/", guest_pass.as_view(), name="guest-pass"),
                path("gift-cards/", giftcards.as_view(), name="giftcards"),
                path("gift-cards/balance/", balance.as_view(), name="balance"),
                path("gift-cards/<uuid:uuid>/print/", print_card.as_view(), name="print"),
                path("gift-cards/pay-with-points/<int:line_id>/", pay_with_points.as_view(), name="pay-with-points"),
            ]
        )
