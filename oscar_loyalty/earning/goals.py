"""All writes of goals. The terms of a goal never change: who has begun a card goes on with the terms it began with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.earning import cards, prizes, stamps
from oscar_loyalty.earning.exceptions import MembershipRests, WrongGoal
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.locking import lock_heirs

#: More than this is a slip of the finger.
MOST = 1_000_000_000
#: More stamps than this by hand at once are a slip of the finger too.
MOST_BY_HAND = 100


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


@dataclass(frozen=True)
class Step:
    """What is given after so many: ``points``, or a ``reward`` by its primary key; ``name`` is in the owner's words."""

    after: int
    points: int | None = None
    reward: int | None = None
    name: Any = ""


@transaction.atomic
def create_goal(
    *,
    programme: Any,
    kind: str,
    name: Any,
    steps: Sequence[Step],
    key: str,
    counts: str = "pieces",
    target: str = "everything",
    target_object: Any = None,
    text: Any = "",
    since: datetime | None = None,
    until: datetime | None = None,
    days: int | None = None,
    repeats: bool = True,
    minimum: Decimal = Decimal(0),
    tier: Any = None,
    head_start: int = 0,
    head_start_each: bool = False,
    hidden: bool = False,
    replaces: Any = None,
    actor: Ref = NOBODY,
) -> Any:
    """Make a goal and return it; the same ``key`` again returns the first.

    The last of ``steps`` is the whole, the others are gifts on the way. ``since`` (default: now) may lie in the past:
    what happened since then is counted by a due row. A surprise is always hidden. ``replaces``: the goal that this one
    succeeds; it ends, and cards that were begun keep its terms.

    :raises WrongGoal: when it makes no sense; its ``field`` says where.
    """
    before = _model("Goal").objects.filter(key=key).first()
    if before is not None:
        return before
    now = clock.now()
    # Two at a time would both succeed the same goal.
    get_model("loyalty_members", "Programme").objects.select_for_update(no_key=True).get(pk=programme.pk)
    before = _model("Goal").objects.filter(key=key).first()
    if before is not None:
        return before
    steps = sorted(steps, key=lambda step: step.after)
    since = since or now
    _check(programme, kind, counts, target, target_object, steps, since, until, days, head_start, minimum)
    if replaces is not None:
        replaces = _model("Goal").objects.select_for_update(of=("self",)).get(pk=replaces.pk)
        if replaces.state != "live" or replaces.programme_id != programme.pk:
            raise WrongGoal(_("This goal has ended, or was changed meanwhile."))
        since = max(since, now)
        _end(replaces, now)
    field = _model("Goal").TARGET_FIELDS.get(target)
    goal = _model("Goal").objects.create(
        programme=programme,
        kind=kind,
        name=name,
        text=text,
        key=key,
        first_id=replaces.family if replaces is not None else None,
        counts=counts,
        target=target,
        size=steps[-1].after,
        since=since,
        until=until,
        days=days,
        repeats=repeats,
        minimum=minimum,
        tier=tier,
        head_start=head_start,
        head_start_each=head_start_each,
        hidden=hidden or kind == "surprise",
        created_at=now,
        actor_type=actor.type,
        actor_id=actor.id,
        **({field: target_object} if field else {}),
    )
    _model("GoalStep").objects.bulk_create(
        [
            _model("GoalStep")(goal=goal, after=step.after, points=step.points, reward=step.reward, name=step.name)
            for step in steps
        ]
    )
    if since < now:
        stamps.leave_backfill(goal)
    return goal


