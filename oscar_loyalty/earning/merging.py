"""What of the earning room follows a member into another, and what a member who is back has to get."""

from collections import defaultdict
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler
from oscar_loyalty.earning import cards
from oscar_loyalty.earning.awarding import reference_of_order
from oscar_loyalty.earning.referrals import services
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.merging import mover
from oscar_loyalty.members.selectors import orders_of

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
    """Let cards and stamps follow; where both have begun the same card, all that is stamped counts on one.

    No stamp is lost, not even those that either was given at the start, and nothing that a card has brought is taken
    back: what the joined cards have not reached yet was given ahead.
    """
    Card = _model("GoalCard")
    theirs = list(Card.objects.filter(member=source).select_related("goal"))
    families = {card.goal.family: card.goal for card in theirs}
    mine = Card.objects.filter(member=target).values_list("goal__first", "goal")
    begun = {first or goal for first, goal in mine}
    both = [cards.family_of(goal) for family, goal in families.items() if family in begun]
    for goals in both:
        _carry_start(goals, source, target)
    _model("Stamp").objects.filter(member=source).update(member=target)
    for goals in both:
        _line_up(goals, source, target)
        cards.settle(goals=goals, members=[target], keep=True)
    Card.objects.filter(member=source).update(member=target)
    return len(theirs)


def _carry_start(goals: list[Any], source: Any, target: Any) -> None:
    """Where only the first card begins with stamps, those of the second first card are stamps like others."""
    Card, Stamp = _model("GoalCard"), _model("Stamp")
    for goal in goals:
        if not goal.head_start or goal.head_start_each:
            continue
        begun = Card.objects.filter(goal=goal, head_start__gt=0)
        first = begun.filter(member=source).order_by("round").first()
        if first is not None and begun.filter(member=target).exists():
            Stamp.objects.create(
                goal=goal,
                member=target,
                source=f"start:{source.pk}",
                title=gettext("Stamped at the start"),
                quantity=first.head_start,
                happened_at=first.started_at,
            )


def _line_up(goals: list[Any], source: Any, target: Any) -> None:
    """Number the cards of both anew: those that have brought the most come first, as stamps fill the first cards."""
    rows = _model("GoalCard").objects.filter(goal__in=[goal.pk for goal in goals], member__in=[source.pk, target.pk])
    by_goal: dict[int, list[Any]] = defaultdict(list)
    for card in rows.prefetch_related("prizes"):
        by_goal[card.goal_id].append(card)
    for found in by_goal.values():
        found.sort(key=lambda card: (-sum(prize.state == "given" for prize in card.prizes.all()), card.started_at))
        last = max(card.round for card in found)
        # A member has each number once: first out of the way, then in their places.
        for start in (last + 1, 1):
            for number, card in enumerate(found, start=start):
                card.member, card.round = target, number
                card.save(update_fields=["member", "round"])


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
    orders = orders_of(programme).filter(user=member.user_id)
    since = max(programme.started_at, member.joined_at)
    recent = orders.filter(date_placed__gte=since).order_by("-date_placed").values_list("pk", flat=True)[:MOST]
    done = get_model("loyalty_earning", "Award").objects.filter(reference__in=[reference_of_order(pk) for pk in recent])
    known = set(done.values_list("reference", flat=True))
    for pk in recent:
        if reference_of_order(pk) not in known:
            due.again(kind="earning.review_order", key=str(pk), payload={"order": pk})
