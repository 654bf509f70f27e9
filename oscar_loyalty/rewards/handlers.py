"""What follows from orders, and from the rows that goals and claims leave."""

import logging
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.signals import post_save, pre_delete
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from i18nfield.strings import LazyI18nString

from oscar_loyalty.due import rounds
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.earning import explain, prizes
from oscar_loyalty.loading import get_model
from oscar_loyalty.rewards import orders, selectors, services

log = logging.getLogger("oscar_loyalty")

prizes.register_rewards(selectors.shelf)


def _asked(payload: Any) -> dict[str, Any] | None:
    reward = get_model("loyalty_rewards", "Reward").objects.filter(pk=payload["reward"]).first()
    member = get_model("loyalty_members", "Member").objects.filter(pk=payload["member"]).first()
    if reward is None or member is None:
        return None
    return {"reward": reward, "member": member, "key": f"prize:{payload['reference']}"}


@handler("rewards.give")
def give(row: Any) -> None:
    asked = _asked(row.payload)
    if asked is not None:
        services.give(**asked, why=row.payload.get("why", ""), name=row.payload.get("name", ""))


@handler("rewards.take")
def take(row: Any) -> None:
    asked = _asked(row.payload)
    if asked is not None:
        services.take(**asked)


@handler("rewards.expire")
def expire(row: Any) -> None:
    claim = get_model("loyalty_rewards", "Claim").objects.filter(pk=row.payload["claim"]).first()
    if claim is not None:
        services.expire(claim=claim)


@handler("rewards.order", atomic=False)
def settle_order(row: Any) -> None:
    order = get_model("order", "Order").objects.filter(pk=row.payload["order"]).first()
    if order is not None:
        orders.settle(order=order)


@sweeper("rewards.orders")
def settle_orders() -> int:
    """Settle the orders that no row was left for."""
    part = rounds.part("rewards.orders", get_model("loyalty_rewards", "Claim"))
    found = orders.unsettled(part)
    for order in found:
        orders.settle(order=order)
    if len(found) < orders.MOST:
        part.over()
    return len(found)


@sweeper("rewards.owed")
def give_owed() -> int:
    """Give the prizes that could not be given, where that has changed."""
    owed = get_model("loyalty_rewards", "Claim").objects.filter(state="owed", member__status="active")
    owed = owed.filter(Q(reward__stock__isnull=True) | Q(reward__taken__lt=F("reward__stock")))
    owed = owed.filter(reward__programme__is_active=True).select_related("reward", "member")
    done = 0
    for claim in owed.order_by("claimed_at", "pk")[:200]:
        done += services.give(reward=claim.reward, member=claim.member, key=claim.key).state == "claimed"
    return done


def follow_voucher(sender, instance, created, raw=False, **kwargs):
    if created and not raw:
        own = get_model("loyalty_rewards", "Claim").objects.filter(voucher=instance.voucher_id)
        _leave(own, instance.order_id)


def follow_order(sender, instance, created, raw=False, **kwargs):
    if not created and not raw:
        _leave(get_model("loyalty_rewards", "Claim").objects.filter(order=instance.pk), instance.pk)


def _leave(claims: Any, order: int) -> None:
    try:
        with transaction.atomic():
            if claims.exists():
                due.again(kind="rewards.order", key=str(order), payload={"order": order})
    except Exception:
        log.exception("No row could be left for the rewards of order %s; the sweep will find it", order)


def follow_range(sender, instance, **kwargs):
    services.lose_range(range_=instance)


def connect() -> None:
    application, order = get_model("voucher", "VoucherApplication"), get_model("order", "Order")
    post_save.connect(follow_voucher, sender=application, dispatch_uid="loyalty_rewards_voucher")
    pre_delete.connect(follow_range, sender=get_model("offer", "Range"), dispatch_uid="loyalty_rewards_range")
    post_save.connect(follow_order, sender=order, dispatch_uid="loyalty_rewards_order")


@explain.saying("reward", title=gettext_lazy("Reward"), named=True)
def _reward(why: Any, programme: Any) -> str:
    return _("For the reward “%(name)s”") % {"name": LazyI18nString(why.get("name") or "")}


@explain.saying("reward_back", title=gettext_lazy("Reward given back"), named=True)
def _reward_back(why: Any, programme: Any) -> str:
    return _("Returned, from the reward “%(name)s”") % {"name": LazyI18nString(why.get("name") or "")}
