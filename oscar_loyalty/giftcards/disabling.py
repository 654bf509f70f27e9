"""Putting cards out of use, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.giftcards import delivery, selectors
from oscar_loyalty.giftcards.cards import follow, locked, log
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model

#: Why a card was disabled whose order line was cancelled.
CANCELLED = "cancelled"


@transaction.atomic
def disable(*, card: Any, reason: str = "", actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Put a card out of use and take what is left of it off its account; :func:`enable` gives it back.

    What a checkout under way has set aside stays with that checkout. Disabling again changes nothing.
    """
    row = locked(card)
    if row.state != "disabled":
        at = happened_at or clock.now()
        row.state, row.disabled_reason = "disabled", reason[:255]
        row.save(update_fields=["state", "disabled_reason"])
        event = log(row, "disabled", at, actor, reason=reason)
        _empty(row, key=f"giftcard:{row.uuid}:disabled:{event.pk}", actor=actor, at=at)
    follow(card, row)
    return card


def _empty(card: Any, *, key: str, actor: Ref, at: datetime) -> int:
    account = get_model("loyalty_ledger", "Account").objects.select_for_update(no_key=True).get(pk=card.account_id)
    units = ledger.usable(account, at)
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
def enable(*, card: Any, reason: str = "", actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Put a disabled card back into use, with what it had: active, or waiting if it was never paid.

    :raises GiftCardError: when the order that bought it was cancelled: what paid for it went back.
    """
    row = locked(card)
    if row.state == "disabled" and row.disabled_reason == CANCELLED and row.order_line_id is not None:
        why = _("The order was cancelled")
        raise GiftCardError(f"{row.label}: {why}")
    if row.state == "disabled":
        at = happened_at or clock.now()
        row.state, row.disabled_reason = "active" if row.activated_at else "waiting", ""
        row.save(update_fields=["state", "disabled_reason"])
        for entry in row.account.entries.filter(kind="disabled", units__lt=0).order_by("sequence"):
            # The key makes it once for each entry, so one that was given back before is passed over.
            books.reverse(entry=entry, key=f"giftcard:{row.uuid}:enabled:{entry.pk}", actor=actor, happened_at=at)
        log(row, "enabled", at, actor, **({"reason": reason} if reason else {}))
        if row.state == "active" and row.is_scheduled:
            # Its day may have passed meanwhile, and nobody sent it then.
            delivery.leave_again(row)
    follow(card, row)
    return card


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
        cards = (
            get_model("loyalty_giftcards", "GiftCard").objects.filter(order=order, order_line_id=line_id).order_by("pk")
        )
        cards = list(cards.select_for_update(no_key=True))
        missing = quantity - sum(card.state == "disabled" and card.disabled_reason == CANCELLED for card in cards)
        left = [card for card in cards if card.state != "disabled"]
        balances = selectors.balances(left)
        left.sort(key=lambda card: (card.state != "waiting", -balances[card.pk].amount, -card.unit))
        for card in left[: max(0, missing)]:
            done.append(disable(card=card, reason=CANCELLED, actor=actor, happened_at=happened_at))
        by_hand = [card for card in cards if card.state == "disabled" and card.disabled_reason != CANCELLED]
        for card in by_hand[: max(0, missing - len(left))]:
            # Somebody had put it out of use before; what paid for it goes back, so it must not come to use again.
            card.disabled_reason = CANCELLED
            card.save(update_fields=["disabled_reason"])
    return done


@sweeper("giftcards.disabled")
def empty_disabled() -> int:
    """Empty disabled cards that got something back since, when a checkout let go of it or an order was returned."""
    done = 0
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(state="disabled", account__balance__gt=0)
    for card in cards.exclude(account__holds__state="open").order_by("pk")[:500]:
        with transaction.atomic():
            row = locked(card)
            if row.state == "disabled":
                entry = row.account.entries.order_by("-sequence").first()
                key = f"giftcard:{row.uuid}:emptied:{entry.sequence}"
                done += bool(_empty(row, key=key, actor=NOBODY, at=clock.now()))
    return done
