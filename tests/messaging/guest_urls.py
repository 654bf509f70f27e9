"""The addresses of a shop where guests check out: Oscar asks its setting for that only once, when it makes them."""

from django.apps import apps
from django.urls import include, path

from tests import urls

checkout = apps.get_app_config("checkout")
urlpatterns = [
    path("checkout/", checkout.index_view.as_view()),
    path("checkout/shipping-method/", checkout.shipping_method_view.as_view()),
    path("checkout/preview/", checkout.payment_details_view.as_view(preview=True)),
    path("", include(urls)),
]
