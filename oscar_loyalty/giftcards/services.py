"""All writes of gift cards. The catalogue's side is in :mod:`oscar_loyalty.giftcards.catalogue`."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import get_language

from oscar_loyalty import clock
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.giftcards import codes, delivery, designs, expiry, guard, selectors
from oscar_loyalty.giftcards.amounts import set_custom_amount
from oscar_loyalty.giftcards.cards import code_of, follow, locked, log
from oscar_loyalty.giftcards.catalogue import ensure_catalogue, set_denomination, set_points_price
from oscar_loyalty.giftcards.delivery import hand_over, print_once, set_delivery_day
from oscar_loyalty.giftcards.disabling import CANCELLED, disable, disable_for_lines, empty_disabled, enable
from oscar_loyalty.giftcards.exceptions import (
    AmountRefused,
    CodeRefused,
    GiftCardError,
    NotAllowed,
    TooLate,
    TooManyTries,
)
from oscar_loyalty.giftcards.expiry import BY_POLICY, extend, remind, set_policy
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.giftcards.looking_up import look_up
from oscar_loyalty.giftcards.taxes import MULTI, tax_kind_of
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import default_site
from oscar_loyalty.money import to_minor


def _model(name: str) -> Any:
    return get_model("loyalty_giftcards", name)


@transaction.atomic
def issue(
    *,
    value: Decimal,
    key: str,
    currency: str = "",
    site: Any = None,
    buyer: Any = None,
    order: Any = None,
    order_line: Any = None,
    unit: int = 1,
    recipient_name: str = "",
    recipient_email: str = "",
    sender_name: str = "",
    message: str = "",
    language: str = "",
    tax_kind: str = MULTI,
    expires_at: datetime | None = BY_POLICY,
    design: str = "",
    deliver_at: datetime | None = None,
    activate: bool = True,
    deliver: bool = True,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Make a card of ``value`` and return it; the same ``key`` returns the first one.

    With ``activate`` it is loaded and works at once, else it waits for :func:`activate`. With ``deliver`` its code is
    then sent to the recipient, or to the buyer where there is none: at once, or at ``deliver_at``. Its end is the
    policy's, from when it is loaded, or ``expires_at`` (``None``: never). It pays at ``site``: by default that of
    ``order``, else the default one.

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
        "site": site or (order.site if order is not None else None) or default_site(),
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
        "tax_kind": tax_kind,
        "design": design[:50],
        "deliver_at": deliver_at,
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
                log(card, "issued", at, actor)
        except IntegrityError:
            # Somebody else was faster with the same key.
            card = GiftCard.objects.filter(key=key).first()
            if card is None:
                raise
    if (card.value, card.currency) != (value, currency):
        raise KeyConflict(f"The key {key} has been used for another gift card.")
    if activate:
        return _activate(card=card, actor=actor, happened_at=happened_at, deliver=deliver, expires_at=expires_at)
    return card


@transaction.atomic
def issue_for_lines(
    order: Any, *, language: str = "", happened_at: datetime | None = None, lines: Sequence[Any] | None = None
) -> list[Any]:
    """Make one card for each unit of each gift-card line of ``order``, waiting to be paid; return them all.

    Calling again returns the same cards. ``lines`` are those of the order, with their products, for whoever has them.
    """
    cards = []
    for line in order.lines.select_related("product").order_by("pk") if lines is None else lines:
        if not selectors.is_giftcard(line.product):
            continue
        options = selectors.line_options(line)
        denomination = selectors.denomination_of(line.product)
        tax_kind = tax_kind_of(line.product)
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
                design=designs.get(options.design).code,
                # Nobody waits for a card of one's own.
                deliver_at=delivery.moment(options.deliver_on) if options.recipient_email else None,
                language=language,
                tax_kind=tax_kind,
                activate=False,
                happened_at=happened_at,
            )
            cards.append(card)
    return cards


@transaction.atomic
def activate(
    *,
    card: Any,
    key: str = "",
    actor: Ref = NOBODY,
    deliver: bool = True,
    expires_at: datetime | None = BY_POLICY,
    happened_at: datetime | None = None,
) -> Any:
    """Load a card that waited and have its code sent; return it. Doing it again changes nothing.

    ``key`` says what it was paid by, for the card's history; a card is loaded once, whatever the key. From now on it
    lives as long as the policy says, or until ``expires_at`` (``None``: for ever).

    :raises GiftCardError: when the card is disabled.
    """
    row = locked(card)
    if row.state == "disabled":
        raise GiftCardError(f"The gift card {row.label} is disabled.")
    if row.state == "waiting":
        at = happened_at or clock.now()
        row.expires_at = expiry.policy_end(at) if expires_at is BY_POLICY else expires_at
        # An activation at the till may have been taken back; each has its own entry.
        before = row.events.filter(kind="deactivated").count() if row.batch_id is not None else 0
        books.earn(
            account=row.account_id,
            units=row.units,
            key=f"giftcard:{row.uuid}:loaded" + (f":{before + 1}" if before else ""),
            kind="loaded",
            usable_from=at,
            expires_at=row.expires_at,
            source=Ref.of("giftcard", row.uuid),
            actor=actor,
            explanation={"why": "giftcard", "order": row.order_number},
            happened_at=at,
        )
        row.state, row.activated_at = "active", at
        if not row.lookup:
            # A card that was printed has its code already.
            set_code(row)
        row.save(update_fields=["state", "activated_at", "expires_at", "key_id", "lookup"])
        log(row, "activated", at, actor, **({"key": key} if key else {}))
        if deliver:
            delivery.leave(row)
    follow(card, row)
    return card


_activate = activate


@transaction.atomic
def reissue(
    *, card: Any, generation: int | None = None, reason: str = "", actor: Ref = NOBODY, deliver: bool = True
) -> Any:
    """Give an active card another code, under the newest key, and send it; the old code is worth nothing from now on.

    With ``generation``, the one whoever asks has seen, it is done once for it: a second click changes nothing.

    :raises GiftCardError: when the card is not active.
    """
    row = locked(card)
    if generation is not None and row.generation != generation:
        follow(card, row)
        return card
    if row.state != "active":
        raise GiftCardError(f"The gift card {row.label} is not active.")
    row.generation += 1
    row.code_shown_at = None
    row.foreign_code = False
    set_code(row)
    row.save(update_fields=["generation", "key_id", "lookup", "code_shown_at", "foreign_code"])
    log(row, "reissued", clock.now(), actor, reason=reason, generation=row.generation)
    if deliver:
        delivery.leave(row)
    follow(card, row)
    return card


@transaction.atomic
def set_recipient(*, card: Any, name: str, email: str, actor: Ref = NOBODY) -> Any:
    """Correct whom a card is for. With another e-mail, an active card gets another code, which is sent there: whoever
    got the first mail must not spend it. A card that waits for its day keeps its code, which nobody has.

    :raises ValidationError: when the e-mail is none.
    """
    email = email.strip()
    validate_email(email)
    row = locked(card)
    moved = row.recipient_email.lower() != email.lower()
    row.recipient_name, row.recipient_email = _one_line(name), email
    row.save(update_fields=["recipient_name", "recipient_email"])
    log(row, "changed", clock.now(), actor)
    if moved and row.state == "active" and not delivery.is_surprise(row):
        reissue(card=row, reason="recipient changed", actor=actor)
    follow(card, row)
    return card


def note_resent(*, card: Any, actor: Ref = NOBODY, reason: str = "") -> None:
    """Write into the card's history who had its code sent once more, and why."""
    log(card, "resent", clock.now(), actor, reason=reason)


