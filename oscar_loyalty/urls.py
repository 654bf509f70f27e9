"""All pages of the plugin at their default addresses. Include it once, before Oscar's own URLs."""

from django.apps import apps
from django.urls import include, path

urlpatterns = [
    path("", apps.get_app_config("loyalty_storefront").urls),
    path("", include("oscar_loyalty.checkout.urls")),
    path("loyalty/wallet/", apps.get_app_config("loyalty_wallet").urls),
    path("accounts/loyalty/", apps.get_app_config("loyalty_account").urls),
    path("dashboard/loyalty/", apps.get_app_config("loyalty_dashboard").urls),
]
