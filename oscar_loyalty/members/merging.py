"""Two memberships of one person become one, for good.

A room that keeps rows of members says how they follow::

    @mover("stamps", title=_("Stamp cards"), columns=["shop.StampCard.member"])
    def move_stamps(source, target):
        return StampCard.objects.filter(member=source).update(member=target)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.ledger.exceptions import Blocked
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import consents, selectors, services
from oscar_loyalty.members.exceptions import AlreadyMember, CannotMerge
from oscar_loyalty.members.groups import set_groups
from oscar_loyalty.members.locking import lock_members

#: Gets both members, locked, in the merge's transaction; moves its rows and returns how many those were.
Mover = Callable[[Any, Any], int]
_movers: dict[str, tuple[Any, Mover, Callable[[Any], int] | None]] = {}
#: Gets both members and says, for the staff, why they cannot be joined now; nothing, if they can.
Obstacle = Callable[[Any, Any], str]
_obstacles: dict[str, Obstacle] = {}
#: Columns that name a member or an account and stay as they are, each with why; a test finds those that are in neither.
LEFT: dict[str, str] = {}
#: Columns that a mover takes care of.
MOVED: dict[str, str] = {}
#: Columns whose rows a merge locks before the members, and those it locks after them, before their accounts.
_LOCKED: dict[str, list[str]] = {"before": [], "after": []}


def mover(
    name: str, *, title: Any, count: Callable[[Any], int] | None = None, columns: Iterable[str] = (), locked: str = ""
) -> Callable[[Mover], Mover]:
    """Register what follows a member into another; ``count`` says for the preview how many rows a member has.

    ``columns`` ("loyalty_earning.Award.member") are those that it takes care of. ``locked`` says where their writers
    lock the rows: ``"before"`` the members, or ``"after"`` them and before the accounts (:mod:`.locking`); a merge
    does so too. Rows that are written under the lock of the member or the account need none.
    """
    columns = list(columns)

    def register(function: Mover) -> Mover:
        _movers[name] = (title, function, count)
        MOVED.update(dict.fromkeys(columns, name))
        if locked:
            _LOCKED[locked] += columns
        return function

    return register


def obstacle(name: str) -> Callable[[Obstacle], Obstacle]:
    """Register what may stand in the way of joining two memberships, such as a payment under way."""

    def register(function: Obstacle) -> Obstacle:
        _obstacles[name] = function
        return function

    return register


def stays(column: str, *, why: str) -> None:
    """Say that a column that names a member is left as it is, and why (for developers)."""
    LEFT[column] = why


def move_rows(source: Any, target: Any) -> dict[str, int]:
    """Let all rooms' rows follow ``source`` into ``target``; the caller has locked both and their accounts."""
    return {name: move(source, target) for name, (_title, move, _count) in sorted(_movers.items())}


def _lock_rows(when: str, source: Any) -> None:
    """Lock what will move and is locked by its writers at this place."""
    for column in sorted(_LOCKED[when]):
        app, model, field = column.split(".")
        rows = get_model(app, model)._base_manager.filter(**{field: source.pk}).order_by("pk")
        list(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


@dataclass(frozen=True)
class Preview:
    """What a merge would move: the balance and the open lots of ``source``, and ``(title, number)`` of other rows.

    ``problem`` says why it cannot be done, or nothing. ``user``: with whose account in the shop the membership is
    opened afterwards; ``shut_out`` is the account that cannot do so any more. ``notes`` are what else is decided.
    """

    source: Any
    target: Any
    balance: Any
    lots: list[Any]
    rows: list[tuple[str, int]]
    tier: Any
    problem: str
    user: Any = None
    shut_out: Any = None
    notes: tuple[str, ...] = ()


def find(member: Any, words: str) -> QuerySet[Any]:
    """Return other members whose name, e-mail or card number match ``words``."""
    return selectors.search(member.programme, words).exclude(pk=member.pk)


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
    return next((said for check in _obstacles.values() if (said := check(source, target))), "")


def _own(source: Any, target: Any, actor: Ref) -> str:
    """Nobody gives oneself what somebody else has."""
    user = get_user_model().objects.filter(pk=actor.id).first() if actor.type == "user" else None
    if selectors.is_own(source, user) or selectors.is_own(target, user):
        return _("Nobody joins the own membership with another: ask a colleague.")
    return ""


def preview(source: Any, target: Any, *, actor: Ref = NOBODY) -> Preview:
    """Return what :func:`merge` would do, asked for by ``actor``."""
    problem = _problem(source, target) or _own(source, target, actor)
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
        user=target.user or source.user,
        shut_out=source.user if target.user_id is not None else None,
        notes=tuple(_notes(source, target)),
    )


