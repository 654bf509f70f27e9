"""Attempts to pay: begin, complete with the order, or undo. See ``docs/explanation/paying.md`` for the whole way."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.locking import lock_members
from oscar_loyalty.money import as_stored, format_money, from_minor
from oscar_loyalty.payments import closing, exceptions, offering, planning, reasons, returns, snapshots, tenders
from oscar_loyalty.payments.clicks import first_try, refuse_second, wait_for

#: How long a request may work on an attempt before the sweep takes it for dead.
LEASE = timedelta(minutes=2)
#: How soon a payment that is under way is looked at again, if nobody says anything.
AGAIN = timedelta(minutes=5)
#: Kind of the due rows that bring an attempt to its end.
SETTLE = "payments.settle"


def _model(name: str) -> Any:
    return get_model("loyalty_payments", name)


def _lock_basket(pk: int | None) -> None:
    list(get_model("basket", "Basket").objects.select_for_update().filter(pk=pk).values_list("pk", flat=True))


def _freeze(basket: Any) -> None:
    """Freeze the basket with its attempt, in one transaction: a frozen basket always has one, which the sweep finds."""
    Basket = get_model("basket", "Basket")
    Basket.objects.filter(pk=basket.pk).update(status=Basket.FROZEN)
    basket.status = Basket.FROZEN


def locked(attempt: Any) -> Any:
    """Return the attempt as the database has it, in a transaction, under the locks of its basket and its own.

    The basket comes first, always: placing an order writes both, and so does a second click that begins meanwhile.
    """
    _lock_basket(attempt.basket_id)
    return _model("PaymentAttempt").objects.select_for_update().get(pk=attempt.pk)


def plan_for(
    *,
    basket: Any,
    total: Decimal,
    cards: Sequence[Any] = (),
    money_kind: str = "shop",
    member: Any = None,
    points: int = 0,
) -> planning.Plan:
    """Return how ``basket`` is going to be paid, in at most two queries for each card, and two for points.

    ``cards`` are the gift cards offered, in their order; ``points`` is how many of the points of ``member`` may be used
    at the programme's rate. What is not allowed is left out, never refused.
    """
    currency = basket.currency
    offered = [
        planning.PlanCard(card.pk, from_minor(ledger.balance(card.account).usable, card.currency))
        for card in cards
        if card.currency == currency and card.state == "active"
    ]
    return planning.plan(
        lines=snapshots.plan_lines(basket),
        total=as_stored(total),
        cards=offered,
        points=offering.at_rate(member=member, currency=currency, wanted=points) if points > 0 else None,
        money_kind=money_kind,
        minimum_charge=tenders.of(money_kind).minimum(currency),
        minor=offering.minor_of(currency),
        unit=tenders.of(money_kind).unit(currency),
    )


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
    """Commit an attempt to pay for ``basket``, frozen, with holds on the points and cards it takes, and return it.

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
    refuse_second(basket=basket, known=before)
    # Before a first try gives back what it had set aside: members are locked before accounts, by everybody.
    may_spend = bool(plan.points) and _may_spend(member)
    if before is not None and provider_tender(before) is not None:
        # Its page may still be open, and paid: the caller closes that first (settling.give_up).
        raise exceptions.UnderWay(_("This order is being placed at this moment."), before)
    if plan.total != as_stored(total.incl_tax):
        raise ValueError("The plan is for another total.")
    if plan.points and not may_spend:
        if member is not None:
            raise exceptions.PaymentProblem(
                _("Your membership is on hold or closed, so its points cannot be spent. Please ask us.")
            )
        raise exceptions.PaymentProblem(_("Only members can pay with points."))
    _check_points(plan, member, basket.currency)
    if problem := why_not(plan, basket.currency):
        raise exceptions.PaymentProblem(problem)
    by_id = {card.pk: card for card in cards}
    wanted = []
    for number, tender in enumerate(plan.tenders):
        card = by_id.get(tender.card)
        account = tenders.of(tender.kind).account(plan=tender, member=member, card=card)
        wanted.append((account.pk if account is not None else 0, number, tender, card))
    if before is not None:
        # What it gives back and what is taken now, in one go: one after the other, both could wait for a checkout that
        # waits for them.
        books.lock({*_held_of(before), *(account for account, *_rest in wanted if account)})
        undo(before, reason=reasons.AGAIN)
    _freeze(basket)
    attempt = Attempt.objects.create(
        basket_id=basket.pk,
        user=user if user is not None and user.is_authenticated else None,
        member=member,
        site=site,
        order_number=str(order_number or ""),
        currency=total.currency,
        total=plan.total,
        snapshot=snapshots.snapshot(basket=basket, total=total, user=user, **submission),
        created_at=now,
        leased_until=now + LEASE,
        expires_at=now + timedelta(minutes=conf.HOLD_MINUTES),
    )
    # Accounts are locked in primary-key order, so that two checkouts with the same cards never wait for each other.
    for _account, number, tender, card in sorted(wanted, key=lambda item: item[:2]):
        _hold(attempt, number, tender, member, card)
    return attempt