def _check(
    programme: Any,
    kind: str,
    counts: str,
    target: str,
    target_object: Any,
    steps: Sequence[Step],
    since: datetime,
    until: datetime | None,
    days: int | None,
    head_start: int,
    minimum: Decimal,
) -> None:
    Goal = _model("Goal")
    for value, known, field in [
        (kind, Goal.KINDS, "kind"),
        (counts, Goal.COUNTS, "counts"),
        (target, Goal.TARGETS, "target"),
    ]:
        if value not in dict(known):
            raise WrongGoal(f"{field}: {value!r}", field)
    if target != "everything" and target_object is None:
        raise WrongGoal(_("Which one?"), "target")
    if target != "everything" and counts in ("points", "money"):
        raise WrongGoal(_("Points and money are counted over everything."), "target")
    if not steps:
        raise WrongGoal(_("What is given, and after how many?"), "steps")
    known_rewards = prizes.rewards_of(programme) if any(step.reward for step in steps) else {}
    last = head_start
    for step in steps:
        if not 0 < step.after <= MOST:
            raise WrongGoal(_("A number above zero."), "steps")
        if step.after <= last:
            raise WrongGoal(
                _("Each gift comes later than the one before, and after what is stamped at the start."), "steps"
            )
        last = step.after
        if bool(step.points) == bool(step.reward):
            raise WrongGoal(_("Points, or a reward?"), "steps")
        if step.points and not 0 < step.points <= MOST:
            raise WrongGoal(_("A number above zero."), "steps")
        if step.reward and step.reward not in known_rewards:
            raise WrongGoal(_("There is no such reward."), "steps")
    if head_start < 0:
        raise WrongGoal(_("A number above zero."), "head_start")
    if until is not None and until <= max(since, clock.now()):
        raise WrongGoal(_("The end lies before the beginning."), "until")
    if days is not None and not 0 < days <= 3650:
        raise WrongGoal(_("Between 1 and 3,650 days."), "days")
    if minimum < 0:
        raise WrongGoal(_("A number above zero."), "minimum")


@transaction.atomic
def change_goal(*, goal: Any, key: str, **terms: Any) -> Any:
    """Make a successor of ``goal`` with other terms (as of :func:`create_goal`) and return it.

    Cards that were begun keep the terms they began with; the next ones have the new.

    :raises WrongGoal: when it makes no sense, or the goal has ended meanwhile.
    """
    return create_goal(programme=goal.programme, replaces=goal, key=key, **terms)


@transaction.atomic
def end_goal(*, goal: Any) -> Any:
    """End a goal: no new card begins; those that were begun can still be filled. Again: nothing."""
    row = _model("Goal").objects.select_for_update(of=("self",)).get(pk=goal.pk)
    if row.state == "live":
        _end(row, clock.now())
    return row


def _end(goal: Any, now: datetime) -> None:
    goal.state, goal.ended_at = "ended", now
    goal.save(update_fields=["state", "ended_at"])


@transaction.atomic
def add_stamp(*, member: Any, goal: Any, reason: str, key: str, quantity: int = 1, actor: Ref = NOBODY) -> Any:
    """Stamp a member's card by hand and return the stamp; the same ``key`` again returns the first.

    :raises WrongGoal: for a goal that has ended, or one that does not count pieces, orders or visits.
    :raises MembershipRests: for a member on hold or closed.
    """
    current = lock_heirs([member.pk], accounts=True)[member.pk]
    source = f"hand:{key}"
    before = _model("Stamp").objects.filter(goal=goal, source=source).first()
    if before is not None:
        return before
    goal = _model("Goal").objects.get(pk=goal.pk)
    if not current.can_earn:
        raise MembershipRests
    if goal.state != "live" or (goal.until is not None and goal.until <= clock.now()):
        raise WrongGoal(_("This goal has ended, or was changed meanwhile."), "goal")
    if goal.counts in ("points", "money") or goal.programme_id != current.programme_id:
        raise WrongGoal(_("This cannot be stamped by hand."), "goal")
    if not 0 < quantity <= MOST_BY_HAND:
        raise WrongGoal(_("Between 1 and 100."), "quantity")
    stamp = _model("Stamp").objects.create(
        goal=goal,
        member=current,
        source=source,
        title=reason[:255],
        quantity=quantity,
        happened_at=clock.now(),
        actor_type=actor.type,
        actor_id=actor.id,
    )
    cards.settle(goals=cards.family_of(goal), members=[current])
    stamp.refresh_from_db()
    return stamp


def coffee_card(
    programme: Any,
    *,
    product: Any,
    name: Any,
    points: int | None = None,
    reward: int | None = None,
    size: int = 10,
    head_start: int = 0,
    gifts: Sequence[Step] = (),
    key: str = "",
) -> Any:
    """Make the classic: every ``size``-th piece of ``product`` is free, as a reward or as its price in points."""
    return create_goal(
        programme=programme,
        kind="stamps",
        name=name,
        steps=[*gifts, Step(size, points=points, reward=reward)],
        counts="pieces",
        target="product",
        target_object=product,
        head_start=head_start,
        key=key or f"coffee:{programme.pk}:{product.pk}:{size}",
    )
