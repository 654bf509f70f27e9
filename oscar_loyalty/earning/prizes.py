"""What a goal or a friend brings: points, or a reward of the room of rewards; and taking it back."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from i18nfield.strings import LazyI18nString

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import explain, gifts
from oscar_loyalty.fields import data_of
from oscar_loyalty.ledger.books import Ref

#: Kinds of goals, which are also why their points were given. What they gave never counts for a goal again.
KINDS = ("stamps", "challenge", "surprise", "threshold")

#: Returns the rewards that a programme has by primary key, with their names.
Shelf = Callable[[Any], Mapping[int, str]]
_shelves: list[Shelf] = []


def register_rewards(shelf: Shelf) -> Shelf:
    """Register what knows the rewards, which this room cannot see; the room of rewards calls it."""
    _shelves.append(shelf)
    return shelf


def rewards_of(programme: Any) -> dict[int, str]:
    """Return the rewards that a goal of ``programme`` may give: their primary keys and names."""
    return {pk: name for shelf in _shelves for pk, name in shelf(programme).items()}


def leave_reward(*, reward: int, member: Any, reference: str, why: str, name: Any = "") -> None:
    """Leave a row for the room of rewards to give ``reward`` (a primary key) to ``member``: once for a ``reference``.

    ``why`` and ``name`` as for :func:`oscar_loyalty.earning.gifts.give_points`.
    """
    payload = {"member": member.pk, "reward": reward, "why": why, "name": data_of(name), "reference": reference}
    due.leave(kind="rewards.give", key=reference, payload=payload)


def leave_taking(*, reward: int, member: Any, reference: str) -> None:
    """Leave a row that takes back what was given for a ``reference``, unless it was used."""
    payload = {"member": member.pk, "reference": reference, "reward": reward}
    due.leave(kind="rewards.take", key=reference, payload=payload)


def give(prize: Any, *, member: Any) -> bool:
    """Give ``prize``, locked with its member's account; return whether it could be given.

    Who is on hold is given nothing: it stays owed, and is given once the hold has ended.
    """
    step, goal = prize.step, prize.card.goal
    if not member.can_earn or not member.programme.is_active:
        return False
    prize.tries += 1
    if step.points:
        said = {"counts": goal.counts, "after": step.after, "size": goal.size}
        prize.award = gifts.give_points(
            member=member,
            points=step.points,
            reference=prize.reference,
            why=goal.kind,
            name=data_of(goal.name),
            said=said,
            source=Ref(goal.kind, str(prize.pk)),
        )
    else:
        leave_reward(reward=step.reward, member=member, reference=prize.reference, why=goal.kind, name=goal.name)
    prize.state, prize.given_at = "given", clock.now()
    due.leave(kind="earning.prize_given", key=prize.reference, payload={"prize": prize.pk})
    return True


def take(prize: Any) -> None:
    """Take ``prize`` back: points as the programme takes them, a reward unless it was used."""
    if prize.step.points:
        gifts.take_points(award=prize.award)
    else:
        leave_taking(reward=prize.step.reward, member=prize.card.member, reference=prize.reference)
    prize.state = "taken"


def _named(why: Mapping[str, Any]) -> str:
    return str(LazyI18nString(why["name"])) if why.get("name") else ""


@explain.saying("stamps", title=gettext_lazy("Stamp card"))
def _stamps(why: Mapping[str, Any], programme: Any) -> str:
    values = {"points": explain.points(why["points"], programme), "name": _named(why)}
    if why.get("after") == why.get("size"):
        return _("%(points)s: your card “%(name)s” is full") % values
    return _("%(points)s on the way, on your card “%(name)s”") % values


@explain.saying("challenge", title=gettext_lazy("Challenge"))
def _challenge(why: Mapping[str, Any], programme: Any) -> str:
    values = {"points": explain.points(why["points"], programme), "name": _named(why)}
    return _("%(points)s for the challenge “%(name)s”") % values


@explain.saying("surprise", title=gettext_lazy("Surprise"))
def _surprise(why: Mapping[str, Any], programme: Any) -> str:
    values = {"points": explain.points(why["points"], programme), "name": _named(why)}
    return _("%(points)s, a surprise: %(name)s") % values


@explain.saying("threshold", title=gettext_lazy("A goal was reached"))
def _threshold(why: Mapping[str, Any], programme: Any) -> str:
    values = {"points": explain.points(why["points"], programme), "name": _named(why)}
    return _("%(points)s for reaching “%(name)s”") % values


def prize_name(step: Any, programme: Any, rewards: Mapping[int, str] | None = None) -> str:
    """Name what a step gives, in the reader's language: the owner's own words, or points, or the reward's name."""
    if str(step.name):
        return str(step.name)
    if step.points:
        return str(programme.points_label(step.points))
    known = rewards if rewards is not None else rewards_of(programme)
    return str(known.get(step.reward) or _("a reward"))
