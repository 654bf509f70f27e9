"""Bringing attempts to their end, whoever comes by: request, webhook, sweep.

The order of things, which every function here keeps: look at the provider without a lock; take the decision under the
locks of basket and attempt, and store it; carry it out at the provider without a lock; store what came of it. So two
who settle side by side never undo each other's work, and whoever dies in between is followed by somebody who finds the
decision and carries it out.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import exceptions, outcomes, placing, reasons, services, tenders
from oscar_loyalty.payments.announcing import one_transaction

log = logging.getLogger("oscar_loyalty")

#: How soon after an error.
AFTER_ERROR = timedelta(minutes=1)
#: How many attempts one sweep looks at, of each sort.
MOST = 200
#: After how many questions without an answer a sweep asks no more.
GIVE_UP = 3
#: How long an authorised payment waits for an order that does not want to be written.
PLACE_WITHIN = timedelta(minutes=15)


def settle(*, attempt: Any, at_once: bool = False) -> str:
    """Bring an attempt to its end from what is stored, whoever calls and however often; return its state.

    Open, with nobody to ask: its request has died, and it has no order, since both are written in one transaction; so
    it is undone, and its basket opened again. Open, with a provider: the order is placed when the money is set aside,
    and undone when nobody can pay any more. Placed: the money is taken. Cancelled: it is let go.

    It asks over the network, so it must not run inside a transaction. ``at_once``: do not wait for the time at which
    it would be looked at.

    :raises ProviderDown: when the provider gave no answer; nothing was decided.
    :raises ProviderRefused: when the provider does not know this payment.
    """
    row = get_model("loyalty_payments", "PaymentAttempt").objects.get(pk=attempt.pk)
    tender = services.provider_tender(row)
    if row.state == "open":
        waits = row.leased_until > clock.now()
        # A request that is still asking for the page is let finish, whoever is in a hurry.
        if waits and (not at_once or tender is None or not row.snapshot.get("redirected")):
            return "open"
        if tender is None:
            return call_off(attempt=row, reason=reasons.DIED)
        row = _decide(row, tender)
    if tender is not None and row.state != "open":
        outcomes.carry_out(attempt=row)
    return str(row.state)


def give_up(*, attempt: Any, reason: str = reasons.CAME_BACK) -> str:
    """The customer wants the basket back: undo the attempt as soon as nobody can pay for it any more; return its state.

    If it was paid meanwhile, its order is placed.

    :raises ProviderDown: when the provider gave no answer; the sweep asks again.
    """
    with transaction.atomic():
        row = services.locked(attempt)
        if row.state == "open" and services.provider_tender(row) is not None and not row.giving_up:
            row.giving_up, row.reason = True, reason[:255]
            row.save(update_fields=["giving_up", "reason"])
            services.settle_soon(row, at=clock.now() + AFTER_ERROR)
    return settle(attempt=attempt, at_once=True)


def _decide(attempt: Any, tender: Any) -> Any:
    kind = tenders.provider(tender.kind)
    until = tender.detail.get("until")
    over = until is None or datetime.fromisoformat(until) <= clock.now()
    try:
        look = kind.close(tender=tender) if attempt.giving_up or over else kind.look(tender=tender)
    except exceptions.PaymentProblem as problem:
        _postpone(attempt, AFTER_ERROR, error=str(problem))
        raise
    if look.state == "gone":
        attempt.state = call_off(attempt=attempt, reason=attempt.reason or reasons.NOBODY)
    elif look.state == "pending":
        _postpone(attempt, services.AGAIN, status=str(look.detail.get("status", "")))
    else:
        attempt = _place(attempt, look)
    return attempt


@transaction.atomic
def call_off(*, attempt: Any, reason: str) -> str:
    """Undo an open attempt for which nobody can pay any more, give its basket back, and return its state."""
    row = services.locked(attempt)
    if row.state == "open":
        services.undo(row, reason=reason)
        _thaw(row)
    return str(row.state)


def _thaw(attempt: Any) -> None:
    """Give the basket back, unless it has an order: that one is never opened again."""
    Basket, Order = get_model("basket", "Basket"), get_model("order", "Order")
    frozen = Basket.objects.filter(pk=attempt.basket_id, status=Basket.FROZEN)
    frozen.exclude(pk__in=Order.objects.filter(basket=attempt.basket_id).values("basket")).update(status=Basket.OPEN)


@transaction.atomic
def _postpone(attempt: Any, wait: timedelta, *, status: str = "", error: str = "") -> None:
    row = services.locked(attempt)
    tender = services.provider_tender(row, lock=True)
    if row.state != "open":
        return
    row.leased_until = clock.now() + wait
    row.save(update_fields=["leased_until"])
    tender.detail, tender.error = {**tender.detail, "status": status}, error[:255]
    tender.save(update_fields=["detail", "error"])


def _place(attempt: Any, look: tenders.Look) -> Any:
    """The money is set aside: place the order, or decide to let the money go. Return the attempt."""
    try:
        with one_transaction():
            row = services.locked(attempt)
            if row.state == "open":
                tender = outcomes.authorised(row, look)
                if (look.amount, look.detail.get("currency")) != (tender.amount, row.currency):
                    raise exceptions.CannotPlace(reasons.OTHER_AMOUNT)
                placing.place(attempt=row)
        row.refresh_from_db()
        return row
    except exceptions.PaymentProblem as problem:
        return _let_go(attempt, look, str(problem))
    except Exception as error:
        log.exception("The order of the paid attempt %s could not be written", attempt.uuid)
        return _try_later(attempt, look, f"{type(error).__name__}: {error}")


@transaction.atomic
def _let_go(attempt: Any, look: tenders.Look, reason: str) -> Any:
    row = services.locked(attempt)
    if row.state == "open":
        outcomes.authorised(row, look)
        services.undo(row, reason=reason)
        _thaw(row)
        services.settle_soon(row)
    return row


def _try_later(attempt: Any, look: tenders.Look, error: str) -> Any:
    """Something unforeseen: the shop's own code, or the database. Try again for a while, then let the money go."""
    with transaction.atomic():
        row = services.locked(attempt)
        if row.state != "open":
            # Somebody else has placed it meanwhile, or given it up: nothing is to be tried again.
            return row
        tender = services.provider_tender(row, lock=True)
        since = tender.detail.setdefault("authorised_at", clock.now().isoformat())
        tender.error = error[:255]
        tender.save(update_fields=["detail", "error"])
        if clock.now() - datetime.fromisoformat(since) < PLACE_WITHIN:
            row.leased_until = clock.now() + AFTER_ERROR
            row.save(update_fields=["leased_until"])
            return row
    return _let_go(attempt, look, reasons.UNWRITTEN)


