"""The addresses of a shop whose payment is its own."""

from django.urls import include, path

from tests import urls
from tests.checkout.shop_views import ReturnView, SplitView

urlpatterns = [
    path("checkout/preview/", SplitView.as_view(preview=True)),
    path("checkout/payment-details/", SplitView.as_view()),
    path("bank/return/", ReturnView.as_view()),
    path("", include(urls)),
]
