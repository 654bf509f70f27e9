"""Giving an order's payment back, wholly or in part, the way it came. See ``docs/howto/refunds.md``.

A refund is one transaction: the gift cards that the returned pieces bought stop working, points and gift cards return
to where they came from, earned points are taken back, and what a provider owes waits in the outbox. Each has a
``key``; the same key again is the same refund.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money, from_hundredths, to_hundredths
from oscar_loyalty.payments import oscar_records, places, returns, sending, tenders
from oscar_loyalty.payments.exceptions import RefundRefused
from oscar_loyalty.payments.wishes import WITHOUT_MONEY, Wanted, Wish


@dataclass(frozen=True)
class Taken:
    """Earned points that a refund takes back: ``points`` of them; ``missing`` were spent; ``label`` writes a number
    of them as the programme calls them; ``blocked``: the programme refuses such a refund."""

    points: int
    missing: int
    label: Callable[[int], str]
    blocked: bool = False


class Follower(Protocol):
    """What another room does in the transaction of each refund. It is asked twice: for its locks, and to act."""

    def lock(self, *, order: Any) -> Iterable[int]:
        """Lock its own rows about ``order`` and return the accounts of the ledger that it will write to."""

    def follow(self, *, refund: Any, force: bool) -> Taken | None:
        """Do what follows from ``refund``; ``force`` overrides the programme's refusal.

        :raises RefundRefused: when it must not be.
        """


_followers: list[Follower] = []


def register(follower: Follower) -> Follower:
    """Let ``follower`` take part in every refund. Return it."""
    _followers.append(follower)
    return follower


@dataclass(frozen=True)
class Done:
    """What a refund did, or would do: where each part went, the cards put out of use, and the points taken back.

    ``kept`` is what is not given back, since the cards bought have paid with it. ``untracked`` is what goes back by
    the shop's own payment where the order has no attempt.
    """

    refund: Any
    parts: tuple[Any, ...]
    cards: tuple[Any, ...]
    kept: Money
    untracked: Money
    taken: tuple[Taken, ...]
    again: bool = False

    @property
    def amount(self) -> Money:
        """All that is given back."""
        return Money(self.refund.amount, self.refund.order.currency)

    @property
    def blocked(self) -> bool:
        """Whether the programme refuses it, unless somebody insists."""
        return any(taken.blocked for taken in self.taken)


def refund(
    *,
    order: Any,
    key: str,
    lines: Mapping[int, int] | None = None,
    amounts: Mapping[int, Decimal] | None = None,
    shipping: Decimal | None = None,
    amount: Decimal | None = None,
    kind: str = "refund",
    reason: str = "",
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
    force: bool = False,
    event: Any = None,
    expected: Decimal | None = None,
) -> Any:
    """Give back a part of ``order`` and return the ``Refund``; the same ``key`` again returns the first.

    ``lines``: how many pieces of which order line (by primary key), each worth its part of what is left of the line.
    ``amounts``: how much of which line; together with ``lines``, what those pieces are worth this time. ``shipping``:
    how much of shipping and surcharges. ``amount``, instead of the others: an amount shared over all that is left.
    Gift cards bought with the order are returned by the piece, and stop working; what they have paid is not refunded.

    ``force`` refunds even where the programme blocks it because the points earned have been spent. ``event`` is
    Oscar's payment event where the shop made it already. ``expected`` is what somebody was shown that it would be.

    :raises RefundRefused: with the field that was wrong; nothing is written then.
    """
    wish = Wish(lines or {}, amounts or {}, shipping, amount)
    return carry_out(
        order=order,
        wish=wish,
        key=key,
        kind=kind,
        reason=reason,
        actor=actor,
        happened_at=happened_at,
        force=force,
        event=event,
        expected=expected,
    ).refund


def preview(
    *,
    order: Any,
    lines: Mapping[int, int] | None = None,
    amounts: Mapping[int, Decimal] | None = None,
    shipping: Decimal | None = None,
    amount: Decimal | None = None,
    kind: str = "refund",
) -> Done:
    """Return what :func:`refund` would do now, to the cent; nothing stays written.

    It is the refund itself, undone before anybody sees it, so that it cannot say anything else than what will be done.

    :raises RefundRefused: as the refund would; but for spent points, which :attr:`Done.blocked` tells.
    """
    wish = Wish(lines or {}, amounts or {}, shipping, amount)
    with transaction.atomic():
        done = carry_out(order=order, wish=wish, key=f"preview:{uuid4().hex}", kind=kind, force=True, rehearsal=True)
        transaction.set_rollback(True)
    return done


def left_of(order: Any) -> dict[int | None, places.Place]:
    """Return what is left of ``order`` to refund, by the line's primary key (``None``: shipping and surcharges)."""
    return places.places_of(order, _attempt(order).first())