def note_sent(*, card: Any, happened_at: datetime | None = None) -> None:
    """Write into the card's history that its code went out by e-mail."""
    log(card, "sent", happened_at or clock.now())


@transaction.atomic
def show_once(*, card: Any, actor: Ref = NOBODY) -> str | None:
    """Return the code for the buyer's thank-you page the first time it is asked for, ``None`` ever after.

    ``None`` too for a card that somebody else gets on a later day: until then nobody has its code.
    """
    row = locked(card)
    if row.state != "active" or row.code_shown_at is not None or row.foreign_code or delivery.is_surprise(row):
        return None
    row.code_shown_at = clock.now()
    row.save(update_fields=["code_shown_at"])
    log(row, "shown", row.code_shown_at, actor)
    follow(card, row)
    return code_of(row)


@sweeper("giftcards.tries")
def forget_tries() -> int:
    """Forget wrong codes that no longer count."""
    return guard.forget_old()


def set_code(card: Any) -> None:
    """Give ``card`` the code of its generation under the newest key; the caller saves ``key_id`` and ``lookup``."""
    if card.lookup:
        # It opens nothing any more; who keeps trying it is counted.
        _model("RetiredCode").objects.get_or_create(lookup=card.lookup, defaults={"card": card})
    card.key_id = codes.current_key_id()
    code = codes.make(uuid=card.uuid, generation=card.generation, key_id=card.key_id)
    card.lookup = codes.fingerprint(code, key_id=card.key_id)


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
    "BY_POLICY",
    "CANCELLED",
    "AmountRefused",
    "CodeRefused",
    "GiftCardError",
    "Guard",
    "NotAllowed",
    "TooLate",
    "TooManyTries",
    "activate",
    "code_of",
    "disable",
    "disable_for_lines",
    "empty_disabled",
    "enable",
    "ensure_catalogue",
    "extend",
    "forget_tries",
    "hand_over",
    "issue",
    "issue_for_lines",
    "look_up",
    "note_resent",
    "note_sent",
    "print_once",
    "reissue",
    "remind",
    "set_code",
    "set_custom_amount",
    "set_delivery_day",
    "set_denomination",
    "set_points_price",
    "set_policy",
    "set_recipient",
    "show_once",
]
