"""What orders do to claims: a voucher that has lowered one is used; an order that is cancelled gives it back."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from oscar_loyalty import clock, times
from oscar_loyalty.due import rounds
from oscar_loyalty.loading import get_model
from oscar_loyalty.rewards import selectors, services, vouchers
from oscar_loyalty.rewards.exceptions import RewardError

#: Orders that one sweep settles, for each of the two reasons to.
MOST = 500


def _claims() -> Any:
    return get_model("loyalty_rewards", "Claim").objects


def _applications() -> Any:
    return get_model("voucher", "VoucherApplication").objects


def settle(*, order: Any) -> None:
    """Bring the claims whose vouchers are with ``order`` in line with it. A function of what is stored: safe again.

    Oscar counts a voucher as used that lay in the basket, whether or not it has lowered anything; we do not.
    """
    # By the code as well: the voucher may have been deleted since.
    codes = order.discounts.exclude(voucher_code="").exclude(voucher_code=None).values("voucher_code")
    lost = Q(voucher__isnull=True, code__in=codes, reward__kind__in=get_model("loyalty_rewards", "Reward").VOUCHERS)
    found = _claims().filter(Q(voucher__applications__order=order.pk) | Q(order=order.pk) | lost)
    for claim in found.order_by("reward_id", "pk").distinct():
        with transaction.atomic():
            _settle(claim, order)


def _settle(claim: Any, order: Any) -> None:
    row, voucher = services.lock_claim(claim)
    order = get_model("order", "Order").objects.get(pk=order.pk)
    gone = order.status in row.member.programme.cancelled_order_statuses
    mine = Q(voucher_id=row.voucher_id) if row.voucher_id else Q(voucher_code=row.code)
    lowered = row.reward.is_voucher and order.discounts.filter(mine).exists()
    if row.state == "claimed" and lowered and not gone:
        row.state, row.order, row.used_at = "used", order, order.date_placed
        row.closed_at = clock.now()
        row.save()
    elif row.state == "claimed" and voucher is not None:
        # It lay there for nothing, or the order is gone before we looked.
        _applications().filter(voucher=row.voucher_id, order=order.pk).delete()
    elif row.state == "used" and row.order_id == order.pk and gone:
        policy = selectors.policy_of(row.member.programme)
        if policy.cancelled_order == "points" and row.entry_id:
            services.cancel(claim=row, why="")
        else:
            _reopen(row, voucher, policy.again_days)


def _reopen(row: Any, voucher: Any, days: int) -> None:
    if selectors.is_broken(row):
        try:
            voucher = services.mend(row, voucher)
        except RewardError:
            # It can be used for nothing any more: what was paid for it comes back.
            services.cancel(claim=row, why="")
            return
    _applications().filter(voucher=voucher.pk, order=row.order_id).delete()
    again = times.end_of(times.day_of(clock.now()) + timedelta(days=days))
    if row.expires_at is not None:
        row.expires_at = max(row.expires_at, again)
    vouchers.prolong(voucher, row.expires_at)
    row.state, row.order, row.used_at, row.closed_at = "claimed", None, None, None
    row.save()
    services.plan_end(row)


def unsettled(part: rounds.Part = rounds.ALL) -> list[Any]:
    """Return orders that nobody has settled: what the sweep looks for, should a row never have been left.

    ``part``: of the claims that were used, those that are looked at.
    """
    applied = _claims().filter(state="claimed", voucher__applications__isnull=False)
    gone = Q(pk__in=[])
    for programme in get_model("loyalty_members", "Programme").objects.all():
        statuses = list(programme.cancelled_order_statuses)
        gone |= Q(reward__programme=programme.pk, order__status__in=statuses)
    moved = _claims().filter(gone, part.where(), state="used", order__isnull=False)
    pks = set(
        applied.order_by().annotate(found=F("voucher__applications__order")).values_list("found", flat=True)[:MOST]
    )
    pks |= set(moved.order_by().values_list("order", flat=True)[:MOST])
    return list(get_model("order", "Order").objects.filter(pk__in=pks).order_by("pk"))
