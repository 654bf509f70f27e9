"""Taking an order's points back, in proportion to what was cancelled, refunded, or is earned by a booking instead."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.earning import followers, linking
from oscar_loyalty.earning.awarding import mark_back, reference_of_order, take_back
from oscar_loyalty.earning.rounding import round_points
from oscar_loyalty.ledger.exceptions import Blocked
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.selectors import programme_of_order
from oscar_loyalty.payments import refunds
from oscar_loyalty.payments.exceptions import RefundRefused
from oscar_loyalty.payments.planning import paid_for

NONE = Fraction(0)


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


@dataclass(frozen=True)
class Refunded:
    """What of an order line was refunded so far: pieces, and an amount."""

    pieces: int
    amount: Decimal

    def share(self, quantity: int, paid: Decimal) -> Fraction:
        """Return the part that went back of ``quantity`` pieces, which were ``paid`` for: of the money, or, where that
        is nothing, of the pieces. With the last of them all of it went."""
        if self.pieces >= quantity or not paid:
            return min(Fraction(1), Fraction(self.pieces, quantity))
        return min(Fraction(1), Fraction(self.amount) / Fraction(paid))


def refunded(orders: Sequence[int]) -> dict[int, dict[int | None, Refunded]]:
    """Return what was refunded of each order by its primary key and the line's (``None``: shipping); two queries."""
    rows = get_model("loyalty_payments", "RefundLine").objects.filter(refund__order__in=list(orders)).order_by()
    result: dict[int, dict[int | None, Refunded]] = defaultdict(dict)
    sums = rows.values("refund__order", "order_line").annotate(pieces=Sum("quantity"), money=Sum("amount"))
    for row in sums:
        result[row["refund__order"]][row["order_line"]] = Refunded(row["pieces"], Decimal(row["money"]))
    shipped = get_model("loyalty_payments", "Refund").objects.filter(order__in=list(orders), shipping__gt=0)
    for order, money in shipped.order_by().values_list("order").annotate(money=Sum("shipping")):
        result[order][None] = Refunded(0, Decimal(money))
    return result


def cancelled_quantities(order: Any, programme: Any) -> dict[int, int]:
    """Return how many pieces of each order line are cancelled."""
    whole = order.status in programme.cancelled_order_statuses
    return {
        line.pk: line.quantity
        for line in order.lines.all()
        if whole or line.status in programme.cancelled_line_statuses
    }


def left_out(cancelled: Mapping[int, int], gone: Mapping[int | None, Refunded]) -> dict[int, int]:
    """Return how many pieces of each line bring nothing: a piece that was cancelled and refunded went once."""
    pieces = {pk: refund.pieces for pk, refund in gone.items() if pk is not None and refund.pieces}
    return {pk: max(cancelled.get(pk, 0), pieces.get(pk, 0)) for pk in {*cancelled, *pieces}}


def award_of(order: Any) -> Any:
    """Return the award of ``order``, locked, or ``None``."""
    awards = _model("Award").objects.filter(reference=reference_of_order(order.pk)).select_for_update(of=("self",))
    # The member is not joined: a merge may change it while this waits.
    return awards.select_related("entry", "programme").first()


