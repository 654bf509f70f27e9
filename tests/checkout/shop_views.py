"""A shop with a payment of its own, which does what a test tells it to."""

from oscar.apps.checkout import views

from oscar_loyalty.checkout.mixins import LoyaltyPaymentMixin


class Gateway(views.PaymentDetailsView):
    """The shop's own view as it was before the mixin."""

    gateway = None
    asked: list = []

    def handle_payment(self, order_number, total, **kwargs):
        type(self).asked.append((order_number, total, kwargs))
        self.gateway(order_number, total)


class SplitView(LoyaltyPaymentMixin, Gateway):
    pass


class ReturnView(SplitView):
    """Where the bank sends the customer back to."""

    preview = True
    pre_conditions: list = []

    def get(self, request, *args, **kwargs):
        basket = self.get_submitted_basket()
        basket.strategy = request.strategy
        submission = self.build_submission(basket=basket)
        self._submission = submission
        if "try" in request.GET:
            self.loyalty_attempt = request.GET["try"]
        return self.handle_order_placement(
            self.checkout_session.get_order_number(),
            submission["user"],
            basket,
            submission["shipping_address"],
            submission["shipping_method"],
            submission["shipping_charge"],
            submission["billing_address"],
            submission["order_total"],
            surcharges=submission["surcharges"],
            **submission["order_kwargs"],
        )

    def get_pre_conditions(self, request):
        return self.pre_conditions
