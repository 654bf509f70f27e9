"""What each kind of message says, found from the ids it was queued with, at the moment it is sent."""

from typing import Any

from django.views.decorators.debug import sensitive_variables

from oscar_loyalty import clock, times
from oscar_loyalty.defaults import conf
from oscar_loyalty.earning import goal_selectors as goals
from oscar_loyalty.earning import guests, prizes
from oscar_loyalty.giftcards import designs, guessing, printing
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.giftcards.expiry import note_reminded
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import links
from oscar_loyalty.members.sites import default_site
from oscar_loyalty.messaging.attachments import Attachment
from oscar_loyalty.messaging.links import absolute, root
from oscar_loyalty.messaging.registry import after_sending, builder
from oscar_loyalty.money import Money
from oscar_loyalty.payments import links as payment_links
from oscar_loyalty.payments import selectors as payments
from oscar_loyalty.payments import services as payment_services


def _about(site: Any) -> dict[str, Any]:
    """What every message needs: who writes."""
    site = site or default_site()
    return {"site": site, "shop_name": site.name, "shop_url": root(site) + "/"}


def _card(message: Any) -> Any:
    cards = get_model("loyalty_giftcards", "GiftCard").objects.select_related("account", "site", "order", "buyer")
    card = cards.filter(pk=message.context["card"]).first()
    stale = card is None or card.state != "active" or card.generation != message.context["generation"]
    return None if stale else card


@builder("giftcard")
@sensitive_variables()
def giftcard(message: Any) -> dict[str, Any] | None:
    """The card itself, with its code."""
    card = _card(message)
    if card is None:
        return None
    about = _about(card.site)
    code = giftcard_services.code_of(card)
    return {
        **about,
        "card": card,
        "code": code,
        "value": giftcards.value_of(card),
        "files": giftcard_files(card, code, about),
        "is_gift": card.recipient_email.lower() not in ("", giftcards.buyer_email(card).lower()),
        "balance_url": absolute("balance", card.site),
    }


@sensitive_variables()
def giftcard_files(card: Any, code: str, about: dict[str, Any]) -> list[Attachment]:
    """The picture of the card, shown in the mail, and the card to print."""
    design = designs.get(card.design)
    pdf = printing.pdf(card=card, code=code, shop_name=about["shop_name"], shop_url=about["shop_url"])
    files = [Attachment(printing.file_name(card), pdf, "application/pdf")]
    path = printing.picture(design)
    if path is not None:
        name = f"{design.code}{path.suffix}"
        kind = "image/png" if path.suffix.lower() == ".png" else "image/jpeg"
        files.insert(0, Attachment(name, path.read_bytes(), kind, cid="design"))
    return files


@after_sending("giftcard")
def giftcard_sent_log(message: Any) -> None:
    """The card's history knows that the code went out."""
    card = get_model("loyalty_giftcards", "GiftCard").objects.get(pk=message.context["card"])
    giftcard_services.note_sent(card=card)


@builder("giftcard_sent")
def giftcard_sent(message: Any) -> dict[str, Any] | None:
    """To the buyer: the card is with its recipient. Without the code."""
    card = _card(message)
    if card is None:
        return None
    return {**_about(card.site), "card": card, "value": giftcards.value_of(card)}


@builder("giftcard_ends")
def giftcard_ends(message: Any) -> dict[str, Any] | None:
    """To whoever holds a card: it ends soon, and has something on it. Without the code."""
    cards = get_model("loyalty_giftcards", "GiftCard").objects.select_related("account", "site", "order", "buyer")
    card = cards.filter(pk=message.context["card"], state="active").first()
    if card is None or card.expires_at is None or card.expires_at.isoformat() != message.context["until"]:
        return None
    left = giftcards.balance(card)
    if not left:
        return None
    balance_url = absolute("balance", card.site)
    return {**_about(card.site), "card": card, "left": left, "last_day": card.last_day, "balance_url": balance_url}


@after_sending("giftcard_ends")
def giftcard_ends_log(message: Any) -> None:
    """The card's history knows that its holder was reminded."""
    card = get_model("loyalty_giftcards", "GiftCard").objects.get(pk=message.context["card"])
    note_reminded(card=card)


@builder("guessing")
def guessing_seen(message: Any) -> dict[str, Any] | None:
    """To the owner: somebody is guessing codes of gift cards."""
    alert = get_model("loyalty_giftcards", "GuessingAlert").objects.filter(pk=message.context["alert"]).first()
    if alert is None:
        return None
    return {**_about(None), "alert": alert, "health_url": absolute("health"), "seen": guessing.seen()}


def _member(pk: Any) -> Any:
    members = get_model("loyalty_members", "Member").objects.select_related("programme__site", "tier", "account")
    member = members.filter(pk=pk).first()
    return member if member is not None and member.status == "active" else None


def _to_member(member: Any) -> dict[str, Any]:
    site = member.programme.site
    # Who joined by e-mail alone has no account yet: the link proves the e-mail, and brings the points to one.
    own = absolute("account", site) if member.user_id else absolute("claim", site, token=links.make(member))
    return {**_about(site), "member": member, "programme": member.programme, "account_url": own}


@builder("joined", to_member=True)
def joined(message: Any) -> dict[str, Any] | None:
    """Welcome."""
    member = _member(message.context["member"])
    if member is None:
        return None
    balance = ledger.balance(member.account, clock.now())
    return {**_to_member(member), "points": member.programme.points_label(balance.usable) if balance.usable else ""}