def claw_back(
    award: Any,
    order: Any,
    cancelled: Mapping[int, int],
    gone: Mapping[int | None, Refunded],
    whole: bool,
    *,
    policy: str | None = None,
) -> int:
    """Take back what ``award``, locked, has too much, and return how many points that was.

    The more is cancelled or refunded, the more is taken; all of it in the end, and nothing twice.
    """
    booked = linking.linked_quantities([line.pk for line in order.lines.all()])
    before = award.explanation.get("left_out", {})
    part_of: dict[int, Fraction] = {}
    prices: dict[int, Fraction] = {}
    quantities: dict[int, Fraction] = {}
    lines = sorted(order.lines.all(), key=attrgetter("pk"))
    paid = paid_for([line.line_price_incl_tax for line in lines], order.total_incl_tax, order.currency)
    for line, price in zip(lines, paid, strict=True):
        earned = line.quantity - before.get(str(line.pk), 0)
        if earned <= 0:
            continue
        pieces = Fraction(cancelled.get(line.pk, 0))
        if line.pk in gone:
            pieces = max(pieces, gone[line.pk].share(line.quantity, price) * line.quantity)
        now_gone = pieces + booked.get(line.pk, 0) - before.get(str(line.pk), 0)
        part_of[line.pk] = max(Fraction(0), min(now_gone, Fraction(earned))) / earned
        prices[line.pk] = Fraction(price) * earned / line.quantity
        quantities[line.pk] = Fraction(earned)
    # What was for the whole order goes by what counted of each line. Where the award does not tell (it is older,
    # or of one line), all counts.
    counted = {int(pk): Fraction(amount) for pk, amount in award.explanation.get("counted", prices).items()}
    others = [{pk: scale.get(pk, NONE) for pk in counted} for scale in (prices, quantities)]
    of_all = _part_gone(part_of, counted, *others)
    lost = Fraction(0)
    for row in award.lines.all():
        part = part_of.get(row.order_line_id, of_all) if row.order_line_id else of_all
        if row.explanation.get("shipping"):
            # Everything was sent, whether it counts or not.
            part = _part_gone(part_of, prices, quantities)
            if None in gone:
                part = max(part, _of_shipping(order, gone[None].amount))
        lost += Fraction(row.share) * part
    all_gone = whole or bool(part_of and min(part_of.values()) == 1)
    target = award.points if all_gone else min(award.points, round_points(lost, "nearest"))
    titles = [line.title for line in lines if part_of.get(line.pk)]
    why = "cancelled" if cancelled else "refunded" if gone else "booked"
    detail = {"why": why, "source": "order", "number": order.number, "whole": all_gone, "lines": titles}
    # A booking that earns instead carries what was spent on with it, so it leaves the order all the same.
    back = (Fraction(award.spent) * of_all).__round__(2) if not whole else Fraction(award.spent)
    mark_back(award=award, spent_back=Decimal(back.numerator) / Decimal(back.denominator), void=all_gone)
    if not award.spent and (cancelled or gone):
        # Nothing of it is to be seen in the amounts, but whoever counts pieces has to know.
        followers.tell_moved(award)
    return take_back(
        award=award,
        target=target,
        key=_key(order),
        explanation=detail,
        happened_at=_cancelled_at(award.programme, order) if whole else None,
        policy=policy,
    )


def _part_gone(part_of: Mapping[int, Fraction], *scales: Mapping[int, Fraction]) -> Fraction:
    """Return the part of all lines that is gone, weighed on the first of these scales that shows anything."""
    for scale in scales:
        if total := sum(scale.values(), NONE):
            return sum((part_of.get(pk, NONE) * weight for pk, weight in scale.items()), NONE) / total
    return NONE


def _of_shipping(order: Any, amount: Decimal) -> Fraction:
    whole = order.total_incl_tax - sum(line.line_price_incl_tax for line in order.lines.all())
    return min(Fraction(1), Fraction(amount) / Fraction(whole)) if whole > 0 else Fraction(0)


def _key(order: Any) -> str:
    return f"clawback:order:{order.pk}"


def _cancelled_at(programme: Any, order: Any) -> datetime | None:
    statuses = programme.cancelled_order_statuses
    moments = [change.date_created for change in order.status_changes.all() if change.new_status in statuses]
    return min(max(moments), clock.now()) if moments else None


class RefundFollower:
    """Takes points back in the transaction of a refund, so that the programme can refuse it before anything went."""

    def lock(self, *, order: Any) -> Iterable[int]:
        """Lock the order's review and award, as :func:`~oscar_loyalty.earning.orders.review_order` does."""
        programme = programme_of_order(order)
        if programme is None:
            return []
        reviews = _model("OrderReview").objects
        if order.date_placed >= programme.started_at:
            reviews.get_or_create(order_id=order.pk)
        list(reviews.select_for_update().filter(order=order.pk).values_list("pk", flat=True))
        award = award_of(order)
        return [award.entry.account_id] if award is not None and award.entry is not None else []

    def follow(self, *, refund: Any, force: bool) -> refunds.Taken | None:
        """Take back the points for what was refunded.

        :raises RefundRefused: where the programme refuses it since they were spent, and nobody insists.
        """
        order = refund.order
        programme, award = programme_of_order(order), award_of(order)
        if programme is None or award is None:
            return None
        whole = order.status in programme.cancelled_order_statuses
        cancelled, gone = cancelled_quantities(order, programme), refunded([order.pk]).get(order.pk, {})
        if award.entry is None:
            # It brought no points, but stamps, or a step towards a tier.
            claw_back(award, order, cancelled, gone, whole)
            return None
        blocks = programme.clawback_policy == programme.BLOCK
        try:
            taken = claw_back(
                award,
                order,
                cancelled,
                gone,
                whole,
                policy="block" if blocks and not force else None,
            )
        except Blocked as error:
            raise RefundRefused(
                _("The points that this order brought have been spent: the programme refuses the refund."), "force"
            ) from error
        if not taken:
            return None
        entry = get_model("loyalty_ledger", "Entry").objects.get(key=f"{_key(order)}:{award.clawed_back}")
        missing = entry.explanation["owed"] + entry.explanation["written_off"]
        points = taken - entry.explanation["expired"]
        return refunds.Taken(points, missing, programme.points_label, blocked=blocks and missing > 0)


refunds.register(RefundFollower())
