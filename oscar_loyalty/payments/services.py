"""Attempts to pay: begin, complete with the order, or undo. See ``docs/explanation/paying.md`` for the whole way."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.ledger.exceptions import HoldClosed, InsufficientUnits
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import from_minor, to_minor
from oscar_loyalty.payments import exceptions, planning, returns, snapshots
from oscar_loyalty.payments.clicks import first_try, refuse_second, wait_for

#: How long a request may work on an attempt before the sweep takes it for dead.
LEASE = timedelta(minutes=2)


def _model(name: str) -> Any:
    return get_model("loyalty_payments", name)


def _lock_basket(pk: int | None) -> None:
    list(get_model("basket", "Basket").objects.select_for_update().filter(pk=pk).values_list("pk", flat=True))


def _locked(attempt: Any) -> Any:
    """Return the attempt as the database has it, under the locks of its basket and its own.

    The basket comes first, always: placing an order writes both, and so does a second click that begins meanwhile.
    """
    _lock_basket(attempt.basket_id)
    return _model("PaymentAttempt").objects.select_for_update().get(pk=attempt.pk)


def plan_for(*, basket: Any, total: Decimal, cards: Sequence[Any] = (), money_kind: str = "shop") -> planning.Plan:
    """Return how ``basket`` is going to be paid, with the gift cards offered, in at most two queries for each card."""
    currency = basket.currency
    offered = [
        planning.PlanCard(card.pk, from_minor(ledger.balance(card.account).usable, card.currency))
        for card in cards
        if card.currency == currency and card.state == "active"
    ]
    return planning.plan(lines=snapshots.plan_lines(basket), total=Decimal(total), cards=offered, money_kind=money_kind)


def begin(
    *,
    basket: Any,
    total: Any,
    user: Any,
    member: Any,
    site: Any,
    cards: Sequence[Any] = (),
    plan: planning.Plan,
    order_number: Any = "",
    **submission: Any,
) -> Any:
    """Commit an attempt to pay for ``basket``, with holds on the points and cards it takes, and return it.

    It commits before the caller asks anybody for money, so it must not run inside a transaction. ``total`` is
    Oscar's price of
    the order, ``plan`` what the customer was shown (:func:`plan_for`): a card that pays less by now is refused,
    never replaced by
    more money. ``submission`` is what :func:`snapshots.snapshot` keeps of the rest.

    :raises NotEnoughPoints: with the number missing.
    :raises CardChanged: when a gift card no longer has what it was to pay.
    :raises UnderWay: while another request is placing this basket's order.
    :raises AlreadyPlaced: when another request has placed it.
    """
    with transaction.atomic(durable=True):
        return _begin(
            basket=basket,
            total=total,
            user=user,
            member=member,
            site=site,
            cards=cards,
            plan=plan,
            order_number=order_number,
            submission=submission,
        )


def _begin(
    *,
    basket: Any,
    total: Any,
    user: Any,
    member: Any,
    site: Any,
    cards: Sequence[Any],
    plan: planning.Plan,
    order_number: Any,
    submission: dict[str, Any],
) -> Any:
    Attempt = _model("PaymentAttempt")
    now = clock.now()
    _lock_basket(basket.pk)
    before = Attempt.objects.select_for_update().filter(basket=basket.pk, state="open").first()
    refuse_second(basket=basket)
    if before is not None:
        _cancel(before, reason="started again")
    if plan.total != total.incl_tax:
        raise ValueError("The plan is for another total.")
    if plan.points and (member is None or member.status != "active"):
        raise exceptions.PaymentProblem(_("Only members can pay with points."))
    minimum = member.programme.minimum_cash if member is not None else Decimal(0)
    if plan.points and plan.money < minimum:
        raise exceptions.PaymentProblem(_money_missing(minimum, basket.currency))
    attempt = Attempt.objects.create(
        basket_id=basket.pk,
        user=user if user is not None and user.is_authenticated else None,
        member=member,
        site=site,
        order_number=str(order_number or ""),
        currency=total.currency,
        total=total.incl_tax,
        snapshot=snapshots.snapshot(basket=basket, total=total, **submission),
        created_at=now,
        leased_until=now + LEASE,
        expires_at=now + timedelta(minutes=conf.HOLD_MINUTES),
    )
    by_id = {card.pk: card for card in cards}
    # Accounts are locked in primary-key order, so that two checkouts with the same cards never wait for each other.
    wanted = sorted(
        enumerate(plan.tenders),
        key=lambda item: by_id[item[1].card].account_id if item[1].card else member.account_id if item[1].points else 0,
    )
    for number, tender in wanted:
        _hold(attempt, number, tender, member, by_id.get(tender.card))
    return attempt


def _hold(attempt: Any, number: int, tender: planning.PlanTender, member: Any, card: Any) -> None:
    units, account, hold = 0, None, None
    if tender.kind == "points_line":
        units, account = tender.points, member.account
    elif tender.kind == "giftcard":
        units, account = to_minor(tender.amount, attempt.currency), card.account
    if account is not None:
        try:
            hold = books.hold(
                account=account,
                units=units,
                key=f"attempt:{attempt.uuid}:{number}",
                until=attempt.expires_at,
                source=Ref.of("attempt", attempt.pk),
            )
        except InsufficientUnits as error:
            if card is not None:
                raise exceptions.CardChanged(
                    _("A gift card has less on it than a moment ago. Please check how you pay, and try again.")
                ) from error
            label = member.programme.points_label(error.missing)
            raise exceptions.NotEnoughPoints(
                _("You are missing %(points)s for the gift cards you want to pay with points.") % {"points": label},
                error.missing,
            ) from error
    _model("Tender").objects.create(
        attempt=attempt,
        number=number,
        kind=tender.kind,
        amount=tender.amount,
        units=units,
        line_index=tender.line_index,
        card=card if tender.kind == "giftcard" else None,
        hold=hold,
    )


def _money_missing(minimum: Decimal, currency: str) -> str:
    from oscar_loyalty.money import format_money

    return _("At least %(amount)s of an order must be paid in money.") % {"amount": format_money(minimum, currency)}


def redirected(*, attempt: Any) -> None:
    """The customer was sent elsewhere to pay: the holds stay until their limit, and a new try may take over."""
    attempt.snapshot["redirected"] = clock.now().isoformat()
    attempt.leased_until = attempt.expires_at
    attempt.save(update_fields=["snapshot", "leased_until"])


@transaction.atomic
def complete(*, attempt: Any, order: Any) -> Any:
    """Close ``attempt`` with ``order``: capture the holds, record who paid what for which line, make the gift cards
    bought.

    Runs in the transaction that places the order, so that there is no order without its payment, nor the other way
    round.

    :raises AttemptClosed: when it was undone meanwhile, or its holds ran out.
    :raises PaymentProblem: when the order costs something else than what was agreed.
    """
    row = _locked(attempt)
    if row.state == "placed" and row.order_id == order.pk:
        return row
    if row.state != "open":
        raise exceptions.AttemptClosed(
            _("This took too long: what was set aside for it is free again. Please try again.")
        )
    if row.total != order.total_incl_tax or row.currency != order.currency:
        raise exceptions.PaymentProblem(_("The total of the order has changed. Please check it and try again."))
    tenders = list(row.tenders.select_related("hold__account", "card").order_by("hold__account_id", "number"))
    for tender in tenders:
        if tender.hold is not None:
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
        tender.save(update_fields=["entry", "state"])
    tenders.sort(key=lambda tender: tender.number)
    _allot(row, order, tenders)
    _record_sources(order, tenders)
    row.state, row.order, row.closed_at = "placed", order, clock.now()
    row.order_number = order.number
    row.save(update_fields=["state", "order", "closed_at", "order_number"])
    _issue_cards(order, row)
    return row


def _allot(attempt: Any, order: Any, tenders: Sequence[Any]) -> None:
    Allotment = _model("Allotment")
    minor = to_minor(Decimal(1), attempt.currency)
    order_lines = _in_basket_order(attempt, order)
    lines = [
        planning.PlanLine(index, line.line_price_incl_tax, is_giftcard=giftcards.is_giftcard(line.product))
        for index, line in enumerate(order_lines)
    ]
    rest = to_minor(attempt.total, attempt.currency) - sum(to_minor(line.amount, attempt.currency) for line in lines)
    plan = [
        planning.PlanTender(t.kind, t.amount, t.units if t.kind == "points_line" else 0, t.line_index, t.card_id)
        for t in tenders
    ]
    rows = []
    for tender, parts in zip(tenders, planning.allot(tenders=plan, lines=lines, rest=rest, minor=minor), strict=True):
        for place, part in parts.items():
            units = tender.units if tender.kind == "points_line" else part if tender.kind == "giftcard" else 0
            rows.append(
                Allotment(
                    tender=tender,
                    order_line=None if place is None else order_lines[place],
                    amount=from_minor(part, attempt.currency),
                    units=units,
                )
            )
    Allotment.objects.bulk_create(rows)


def _in_basket_order(attempt: Any, order: Any) -> list[Any]:
    """Return the order's lines in the order of the snapshot, which the tenders' ``line_index`` counts in.

    Oscar creates them in that order; a shop's own ``OrderCreator`` might not.
    """
    left = list(order.lines.select_related("product").prefetch_related("attributes__option").order_by("pk"))
    found = []
    for wanted in attempt.snapshot["lines"]:
        alike = [line for line in left if (line.product_id, line.quantity) == (wanted["product"], wanted["quantity"])]
        if not alike:
            raise exceptions.PaymentProblem(_("The total of the order has changed. Please check it and try again."))
        # Two lines of one product differ by what was chosen for them, such as paying with points.
        chosen = {option["option"]: option["value"] for option in wanted["options"]}
        match = next((line for line in alike if _chosen(line) == chosen), alike[0])
        left.remove(match)
        found.append(match)
    return found + left


def _chosen(line: Any) -> dict[str, Any]:
    return {attribute.type: attribute.value for attribute in line.attributes.all()}


#: What Oscar's payment sources are called; the shop's own payment records its own.
SOURCES = {"points_line": "Points", "giftcard": "Gift card", "on_site": "At the salon"}


def _record_sources(order: Any, tenders: Sequence[Any]) -> None:
    SourceType, Source = get_model("payment", "SourceType"), get_model("payment", "Source")
    for tender in tenders:
        name = SOURCES.get(tender.kind)
        if name is None:
            continue
        kind = SourceType.objects.get_or_create(name=name)[0]
        paid = tender.amount if tender.kind != "on_site" else Decimal(0)
        Source.objects.create(
            order=order,
            source_type=kind,
            currency=order.currency,
            amount_allocated=tender.amount,
            amount_debited=paid,
            reference=f"{tender.attempt.uuid}:{tender.number}",
            label=str(tender.units) if tender.kind == "points_line" else "",
        )


def _issue_cards(order: Any, attempt: Any = None) -> None:
    """Make the gift cards that ``order`` bought; those that are paid work at once."""
    language = attempt.snapshot.get("language") or "" if attempt is not None else ""
    cards = giftcard_services.issue_for_lines(order, language=language)
    if not cards:
        return
    unpaid = set()
    if attempt is None or attempt.tenders.filter(kind="on_site").exists():
        owed = _model("Allotment").objects.filter(tender__attempt=attempt, tender__kind="on_site", amount__gt=0)
        unpaid = set(owed.values_list("order_line_id", flat=True)) if attempt else {c.order_line_id for c in cards}
    for card in cards:
        if card.order_line_id not in unpaid:
            giftcard_services.activate(card=card, key=f"order:{order.pk}")


@transaction.atomic
def cancel(*, attempt: Any, reason: str = "") -> Any:
    """Undo an attempt that has no order: its holds are free again. Cancelling twice changes nothing."""
    row = _locked(attempt)
    if row.state == "open":
        _cancel(row, reason=reason)
    return row


def _cancel(attempt: Any, *, reason: str) -> None:
    tenders = attempt.tenders.filter(state="held").select_related("hold").order_by("hold__account_id", "number")
    for tender in tenders:
        if tender.hold is not None:
            books.release(hold=tender.hold)
        tender.state = "cancelled"
        tender.save(update_fields=["state"])
    returns.look_again(cards=[tender.card_id for tender in tenders if tender.card_id])
    attempt.state, attempt.closed_at, attempt.reason = "cancelled", clock.now(), reason[:255]
    attempt.save(update_fields=["state", "closed_at", "reason"])


def settle(*, attempt: Any) -> str:
    """Bring an attempt to its end from what is stored, whoever calls and however often; return its state.

    An attempt that is still open when its request is dead has no order, since both are written in one transaction;
    so it
    is undone, and its basket opened again.
    """
    with transaction.atomic():
        row = _locked(attempt)
        if row.state != "open" or row.leased_until > clock.now():
            return str(row.state)
        _cancel(row, reason="the request ended half way")
        Basket = get_model("basket", "Basket")
        Basket.objects.filter(pk=row.basket_id, status=Basket.FROZEN).update(status=Basket.OPEN)
        return str(row.state)


def order_placed_elsewhere(*, order: Any) -> None:
    """An order was placed outside an attempt (API, back office): free its basket's holds, make the cards it bought."""
    if _model("PaymentAttempt").objects.filter(order=order).exists():
        return
    for attempt in _model("PaymentAttempt").objects.filter(basket=order.basket_id, state="open"):
        cancel(attempt=attempt, reason=f"order {order.number} was placed without it")
    with transaction.atomic():
        _issue_cards(order)


def mark_paid(*, order: Any) -> int:
    """The order is paid: activate the gift cards that waited for it; return how many."""
    GiftCard = get_model("loyalty_giftcards", "GiftCard")
    waiting = list(GiftCard.objects.filter(order=order, state="waiting"))
    for card in waiting:
        giftcard_services.activate(card=card, key=f"order:{order.pk}")
    if waiting:
        for source in get_model("payment", "Source").objects.filter(
            order=order, source_type__name=SOURCES["on_site"], amount_debited=0
        ):
            source.debit(source.amount_allocated)
    return len(waiting)


__all__ = [
    "begin",
    "cancel",
    "complete",
    "first_try",
    "mark_paid",
    "order_placed_elsewhere",
    "plan_for",
    "redirected",
    "refuse_second",
    "settle",
    "wait_for",
]