@builder("tier_up", consent="updates", to_member=True)
def tier_up(message: Any) -> dict[str, Any] | None:
    """Congratulations on a higher tier, as long as the member still has it."""
    changes = get_model("loyalty_members", "TierChange").objects.select_related("after")
    change = changes.filter(pk=message.context["change"]).first()
    member = _member(change.member_id) if change is not None else None
    if change is None or member is None or member.tier is None or member.tier.rank < change.after.rank:
        return None
    return {**_to_member(member), "tier": change.after}


@builder("adjusted", to_member=True)
def adjusted(message: Any) -> dict[str, Any] | None:
    """Points were added or taken by the shop, with the reason it gave."""
    items = get_model("loyalty_earning", "AdjustmentItem").objects.select_related("adjustment", "entry")
    item = items.filter(pk=message.context["item"]).first()
    member = _member(item.member_id) if item is not None else None
    if item is None or member is None:
        return None
    units = item.entry.units if item.entry is not None else item.adjustment.units
    return {
        **_to_member(member),
        "added": units > 0,
        "points": member.programme.points_label(abs(units)),
        "reason": item.adjustment.reason,
        "balance": member.programme.points_label(ledger.balance(member.account, clock.now()).usable),
    }


@builder("goal_prize", consent="updates", to_member=True)
def goal_prize(message: Any) -> dict[str, Any] | None:
    """What a goal gave, as long as it has not been taken back."""
    found = get_model("loyalty_earning", "GoalPrize").objects.select_related("card__goal", "step")
    prize = found.filter(pk=message.context["prize"], state="given").first()
    member = _member(prize.card.member_id) if prize is not None else None
    if prize is None or member is None:
        return None
    goal = prize.card.goal
    return {
        **_to_member(member),
        "goal": goal,
        "prize": prizes.prize_name(prize.step, member.programme),
        "whole": prize.step.after == goal.size,
        "so_far": goals.amount(goal, prize.step.after, member.programme),
    }


@builder("goal_ends", consent="reminders", to_member=True)
def goal_ends(message: Any) -> dict[str, Any] | None:
    """To whoever has begun: what is missing, and until when."""
    cards = get_model("loyalty_earning", "GoalCard").objects.select_related("goal").prefetch_related("goal__steps")
    card = cards.filter(pk=message.context["card"], state="open", ends_at__gt=clock.now()).first()
    member = _member(card.member_id) if card is not None else None
    if card is None or member is None:
        return None
    last = list(card.goal.steps.all())[-1]
    return {
        **_to_member(member),
        "goal": card.goal,
        "prize": prizes.prize_name(last, member.programme),
        "missing": goals.amount(card.goal, card.goal.size - card.count, member.programme),
        "last_day": times.last_day(card.ends_at),
    }


def _guest(message: Any) -> tuple[Any, list[Any]]:
    """Return an unused link of an open programme with what waits behind it."""
    links = get_model("loyalty_earning", "GuestLink").objects.select_related("programme__site", "asked_by")
    link = links.filter(pk=message.context["link"], used_at__isnull=True, programme__is_active=True).first()
    if link is None:
        return None, []
    found = guests.guest_orders([link.email], link.programme)
    if link.order_id is not None:
        found = found.filter(pk=link.order_id)
    return link, guests.waiting(found, link.programme)


def _to_guest(link: Any, waiting: list[Any]) -> dict[str, Any]:
    points = sum(each.points for each in waiting)
    return {
        **_about(link.programme.site),
        "programme": link.programme,
        "waiting": waiting,
        "points": link.programme.points_label(points) if points else "",
        "cards": sum(each.cards for each in waiting),
        "days": conf.GUEST_LINK_DAYS,
        "claim_url": absolute("guest_claim", link.programme.site, token=guests.token_of(link)),
    }


@builder("guest_order")
def guest_order(message: Any) -> dict[str, Any] | None:
    """To a guest: what the order brings, as long as it brings something and nobody has taken it."""
    link, waiting = _guest(message)
    if not any(waiting):
        return None
    return {**_to_guest(link, waiting), "number": waiting[0].order.number}


@builder("guest_orders")
def guest_orders(message: Any) -> dict[str, Any] | None:
    """To an address that somebody has in the account: its guest orders, and the link that shows whose it is."""
    link, waiting = _guest(message)
    return _to_guest(link, waiting) if waiting else None


@builder("refunded")
def refunded(message: Any) -> dict[str, Any] | None:
    """What was refunded of an order, and the way each part goes."""
    rows = get_model("loyalty_payments", "Refund").objects.filter(pk=message.context["refund"])
    refund = rows.select_related("order__site", "order__user").first()
    if refund is None:
        return None
    (full,) = payments.refunds_of(refund.order).filter(pk=refund.pk)
    return {
        **_about(refund.order.site),
        "order": refund.order,
        "amount": Money(refund.amount, refund.order.currency),
        "lines": full.lines.all(),
        "backs": payments.backs(full.returns.all()),
        "name": refund.order.user.first_name if refund.order.user is not None else "",
    }


@builder("payment_released")
def payment_released(message: Any) -> dict[str, Any] | None:
    """A card payment was let go, because its order could not be placed."""
    attempts = get_model("loyalty_payments", "PaymentAttempt").objects.select_related("site", "basket", "user")
    attempt = attempts.filter(pk=message.context["attempt"]).first()
    tender = payment_services.provider_tender(attempt) if attempt is not None else None
    if attempt is None or tender is None or attempt.order_id is not None:
        return None
    waits = attempt.basket is not None and attempt.basket.status == attempt.basket.OPEN
    return {
        **_about(attempt.site),
        "name": attempt.user.get_short_name() if attempt.user is not None else "",
        "amount": Money(tender.amount, attempt.currency),
        "reason": attempt.why,
        "lines": attempt.snapshot.get("lines", []),
        "basket_url": absolute("basket_back", attempt.site, token=payment_links.make(attempt)) if waits else "",
    }
