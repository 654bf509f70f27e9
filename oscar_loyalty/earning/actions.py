"""Points for what members do beside buying: a registry that other apps add to, the owner's numbers, and giving.

An app registers its action in ``ready()`` and calls :func:`perform` when it happens::

    actions.register(actions.Action("quiz", _("Quiz solved"), _("Once for each quiz.")))
    actions.perform(member=member, action="quiz", reference=f"quiz:{quiz.pk}")
"""

import re
from calendar import isleap, monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oscar_loyalty import clock, times
from oscar_loyalty.earning import explain, gifts
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.locking import lock_heirs
from oscar_loyalty.members.selectors import survivor

#: Type of the awards' source; its id is the action's code.
SOURCE = "action"


@dataclass(frozen=True)
class Action:
    """Something that may bring points. ``hidden``: not among the ways to earn that customers read."""

    code: str
    name: Any
    help: Any = ""
    hidden: bool = False


_actions: dict[str, Action] = {}


def register(action: Action) -> Action:
    """Add an action to those the owner sets points for; the same code again replaces it."""
    _actions[action.code] = action
    return action


def registered() -> list[Action]:
    """Return all actions in the order in which they were registered."""
    return list(_actions.values())


for _code, _name, _help in (
    ("welcome", gettext_lazy("Joining"), gettext_lazy("For everybody who joins by themselves from now on.")),
    ("profile", gettext_lazy("Profile completed"), gettext_lazy("Once everything the profile page asks for is told.")),
    ("review", gettext_lazy("Review published"), gettext_lazy("Once you approve it; taken back if it goes.")),
    ("newsletter", gettext_lazy("Newsletter"), gettext_lazy("For subscribing, where your shop tells us of it.")),
    ("survey", gettext_lazy("Survey answered"), gettext_lazy("Where your shop tells us of it.")),
    ("vote", gettext_lazy("Vote"), gettext_lazy("Where your shop tells us of it.")),
    ("idea", gettext_lazy("Idea adopted"), gettext_lazy("Where your shop tells us of it.")),
    ("event", gettext_lazy("Event attended"), gettext_lazy("Where your shop tells us of it.")),
    ("scan", gettext_lazy("Product scanned"), gettext_lazy("Once for each product and day, by its printed QR code.")),
    ("birthday", gettext_lazy("Birthday"), gettext_lazy("On the day, once in twelve months.")),
    ("anniversary", gettext_lazy("Anniversary of joining"), gettext_lazy("Every year, on the day.")),
):
    register(Action(_code, _name, _help))


@explain.saying(SOURCE, title=gettext_lazy("Thank you"))
def _say(why: Mapping[str, Any], programme: Any) -> str:
    action = _actions.get(why.get("action", ""))
    values = {"points": explain.points(why.get("points", 0), programme), "action": action.name if action else ""}
    return _("%(points)s: %(action)s") % values if action else values["points"]


def _rules() -> Any:
    return get_model("loyalty_earning", "ActionRule").objects


def _awards() -> Any:
    return get_model("loyalty_earning", "Award").objects


def rules_of(programme: Any) -> dict[str, Any]:
    """Return the versions in force by their action's code; one query."""
    return {rule.action: rule for rule in _rules().filter(programme=programme, valid_to__isnull=True)}


def rule_on(*, day: date, versions: Iterable[Any]) -> Any:
    """Return which of an action's ``versions`` was in force as ``day`` of the shop ended, or is now; ``None``: none."""
    begun = [rule for rule in versions if rule.valid_from < times.end_of(day)]
    return max(begun, key=lambda rule: rule.number, default=None)


@transaction.atomic
def set_rule(
    *, programme: Any, action: str, points: int, times: int | None = None, period: str = "ever", actor: Ref = NOBODY
) -> Any:
    """Say what ``action`` brings from now on and return the version in force; nothing given before changes.

    ``times`` in each ``period`` ("ever", "day", "month", "year", of the shop's calendar); ``None``: every time.

    :raises LookupError: for an action that nobody has registered.
    :raises ValidationError: for numbers that cannot be.
    """
    if action not in _actions:
        raise LookupError(action)
    # Under the programme's lock: two forms sent at once make one version after the other.
    get_model("loyalty_members", "Programme").objects.select_for_update().get(pk=programme.pk)
    last = _rules().filter(programme=programme, action=action).order_by("-number").first()
    same = last is not None and (last.points, last.times, last.period) == (points, times, period)
    if same or (last is None and not points):
        return last
    now = clock.now()
    if last is not None:
        last.valid_to = now
        last.save(update_fields=["valid_to"])
    rule = get_model("loyalty_earning", "ActionRule")(
        programme=programme,
        action=action,
        number=last.number + 1 if last is not None else 1,
        points=points,
        times=times,
        period=period,
        valid_from=now,
        published_by_type=actor.type,
        published_by=actor.id,
    )
    rule.full_clean(exclude=["programme"])
    rule.save()
    return rule


