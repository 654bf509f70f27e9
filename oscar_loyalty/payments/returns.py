"""Giving back what paid for cancelled lines: points as points, card money to its card, as they were allotted."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import as_stored, from_hundredths, from_minor, hundredths, to_hundredths
from oscar_loyalty.payments import places, tenders


@transaction.atomic
def return_lines(*, order: Any, cancelled: Mapping[int, int], shipping: bool = False) -> int:
    """Return what paid for ``cancelled``, the quantity cancelled so far of each order line; return how many parts
    went back.

    It looks at what went back before, so calling it again, or with more cancelled, returns each part once.
    ``shipping``: the whole order
    is cancelled, with shipping and surcharges. Gift cards bought with the lines stop working; of the points that
    bought a
    card, those for what it has already paid, or is about to, stay spent. Money is the shop's to return.
    """
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.select_for_update().filter(order=order).first()
    lock(attempt, list(cancelled))
    lines = {line.pk: line for line in order.lines.all()}
    kept = {pk: _disable_bought(order, lines[pk], quantity) for pk, quantity in cancelled.items() if pk in lines}
    if attempt is None:
        return 0
    Allotment = get_model("loyalty_payments", "Allotment")
    parts = Allotment.objects.filter(tender__attempt=attempt, tender__entry__isnull=False)
    done = 0
    parts = parts.select_related(
        "tender__entry", "tender__card", "tender__attempt__member__programme", "tender__attempt__order"
    )
    for allotment in parts.order_by("tender__entry__account_id", "pk"):
        if allotment.order_line_id is None:
            share = Fraction(1) if shipping else Fraction(0)
        else:
            quantity = lines[allotment.order_line_id].quantity
            gone = min(cancelled.get(allotment.order_line_id, 0), quantity)
            share = (gone - kept.get(allotment.order_line_id, Fraction(0))) / Fraction(quantity)
        done += _return(attempt, allotment, max(Fraction(0), share))
    return done


def lock(attempt: Any, lines: list[int], accounts: Iterable[int] = ()) -> None:
    """Lock the cards that ``lines`` bought, then all accounts in question in the ledger's order, ``accounts``
    among them.

    So nobody deadlocks with a checkout that takes both, and no hold begins or ends while we look.
    """
    bought = get_model("loyalty_giftcards", "GiftCard").objects.filter(order_line__in=lines).order_by("pk")
    wanted = {*accounts, *bought.select_for_update(no_key=True).values_list("account_id", flat=True)}
    if attempt is not None:
        paid = attempt.tenders.filter(entry__isnull=False)
        wanted |= set(paid.values_list("entry__account_id", flat=True))
    books.lock(wanted)


def look_again(*, cards: list[int]) -> None:
    """Something came back to these cards: for those whose own order was cancelled, more of it can be returned now."""
    bought = get_model("loyalty_giftcards", "GiftCard").objects.filter(
        pk__in=cards, state="disabled", disabled_reason=giftcards.CANCELLED, order__isnull=False
    )
    for order in sorted(set(bought.values_list("order_id", flat=True))):
        due.again(kind="earning.review_order", key=str(order), payload={"order": order})
        due.again(kind="payments.come_back", key=str(order), payload={"order": order})


def _disable_bought(order: Any, line: Any, quantity: int) -> Fraction:
    """Disable the cards that ``quantity`` of ``line`` bought; return for how many cards' worth they had paid
    already, what a checkout under way has set aside included."""
    giftcards.disable_for_lines(order, {line.pk: quantity})
    return places.used_cards([line.pk]).get(line.pk, Fraction(0))


def _return(attempt: Any, allotment: Any, share: Fraction) -> int:
    units = int(allotment.units * share) - allotment.returned_units
    if units <= 0:
        return 0
    target = allotment.returned_units + units
    if allotment.tender.kind == "giftcard":
        amount = to_hundredths(as_stored(from_minor(units, attempt.currency)))
    else:
        gone = to_hundredths(allotment.amount) * target // allotment.units
        if target < allotment.units:
            gone -= gone % hundredths(attempt.currency)
        # A refund may have counted the money before the points.
        amount = max(0, gone - to_hundredths(allotment.returned_amount))
    give(allotment=allotment, amount=amount, units=units, key=f"return:{allotment.pk}:{target}")
    return 1


def give(
    *, allotment: Any, amount: int, units: int, key: str, refund: Any = None, state: str = "done", at: Any = None
) -> Any:
    """Give ``amount`` (hundredths) of an allotment back, and the ``units`` that stand for it; return the
    ``TenderReturn``.

    The caller holds the locks of the attempt and of the accounts.
    """
    tender = allotment.tender
    attempt = tender.attempt
    entry = None
    # What comes back to points or a card that ended meanwhile must be of some use.
    days = attempt.member.programme.grace_days if attempt.member else 0
    if units:
        entry = tenders.of(tender.kind).refund(
            tender=tender,
            units=units,
            key=key,
            grace=timedelta(days=conf.GIFTCARD_GRACE_DAYS if tender.kind == "giftcard" else days),
            explanation={"why": "returned", "order": attempt.order.number},
        )
    if tender.kind == "giftcard":
        look_again(cards=[tender.card_id])
    money = from_hundredths(amount)
    part = get_model("loyalty_payments", "TenderReturn").objects.create(
        allotment=allotment,
        refund=refund,
        key=key,
        state=state,
        amount=money,
        units=units,
        entry=entry,
        happened_at=at or clock.now(),
    )
    allotment.returned_units += units
    allotment.returned_amount += money
    allotment.save(update_fields=["returned_units", "returned_amount"])
    return part
