"""What the audit looks at in the room of rewards."""

from collections.abc import Iterator
from typing import Any

from django.db.models import BooleanField, Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.audit import Finding, check
from oscar_loyalty.rewards import selectors


@check
def rewards() -> Iterator[Finding]:
    """As many rewards are taken as there are claims; what was paid for one has left the account, and came back once.

    What waits to be used can be, and is somebody's who can.
    """
    Reward, Claim = get_model("loyalty_rewards", "Reward"), get_model("loyalty_rewards", "Claim")
    live = Claim.objects.filter(reward=OuterRef("pk"), state__in=["claimed", "used", "expired"])
    handed = get_model("loyalty_rewards", "RewardCode").objects.filter(reward=OuterRef("pk"), claim__isnull=False)
    rows = Reward.objects.annotate(
        number=Case(
            When(kind="partner", then=_count(handed, "reward")),
            default=_count(live, "reward"),
            output_field=IntegerField(),
        )
    )
    for reward in rows.exclude(taken=F("number")).iterator():
        yield Finding("rewards.taken", f"reward {reward.pk}", f"{reward.taken} taken, {reward.number} claims")
    paid = Claim.objects.select_related("entry", "back")
    wrong = Q(points__gt=0) & (Q(entry__isnull=True) | ~Q(entry__units=-F("points")))
    wrong |= Q(back__isnull=False) & (~Q(back__units=F("points")) | ~Q(state__in=["cancelled", "expired"]))
    wrong |= Q(state="cancelled", points__gt=0, back__isnull=True)
    late = selectors.over(clock.now())
    broken = Q(pk__in=selectors.broken(Claim.objects.exclude(late)).values("pk"))
    rows = paid.annotate(broken=_whether(broken), lost=_whether(Q(member__merged_into__isnull=False)))
    rows = rows.annotate(wrong=_whether(wrong))
    for claim in rows.filter(Q(wrong=True) | Q(broken=True) | Q(lost=True)).iterator():
        row = f"claim {claim.pk}"
        if claim.wrong:
            units = [entry.units if entry is not None else 0 for entry in (claim.entry, claim.back)]
            detail = f"{claim.state} for {claim.points} points, its entries say {units[0]} and {units[1]}"
            yield Finding("rewards.points", row, detail)
        if claim.broken:
            yield Finding("rewards.voucher", row, "its voucher, or the voucher's offer, was deleted in the shop")
        if claim.lost:
            yield Finding("rewards.member", row, "its membership was joined with another, without it")
    yield from _unused_vouchers(Claim)


def _unused_vouchers(Claim: Any) -> Iterator[Finding]:
    """Orders that a claim's voucher has lowered, though it is not used by them; cancelled ones do not matter."""
    mine = Claim.objects.filter(voucher=OuterRef("voucher_id"))
    discounts = get_model("order", "OrderDiscount").objects.filter(voucher_id__isnull=False)
    discounts = discounts.annotate(
        claim=Subquery(mine.values("pk")[:1]),
        used_by=Subquery(mine.values("order")[:1]),
        gone=Subquery(mine.values("reward__programme__cancelled_order_statuses")[:1]),
    )
    wrong = discounts.filter(Q(used_by__isnull=True) | ~Q(used_by=F("order")), claim__isnull=False)
    # What the sweep has not come to yet is not wrong.
    applications = get_model("voucher", "VoucherApplication").objects
    fresh = applications.filter(order=OuterRef("order"), voucher__loyalty_claim__state="claimed")
    wrong = wrong.exclude(Exists(fresh.filter(voucher=OuterRef("voucher_id"))))
    for discount in wrong.select_related("order").iterator():
        if discount.order.status not in (discount.gone or ()):
            detail = f"its voucher lowered order {discount.order.number}, but it was not used by it"
            yield Finding("rewards.order", f"claim {discount.claim}", detail)


def _whether(condition: Q) -> Case:
    return Case(When(condition, then=True), default=False, output_field=BooleanField())


def _count(queryset: QuerySet[Any], group: str) -> Coalesce:
    rows = queryset.order_by().values(group).annotate(_number=Count("pk")).values("_number")
    return Coalesce(Subquery(rows), 0)