def everything(order: Any) -> Wish:
    """Return the wish for all that is left of ``order``."""
    left = left_of(order)
    return Wish(
        lines={
            place.line.pk: place.pieces
            for place in left.values()
            # What has gone back as an amount is not there any more, though its pieces are.
            if place.line is not None and place.pieces and (place.free or place.is_cards or not place.paid)
        },
        # Pieces that went back for less than they were worth have left something.
        amounts={
            place.line.pk: from_hundredths(place.free)
            for place in left.values()
            if place.line is not None and not place.pieces and place.free
        },
        shipping=from_hundredths(left[None].free) if left[None].free else None,
    )


@transaction.atomic
def give_all_back(*, order: Any, key: str, kind: str, reason: str = "", actor: Ref = NOBODY) -> Any:
    """Give back all that is left of ``order`` and return the ``Refund``; ``None`` where nothing is left.

    Of the kinds ``"dispute"`` and ``"capture_failed"``, points and gift cards return, and no money is sent: it has
    gone, or never came. Points that were earned and spent do not stand in the way.
    """
    lock_order(order)
    before = get_model("loyalty_payments", "Refund").objects.filter(key=key).first()
    if before is not None:
        return before
    wish = everything(order)
    if not wish.lines and not wish.amounts and not wish.shipping:
        return None
    done = carry_out(order=order, wish=wish, key=key, kind=kind, reason=reason, actor=actor, force=True, loose=True)
    return done.refund


def come_back(*, order: Any) -> Any:
    """Something returned to disabled gift cards that ``order`` bought and has refunded: refund that too.

    Return the ``Refund``, or ``None`` where there is nothing to give.
    """
    with transaction.atomic():
        attempt = lock_order(order)
        left = places.places_of(order, attempt)
        amounts: dict[int, Decimal] = {}
        for pk, place in left.items():
            if pk is not None and place.is_cards and place.pieces < place.line.quantity:
                whole = place.paid * (place.line.quantity - place.pieces) // place.line.quantity
                more = place.whole(whole - place.kept - (place.paid - place.left))
                if more > 0:
                    amounts[pk] = from_hundredths(more)
        if not amounts:
            return None
        mark = ":".join(f"{pk}-{left[pk].left}" for pk in sorted(amounts))
        wish = Wish(amounts=amounts)
        key = f"come-back:{order.pk}:{mark}"
        return carry_out(order=order, wish=wish, key=key, force=True, loose=True).refund


def _attempt(order: Any) -> Any:
    return get_model("loyalty_payments", "PaymentAttempt").objects.filter(order=order)


def lock_order(order: Any) -> Any:
    """Lock what stands for all that is given back of ``order``, and return its attempt (``None``: it has none)."""
    attempt = _attempt(order).select_for_update(of=("self",)).first()
    if attempt is None:
        orders = get_model("order", "Order").objects.filter(pk=order.pk)
        list(orders.select_for_update(no_key=True).values_list("pk", flat=True))
    return attempt


