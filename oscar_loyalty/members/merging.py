"""Two memberships of one person become one, for good.

A room that keeps rows of members says how they follow::

    @mover("stamps", title=_("Stamp cards"))
    def move_stamps(source, target):
        return StampCard.objects.filter(member=source).update(member=target)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.ledger.exceptions import Blocked
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from oscar_loyalty.members.exceptions import CannotMerge
from oscar_loyalty.members.groups import set_groups

#: Gets both members, locked, in the merge's transaction; moves its rows and returns how many those were.
Mover = Callable[[Any, Any], int]
_movers: dict[str, tuple[Any, Mover, Callable[[Any], int] | None]] = {}


def mover(name: str, *, title: Any, count: Callable[[Any], int] | None = None) -> Callable[[Mover], Mover]:
    """Register what follows a member into another; ``count`` says for the preview how many rows a member has."""

    def register(function: Mover) -> Mover:
        _movers[name] = (title, function, count)
        return function

    return register


@dataclass(frozen=True)
class Preview:
    """What a merge would move: the balance and the open lots of ``source``, and ``(title, number)`` of other rows.

    ``problem`` says why it cannot be done, or nothing.
    """

    source: Any
    target: Any
    balance: Any
    lots: list[Any]
    rows: list[tuple[str, int]]
    tier: Any
    problem: str


def duplicates(member: Any) -> QuerySet[Any]:
    """Return members who may be the same person: the same e-mail, or the same name and birthday."""
    Member = get_model("loyalty_members", "Member")
    same = Q(pk__in=[])
    if member.email:
        same |= Q(email__iexact=member.email)
    if member.last_name and member.birth_day and member.birth_month:
        same |= Q(
            first_name__iexact=member.first_name,
            last_name__iexact=member.last_name,
            birth_day=member.birth_day,
            birth_month=member.birth_month,
        )
    rows = Member.objects.filter(same, programme=member.programme_id, merged_into__isnull=True).exclude(pk=member.pk)
    return rows.select_related("account", "tier").order_by("joined_at", "pk")


def _problem(source: Any, target: Any) -> str:
    if source.pk == target.pk:
        return _("That is the same membership.")
    if source.programme_id != target.programme_id:
        return _("The memberships are of different programmes.")
    if source.merged_into_id or target.merged_into_id:
        return _("One of the memberships was joined with another before.")
    if source.status != "active" or target.status != "active":
        return _("Both memberships must be active: end a hold, or open a closed one again, first.")
    return ""


def preview(source: Any, target: Any) -> Preview:
    """Return what :func:`merge` would do."""
    problem = _problem(source, target)
    balance = ledger.balance(source.account)
    if not problem and balance.held:
        problem = _held()
    rows = [(str(title), count(source)) for title, _move, count in _movers.values() if count is not None]
    return Preview(
        source=source,
        target=target,
        balance=balance,
        lots=list(ledger.lots_open(source.account)[:50]),
        rows=[row for row in rows if row[1]],
        tier=_higher(source.tier, target.tier),
        problem=problem,
    )


def _held() -> str:
    return _("Points of this membership are set aside for a checkout under way. Please try again once it is over.")


def _higher(one: Any, other: Any) -> Any:
    return one if one is not None and (other is None or other.rank < one.rank) else other


@transaction.atomic
def merge(*, source: Any, target: Any, key: str, actor: Ref = NOBODY, reason: str = "") -> Any:
    """Move all that ``source`` has to ``target``, close ``source`` for good, and return ``target``.

    What happens later to orders and bookings of ``source`` follows. The same two again: nothing more.

    :raises CannotMerge: with why, for the staff.
    """
    Member = get_model("loyalty_members", "Member")
    locked = Member.objects.select_for_update(of=("self",)).select_related("account", "tier", "programme")
    both = {row.pk: row for row in locked.filter(pk__in=[source.pk, target.pk]).order_by("pk")}
    source, target = both[source.pk], both[target.pk]
    if source.merged_into_id == target.pk:
        return target
    if problem := _problem(source, target):
        raise CannotMerge(problem)
    try:
        books.merge(source=source.account, target=target.account, key=f"merge:{source.pk}:{target.pk}", actor=actor)
    except Blocked as error:
        raise CannotMerge(_held()) from error
    moved = {name: move(source, target) for name, (_title, move, _count) in sorted(_movers.items())}
    get_model("loyalty_members", "StatusChange").objects.create(
        member=source,
        key=key,
        before=source.status,
        after=source.CLOSED,
        reason=reason,
        details={"merged_into": target.pk, "moved": moved},
        actor_type=actor.type,
        actor_id=actor.id,
        happened_at=clock.now(),
    )
    higher, user = _higher(source.tier, target.tier), source.user_id
    source.merged_into, source.status = target, source.CLOSED
    set_groups(source)
    if target.user_id is None and user is not None:
        source.user_id, target.user_id = None, user
    source.save(update_fields=["merged_into", "status", "user"])
    for name in ("email", "first_name", "last_name", "birth_day", "birth_month", "birth_year"):
        setattr(target, name, getattr(target, name) or getattr(source, name))
    target.joined_at = min(target.joined_at, source.joined_at)
    target.save()
    services.set_tier(member=target, tier=higher, key=f"{key}:tier", actor=actor, reason="merged")
    set_groups(target)
    return target


def survivor(member: Any) -> Any:
    """Return the membership that ``member`` was merged into in the end, or itself."""
    while member.merged_into_id is not None:
        member = member.merged_into
    return member