def _held_of(attempt: Any) -> set[int]:
    """Return the accounts on which ``attempt`` has set something aside."""
    return set(attempt.tenders.filter(state="held", hold__isnull=False).values_list("hold__account_id", flat=True))


def _may_spend(member: Any) -> bool:
    """Ask the row itself, locked: whoever puts the membership on hold in this moment does so before this, or after."""
    if member is None:
        return False
    return members.may_spend(lock_members([member.pk])[member.pk])


def _hold(attempt: Any, number: int, plan: planning.PlanTender, member: Any, card: Any) -> None:
    kind = tenders.of(plan.kind)
    _model("Tender").objects.create(
        attempt=attempt,
        number=number,
        kind=plan.kind,
        amount=plan.amount,
        units=kind.units(plan=plan, currency=attempt.currency),
        line_index=plan.line_index,
        card=card,
        hold=kind.hold(attempt=attempt, number=number, plan=plan, member=member, card=card),
    )


def _check_points(plan: planning.Plan, member: Any, currency: str) -> None:
    """Refuse what the programme does not allow (any more)."""
    if not plan.points:
        return
    programme = member.programme
    if plan.at_rate is not None and not offering.is_on(programme, currency):
        raise exceptions.PaymentProblem(_("Orders cannot be paid with points at the moment."))
    if plan.total - plan.paid_with_points < programme.minimum_cash:
        amount = {"amount": format_money(programme.minimum_cash, currency)}
        raise exceptions.PaymentProblem(
            _("At least %(amount)s of an order must be paid in money or by gift card.") % amount
        )


def why_not(plan: planning.Plan, currency: str) -> str:
    """Return why the rest of a plan cannot be paid through its provider, for the customer; nothing where it can."""
    if plan.too_fine:
        # The shop's own way of writing a price has no digits for it.
        rest = {"rest": f"{number_format(plan.money, 2)}\xa0{currency}"}
        return _("%(rest)s is no whole amount, so it cannot be paid this way. Please pay in another way.") % rest
    if not plan.too_small:
        return ""
    words = {"rest": format_money(plan.money, currency), "minimum": format_money(plan.minimum, currency)}
    if plan.points:
        return (
            _(
                "%(rest)s would be left to pay, and less than %(minimum)s cannot be paid this way. "
                "Pay for one gift card less with points, or pay in another way."
            )
            % words
        )
    return _("%(rest)s cannot be paid this way: the least is %(minimum)s. Please pay in another way.") % words


def redirected(*, attempt: Any, until: Any = None) -> None:
    """The customer was sent elsewhere to pay: the holds stay until their limit, and a new try may take over.

    ``until``: when the sweep looks after it (default: at that limit).
    """
    attempt.snapshot["redirected"] = clock.now().isoformat()
    attempt.leased_until = until or attempt.expires_at
    attempt.save(update_fields=["snapshot", "leased_until"])


def provider_tender(attempt: Any, *, lock: bool = False) -> Any:
    """Return the tender of ``attempt`` that somebody is asked for over the network, or ``None``."""
    rows = attempt.tenders.select_for_update(no_key=True) if lock else attempt.tenders.all()
    return next((row for row in rows if tenders.is_provider(row.kind)), None)


def settle_soon(attempt: Any, *, at: Any = None) -> None:
    """Leave the row by which whoever comes by brings ``attempt`` to its end (:func:`settling.settle`)."""
    due.again(kind=SETTLE, key=str(attempt.pk), payload={"attempt": attempt.pk}, at=at)


@transaction.atomic(savepoint=False)
def complete(*, attempt: Any, order: Any, basket: Any = None) -> Any:
    """Close ``attempt`` with ``order``: capture the holds, record who paid what for which line, make the gift cards
    bought.

    Runs in the transaction that places the order, so that there is no order without its payment, nor the other way
    round. ``basket``: the one it was placed from, for whoever has it with its products.

    :raises AttemptClosed: when it was undone meanwhile, or its holds ran out.
    :raises PaymentProblem: when the order costs something else than what was agreed.
    """
    row = locked(attempt)
    if row.state == "placed" and row.order_id == order.pk:
        return row
    if row.state != "open":
        raise exceptions.AttemptClosed(
            _("This took too long: what was set aside for it is free again. Please try again.")
        )
    if row.total != as_stored(order.total_incl_tax) or row.currency != order.currency:
        raise exceptions.PaymentProblem(_("The total of the order has changed. Please check it and try again."))
    rows = list(row.tenders.select_related("attempt", "hold__account", "card").order_by("hold__account_id", "number"))
    for tender in rows:
        tenders.of(tender.kind).capture(tender=tender, order=order)
        tender.save(update_fields=["entry", "state"])
    rows.sort(key=lambda tender: tender.number)
    row.state, row.order, row.closed_at = "placed", order, clock.now()
    row.order_number = order.number
    row.save(update_fields=["state", "order", "closed_at", "order_number"])
    closing.close(row, order, rows, basket=basket)
    if any(tenders.is_provider(tender.kind) for tender in rows):
        settle_soon(row)
    return row


