"""What of the earning room follows a member into another, and what a member who is back has to get."""

from collections import defaultdict
from typing import Any

from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler
from oscar_loyalty.earning import cards
from oscar_loyalty.earning.referrals import services
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.merging import mover

#: Orders of one member that are looked at again, the newest first.
MOST = 500


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


def _register(name: str, model: str, title: Any, *, locked: str = "") -> None:
    def count(member: Any) -> int:
        return int(_model(model).objects.filter(member=member).count())

    @mover(f"earning.{name}", title=title, count=count, columns=[f"loyalty_earning.{model}.member"], locked=locked)
    def move(source: Any, target: Any) -> int:
        return int(_model(model).objects.filter(member=source).update(member=target))


_register("awards", "Award", _("Points earned"), locked="after")
_register("bookings", "Booking", _("Bookings"), locked="before")
_register("claims", "GuestClaim", _("Guest orders"))
_register("numbers", "CustomerNumber", _("Customer numbers"))


@mover(
    "earning.adjustments",
    title=_("Adjustments"),
    count=lambda member: member.adjustment_items.count(),
    columns=["loyalty_earning.AdjustmentItem.member"],
)
def move_adjustments(source: Any, target: Any) -> int:
    """All but those that were about both: each is done once for a member."""
    items = _model("AdjustmentItem").objects
    both = items.filter(member=target).values("adjustment")
    return int(
        items.filter(member=source)
        .exclude(adjustment__in=list(both.values_list("adjustment", flat=True)))
        .update(member=target)
    )


@mover(
    "earning.profile",
    title="",
    columns=["loyalty_earning.MemberProfile.member"],
)
def move_profile(source: Any, target: Any) -> int:
    """Of two birthdays that were told, the later telling counts: nobody gets a day of before for it."""
    profiles = {row.member_id: row for row in _model("MemberProfile").objects.filter(member__in=[source.pk, target.pk])}
    theirs, mine = profiles.get(source.pk), profiles.get(target.pk)
    if theirs is None:
        return 0
    if mine is None:
        theirs.member = target
        theirs.save(update_fields=["member"])
        return 1
    told = [at for at in (mine.birthday_told_at, theirs.birthday_told_at) if at is not None]
    mine.birthday_told_at = max(told, default=None)
    mine.save(update_fields=["birthday_told_at"])
    theirs.delete()
    return 1


# Stamp cards, challenges and the like


@mover(
    "earning.goals",
    title=_("Stamp cards and challenges"),
    count=lambda member: member.goal_cards.count(),
    columns=["loyalty_earning.GoalCard.member", "loyalty_earning.Stamp.member"],
)
def move_goals(source: Any, target: Any) -> int:
    """Let cards and stamps follow; where both have begun the same card, what is stamped counts on one.

    Nothing that a card has brought is taken back by it: where it could be (a card reached once, with a head start or
    with a last day of its own), a card that has brought something stays with the old membership as history.
    """
    Card, Stamp = _model("GoalCard"), _model("Stamp")
    theirs = list(Card.objects.filter(member=source).select_related("goal"))
    families: dict[int, list[Any]] = defaultdict(list)
    for card in theirs:
        families[card.goal.family].append(card)
    mine = Card.objects.filter(member=target).values_list("goal__first", "goal")
    begun = {first or goal for first, goal in mine}
    moved = 0
    for family, both in families.items():
        if family not in begun:
            pks = [card.pk for card in both]
            moved += Card.objects.filter(pk__in=pks).update(member=target)
        else:
            moved += _join_cards(cards.family_of(both[0].goal), source, target)
    # What was returned wholly has a stamp and no card.
    loose = Stamp.objects.filter(member=source).exclude(goal__in=[goal.pk for goal in _kept(source)])
    loose.update(member=target)
    return moved


def _kept(source: Any) -> list[Any]:
    """Return the goals of which the old membership keeps cards as history, with their families."""
    rows = _model("GoalCard").objects.filter(member=source).select_related("goal")
    found = {card.goal.family: card.goal for card in rows}
    return [goal for one in found.values() for goal in cards.family_of(one)]


