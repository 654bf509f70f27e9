from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class StorefrontConfig(OscarConfig):
    name = "oscar_loyalty.storefront"
    label = "loyalty_storefront"
    verbose_name = _("Shop pages")
    namespace = "loyalty-storefront"