@transaction.atomic
def cancel(*, attempt: Any, reason: str = "") -> Any:
    """Undo an attempt that has no order: its holds are free again. Cancelling twice changes nothing.

    One whose customer may be paying at this moment stays open until the provider has confirmed that nobody can.
    """
    row = locked(attempt)
    if row.state == "open":
        tender = provider_tender(row)
        if tender is not None and tender.session:
            row.giving_up, row.leased_until, row.reason = True, clock.now(), reason[:255]
            row.save(update_fields=["giving_up", "leased_until", "reason"])
            settle_soon(row)
        else:
            undo(row, reason=reason)
    return row


@transaction.atomic
def to_be_given_back(*, attempt: Any, why: str) -> None:
    """The shop's own payment took money for ``attempt``, which has no order: somebody must give it back by hand."""
    row = locked(attempt)
    if row.state != "placed":
        row.tenders.filter(kind="shop").update(state="failed", error=why[:255])


@transaction.atomic
def given_back(*, attempt: Any, actor: Ref = NOBODY) -> None:
    """Somebody has given back what the shop's own payment took for an attempt without an order, as ``actor`` says."""
    row = locked(attempt)
    if row.state == "placed":
        return
    noted = {"returned_at": clock.now().isoformat(), "returned_by": [actor.type, actor.id]}
    for tender in row.tenders.filter(kind="shop", state="failed"):
        tender.state, tender.error, tender.detail = "cancelled", "", {**tender.detail, **noted}
        tender.save(update_fields=["state", "error", "detail"])


@transaction.atomic
def rest_settled(*, attempt: Any, actor: Ref = NOBODY) -> None:
    """A provider took less than the order costs, and the shop has seen to it, as ``actor`` says: got the rest
    elsewhere, or cancelled the order. Gift cards bought with an order that stands go live."""
    row = locked(attempt)
    tender = provider_tender(row, lock=True)
    if tender is not None and tender.short:
        noted = {"settled_at": clock.now().isoformat(), "settled_by": [actor.type, actor.id]}
        tender.short, tender.detail = False, {**tender.detail, **noted}
        tender.save(update_fields=["short", "detail"])
        mark_paid(order=row.order)


def undo(attempt: Any, *, reason: str) -> None:
    """Let go of all that an attempt has set aside; its caller holds its locks (:func:`locked`).

    ``reason`` is a code of :mod:`~oscar_loyalty.payments.reasons`, or the words of whoever refused.

    What a provider has authorised is let go by :func:`settling.settle`, outside of the transaction.
    """
    rows = attempt.tenders.filter(state="held").select_related("hold").order_by("hold__account_id", "number")
    for tender in rows:
        tenders.of(tender.kind).cancel(tender=tender)
        tender.save(update_fields=["state"])
    returns.look_again(cards=[tender.card_id for tender in rows if tender.card_id])
    attempt.state, attempt.closed_at, attempt.reason = "cancelled", clock.now(), reason[:255]
    attempt.save(update_fields=["state", "closed_at", "reason"])


def order_placed_elsewhere(*, order: Any) -> None:
    """An order was placed outside an attempt (API, back office): free its basket's holds, make the cards it bought."""
    if _model("PaymentAttempt").objects.filter(order=order).exists():
        return
    for attempt in _model("PaymentAttempt").objects.filter(basket=order.basket_id, state="open"):
        cancel(attempt=attempt, reason=reasons.elsewhere(order))
    with transaction.atomic():
        closing.issue_cards(order)


@transaction.atomic
def mark_paid(*, order: Any) -> int:
    """The order is paid: activate the gift cards that waited for it; return how many.

    An order that is paid through a provider is paid once the provider has all of the money, whatever its status says.
    """
    owing = _model("Tender").objects.filter(attempt__order=order).exclude(state="captured", short=False)
    if any(tenders.is_provider(kind) for kind in owing.values_list("kind", flat=True)):
        return 0
    # All cards before all accounts, upwards, as a refund locks them: it may be at the same cards.
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(order=order, state="waiting").order_by("pk")
    waiting = list(cards.select_for_update(no_key=True))
    books.lock([card.account_id for card in waiting])
    for card in waiting:
        giftcard_services.activate(card=card, key=f"order:{order.pk}")
    if waiting:
        for source in get_model("payment", "Source").objects.filter(
            order=order, source_type__name=tenders.of("on_site").source, amount_debited=0
        ):
            source.debit(source.amount_allocated)
    return len(waiting)


__all__ = [
    "begin",
    "cancel",
    "complete",
    "first_try",
    "given_back",
    "locked",
    "mark_paid",
    "order_placed_elsewhere",
    "plan_for",
    "provider_tender",
    "redirected",
    "refuse_second",
    "rest_settled",
    "settle_soon",
    "to_be_given_back",
    "undo",
    "wait_for",
    "why_not",
]
