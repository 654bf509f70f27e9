"""The side of Oscar: offers made from a reward's terms, and a voucher of its own for each claim."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override
from oscar.apps.voucher.utils import get_unused_code

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.rewards.conditions import OwnVoucher

#: Before the shop's offers, which begin at zero: a member who has paid points for it shall have it.
PRIORITY = 100
#: A checkout that began in time is still paid with it; a claim that runs out closes its voucher before.
GRACE = timedelta(hours=1)


def terms_of(reward: Any) -> dict[str, Any]:
    """Return what a voucher of ``reward`` promises; other terms make another offer."""
    return {
        "kind": reward.kind,
        "value": str(reward.value) if reward.kind in ("amount", "percent") else "",
        "product": reward.product_id if reward.kind == "product" else None,
        "range": reward.range_id if reward.kind != "product" else None,
        "minimum": str(reward.minimum),
    }


def _offer_model(name: str) -> Any:
    return get_model("offer", name)


def _range(reward: Any) -> Any:
    if reward.kind == "product":
        found = _offer_model("Range").objects.create(name=f"{_name(reward)} {uuid4().hex[:6]}", is_public=False)
        found.add_product(reward.product)
        return found
    # Gift cards cannot be discounted, so Oscar leaves them out by itself.
    with override(settings.LANGUAGE_CODE):
        name = _("Everything but gift cards")
    everything = {"includes_all_products": True, "is_public": False}
    return reward.range or _offer_model("Range").objects.get_or_create(name=name, defaults=everything)[0]


def _name(reward: Any) -> str:
    with override(settings.LANGUAGE_CODE):
        return str(reward.name)[:90]


def offer_for(reward: Any) -> Any:
    """Return the offer of what ``reward``, which the caller has locked, promises now."""
    terms = terms_of(reward)
    if reward.offer is not None and reward.terms == terms:
        return reward.offer
    reward.offer, reward.terms = _make_offer(reward, reward.value), terms
    reward.save(update_fields=["offer", "terms"])
    return reward.offer


def _make_offer(reward: Any, value: Any) -> Any:
    scope = _range(reward)
    condition = _offer_model("Condition").objects.create(
        range=scope, value=reward.minimum, proxy_class=f"{OwnVoucher.__module__}.{OwnVoucher.__name__}"
    )
    Benefit = _offer_model("Benefit")
    benefit = {
        "amount": {"type": Benefit.FIXED, "value": value, "range": scope},
        "percent": {"type": Benefit.PERCENTAGE, "value": value, "range": scope},
        "product": {"type": Benefit.PERCENTAGE, "value": Decimal(100), "range": scope, "max_affected_items": 1},
        "shipping": {"type": Benefit.SHIPPING_PERCENTAGE, "value": Decimal(100)},
    }[reward.kind]
    return _offer_model("ConditionalOffer").objects.create(
        name=f"{_name(reward)} #{reward.pk}-{uuid4().hex[:6]}",
        offer_type="Voucher",
        # It goes with other offers of the shop that go with others.
        exclusive=False,
        priority=PRIORITY,
        condition=condition,
        benefit=Benefit.objects.create(**benefit),
        max_basket_applications=1,
    )


def scope_gone(reward: Any) -> bool:
    """Return whether what the vouchers of ``reward`` are for was deleted: the product, or the range they had."""
    if reward.kind == "product":
        return reward.product_id is None
    return reward.range_id is None and bool(reward.terms.get("range"))


def mend(claim: Any, voucher: Any) -> Any:
    """Return a voucher for ``claim`` that works: ``voucher``, whose offer was deleted, or a new one."""
    reward = claim.reward
    # Its terms may have changed since: a claim keeps what it promised.
    offer = offer_for(reward) if claim.value == reward.value else _make_offer(reward, claim.value)
    if voucher is None:
        taken = get_model("voucher", "Voucher").objects.filter(code=claim.code).exists()
        return make(claim, code="" if taken else claim.code, offer=offer)
    voucher.offers.add(offer)
    return voucher


def make(claim: Any, *, code: str = "", offer: Any = None) -> Any:
    """Return a new voucher for ``claim``, in its member's language."""
    with override(claim.member.language or settings.LANGUAGE_CODE):
        name = f"{str(claim.reward.name)[:100]} #{claim.pk}"
    voucher = get_model("voucher", "Voucher").objects.create(
        name=name,
        code=code or get_unused_code(12),
        usage="Single use",
        # A clock that is a little late must not refuse it.
        start_datetime=claim.claimed_at - timedelta(minutes=5),
        end_datetime=_end(claim.expires_at),
    )
    voucher.offers.add(offer or offer_for(claim.reward))
    return voucher


def _end(expires_at: datetime | None) -> datetime:
    return expires_at + GRACE if expires_at else clock.now() + timedelta(days=36500)


def locked(claim: Any) -> Any:
    """Return the claim's voucher under its lock, or ``None``; Oscar locks it too, when it places an order."""
    if claim.voucher_id is None:
        return None
    return get_model("voucher", "Voucher").objects.select_for_update().filter(pk=claim.voucher_id).first()


def close(voucher: Any) -> None:
    """Let ``voucher`` be used no more, and take it out of the baskets where it lies."""
    if voucher is None:
        return
    voucher.end_datetime = min(voucher.end_datetime, clock.now() - timedelta(seconds=1))
    voucher.start_datetime = min(voucher.start_datetime, voucher.end_datetime)
    voucher.save(update_fields=["start_datetime", "end_datetime"])
    voucher.basket_set.clear()


def prolong(voucher: Any, expires_at: datetime | None) -> None:
    if voucher is not None:
        voucher.end_datetime = _end(expires_at)
        voucher.save(update_fields=["end_datetime"])


def in_order(voucher: Any) -> bool:
    """Return whether an order has ``voucher``; under its lock, since Oscar takes that to place one."""
    return voucher is not None and bool(voucher.applications.exists())


def in_checkout(voucher: Any, member: Any) -> bool:
    """Return whether a checkout that is under way counts on ``voucher``."""
    if voucher is None or member.user_id is None:
        return False
    attempts = get_model("loyalty_payments", "PaymentAttempt").objects.filter(state="open", user=member.user_id)
    return any(voucher.code in found.get("vouchers", ()) for found in attempts.values_list("snapshot", flat=True))
