"""What is to be seen of goals: a member's cards with where each stamp came from, the owner's figures, and sentences."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oscar_loyalty import clock, times
from oscar_loyalty.earning import cards, explain, prizes
from oscar_loyalty.earning.stamping import Sheet
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import from_minor

#: A card with more places than this is a bar: nobody counts forty little circles.
DRAWN = 20
#: Stamps that a card explains; the newest.
EXPLAINED = 30


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


def amount(goal: Any, number: int, programme: Any) -> str:
    """Say ``number`` of what a goal counts: "3 visits", "250 petals", "€12.50"."""
    if goal.counts == "points":
        return str(programme.points_label(number))
    if goal.counts == "money":
        return explain.money(from_minor(number, programme.currency), programme.currency)
    said = {
        "orders": ngettext("%(number)s order", "%(number)s orders", number),
        "visits": ngettext("%(number)s visit", "%(number)s visits", number),
        "purchases": ngettext("%(number)s order or visit", "%(number)s orders or visits", number),
    }
    if goal.counts in said:
        return said[goal.counts] % {"number": explain.number(number)}
    return ngettext("%(number)s stamp", "%(number)s stamps", number) % {"number": explain.number(number)}


@dataclass(frozen=True)
class Place:
    """A place on a drawn card; ``gift`` names what is given with it."""

    number: int
    stamped: bool
    gift: str = ""
    last: bool = False


@dataclass(frozen=True)
class Source:
    """Where stamps came from: ``text`` is the order, the visit, or what staff wrote."""

    text: str
    said: str
    at: datetime


@dataclass
class CardView:
    """A member's card as it is shown. ``card`` is ``None`` while it is not begun."""

    goal: Any
    programme: Any
    count: int
    card: Any = None
    steps: list[tuple[int, str]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)

    @property
    def size(self) -> int:
        return int(self.goal.size)

    @property
    def state(self) -> str:
        return self.card.state if self.card is not None else "open"

    @property
    def is_full(self) -> bool:
        return self.state == "full"

    @property
    def ends_at(self) -> Any:
        return self.card.ends_at if self.card is not None else self.goal.until

    @property
    def last_day(self) -> date | None:
        return times.last_day(self.ends_at)

    @property
    def percent(self) -> int:
        return min(100, self.count * 100 // self.size)

    @property
    def drawn(self) -> bool:
        return (
            self.goal.kind in ("stamps", "challenge", "surprise") and self.size <= DRAWN and self.goal.counts != "money"
        )

    @property
    def places(self) -> list[Place]:
        gifts = dict(self.steps)
        return [
            Place(number, number <= self.count, gifts.get(number, ""), number == self.size)
            for number in range(1, self.size + 1)
        ]

    @property
    def prize(self) -> str:
        return self.steps[-1][1] if self.steps else ""

    @property
    def gifts(self) -> list[tuple[str, str, bool]]:
        """The gifts on the way: after how many, what, and whether they were reached."""
        return [
            (amount(self.goal, after, self.programme), name, self.count >= after) for after, name in self.steps[:-1]
        ]

    @property
    def said(self) -> str:
        """How far it is: "7 of 10, 3 to go"."""
        if self.goal.counts == "money":
            have = explain.money(from_minor(self.count, self.programme.currency), self.programme.currency)
        else:
            have = explain.number(self.count)
        whole = amount(self.goal, self.size, self.programme)
        if self.is_full:
            return _("%(whole)s: complete") % {"whole": whole}
        left = self.size - self.count
        if self.goal.counts == "money":
            to_go = explain.money(from_minor(left, self.programme.currency), self.programme.currency)
        else:
            to_go = explain.number(left)
        if self.state == "expired":
            return _("%(have)s of %(whole)s when it ended") % {"have": have, "whole": whole}
        return _("%(have)s of %(whole)s, %(to_go)s to go") % {"have": have, "whole": whole, "to_go": to_go}


def _on_show(programme: Any, at: datetime) -> QuerySet[Any]:
    """Return the goals that members may see and begin."""
    live = _model("Goal").objects.filter(programme=programme, state="live", hidden=False, since__lte=at)
    return live.exclude(until__lte=at)


def seen_by(member: Any) -> list[QuerySet[Any]]:
    """Return the rows of which one is enough for a page of cards: goals to begin, and cards of ``member`` that show."""
    rank = member.tier.rank if member.tier is not None else -1
    goals = _on_show(member.programme, clock.now()).filter(Q(tier=None) | Q(tier__rank__lte=rank))
    own = _model("GoalCard").objects.filter(member=member).exclude(Q(goal__hidden=True) & ~Q(state="full"))
    return [goals, own]


def cards_of(member: Any, *, past: int = 0, explained: bool = True) -> tuple[list[CardView], list[CardView]]:
    """Return what a member has open or may begin, and the last ``past`` full or expired cards with what they were.

    What is hidden is left out until it gave something; then it is among the past. The queries do not grow with the
    number of cards; where each stamp came from is found for the cards that are open, unless not ``explained``.
    """
    now = clock.now()
    programme = member.programme
    mine = _model("GoalCard").objects.filter(member=member)
    begun = list(mine.filter(state="open").exclude(ends_at__lte=now).select_related("goal").order_by("pk"))
    # A card that everything was taken off again is as good as none.
    begun = [card for card in begun if card.count > card.head_start]
    families = {card.goal.family for card in begun}
    tier_rank = member.tier.rank if member.tier is not None else -1
    over = Q(state="full") | Q(state="expired") | Q(ends_at__lte=now)
    number = mine.filter(over, goal=OuterRef("pk")).order_by().values("goal").annotate(number=Count("pk"))
    # Who has reached an earlier form of what is reached once has reached it: as the cards are laid out.
    earlier = mine.filter(Q(goal=OuterRef("first")) | Q(goal__first=OuterRef("first")), state="full")
    live = _on_show(programme, now).annotate(
        over=Coalesce(Subquery(number.values("number")), 0), reached=Exists(earlier)
    )
    live = live.select_related("tier", "programme").order_by("pk")
    goals = [goal for goal in live if goal.tier is None or goal.tier.rank <= tier_rank]
    names = _names(programme, [*goals, *(card.goal for card in begun)])
    views = []
    for card in begun:
        if not card.goal.hidden:
            views.append(CardView(card.goal, programme, card.count, card, names(card.goal)))
    for goal in goals:
        if goal.family in families or (not goal.repeats and (goal.over or goal.reached)):
            continue
        head = goal.head_start if goal.head_start_each or not goal.over else 0
        views.append(CardView(goal, programme, head, None, names(goal)))
    if explained:
        _explain(member, [view for view in views if view.card is not None])
    finished: list[CardView] = []
    if past:
        rows = mine.filter(Q(state="full") | Q(state="expired") | Q(state="open", ends_at__lte=now))
        rows = rows.exclude(Q(goal__hidden=True) & ~Q(state="full")).select_related("goal")
        latest = list(rows.order_by("-full_at", "-started_at", "-pk")[:past])
        names = _names(programme, [card.goal for card in latest])
        finished = [CardView(card.goal, programme, card.count, card, names(card.goal)) for card in latest]
    return views, finished


def _names(programme: Any, goals: Sequence[Any]) -> Any:
    """Return a function that gives the steps of a goal with the names of what they give; two queries for all."""
    steps: dict[int, list[Any]] = defaultdict(list)
    pks = {goal.pk for goal in goals}
    for step in _model("GoalStep").objects.filter(goal__in=pks).order_by("after") if pks else []:
        steps[step.goal_id].append(step)
    rewards: Mapping[int, str] = {}
    if any(step.reward for each in steps.values() for step in each):
        rewards = prizes.rewards_of(programme)

    def names(goal: Any) -> list[tuple[int, str]]:
        return [(step.after, prizes.prize_name(step, programme, rewards)) for step in steps[goal.pk]]

    return names


def _explain(member: Any, views: Sequence[CardView]) -> None:
    """Find for each card where its stamps came from: the cards are laid out once more, in two queries for all."""
    families = {view.goal.family for view in views}
    if not families:
        return
    rows = _model("Goal").objects.filter(Q(pk__in=families) | Q(first__in=families)).order_by("pk")
    goals = defaultdict(list)
    for goal in rows:
        goals[goal.family].append(goal)
    stamps = list(
        _model("Stamp")
        .objects.filter(member=member, goal__in=[goal.pk for goal in rows])
        .select_related("award")
        .order_by("happened_at", "pk")
    )
    by_source = {(stamp.goal_id, stamp.source): stamp for stamp in stamps}
    sheets: dict[int, list[Sheet]] = {}
    for family in goals.values():
        known = {goal.pk for goal in family}
        sheets |= cards.layout(family, [stamp for stamp in stamps if stamp.goal_id in known])
    for view in views:
        mine = sheets.get(view.goal.pk, [])
        if view.card.round > len(mine):
            continue
        for key, number, at in reversed(mine[view.card.round - 1].places[-EXPLAINED:]):
            stamp = by_source[view.goal.pk, key]
            text = amount(view.goal, number, view.programme)
            view.sources.append(Source(text, _source(stamp), at))


def _source(stamp: Any) -> str:
    if stamp.source.startswith("hand:"):
        return _("from us: %(reason)s") % {"reason": stamp.title}
    award = stamp.award
    if award is not None and award.source_type == "order":
        number = award.explanation.get("number", "")
        values = {"number": number, "title": stamp.title}
        return _("%(title)s, order %(number)s") % values if stamp.title != number else _("Order %(number)s") % values
    if award is not None and award.source_type == "booking":
        return _("Visit: %(title)s") % {"title": stamp.title} if stamp.title else _("Visit")
    return stamp.title or _("Points earned")


# For the owner


def goals_of(programme: Any, *, ended: bool = False) -> QuerySet[Any]:
    """Return the goals in force, or those that have ended, with how many cards are open and full and prizes given."""
    rows = _model("Goal").objects.filter(programme=programme, state="ended" if ended else "live")
    related = ("programme", "tier", "product__parent", "product_class", "category", "range")
    return (
        rows.select_related(*related)
        .prefetch_related("steps")
        .annotate(
            open_cards=Count("cards", filter=Q(cards__state="open"), distinct=True),
            full_cards=Count("cards", filter=Q(cards__state="full"), distinct=True),
            given=Count("cards__prizes", filter=Q(cards__prizes__state="given"), distinct=True),
        )
        .order_by("-pk")
    )


def stampable(programme: Any) -> QuerySet[Any]:
    """Return the goals that staff may stamp by hand."""
    rows = _model("Goal").objects.filter(programme=programme, state="live").exclude(counts__in=["points", "money"])
    return rows.filter(Q(until__isnull=True) | Q(until__gt=clock.now())).order_by("pk")


def sentences(goal: Any, programme: Any, rewards: Mapping[int, str] | None = None) -> list[str]:
    """Say what a goal does, for its owner: "Every 10 × Coffee: a free coffee", "5 × Coffee: a cookie"."""
    steps = list(goal.steps.all())
    result = []
    for step in reversed(steps):
        values = {"what": _what(goal, step.after, programme), "prize": prizes.prize_name(step, programme, rewards)}
        if step is steps[-1] and goal.repeats:
            result.append(_("Every %(what)s: %(prize)s") % values)
        elif step is steps[-1]:
            result.append(_("%(what)s, once: %(prize)s") % values)
        else:
            result.append(_("On the way, %(what)s: %(prize)s") % values)
    if goal.head_start:
        said = ngettext("%(number)s stamped at the start", "%(number)s stamped at the start", goal.head_start)
        result.append(said % {"number": goal.head_start})
    if goal.minimum:
        result.append(_("From %(amount)s on") % {"amount": explain.money(goal.minimum, programme.currency)})
    if goal.tier is not None:
        result.append(_("From tier %(tier)s on") % {"tier": goal.tier.name})
    if goal.until is not None:
        result.append(_("Until %(day)s") % {"day": date_format(times.last_day(goal.until))})
    if goal.days:
        said = ngettext("Within %(number)s day of the first", "Within %(number)s days of the first", goal.days)
        result.append(said % {"number": goal.days})
    if goal.hidden:
        result.append(_("Hidden until it is given"))
    return result


def _what(goal: Any, number: int, programme: Any) -> str:
    if goal.counts in ("points", "money"):
        return amount(goal, number, programme)
    about = ""
    if goal.target != "everything":
        target = goal.target_object
        about = (target.get_title() if goal.target == "product" else str(target)) if target else _("something deleted")
    if goal.counts == "pieces":
        return _("%(number)s × %(name)s") % {"number": explain.number(number), "name": about or _("any product")}
    said = amount(goal, number, programme)
    return _("%(what)s with %(name)s") % {"what": said, "name": about} if about else said