def _join_cards(goals: list[Any], source: Any, target: Any) -> int:
    Card, Stamp = _model("GoalCard"), _model("Stamp")
    stamps = Stamp.objects.filter(goal__in=[goal.pk for goal in goals], member=source)
    rows = list(Card.objects.filter(goal__in=[goal.pk for goal in goals], member=source).prefetch_related("prizes"))
    if all(goal.repeats and not goal.head_start and not goal.days for goal in goals):
        # Laid end to end, as many stamps fill at least as many cards.
        last = {
            goal.pk: Card.objects.filter(goal=goal, member=target).aggregate(last=Max("round"))["last"] or 0
            for goal in goals
        }
        for card in sorted(rows, key=lambda card: -card.round):
            card.member, card.round = target, card.round + last[card.goal_id]
            card.save(update_fields=["member", "round"])
        stamps.update(member=target)
    else:
        stamps.filter(pk__in=_after_the_last_prize(goals, rows, stamps)).update(member=target)
        cards.settle(goals=goals, members=[source])
    cards.settle(goals=goals, members=[target])
    return len(rows)


def _after_the_last_prize(goals: list[Any], rows: list[Any], stamps: Any) -> list[int]:
    """Return the stamps that are on none of the cards up to the last that has brought something."""
    brought = {(card.goal_id, card.round) for card in rows if any(p.state == "given" for p in card.prizes.all())}
    sheets = cards.layout(goals, stamps.order_by("happened_at", "pk"))
    order = [(goal.pk, number) for goal in goals for number in range(1, len(sheets[goal.pk]) + 1)]
    last = max((place for place, name in enumerate(order) if name in brought), default=-1)
    held = {(goal, key) for goal, number in order[: last + 1] for key, _number, _at in sheets[goal][number - 1].places}
    return [stamp.pk for stamp in stamps if (stamp.goal_id, stamp.source) not in held]


# Friends


def _referrals(member: Any) -> int:
    return int(_model("Referral").objects.filter(Q(referrer=member) | Q(friend=member)).count())


@mover(
    "earning.referrals",
    title=_("Invited friends"),
    count=_referrals,
    columns=["loyalty_earning.Referral.referrer", "loyalty_earning.Referral.friend"],
    locked="before",
)
def move_referrals(source: Any, target: Any) -> int:
    """Friends stay friends; whoever brought oneself brought nobody, and of two who brought somebody, one counts."""
    rows = _model("Referral").objects
    between = rows.filter(Q(referrer=source, friend=target) | Q(referrer=target, friend=source))
    for referral in between.select_for_update(of=("self",)):
        services.refuse_for(referral=referral, reason="self")
    moved = int(rows.filter(referrer=source).exclude(friend=target).update(referrer=target))
    if not rows.filter(friend=target).exists():
        moved += int(rows.filter(friend=source).exclude(referrer=target).update(friend=target))
    return moved


@mover("earning.invitation", title="", columns=["loyalty_earning.Invitation.member"])
def move_invitation(source: Any, target: Any) -> int:
    """Both codes work: that of the old membership, if both have one, leads to the new one by itself."""
    rows = _model("Invitation").objects
    if rows.filter(member=target).exists():
        return 0
    return int(rows.filter(member=source).update(member=target))


@mover("earning.devices", title="", columns=["loyalty_earning.ReferralDevice.member"])
def move_devices(source: Any, target: Any) -> int:
    rows = _model("ReferralDevice").objects
    known = list(rows.filter(member=target).values_list("digest", flat=True))
    rows.filter(member=source, digest__in=known).delete()
    return int(rows.filter(member=source).update(member=target))


@handler("earning.member_back")
def look_again(row: Any) -> None:
    """Review the orders that brought nothing only because their status came while the membership was on hold."""
    member = get_model("loyalty_members", "Member").objects.select_related("programme").get(pk=row.payload["member"])
    if member.user_id is None:
        return
    programme = member.programme
    orders = get_model("order", "Order").objects.filter(user=member.user_id, site=programme.site_id)
    since = max(programme.started_at, member.joined_at)
    recent = orders.filter(date_placed__gte=since).order_by("-date_placed").values_list("pk", flat=True)[:MOST]
    done = get_model("loyalty_earning", "Award").objects.filter(reference__in=[f"order:{pk}" for pk in recent])
    known = set(done.values_list("reference", flat=True))
    for pk in recent:
        if f"order:{pk}" not in known:
            due.again(kind="earning.review_order", key=str(pk), payload={"order": pk})
