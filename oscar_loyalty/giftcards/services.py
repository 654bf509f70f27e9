"""All writes of gift cards. The catalogue's side is in :mod:`oscar_loyalty.giftcards.catalogue`."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import get_language

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.giftcards import codes, guard, selectors
from oscar_loyalty.giftcards.catalogue import ensure_catalogue, set_denomination
from oscar_loyalty.giftcards.exceptions import CodeRefused, GiftCardError, TooManyTries
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import to_minor

#: Why a card was disabled whose order line was cancelled.
CANCELLED = "cancelled"


def _model(name: str) -> Any:
    return get_model("loyalty_giftcards", name)


def _locked(card: Any) -> Any:
    # "no key": a tender may point at the card meanwhile, so that nobody deadlocks with a checkout.
    return _model("GiftCard").objects.select_for_update(no_key=True).get(pk=card.pk)


def _log(card: Any, kind: str, at: datetime, actor: Ref = NOBODY, **detail: Any) -> Any:
    return _model("GiftCardEvent").objects.create(
        card=card, kind=kind, at=at, actor_type=actor.type, actor_id=actor.id, detail=detail
    )


@transaction.atomic
def issue(
    *,
    value: Decimal,
    key: str,
    currency: str = "",
    buyer: Any = None,
    order: Any = None,
    order_line: Any = None,
    unit: int = 1,
    recipient_name: str = "",
    recipient_email: str = "",
    sender_name: str = "",
    message: str = "",
    language: str = "",
    activate: bool = True,
    deliver: bool = True,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Make a card of ``value`` and return it; the same ``key`` returns the first one.

    With ``activate`` it is loaded and works at once, else it waits for :func:`activate`. With ``deliver`` its code is
    then sent to the recipient, or to the buyer where there is none.

    :raises KeyConflict: when the key was used for a card of another value.
    :raises ValueError: when the value is not above zero, or finer than the currency.
    """
    currency = currency or settings.OSCAR_DEFAULT_CURRENCY
    if to_minor(value, currency) <= 0:
        raise ValueError("A gift card is worth more than nothing.")
    at = happened_at or clock.now()
    order = order if order is not None else getattr(order_line, "order", None)
    fields = {
        "value": value,
        "currency": currency,
        "buyer": buyer,
        "order": order,
        "order_line": order_line,
        "order_number": order.number if order is not None else "",
        "unit": unit,
        "recipient_name": _one_line(recipient_name),
        "recipient_email": _email(recipient_email),
        "sender_name": _one_line(sender_name),
        "message": message.strip()[:2000],
        "language": language or get_language() or settings.LANGUAGE_CODE,
        "created_at": at,
    }
    GiftCard = _model("GiftCard")
    card = GiftCard.objects.filter(key=key).first()
    if card is None:
        try:
            with transaction.atomic():
                card = GiftCard(key=key, **fields)
                card.account = books.open_account(unit=currency, owner=Ref.of("giftcard", card.uuid))
                card.save()
                _log(card, "issued", at, actor)
        except IntegrityError:
            # Somebody else was faster with the same key.
            card = GiftCard.objects.filter(key=key).first()
            if card is None:
                raise
    if (card.value, card.currency) != (value, currency):
        raise KeyConflict(f"The key {key} has been used for another gift card.")
    if activate:
        return _activate(card=card, actor=actor, happened_at=happened_at, deliver=deliver)
    return card


@transaction.atomic
def issue_for_lines(order: Any, *, language: str = "", happened_at: datetime | None = None) -> list[Any]:
    """Make one card for each unit of each gift-card line of ``order``, waiting to be paid; return them all.

    Calling again returns the same cards.
    """
    cards = []
    for line in order.lines.select_related("product").order_by("pk"):
        if not selectors.is_giftcard(line.product):
            continue
        options = selectors.line_options(line)
        denomination = selectors.denomination_of(line.product)
        for unit in range(1, line.quantity + 1):
            card = issue(
                value=denomination.value if denomination else line.unit_price_incl_tax,
                currency=denomination.currency if denomination else order.currency,
                key=f"line:{line.pk}:{unit}",
                buyer=order.user,
                order=order,
                order_line=line,
                unit=unit,
                recipient_name=options.recipient_name,
                recipient_email=options.recipient_email,
                sender_name=_buyer_name(order),
                message=options.message,
                language=language,
                activate=False,
                happened_at=happened_at,
            )
            cards.append(card)
    return cards


