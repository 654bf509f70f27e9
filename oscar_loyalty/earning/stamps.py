"""What awards count for goals: a follower keeps the stamps in line with how each award stands now."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import Q

from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler
from oscar_loyalty.earning import cards, clawback, linking, prizes
from oscar_loyalty.earning.engine import Line
from oscar_loyalty.earning.facts import PRODUCT_RELATED, lines_of
from oscar_loyalty.earning.followers import follower
from oscar_loyalty.earning.targets import fit
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.locking import lock_heirs
from oscar_loyalty.money import exponent

#: Members handled in one transaction of a backfill.
SLICE = 100
#: What lines and bookings are fetched with.
PRODUCT = [f"product__{name}" for name in PRODUCT_RELATED]


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


@dataclass(frozen=True)
class Piece:
    """A line of an order, or the service of a booking, with how many were bought and how many are left."""

    source: str
    product: Any
    title: str
    quantity: int
    left: int


@dataclass
class Facts:
    """An award as goals see it; ``at`` is when it counts, ``None`` while it does not count yet."""

    award: Any
    at: datetime | None
    title: str = ""
    pieces: list[Piece] = field(default_factory=list)

    @property
    def is_order(self) -> bool:
        return bool(self.award.source_type == "order")

    @property
    def is_visit(self) -> bool:
        return bool(self.award.source_type == "booking")


def facts_of(awards: Sequence[Any]) -> list[Facts]:
    """Return the facts of awards (fetched with ``programme``), in a few queries for all of them."""
    orders = [int(award.source_id) for award in awards if award.source_type == "order"]
    lines = defaultdict(list)
    rows = get_model("order", "Line").objects.filter(order__in=orders).select_related(*PRODUCT)
    for line in rows.order_by("pk"):
        lines[line.order_id].append(line)
    found = get_model("order", "Order").objects.filter(pk__in=orders).prefetch_related("lines").in_bulk()
    gone = clawback.refunded(orders) if orders else {}
    booked = linking.linked_quantities([line.pk for each in lines.values() for line in each]) if orders else {}
    visits = [int(award.source_id) for award in awards if award.source_type == "booking"]
    bookings = _model("Booking").objects.select_related(*PRODUCT)
    visited = bookings.in_bulk(visits)
    result = []
    for award in awards:
        facts = Facts(award, award.happened_at)
        if facts.is_order:
            pk = int(award.source_id)
            order = found.get(pk)
            facts.title = order.number if order is not None else ""
            cancelled = clawback.cancelled_quantities(order, award.programme) if order is not None else {}
            out = clawback.left_out(cancelled, gone.get(pk, {}))
            for line in lines[pk]:
                left = 0 if award.void else max(0, line.quantity - out.get(line.pk, 0) - booked.get(line.pk, 0))
                facts.pieces.append(Piece(f"line:{line.pk}", line.product, line.title, line.quantity, left))
        elif facts.is_visit:
            booking = visited.get(int(award.source_id))
            # A booking counts from its visit.
            attended = award.usable_from is not None and not award.void
            facts.at = (booking.state_at if booking is not None else award.happened_at) if attended else None
            if booking is not None:
                facts.title = booking.title
                left = int(attended)
                facts.pieces.append(Piece(f"award:{award.pk}", booking.product, booking.title, 1, left))
        result.append(facts)
    return result


class Targets:
    """Which products goals are about."""

    def __init__(self, goals: Sequence[Any], products: Iterable[Any]) -> None:
        self._lines = lines_of(
            products,
            categories={goal.category.path: goal.category_id for goal in goals if goal.category is not None},
            ranges={goal.range_id for goal in goals if goal.range_id is not None},
        )

    def fit(self, goal: Any, product: Any) -> bool:
        line = self._lines[product.pk] if product is not None else Line(key="")
        return not line.is_giftcard and fit(goal, line) is not None


@dataclass(frozen=True)
class Counted:
    """What an award counts for a goal: of ``quantity``, ``left`` are left; an order, for what it is ``about``."""

    source: str
    title: str
    quantity: int
    left: int
    at: datetime
    about: tuple[str, ...] = ()


def count(
    goal: Any, facts: Facts, targets: Targets, stamped: Mapping[str, Any] = MappingProxyType({})
) -> list[Counted]:
    """Return what an award counts for ``goal`` as it stands now.

    What is ``stamped`` for this goal, by its source, was fit for it then, whatever has become of the catalogue since.
    """
    award = facts.award
    if facts.at is None or award.source_type in prizes.KINDS or not _in_time(goal, facts.at):
        return []
    if goal.tier is not None and (award.tier is None or award.tier.rank < goal.tier.rank):
        return []
    net = max(award.spent - award.spent_back, 0)
    gone = award.void or (goal.minimum > 0 and net < goal.minimum)
    if goal.counts == "pieces":
        return [
            Counted(piece.source, piece.title, piece.quantity, 0 if gone else piece.left, facts.at)
            for piece in facts.pieces
            if piece.source in stamped or targets.fit(goal, piece.product)
        ]
    source = f"award:{award.pk}"
    if goal.counts == "points":
        if not award.points:
            return []
        left = 0 if gone else award.points - award.clawed_back
        return [Counted(source, facts.title, award.points, left, facts.at)]
    if not (facts.is_order or facts.is_visit):
        return []
    if goal.counts == "money":
        scale = 10 ** exponent(goal.programme.currency)
        if award.spent <= 0:
            return []
        return [Counted(source, facts.title, int(award.spent * scale), 0 if gone else int(net * scale), facts.at)]
    wanted = {"orders": facts.is_order, "visits": facts.is_visit}.get(goal.counts, True)
    stamp = stamped.get(source)
    if stamp is not None and stamp.about:
        about = [piece for piece in facts.pieces if piece.source in stamp.about]
    else:
        about = [piece for piece in facts.pieces if targets.fit(goal, piece.product)]
    if stamp is not None:
        about = about or facts.pieces
    if not wanted or not about:
        return []
    left = int(not gone and any(piece.left for piece in about))
    if stamp is not None and not stamp.about and len(facts.pieces) > 1:
        # Nobody knows any more what it was for: it may go, and does not come back for something else.
        left = min(left, stamp.quantity - stamp.taken_back)
    return [Counted(source, facts.title, 1, left, facts.at, tuple(piece.source for piece in about))]


def _in_time(goal: Any, at: datetime) -> bool:
    return bool(goal.since <= at and (goal.until is None or at < goal.until))


def goals_for(programme: Any) -> list[Any]:
    """Return the goals of ``programme`` that something may count for: in force, or ended with cards that are begun."""
    Goal = _model("Goal")
    begun = _model("GoalCard").objects.exclude(state="expired").values("goal")
    rows = Goal.objects.filter(Q(state="live") | Q(pk__in=begun), programme=programme)
    related = ("programme", "tier", "range", "category")
    return list(rows.select_related(*related).prefetch_related("steps").order_by("pk"))


@follower("goals")
def follow(awards: Sequence[Any]) -> None:
    """Bring the stamps of awards, and the cards they are on, in line with how the awards stand now."""
    by_programme = defaultdict(list)
    for award in awards:
        by_programme[award.programme].append(award)
    for programme, mine in by_programme.items():
        goals = goals_for(programme)
        if goals:
            stamp(goals=goals, awards=[award.pk for award in mine], members={award.member_id for award in mine})


@transaction.atomic
def stamp(*, goals: Sequence[Any], awards: Sequence[int], members: Iterable[int]) -> None:
    """Count awards for goals; the members' accounts are locked first, and only then the awards are read."""
    people = lock_heirs(members, accounts=True)
    rows = _model("Award").objects.filter(pk__in=list(awards)).select_related("programme", "tier", "member")
    facts = facts_of(list(rows.order_by("happened_at", "pk")))
    targets = Targets(goals, (piece.product for each in facts for piece in each.pieces))
    Stamp = _model("Stamp")
    known = {
        (old.goal_id, old.source): old
        for old in Stamp.objects.filter(goal__in=[goal.pk for goal in goals], award__in=[f.award.pk for f in facts])
    }
    begun = _begun(goals, people)
    fresh, changed = [], []
    touched: dict[int, set[int]] = defaultdict(set)
    for goal in goals:
        for each in facts:
            member = people[each.award.member_id]
            stamped = {s: old for (g, s), old in known.items() if g == goal.pk and old.award_id == each.award.pk}
            told = {counted.source: counted for counted in count(goal, each, targets, stamped)}
            for source in stamped:
                # What it was stamped for is out of sight now: the visit is still to come after all.
                told.setdefault(source, Counted(source, "", 0, 0, each.award.happened_at))
            for source, counted in told.items():
                old = known.get((goal.pk, source))
                if old is None:
                    late = goal.ended_at is not None and counted.at >= goal.ended_at
                    if not counted.left or (late and (goal.pk, member.pk) not in begun):
                        continue
                    fresh.append(_new(Stamp, goal, member, each.award, counted))
                elif not _change(old, counted):
                    continue
                else:
                    changed.append(old)
                touched[goal.family].add(member.pk)
    if fresh:
        Stamp.objects.bulk_create(fresh, batch_size=500)
    if changed:
        # Nothing of it has its place until the cards are laid out again.
        Stamp.objects.bulk_update(changed, ["quantity", "taken_back", "counted", "happened_at"], batch_size=200)
    for family, pks in touched.items():
        one = next(goal for goal in goals if goal.family == family)
        cards.settle(goals=cards.family_of(one), members=[people[pk] for pk in sorted(pks)])


