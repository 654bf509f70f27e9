"""What a shop with a payment of its own may do beside ``handle_payment``, so that no money is lost on the way."""

import logging
from typing import Any

from django.contrib import messages
from django.utils.translation import gettext as _

from oscar_loyalty.checkout import going_on
from oscar_loyalty.payments import reasons, services, settling
from oscar_loyalty.payments import selectors as payments

log = logging.getLogger("oscar_loyalty")


class OwnGateway:
    """The part of :class:`~oscar_loyalty.checkout.mixins.LoyaltyPaymentMixin` that speaks with the shop's gateway."""

    #: The try to pay that this request works on; ``_named``: the shop said which one.
    _attempt: Any = None
    _named = False

    @property
    def loyalty_attempt(self) -> str:
        """The name of this try to pay: give it to your gateway, and set it when the customer comes back from there.

        So what was paid for an older try, with other points and cards, never completes a newer one.
        """
        return str(self._attempt.uuid) if self._attempt is not None else ""

    @loyalty_attempt.setter
    def loyalty_attempt(self, uuid: str) -> None:
        self._attempt, self._named = payments.attempt(uuid), True

    def withdraw_payment(self, attempt: Any) -> bool:
        """Override: make sure at your gateway that nobody can pay for ``attempt`` any more; return whether that is so.

        It is called when a customer whom ``RedirectRequired`` sent there comes back without having paid. If you cannot
        be sure, the basket and all that is set aside wait for ``OSCAR_LOYALTY_HOLD_MINUTES``.
        """
        return False

    def void_payment(self, attempt: Any, problem: Exception) -> bool:
        """Override: give back what your ``handle_payment`` took, as no order could be placed; return whether you did.

        If not, the payment is shown to the owner as one to be given back by hand.
        """
        return False

    def _take_back(self, request, attempt):
        if attempt.state == "open":
            try:
                if not self.withdraw_payment(attempt):
                    return
            except Exception:
                log.exception("The payment of attempt %s could not be withdrawn", attempt.uuid)
                return
            settling.call_off(attempt=attempt, reason=reasons.CAME_BACK)
            attempt.refresh_from_db()
        if attempt.state == "cancelled" and going_on.give_back(request, attempt):
            messages.info(request, _("You have not paid, and nothing was taken. Your basket is as it was."))

    def _void(self, attempt, problem):
        """The shop's payment has let the order pass, and there is none."""
        if not attempt.tenders.filter(kind="shop", amount__gt=0).exists():
            return
        try:
            done = self.void_payment(attempt, problem)
        except Exception:
            log.exception("The payment of attempt %s could not be voided", attempt.uuid)
            done = False
        if not done:
            log.error("Attempt %s has no order; what was paid for it must be given back by hand", attempt.uuid)
            services.to_be_given_back(attempt=attempt, why=f"{type(problem).__name__}: {problem}")
