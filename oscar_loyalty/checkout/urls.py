"""Where payments come back to. Beside Oscar's own addresses of the checkout, whoever has forked those."""

from django.urls import path

from oscar_loyalty.checkout.returning import BackView, PaidView
from oscar_loyalty.payments.stripe.views import WebhookView

app_name = "loyalty-checkout"
urlpatterns = [
    path("checkout/card/paid/<str:token>/", PaidView.as_view(), name="paid"),
    path("checkout/card/back/<str:token>/", BackView.as_view(), name="back"),
    path("stripe/webhook/", WebhookView.as_view(), name="stripe-webhook"),
]
