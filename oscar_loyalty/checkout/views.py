"""Oscar's checkout, with points and gift cards among the tenders and the rest paid at the salon."""

from oscar.apps.checkout import views

from oscar_loyalty.checkout.mixins import LoyaltyPaymentMixin
from oscar_loyalty.checkout.thanks import LoyaltyThankYouMixin


class PaymentDetailsView(LoyaltyPaymentMixin, views.PaymentDetailsView):
    money_kind = "on_site"
    mail_through_outbox = True
    template_name = "oscar_loyalty/checkout/payment_details.html"
    template_name_preview = "oscar_loyalty/checkout/preview.html"


class ThankYouView(LoyaltyThankYouMixin, views.ThankYouView):
    template_name = "oscar_loyalty/checkout/thank_you.html"