@transaction.atomic
def carry_out(
    *,
    order: Any,
    wish: Wish,
    key: str,
    kind: str = "refund",
    reason: str = "",
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
    force: bool = False,
    event: Any = None,
    expected: Decimal | None = None,
    loose: bool = False,
    rehearsal: bool = False,
) -> Done:
    """Do what :func:`refund` says, and return what was done.

    ``loose`` lets an amount go back for gift cards whose pieces have been refunded. ``rehearsal`` leaves out what
    the shop's own code could hear of.
    """
    at = happened_at or clock.now()
    attempt = lock_order(order)
    Refund = get_model("loyalty_payments", "Refund")
    if not rehearsal:
        before = Refund.objects.filter(key=key).first()
        if before is not None:
            return _same(before, order)
    accounts = {account for follower in _followers for account in follower.lock(order=order)}
    returns.lock(attempt, list(order.lines.values_list("pk", flat=True)), accounts)
    left = places.places_of(order, attempt)
    wanted = Wanted(wish, left, order.currency, loose=loose)
    cards = giftcards.disable_for_lines(
        order, {pk: wanted.pieces_gone(pk) for pk in wanted.quantities if left[pk].is_cards}, actor=actor
    )
    kept = wanted.keep(places.used_cards([pk for pk in wanted.quantities if left[pk].is_cards]), kind)
    total = from_hundredths(sum(wanted.units.values()))
    if expected is not None and total != expected:
        raise RefundRefused(_("Something has changed meanwhile. Please look again at what will be refunded."))
    row = Refund.objects.create(
        key=key,
        kind=kind,
        order=order,
        amount=total,
        shipping=from_hundredths(wanted.units.get(None, 0)),
        reason=reason[:255],
        actor_type=actor.type,
        actor_id=actor.id,
        created_at=at,
    )
    RefundLine = get_model("loyalty_payments", "RefundLine")
    RefundLine.objects.bulk_create(
        RefundLine(
            refund=row,
            order_line_id=pk,
            quantity=wanted.quantities.get(pk, 0),
            amount=from_hundredths(units),
        )
        for pk, units in wanted.units.items()
        if pk is not None
    )
    parts = [
        _give(row, allotment, units, at, rehearsal)
        for pk, amount in wanted.units.items()
        for allotment, units in sorted(left[pk].share(amount), key=lambda part: part[0].tender.number)
    ]
    taken = [follower.follow(refund=row, force=force) for follower in _followers]
    if not rehearsal:
        oscar_records.record_event(row, event)
        due.leave(kind="payments.refunded", key=str(row.pk), payload={"refund": row.pk})
    return Done(
        refund=row,
        parts=tuple(parts),
        cards=tuple(cards),
        kept=Money(from_hundredths(kept), order.currency),
        untracked=Money(row.amount if attempt is None else Decimal(0), order.currency),
        taken=tuple(item for item in taken if item is not None),
    )


def _same(before: Any, order: Any) -> Done:
    if before.order_id != order.pk:
        raise ValueError(f"The key {before.key!r} belongs to a refund of another order.")
    parts = tuple(before.returns.select_related("allotment__tender"))
    nothing = Money(Decimal(0), order.currency)
    return Done(before, parts, (), nothing, nothing, (), again=True)


def _give(row: Any, allotment: Any, amount: int, at: datetime, rehearsal: bool) -> Any:
    tender = allotment.tender
    kind = tenders.of(tender.kind)
    provider = isinstance(kind, tenders.Provider) and row.kind not in WITHOUT_MONEY
    units = 0
    if allotment.units:
        # The units that stand for what has gone back by now, less those that went before; all of them in the end.
        whole = to_hundredths(allotment.amount)
        so_far = to_hundredths(allotment.returned_amount) + amount
        units = max(0, allotment.units * so_far // whole - allotment.returned_units)
    part = returns.give(
        allotment=allotment,
        amount=amount,
        units=units,
        key=f"refund:{row.pk}:{allotment.pk}",
        refund=row,
        state="waiting" if provider else "done",
        at=at,
    )
    if not rehearsal:
        if provider:
            sending.leave(part)
        elif not (kind.money and row.kind in WITHOUT_MONEY):
            oscar_records.record_return(part)
    return part