def reference_of(member: Any, action: str, reference: str) -> str:
    """Return the reference of the award for this."""
    return f"action:{action}:{member.pk}:{reference}"


def rounds_of(member: Any, action: str, reference: str) -> list[Any]:
    """Return the awards for this, the oldest first: more than one only where it was taken back and given again.

    What was given to a membership that was merged into this one counts: its references name the old one.
    """
    rows = _awards().filter(member=member, source_type=SOURCE, source_id=action)
    like = Q(reference__endswith=f":{reference}") | Q(reference__contains=f":{reference}~")
    exactly = re.compile(rf"action:{re.escape(action)}:\d+:{re.escape(reference)}(~\d+)?")
    return [award for award in rows.filter(like).order_by("pk") if exactly.fullmatch(award.reference)]


@transaction.atomic
def perform(*, member: Any, action: str, reference: str, happened_at: datetime | None = None) -> Any:
    """Give what ``action`` brings and return the award; ``None`` where it brings nothing.

    The same ``reference`` again returns the same award. What counts is the version in force as the day of
    ``happened_at`` ended, or now. Nothing is given without points set then, above the owner's cap, or to whoever cannot
    earn. What was taken back may be given anew.

    :raises LookupError: for an action that nobody has registered.
    """
    if action not in _actions:
        raise LookupError(action)
    member = lock_heirs([member.pk], accounts=True)[member.pk]
    full, rounds = reference_of(member, action, reference), rounds_of(member, action, reference)
    for before in rounds:
        if not before.void:
            return before
    at = happened_at or clock.now()
    rule = rule_on(day=times.day_of(at), versions=_rules().filter(programme=member.programme_id, action=action))
    if rule is None or not rule.points or not member.can_earn or not member.programme.is_active:
        return None
    if rule.times is not None and _so_often(member, action, rule.period, at) >= rule.times:
        return None
    return gifts.give_points(
        member=member,
        points=rule.points,
        reference=f"{full}~{len(rounds) + 1}" if rounds else full,
        why=SOURCE,
        said={"action": action, "version": rule.pk, "number": rule.number},
        name=str(_actions[action].name),
        source=Ref(SOURCE, action),
        happened_at=at,
    )


@transaction.atomic
def undo(*, member: Any, action: str, reference: str) -> int:
    """Take back what :func:`perform` gave for this; return how many points that was."""
    rounds = rounds_of(survivor(member), action, reference)
    return sum(gifts.take_points(award=award) for award in rounds if not award.void)


def _so_often(member: Any, action: str, period: str, at: datetime) -> int:
    rows = _awards().filter(member=member, source_type=SOURCE, source_id=action, void=False)
    if period != "ever":
        day = times.day_of(at)
        first = day.replace(**{"day": {}, "month": {"day": 1}, "year": {"day": 1, "month": 1}}[period])
        days = {"day": 1, "month": monthrange(day.year, day.month)[1], "year": 365 + isleap(day.year)}[period]
        after = first + timedelta(days=days)
        rows = rows.filter(happened_at__gte=times.start_of(first), happened_at__lt=times.start_of(after))
    return int(rows.count())


def newsletter(*, user: Any, programme: Any, subscribed: bool, take_back: bool = False) -> Any:
    """Tell that ``user`` has subscribed to the shop's newsletter, or left it; return the award, if any.

    Whoever leaves keeps the points, so that leaving costs nothing, as consent must; a shop that wants them back says
    ``take_back``. Subscribing again brings nothing more as long as the owner's cap is "once".
    """
    from oscar_loyalty.members import selectors as members

    member = members.member_for(user, programme)
    if member is None:
        return None
    if subscribed:
        return perform(member=member, action="newsletter", reference="newsletter")
    if take_back:
        undo(member=member, action="newsletter", reference="newsletter")
    return None