def sweep() -> int:
    """Settle what nobody has settled; return how many attempts came to their end.

    Each for itself: one that fails waits a while. When the provider is away, those who would ask it wait too.
    """
    Attempt, now = get_model("loyalty_payments", "PaymentAttempt"), clock.now()
    asked = get_model("loyalty_payments", "Tender").objects.filter(kind__in=tenders.providers())
    stale = Attempt.objects.filter(state="open", leased_until__lte=now).order_by("leased_until", "pk")
    stale = stale.annotate(asks=Exists(asked.filter(attempt=OuterRef("pk"))))
    done = sum(_swept(attempt) for attempt in stale.filter(asks=False)[:MOST])
    owed = Attempt.objects.filter(pk__in=asked.filter(state="authorised").values("attempt"), leased_until__lte=now)
    owed = owed.exclude(state="open").order_by("leased_until", "pk")
    silent = 0
    for attempt in [*owed[:MOST], *stale.filter(asks=True)[:MOST]]:
        try:
            done += _swept(attempt)
            silent = 0
        except exceptions.ProviderDown:
            silent += 1
            if silent == GIVE_UP:
                break
    return done


def _swept(attempt: Any) -> bool:
    try:
        return settle(attempt=attempt) != "open"
    except exceptions.ProviderDown:
        raise
    except Exception:
        log.exception("The attempt %s could not be settled", attempt.uuid)
        rows = get_model("loyalty_payments", "PaymentAttempt").objects.filter(pk=attempt.pk)
        rows.update(leased_until=clock.now() + services.AGAIN)
        return False
