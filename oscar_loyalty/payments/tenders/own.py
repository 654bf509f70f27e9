"""Points and gift cards: what is paid with them is an account of the ledger."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.ledger.exceptions import HoldClosed, InsufficientUnits
from oscar_loyalty.money import to_minor
from oscar_loyalty.payments import exceptions
from oscar_loyalty.payments.tenders.base import TenderKind


class LedgerTender(TenderKind):
    """A tender that is held, captured and given back in the ledger."""

    money = False

    def short(self, *, error: InsufficientUnits, member: Any) -> exceptions.PaymentProblem:
        """Return what the customer is told when there is not enough."""
        raise NotImplementedError

    def hold(self, *, attempt: Any, number: int, plan: Any, member: Any, card: Any) -> Any:
        if card is not None and card.currency != attempt.currency:
            raise exceptions.PaymentProblem(_("This gift card is in another currency."))
        if card is not None and not giftcards.pays_at(card, attempt.site_id):
            raise exceptions.PaymentProblem(_("This gift card is of another shop."))
        if member is not None and card is None and member.programme.site_id != attempt.site_id:
            raise exceptions.PaymentProblem(_("These points are of another shop."))
        try:
            return books.hold(
                account=self.account(plan=plan, member=member, card=card),
                units=self.units(plan=plan, currency=attempt.currency),
                key=f"attempt:{attempt.uuid}:{number}",
                until=attempt.expires_at,
                source=Ref.of("attempt", attempt.pk),
            )
        except InsufficientUnits as error:
            raise self.short(error=error, member=member) from error

    def capture(self, *, tender: Any, order: Any) -> None:
        try:
            tender.entry = books.capture(
                hold=tender.hold,
                key=f"capture:{tender.hold.key}",
                source=Ref.of("order", order.pk),
                explanation={"why": "paid", "order": order.number, "kind": tender.kind},
            )
        except HoldClosed as error:
            raise exceptions.AttemptClosed(
                _("This took too long: what was set aside for it is free again. Please try again.")
            ) from error
        tender.state = "captured"

    def cancel(self, *, tender: Any) -> None:
        books.release(hold=tender.hold)
        tender.state = "cancelled"

    def refund(self, *, tender: Any, units: int, key: str, grace: timedelta, explanation: dict[str, Any]) -> Any:
        return books.reverse(
            entry=tender.entry,
            units=units,
            key=key,
            grace=grace,
            source=Ref.of("order", tender.attempt.order_id),
            explanation={**explanation, "kind": tender.kind},
        )


class PointsLine(LedgerTender):
    """Points that pay for one line, at the line's own price in points."""

    kind, source = "points_line", "Points"

    def account(self, *, plan: Any, member: Any, card: Any) -> Any:
        return member.account

    def units(self, *, plan: Any, currency: str) -> int:
        return int(plan.points)

    def short(self, *, error: InsufficientUnits, member: Any) -> exceptions.PaymentProblem:
        label = member.programme.points_label(error.missing)
        return exceptions.NotEnoughPoints(
            _("You are missing %(points)s for what you want to pay with points.") % {"points": label}, error.missing
        )


class Points(PointsLine):
    """Points at the programme's rate, for a part of any order."""

    kind = "points"


class GiftCard(LedgerTender):
    """A gift card, wholly or in part."""

    kind, source = "giftcard", "Gift card"

    def account(self, *, plan: Any, member: Any, card: Any) -> Any:
        return card.account

    def units(self, *, plan: Any, currency: str) -> int:
        return to_minor(plan.amount, currency)

    def short(self, *, error: InsufficientUnits, member: Any) -> exceptions.PaymentProblem:
        return exceptions.CardChanged(
            _("A gift card has less on it than a moment ago. Please check how you pay, and try again.")
        )
