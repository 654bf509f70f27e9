"""Oscar's checkout, with points and gift cards among the tenders and the rest paid by card or at the salon."""

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from oscar.apps.checkout import views

from oscar_loyalty.checkout import money
from oscar_loyalty.checkout.mixins import LoyaltyPaymentMixin
from oscar_loyalty.checkout.thanks import LoyaltyThankYouMixin
from oscar_loyalty.payments.stripe.client import is_live


class PaymentDetailsView(LoyaltyPaymentMixin, views.PaymentDetailsView):
    #: Whatever the customer chose of ``OSCAR_LOYALTY_MONEY``.
    money_kind = ""
    mail_through_outbox = True
    template_name = "oscar_loyalty/checkout/payment_details.html"
    template_name_preview = "oscar_loyalty/checkout/preview.html"

    def get_money_kind(self):
        return super().get_money_kind() or money.chosen(self.request)

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            loyalty_money_offered=money.offered() if not self.money_kind else [],
            loyalty_money_chosen=self.get_money_kind(),
            loyalty_money_is_a_test=not is_live(),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        if "loyalty_choose_money" in request.POST:
            if money.choose(request, request.POST.get("loyalty_money", "")):
                too_small = self.get_context_data()["loyalty_too_small"]
                return redirect("checkout:payment-details" if too_small else "checkout:preview")
            messages.error(request, _("Please choose how you want to pay."))
            return redirect("checkout:payment-details")
        return super().post(request, *args, **kwargs)


class ThankYouView(LoyaltyThankYouMixin, views.ThankYouView):
    template_name = "oscar_loyalty/checkout/thank_you.html"
