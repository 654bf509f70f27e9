"""An order that waits for nobody: no card asked, no points or gift cards set aside, the rest is paid at the till.

There is nothing that must be safe before the order is, so order and payment are written in one transaction, the attempt
as one that is placed. Whatever stops half way leaves nothing behind. Everything else goes the long way of
:mod:`oscar_loyalty.payments.services`: begin, then complete or undo.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import as_stored
from oscar_loyalty.payments import clicks, closing, exceptions, selectors, snapshots, tenders


def is_possible(plan: Any) -> bool:
    """Return whether nothing of ``plan`` must be asked for, or set aside, before there is an order."""
    return not plan.too_small and all(tenders.of(tender.kind).waits_for_nobody for tender in plan.tenders)


def claim(*, basket: Any) -> None:
    """Submit ``basket``, and so lock it, in the transaction that places its order.

    :raises UnderWay: while another request is placing it.
    :raises AlreadyPlaced: when another request has placed it.
    """
    Basket = get_model("basket", "Basket")
    # A second click waits here for the first.
    Basket.objects.filter(pk=basket.pk).exclude(status=Basket.SUBMITTED).update(
        status=Basket.SUBMITTED, date_submitted=clock.now()
    )
    if any(selectors.is_tried(basket)):
        clicks.refuse_second(basket=basket)
        other = selectors.live_attempt(basket)
        raise exceptions.UnderWay(_("This order is being placed at this moment."), other)


def record(
    *,
    basket: Any,
    order: Any,
    plan: Any,
    total: Any,
    user: Any,
    member: int | None,
    site: Any,
    cards: Sequence[Any] = (),
    **submission: Any,
) -> Any:
    """Write who pays what of ``order``, in the transaction that places it; return the attempt, which is placed.

    ``member`` is a primary key; ``cards`` are those offered, none of which pays. ``submission`` is what
    :func:`snapshots.snapshot` keeps of the rest.

    :raises PaymentProblem: when the order costs something else than was planned.
    """
    Attempt, Tender = get_model("loyalty_payments", "PaymentAttempt"), get_model("loyalty_payments", "Tender")
    if (plan.total, total.currency) != (as_stored(order.total_incl_tax), order.currency):
        raise exceptions.PaymentProblem(_("The total of the order has changed. Please check it and try again."))
    now = clock.now()
    attempt = Attempt.objects.create(
        basket_id=basket.pk,
        user=user if user is not None and user.is_authenticated else None,
        member_id=member,
        site=site,
        state="placed",
        order=order,
        order_number=order.number,
        currency=total.currency,
        total=plan.total,
        snapshot=snapshots.snapshot(basket=basket, total=total, user=user, **submission),
        created_at=now,
        leased_until=now,
        expires_at=now,
        closed_at=now,
    )
    rows = [
        Tender(attempt=attempt, number=number, kind=tender.kind, amount=tender.amount, line_index=tender.line_index)
        for number, tender in enumerate(plan.tenders)
    ]
    for row in rows:
        tenders.of(row.kind).capture(tender=row, order=order)
    Tender.objects.bulk_create(rows)
    closing.close(attempt, order, rows, basket=basket)
    return attempt
