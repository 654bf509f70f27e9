"""What every write of a card begins and ends with."""

from datetime import datetime
from typing import Any

from oscar_loyalty.giftcards import codes
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model


def locked(card: Any) -> Any:
    """Return the card as the database has it, under its lock."""
    # "no key": a tender may point at the card meanwhile, so that nobody deadlocks with a checkout.
    return get_model("loyalty_giftcards", "GiftCard").objects.select_for_update(no_key=True).get(pk=card.pk)


def log(card: Any, kind: str, at: datetime, actor: Ref = NOBODY, **detail: Any) -> Any:
    """Write an event into the card's history."""
    return get_model("loyalty_giftcards", "GiftCardEvent").objects.create(
        card=card, kind=kind, at=at, actor_type=actor.type, actor_id=actor.id, detail=detail
    )


def follow(card: Any, row: Any) -> None:
    """Let the caller's object say what the database says."""
    for field in row._meta.concrete_fields:
        if field.attname in row.__dict__:
            setattr(card, field.attname, getattr(row, field.attname))


def code_of(card: Any) -> str:
    """Return the code of an active card, in groups of four. Never store, log or cache it.

    :raises GiftCardError: when the card is not active, or its code is another system's, which nobody here knows.
    """
    if card.state != "active":
        raise GiftCardError(f"The gift card {card.label} is not active.")
    if card.foreign_code:
        raise GiftCardError(f"The code of the gift card {card.label} came from another system.")
    return codes.make(uuid=card.uuid, generation=card.generation, key_id=card.key_id)
