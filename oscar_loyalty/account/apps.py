from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class AccountConfig(OscarConfig):
    name = "oscar_loyalty.account"
    label = "loyalty_account"
    verbose_name = _("Member pages")
    namespace = "loyalty-account"