def _new(Stamp: Any, goal: Any, member: Any, award: Any, counted: Counted) -> Any:
    return Stamp(
        goal=goal,
        member=member,
        award=award,
        source=counted.source,
        title=counted.title[:255],
        about=list(counted.about),
        quantity=counted.quantity,
        taken_back=counted.quantity - counted.left,
        happened_at=counted.at,
    )


def _change(old: Any, counted: Counted) -> bool:
    """Bring a stamp up to date; return whether anything changed."""
    quantity = max(old.quantity, counted.quantity)
    taken = quantity - counted.left
    at = counted.at if counted.left else old.happened_at
    if (old.quantity, old.taken_back, old.happened_at) == (quantity, taken, at):
        return False
    old.quantity, old.taken_back, old.happened_at = quantity, taken, at
    old.counted = min(old.counted, quantity - taken)
    return True


def _begun(goals: Sequence[Any], people: Mapping[int, Any]) -> set[tuple[int, int]]:
    """Return which members have begun a card of a goal that has ended: those can still be filled."""
    ended = [goal.pk for goal in goals if goal.ended_at is not None]
    if not ended:
        return set()
    rows = _model("GoalCard").objects.filter(goal__in=ended, member__in=list(people))
    return set(rows.values_list("goal_id", "member_id"))


