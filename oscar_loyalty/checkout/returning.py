"""The pages to which a provider sends its customers: paid, or not."""

import logging
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.checkout import going_on
from oscar_loyalty.payments import exceptions, links, services, settling

log = logging.getLogger("oscar_loyalty")

#: How often the page that waits for the bank looks again by itself.
LOOKS = 20


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class PaidView(generic.View):
    """The customer comes from the page of the payment: to the order, to the basket, or to a page that waits.

    Opened twice, late, in another browser or logged out, it shows the same.
    """

    http_method_names = ["get", "head"]
    template_name = "oscar_loyalty/checkout/confirming.html"

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        attempt, recent = links.read(kwargs["token"])
        if attempt is None or (request.user.is_authenticated and attempt.user_id not in (None, request.user.pk)):
            raise Http404
        state = self.settle(attempt)
        attempt.refresh_from_db()
        response = {"placed": self.placed, "cancelled": self.cancelled}.get(state, self.waiting)(attempt, recent)
        add_never_cache_headers(response)
        # The address is a key to the order: it goes to nobody else.
        response["Referrer-Policy"] = "same-origin"
        return response

    def settle(self, attempt: Any) -> str:
        try:
            return settling.settle(attempt=attempt, at_once=True)
        except (exceptions.ProviderDown, exceptions.ProviderRefused) as problem:
            log.warning("The attempt %s cannot be looked at: %s", attempt.uuid, problem)
            attempt.refresh_from_db()
            return str(attempt.state)

    def placed(self, attempt: Any, recent: bool) -> Any:
        if recent:
            going_on.show_order(self.request, attempt.order)
            return redirect("checkout:thank-you")
        if self.request.user.is_authenticated:
            try:
                return redirect(reverse("customer:order", kwargs={"order_number": attempt.order.number}))
            except NoReverseMatch:
                pass
        messages.info(self.request, _("This order has been placed. You find it in your account and in our e-mail."))
        return redirect("basket:summary")

    def cancelled(self, attempt: Any, recent: bool) -> Any:
        tender = services.provider_tender(attempt)
        paid = tender is not None and bool(tender.reference)
        if going_on.give_back(self.request, attempt):
            if paid:
                messages.error(
                    self.request,
                    _(
                        "Your order could not be placed: %(reason)s The amount set aside on your card is let go; "
                        "nothing is taken. Your basket is as it was."
                    )
                    % {"reason": attempt.why},
                )
            else:
                messages.info(self.request, _("You have not paid, and nothing was taken. Your basket is as it was."))
            return redirect("checkout:preview" if not paid and self.is_checkout_set() else "basket:summary")
        messages.info(self.request, _("You have not paid, and nothing was taken."))
        return redirect("basket:summary")

    def is_checkout_set(self) -> bool:
        """Whether this browser knows the rest of the checkout: where to, and how."""
        return bool(self.request.session.get("checkout_data", {}).get("shipping"))

    def waiting(self, attempt: Any, recent: bool) -> Any:
        tender = services.provider_tender(attempt)
        unpaid = tender is not None and tender.detail.get("status") == "open"
        number = self.request.GET.get("look", "")
        look = int(number) if number.isdecimal() and len(number) < 4 else 0
        context = {
            "unpaid": unpaid,
            "page": going_on.payment_page(attempt),
            "back": going_on.address(attempt, "back"),
            "long": look >= LOOKS,
        }
        response = render(self.request, self.template_name, context)
        if not unpaid and look < LOOKS:
            # No script: the browser asks again by itself.
            response["Refresh"] = f"{min(2 + look, 15)}; url={self.request.path}?look={look + 1}"
        return response


class BackView(PaidView):
    """The customer does not want to pay there: gives the basket back as soon as nobody can pay for it any more."""

    def settle(self, attempt: Any) -> str:
        try:
            return settling.give_up(attempt=attempt)
        except (exceptions.ProviderDown, exceptions.ProviderRefused) as problem:
            log.warning("The attempt %s cannot be given up: %s", attempt.uuid, problem)
            attempt.refresh_from_db()
            return str(attempt.state)