def _notes(source: Any, target: Any) -> Iterable[str]:
    if source.tier_id != target.tier_id:
        higher = _higher(source.tier, target.tier)
        yield _("The higher of both tiers stays: %(tier)s.") % {"tier": higher.name if higher else "–"}
    for name, label in (("email", _("e-mail")), ("first_name", _("first name")), ("last_name", _("last name"))):
        mine, theirs = getattr(target, name), getattr(source, name)
        if mine and theirs and mine.lower() != theirs.lower():
            values = {"what": label, "stays": mine, "goes": theirs}
            yield _("Of both, this %(what)s stays: %(stays)s (not %(goes)s).") % values
    if (birthday := _birthday(source)) and _birthday(target) and birthday != _birthday(target):
        yield _("The birthday of the membership that stays is kept.")
    yield _("Both card numbers work at the till: the old one finds the membership that stays.")


def _birthday(member: Any) -> tuple[Any, ...]:
    return (member.birth_month, member.birth_day) if member.birth_day else ()


def _held() -> str:
    return _(
        "Points of this membership are set aside, for a checkout or a gift under way. Please try again once it is over."
    )


def _higher(one: Any, other: Any) -> Any:
    return one if one is not None and (other is None or other.rank < one.rank) else other


@transaction.atomic
def merge(*, source: Any, target: Any, key: str, actor: Ref = NOBODY, reason: str = "") -> Any:
    """Move all that ``source`` has to ``target``, close ``source`` for good, and return ``target``.

    What happens later to orders and bookings of ``source`` follows. The same two again: nothing more.

    :raises CannotMerge: with why, for the staff.
    """
    source, target = _lock_both(source, target)
    if source.merged_into_id == target.pk:
        return target
    if problem := _problem(source, target) or _own(source, target, actor):
        raise CannotMerge(problem)
    return _join(source, target, key=key, actor=actor, reason=reason)


@transaction.atomic
def take_over(*, source: Any, target: Any) -> Any:
    """Join ``source``, a membership by e-mail alone, with that of whoever has proved the e-mail; return ``target``.

    :raises AlreadyMember: when somebody else has taken it over.
    :raises CannotMerge: when one of both is on hold or closed, or something is under way.
    """
    source, target = _lock_both(source, target)
    if source.merged_into_id == target.pk:
        return target
    if source.user_id is not None or source.merged_into_id is not None:
        raise AlreadyMember(source.number)
    if problem := _problem(source, target):
        raise CannotMerge(problem)
    actor = Ref.of("user", target.user_id) if target.user_id is not None else NOBODY
    return _join(source, target, key=f"attach:{source.pk}", actor=actor, reason="")


def _lock_both(source: Any, target: Any) -> tuple[Any, Any]:
    """Return both as they are now, locked, after what is locked before them."""
    _lock_rows("before", source)
    both = lock_members([source.pk, target.pk])
    return both[source.pk], both[target.pk]


def _join(source: Any, target: Any, *, key: str, actor: Ref, reason: str) -> Any:
    _lock_rows("after", source)
    try:
        books.merge(source=source.account, target=target.account, key=f"merge:{source.pk}:{target.pk}", actor=actor)
    except Blocked as error:
        raise CannotMerge(_held()) from error
    moved = move_rows(source, target)
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
        # A member's e-mail is that of the account in the shop.
        target.email = source.email or target.email
    source.save(update_fields=["merged_into", "status", "user"])
    for name in ("email", "first_name", "last_name"):
        setattr(target, name, getattr(target, name) or getattr(source, name))
    if not target.birth_day and not consents.withdrew(target, "birthday"):
        target.birth_day, target.birth_month = source.birth_day, source.birth_month
        target.birth_year = source.birth_year
    target.joined_at = min(target.joined_at, source.joined_at)
    target.save()
    services.set_tier(member=target, tier=higher, key=f"{key}:tier", actor=actor, cause="merged")
    set_groups(target)
    return target