# What was before


@handler("earning.goal_backfill", atomic=False)
def backfill_due(row: Any) -> None:
    goal = _model("Goal").objects.filter(pk=row.payload["goal"]).first()
    if goal is not None:
        backfill(
            goal=goal,
            after=row.payload.get("after", 0),
            progress=lambda member: due.renew(payload={"goal": goal.pk, "after": member}),
        )


def leave_backfill(goal: Any) -> None:
    """Leave word in the current transaction that what was before the goal counts for it too."""
    due.leave(kind="earning.goal_backfill", key=str(goal.pk), payload={"goal": goal.pk})


def backfill(*, goal: Any, after: int = 0, progress: Callable[[int], None] | None = None) -> int:
    """Count what happened since ``goal.since`` for it, some members at a time; return how many awards were seen.

    Each slice is a transaction of its own; stopped and begun again, nothing counts twice. ``progress`` is told the last
    member (by primary key) of each slice, ``after`` which the work can go on.
    """
    rows = _model("Award").objects.filter(programme=goal.programme_id, member__gt=after)
    # A booking counts from its visit, which may be long after it was made.
    rows = rows.filter(Q(happened_at__gte=goal.since) | Q(source_type="booking", usable_from__gte=goal.since))
    members = sorted(set(rows.order_by().values_list("member", flat=True).distinct()))
    goals = [each for each in goals_for(goal.programme) if each.pk == goal.pk]
    if not goals:
        return 0
    seen = 0
    for start in range(0, len(members), SLICE):
        slice_of = members[start : start + SLICE]
        pks = list(rows.filter(member__in=slice_of).order_by("pk").values_list("pk", flat=True))
        stamp(goals=goals, awards=pks, members=slice_of)
        seen += len(pks)
        if progress is not None:
            progress(slice_of[-1])
    return seen
