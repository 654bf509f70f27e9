"""What follows from the rows that other rooms leave: a message in the outbox."""

import logging
from datetime import datetime, timedelta
from typing import Any

from oscar_loyalty import clock
from oscar_loyalty.due.registry import handler
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import services

log = logging.getLogger("oscar_loyalty")

#: What lies further back is history that was loaded, not news.
NEWS = timedelta(days=7)
#: Nobody who was made a member in bulk is written to for it.
QUIET_SOURCES = {"bulk", "import", "backfill", "demo"}


def _is_news(at: datetime) -> bool:
    return at > clock.now() - NEWS


@handler("giftcards.deliver")
def deliver_card(row: Any) -> None:
    """Send an active card to whom it is for, and tell the buyer if that is somebody else."""
    cards = get_model("loyalty_giftcards", "GiftCard").objects.select_related("buyer", "order")
    card = cards.filter(pk=row.payload["card"], state="active").first()
    if card is None:
        return
    about = {"card": card.pk, "generation": card.generation}
    buyer = giftcards.buyer_email(card)
    to = card.recipient_email or buyer
    if not to:
        log.warning("The gift card %s has nobody to be sent to", card.label)
        return
    name = f"{card.uuid}:{card.generation}"
    services.queue(kind="giftcard", key=f"giftcard:{name}", to=to, language=card.language, context=about)
    if buyer and buyer.lower() != to.lower():
        key = f"giftcard_sent:{name}"
        services.queue(kind="giftcard_sent", key=key, to=buyer, language=card.language, context=about)


@handler("payments.order_mail")
def confirm_order(row: Any) -> None:
    """Confirm an order that the checkout left to the outbox, in the language it was placed in."""
    attempts = get_model("loyalty_payments", "PaymentAttempt").objects.select_related("order__user", "member")
    attempt = attempts.get(order=row.payload["order"])
    services.queue(
        kind="order_placed",
        key=f"order_placed:{attempt.order_id}",
        to=attempt.order.email or "",
        language=attempt.snapshot.get("language") or "",
        context={"order": attempt.order_id},
        member=attempt.member,
    )


@handler("members.joined")
def welcome(row: Any) -> None:
    """Welcome somebody who has joined just now."""
    member = get_model("loyalty_members", "Member").objects.filter(pk=row.payload["member"]).first()
    if member is None or member.source in QUIET_SOURCES or not _is_news(member.joined_at):
        return
    _tell(member, kind="joined", key=f"joined:{member.pk}", context={"member": member.pk})


@handler("members.tier_changed")
def congratulate(row: Any) -> None:
    """Congratulate on a higher tier; a lower one is nothing to write about."""
    changes = get_model("loyalty_members", "TierChange").objects.select_related("before", "after", "member")
    change = changes.filter(pk=row.payload["change"]).first()
    if change is None or change.after is None or not _is_news(change.happened_at):
        return
    if change.before is not None and change.before.rank >= change.after.rank:
        return
    _tell(change.member, kind="tier_up", key=f"tier_up:{change.pk}", context={"change": change.pk})


@handler("messaging.adjusted")
def tell_adjustment(row: Any) -> None:
    """Tell a member about points that the shop added or took, where the shop wants to."""
    items = get_model("loyalty_earning", "AdjustmentItem").objects.select_related("member")
    item = items.filter(pk=row.payload["item"]).first()
    if item is not None:
        _tell(item.member, kind="adjusted", key=f"adjusted:{item.pk}", context={"item": item.pk})


def _tell(member: Any, *, kind: str, key: str, context: dict[str, Any]) -> None:
    services.queue(kind=kind, key=key, to=member.email, language=member.language, context=context, member=member)
