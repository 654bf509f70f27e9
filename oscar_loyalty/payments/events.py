"""A shop's own refund code and ours are one: what its event handler is told is a refund like any other."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from oscar.apps.order.exceptions import InvalidPaymentEvent

from oscar_loyalty.defaults import conf
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.money import from_hundredths, hundredths, to_hundredths
from oscar_loyalty.payments import refunds
from oscar_loyalty.payments.exceptions import RefundRefused
from oscar_loyalty.payments.planning import in_steps
from oscar_loyalty.payments.wishes import Wish


def is_refund(event_type: Any) -> bool:
    """Whether Oscar's payment events of this type mean a refund."""
    return event_type.name in conf.REFUND_EVENT_TYPES or event_type.code in conf.REFUND_EVENT_TYPES


class LoyaltyEventHandlerMixin:
    """For the shop's ``order.processing.EventHandler``: payment events that mean a refund give back what they say.

    Points and gift cards return to where they came from, gift cards bought stop working, earned points are taken
    back. Money that the shop's own handler sends itself is only recorded. What cannot be refunded is an
    ``InvalidPaymentEvent``, before the shop's own handler has done anything.
    """

    def handle_payment_event(
        self,
        order: Any,
        event_type: Any,
        amount: Any,
        lines: Sequence[Any] | None = None,
        line_quantities: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Record the event as Oscar does; of a refund, also give back what it is about."""
        above: Any = super()
        if not is_refund(event_type):
            return above.handle_payment_event(order, event_type, amount, lines, line_quantities, **kwargs)
        user = getattr(self, "user", None)
        try:
            with transaction.atomic():
                refunds.lock_order(order)
                wish = wish_of(order, Decimal(amount), lines, line_quantities)
                refunds.preview(order=order, lines=wish.lines, amounts=wish.amounts, amount=wish.amount)
                event = above.handle_payment_event(order, event_type, amount, lines, line_quantities, **kwargs)
                refunds.carry_out(
                    order=order,
                    wish=wish,
                    key=f"payment-event:{event.pk}",
                    reason=kwargs.get("reference") or "",
                    actor=Ref.of("user", user.pk) if user is not None and user.pk else NOBODY,
                    event=event,
                )
                event.refresh_from_db()
                return event
        except RefundRefused as error:
            raise InvalidPaymentEvent(str(error)) from error


def wish_of(
    order: Any, amount: Decimal, lines: Sequence[Any] | None = None, quantities: Sequence[int] | None = None
) -> Wish:
    """Return what a payment event asks for: pieces, or an amount shared over the order.

    Pieces bring what they are worth; a smaller amount than that is shared over them. Oscar's own page names the
    price of the whole lines where nobody typed an amount; that is no wish for more.

    :raises RefundRefused: when it is no amount in the order's currency.
    """
    if not lines:
        return Wish(amount=amount)
    counts = [line.quantity for line in lines] if quantities is None else list(quantities)
    pieces = {line.pk: count for line, count in zip(lines, counts, strict=True) if count}
    left = refunds.left_of(order)
    worth = {pk: left[pk].worth(count) for pk, count in pieces.items() if pk in left}
    whole = sum(worth.values())
    try:
        asked = to_hundredths(amount)
        shares = in_steps(min(asked, whole), list(worth.values()), hundredths(order.currency))
    except ValueError as error:
        raise RefundRefused(_("This is not an amount in this order’s currency."), "amount") from error
    if asked == whole or amount == sum(line.line_price_incl_tax for line in lines):
        return Wish(lines=pieces)
    if asked > whole:
        # The refund says how much there is.
        return Wish(amounts={next(iter(pieces)): amount}, lines=pieces) if pieces else Wish(amount=amount)
    amounts = {pk: from_hundredths(share) for pk, share in zip(worth, shares, strict=True) if share}
    return Wish(lines={pk: count for pk, count in pieces.items() if pk in amounts}, amounts=amounts)
