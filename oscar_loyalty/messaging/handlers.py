"""What follows from the rows that other rooms leave: a message in the outbox."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due.registry import handler
from oscar_loyalty.earning import claims, guests
from oscar_loyalty.giftcards import guessing
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
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
    if card is None or not giftcard_services.hand_over(card=card):
        return
    about = {"card": card.pk, "generation": card.generation}
    buyer = giftcards.buyer_email(card)
    to = card.recipient_email or buyer
    if not to:
        log.warning("The gift card %s has nobody to be sent to", card.label)
        return
    name = f"{card.uuid}:{card.generation}"
    said = {"language": card.language, "context": about, "site_id": card.site_id}
    services.queue(kind="giftcard", key=f"giftcard:{name}", to=to, **said)
    if buyer and buyer.lower() != to.lower():
        services.queue(kind="giftcard_sent", key=f"giftcard_sent:{name}", to=buyer, **said)


@handler("giftcards.remind")
def remind_holder(row: Any) -> None:
    """Remind whoever holds a card that it ends soon; the buyer, where nobody else is known."""
    cards = get_model("loyalty_giftcards", "GiftCard").objects.select_related("buyer", "order")
    card = cards.filter(pk=row.payload["card"], state="active").first()
    if card is None:
        return
    services.queue(
        kind="giftcard_ends",
        key=f"giftcard_ends:{row.key}",
        to=card.recipient_email or giftcards.buyer_email(card),
        language=card.language,
        context={"card": card.pk, "until": row.payload["until"]},
        site_id=card.site_id,
    )


@handler(guessing.GUESSING)
def warn_owner(row: Any) -> None:
    """Tell the owner that somebody is guessing codes, where there is an address for it."""
    language, pk = settings.LANGUAGE_CODE, row.payload["alert"]
    to = conf.GIFTCARD_ALERT_EMAIL or _owner_email()
    services.queue(kind="guessing", key=f"guessing:{pk}", to=to, language=language, context={"alert": pk})


def _owner_email() -> str:
    """Whoever set the shop up, where it names nobody else."""
    owners = get_user_model().objects.filter(is_superuser=True, is_active=True).exclude(email="")
    owner = owners.order_by("pk").first()
    return owner.email if owner is not None else ""


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
        site_id=attempt.site_id,
    )


@handler("payments.released")
def tell_released(row: Any) -> None:
    """The order of a paid attempt could not be placed, and the money was let go: say so, and where the basket is."""
    attempts = get_model("loyalty_payments", "PaymentAttempt").objects.select_related("user", "member")
    attempt = attempts.filter(pk=row.payload["attempt"]).first()
    if attempt is None or attempt.order_id is not None:
        return
    services.queue(
        kind="payment_released",
        key=f"payment_released:{attempt.pk}",
        to=attempt.snapshot.get("guest_email") or (attempt.user.email if attempt.user is not None else ""),
        language=attempt.snapshot.get("language") or "",
        context={"attempt": attempt.pk},
        member=attempt.member,
        site_id=attempt.site_id,
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
    """Congratulate on a higher tier; say so, without many words, when one has come to its end."""
    changes = get_model("loyalty_members", "TierChange").objects.select_related("before", "after", "member")
    change = changes.filter(pk=row.payload["change"]).first()
    if change is None or change.after is None or not _is_news(change.happened_at):
        return
    if change.before is not None and change.before.rank >= change.after.rank:
        if change.before.rank > change.after.rank and change.cause in ("fallen", "over", "removed"):
            _tell(change.member, kind="tier_down", key=f"tier_down:{change.pk}", context={"change": change.pk})
        return
    _tell(change.member, kind="tier_up", key=f"tier_up:{change.pk}", context={"change": change.pk})


@handler("earning.guest_order")
def invite_guest(row: Any) -> None:
    """Tell whoever has ordered without an account what the order would bring, with a link to take it."""
    orders = get_model("order", "Order").objects.filter(user__isnull=True, loyalty_claim__isnull=True)
    order = orders.filter(pk=row.payload["order"]).exclude(guest_email="").first()
    if order is None or not _is_news(order.date_placed):
        return
    programme = members.programme_for(site=order.site)
    if programme is None or not any(guests.waiting([order], programme)):
        return
    link = claims.link_for(order=order, programme=programme)
    services.queue_guest_order(link=link, language=row.payload.get("language", ""))


@handler("earning.guest_address")
def send_guest_link(row: Any) -> None:
    """Send the link that was asked for to the address of an account, if anything was ordered with it as a guest."""
    links = get_model("loyalty_earning", "GuestLink").objects.select_related("programme")
    link = links.filter(pk=row.payload["link"], used_at__isnull=True).first()
    if link is None or not guests.guest_orders([link.email], link.programme).exists():
        return
    key = f"guest_orders:{link.pk}"
    language = row.payload.get("language") or ""
    services.queue(
        kind="guest_orders",
        key=key,
        to=link.email,
        language=language,
        context={"link": link.pk},
        site_id=link.programme.site_id,
    )


@handler("messaging.adjusted")
def tell_adjustment(row: Any) -> None:
    """Tell a member about points that the shop added or took, where the shop wants to."""
    items = get_model("loyalty_earning", "AdjustmentItem").objects.select_related("member")
    item = items.filter(pk=row.payload["item"]).first()
    if item is not None:
        _tell(item.member, kind="adjusted", key=f"adjusted:{item.pk}", context={"item": item.pk})


@handler("earning.prize_given")
def tell_prize(row: Any) -> None:
    """Tell a member what a card, a challenge or a threshold brought, or that there is a surprise; old news are none."""
    prizes = get_model("loyalty_earning", "GoalPrize").objects.select_related("card__member")
    prize = prizes.filter(pk=row.payload["prize"], state="given").first()
    if prize is None or not _is_news(prize.reached_at):
        return
    _tell(prize.card.member, kind="goal_prize", key=f"goal_prize:{row.key}", context={"prize": prize.pk})


@handler("earning.card_ends")
def remind_of_card(row: Any) -> None:
    """Remind a member of a card or challenge that is begun and ends soon."""
    cards = get_model("loyalty_earning", "GoalCard").objects.select_related("member")
    card = cards.filter(pk=row.payload["card"], state="open").first()
    if card is not None:
        _tell(card.member, kind="goal_ends", key=f"goal_ends:{row.key}", context={"card": card.pk})


@handler("payments.refunded")
def tell_refund(row: Any) -> None:
    """Tell the customer what was refunded, and where it went."""
    rows = get_model("loyalty_payments", "Refund").objects.select_related("order__user", "order__payment_attempt")
    refund = rows.filter(pk=row.payload["refund"], amount__gt=0, kind__in=["refund", "cancellation"]).first()
    if refund is None or not _is_news(refund.created_at):
        return
    attempt = getattr(refund.order, "payment_attempt", None)
    member = attempt.member if attempt is not None else None
    language = attempt.snapshot.get("language") or "" if attempt is not None else ""
    services.queue(
        kind="refunded",
        key=f"refunded:{refund.pk}",
        to=refund.order.email or "",
        language=language or (member.language if member is not None else ""),
        context={"refund": refund.pk},
        member=member,
        site_id=refund.order.site_id,
    )


def _tell(member: Any, *, kind: str, key: str, context: dict[str, Any]) -> None:
    services.queue(kind=kind, key=key, to=member.email, language=member.language, context=context, member=member)