@transaction.atomic
def activate(
    *, card: Any, key: str = "", actor: Ref = NOBODY, deliver: bool = True, happened_at: datetime | None = None
) -> Any:
    """Load a card that waited and have its code sent; return it. Doing it again changes nothing.

    ``key`` says what it was paid by, for the card's history; a card is loaded once, whatever the key.

    :raises GiftCardError: when the card is disabled.
    """
    row = _locked(card)
    if row.state == "disabled":
        raise GiftCardError(f"The gift card {row.label} is disabled.")
    if row.state == "waiting":
        at = happened_at or clock.now()
        books.earn(
            account=row.account_id,
            units=row.units,
            key=f"giftcard:{row.uuid}:loaded",
            kind="loaded",
            usable_from=at,
            source=Ref.of("giftcard", row.uuid),
            actor=actor,
            explanation={"why": "giftcard", "order": row.order_number},
            happened_at=at,
        )
        row.state, row.activated_at = "active", at
        _set_code(row)
        row.save(update_fields=["state", "activated_at", "key_id", "lookup"])
        _log(row, "activated", at, actor, **({"key": key} if key else {}))
        if deliver:
            _deliver(row)
    _follow(card, row)
    return card


_activate = activate


@transaction.atomic
def disable(*, card: Any, reason: str = "", actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Put a card out of use and take what is left of it off its account; :func:`enable` gives it back.

    What a checkout under way has set aside stays with that checkout. Disabling again changes nothing.
    """
    row = _locked(card)
    if row.state != "disabled":
        at = happened_at or clock.now()
        row.state, row.disabled_reason = "disabled", reason[:255]
        row.save(update_fields=["state", "disabled_reason"])
        event = _log(row, "disabled", at, actor, reason=reason)
        _empty(row, key=f"giftcard:{row.uuid}:disabled:{event.pk}", actor=actor, at=at)
    _follow(card, row)
    return card


def _empty(card: Any, *, key: str, actor: Ref, at: datetime) -> int:
    account = get_model("loyalty_ledger", "Account").objects.select_for_update(no_key=True).get(pk=card.account_id)
    units = ledger.balances([account], at)[account.pk].usable
    if units:
        books.spend(
            account=account,
            units=units,
            key=key,
            kind="disabled",
            source=Ref.of("giftcard", card.uuid),
            actor=actor,
            explanation={"why": "disabled"},
            happened_at=at,
        )
    return units


@transaction.atomic
def enable(*, card: Any, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Put a disabled card back into use, with what it had: active, or waiting if it was never paid."""
    row = _locked(card)
    if row.state == "disabled":
        at = happened_at or clock.now()
        row.state, row.disabled_reason = "active" if row.activated_at else "waiting", ""
        row.save(update_fields=["state", "disabled_reason"])
        for entry in row.account.entries.filter(kind="disabled", units__lt=0).order_by("sequence"):
            # The key makes it once for each entry, so one that was given back before is passed over.
            books.reverse(entry=entry, key=f"giftcard:{row.uuid}:enabled:{entry.pk}", actor=actor, happened_at=at)
        _log(row, "enabled", at, actor)
    _follow(card, row)
    return card


@transaction.atomic
def reissue(*, card: Any, reason: str = "", actor: Ref = NOBODY, deliver: bool = True) -> Any:
    """Give an active card another code, under the newest key, and send it; the old code is worth nothing from now on.

    :raises GiftCardError: when the card is not active.
    """
    row = _locked(card)
    if row.state != "active":
        raise GiftCardError(f"The gift card {row.label} is not active.")
    row.generation += 1
    row.code_shown_at = None
    _set_code(row)
    row.save(update_fields=["generation", "key_id", "lookup", "code_shown_at"])
    _log(row, "reissued", clock.now(), actor, reason=reason, generation=row.generation)
    if deliver:
        _deliver(row)
    _follow(card, row)
    return card


@transaction.atomic
def set_recipient(*, card: Any, name: str, email: str, actor: Ref = NOBODY, deliver: bool = True) -> Any:
    """Correct whom a card is for and, if it is active, send it there.

    :raises ValidationError: when the e-mail is none.
    """
    validate_email(email)
    row = _locked(card)
    row.recipient_name, row.recipient_email = _one_line(name), email.strip()
    row.save(update_fields=["recipient_name", "recipient_email"])
    event = _log(row, "changed", clock.now(), actor)
    if deliver and row.state == "active":
        _deliver(row, suffix=f":{event.pk}")
    _follow(card, row)
    return card


@transaction.atomic
def show_once(*, card: Any, actor: Ref = NOBODY) -> str | None:
    """Return the code for the buyer's thank-you page the first time it is asked for, ``None`` ever after."""
    row = _locked(card)
    if row.state != "active" or row.code_shown_at is not None:
        return None
    row.code_shown_at = clock.now()
    row.save(update_fields=["code_shown_at"])
    _log(row, "shown", row.code_shown_at, actor)
    _follow(card, row)
    return code_of(row)


def code_of(card: Any) -> str:
    """Return the code of an active card, in groups of four. Never store, log or cache it.

    :raises GiftCardError: when the card is not active.
    """
    if card.state != "active":
        raise GiftCardError(f"The gift card {card.label} is not active.")
    return codes.make(uuid=card.uuid, generation=card.generation, key_id=card.key_id)


def look_up(code: str, *, who: Guard, currency: str = "", empty_ok: bool = False) -> Any:
    """Return the card with a code as somebody typed it, in ``currency`` if one is given, with something on it.

    ``empty_ok`` finds a used-up card as well, for the page that shows balances. Every code that is refused counts as a
    try of ``who``'s account, session and address. The count is a row of the database: call this outside of a
    transaction, or catch the error inside it, since rolling back the transaction takes the count back too.

    :raises TooManyTries: when one of them has none left.
    :raises CodeRefused: whatever is wrong with the code.
    """
    guard.reserve(who)
    card = None
    if fingerprints := codes.fingerprints(code):
        cards = _model("GiftCard").objects.filter(lookup__in=fingerprints, state="active")
        card = cards.select_related("account").first()
    if card is None or (currency and card.currency != currency) or not (empty_ok or _has_money(card)):
        raise CodeRefused
    guard.give_back(who)
    return card


def _has_money(card: Any) -> bool:
    balance = ledger.balances([card.account])[card.account_id]
    # What an own checkout has set aside is still on the card; whether enough is free is decided when paying.
    return balance.usable + balance.held > 0


@transaction.atomic
def disable_for_lines(
    order: Any, quantities: Mapping[int, int], *, actor: Ref = NOBODY, happened_at: datetime | None = None
) -> list[Any]:
    """Disable the cards that cancelled units of order lines bought, and return those that were disabled by this call.

    ``quantities`` says, by the line's primary key, how many units are cancelled **so far**; calling again with the
    same numbers changes nothing. Cards nobody has used go first.
    """
    done = []
    for line_id, quantity in sorted(quantities.items()):
        cards = _model("GiftCard").objects.filter(order=order, order_line_id=line_id).order_by("pk")
        cards = list(cards.select_for_update(no_key=True))
        missing = quantity - sum(card.state == "disabled" and card.disabled_reason == CANCELLED for card in cards)
        left = [card for card in cards if card.state != "disabled"]
        balances = selectors.balances(left)
        left.sort(key=lambda card: (card.state != "waiting", -balances[card.pk].amount, -card.unit))
        for card in left[: max(0, missing)]:
            done.append(disable(card=card, reason=CANCELLED, actor=actor, happened_at=happened_at))
    return done


@sweeper("giftcards.disabled")
def empty_disabled() -> int:
    """Empty disabled cards that got something back since, when a checkout let go of it or an order was returned."""
    done = 0
    cards = _model("GiftCard").objects.filter(state="disabled", account__balance__gt=0)
    for card in cards.exclude(account__holds__state="open").order_by("pk")[:500]:
        with transaction.atomic():
            row = _locked(card)
            if row.state == "disabled":
                entry = row.account.entries.order_by("-sequence").first()
                key = f"giftcard:{row.uuid}:emptied:{entry.sequence}"
                done += bool(_empty(row, key=key, actor=NOBODY, at=clock.now()))
    return done


@sweeper("giftcards.tries")
def forget_tries() -> int:
    """Forget wrong codes that no longer count."""
    return guard.forget_old()


def _set_code(card: Any) -> None:
    card.key_id = codes.current_key_id()
    code = codes.make(uuid=card.uuid, generation=card.generation, key_id=card.key_id)
    card.lookup = codes.fingerprint(code, key_id=card.key_id)


def _deliver(card: Any, suffix: str = "") -> None:
    due.leave(kind="giftcards.deliver", key=f"{card.uuid}:{card.generation}{suffix}", payload={"card": card.pk})


def _follow(card: Any, row: Any) -> None:
    """Let the caller's object say what the database says."""
    for field in row._meta.concrete_fields:
        if field.attname in row.__dict__:
            setattr(card, field.attname, getattr(row, field.attname))


def _one_line(text: str) -> str:
    """Names stand in the subject of a mail, where a line break would be an attack."""
    return " ".join(str(text).split())[:150]


def _email(text: str) -> str:
    """A mistyped address must not break an order: the card then goes to the buyer."""
    text = str(text).strip()
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text


def _buyer_name(order: Any) -> str:
    if order.user is not None and order.user.get_full_name():
        return str(order.user.get_full_name())
    address = order.billing_address or order.shipping_address
    return str(address.name) if address is not None else ""


__all__ = [
    "CANCELLED",
    "CodeRefused",
    "GiftCardError",
    "Guard",
    "TooManyTries",
    "activate",
    "code_of",
    "disable",
    "disable_for_lines",
    "empty_disabled",
    "enable",
    "ensure_catalogue",
    "forget_tries",
    "issue",
    "issue_for_lines",
    "look_up",
    "reissue",
    "set_denomination",
    "set_recipient",
    "show_once",
]
