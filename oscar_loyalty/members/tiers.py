"""All writes about who has which tier: moves of many at once, and tiers given by hand."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.locks import as_locked
from oscar_loyalty.members import benefits, selectors, signals
from oscar_loyalty.members.groups import set_groups_of
from oscar_loyalty.members.locking import lock_members
from oscar_loyalty.members.terms import term_of

#: Rows that remember a tier, and go on remembering one that was taken away.
REMEMBER = {"loyalty_members", "loyalty_reports"}
#: Members who are moved by one round of a removal.
SLICE = 2000


Uses = Callable[[Any], Iterable[str]]

_uses: list[Uses] = []


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


def use(function: Uses) -> Uses:
    """Register a function that names, in plain words, what of its room needs a tier, so that it cannot be removed.

    Rows whose foreign key cannot be empty are known without one.
    """
    _uses.append(function)
    return function


@dataclass(frozen=True)
class Move:
    """A member, locked, who goes to another tier; ``cause`` is one of ``TierChange.CAUSES``."""

    member: Any
    after: Any
    cause: str
    key: str
    reason: str = ""
    actor: Ref = NOBODY
    until: datetime | None = None


@transaction.atomic
def move_many(*, programme: Any, moves: Sequence[Move], quiet: bool = False, at: datetime | None = None) -> list[Any]:
    """Move members who the caller has locked, with groups and history, in bulk; return the changes.

    Nobody is written to if ``quiet``. What a shop's own code does on ``tier_changed`` happens after the commit all the
    same.
    """
    if not moves:
        return []
    Member, at = _model("Member"), at or clock.now()
    by_tier: dict[int, list[int]] = defaultdict(list)
    for move in moves:
        by_tier[move.after.pk].append(move.member.pk)
    for tier, pks in by_tier.items():
        Member.objects.filter(pk__in=pks).update(tier=tier)
    rows = [
        _model("TierChange")(
            member=move.member,
            key=move.key,
            before=move.member.tier,
            after=move.after,
            cause=move.cause,
            reason=move.reason,
            until=move.until,
            actor_type=move.actor.type,
            actor_id=move.actor.id,
            happened_at=at,
        )
        for move in moves
    ]
    changes = _model("TierChange").objects.bulk_create(rows, batch_size=500)
    users = [(m.member.user_id, m.after) for m in moves if m.member.user_id is not None and m.member.status == "active"]
    set_groups_of(programme, users)
    if not quiet:
        due.leave_many(kind="members.tier_changed", rows={str(change.pk): {"change": change.pk} for change in changes})
    for move in moves:
        move.member.tier = move.after

    def tell() -> None:
        for change in changes:
            signals.tier_changed.send_robust(
                sender=Member, member=change.member, before=change.before, after=change.after
            )

    transaction.on_commit(tell, robust=True)
    return changes


@transaction.atomic
def give_by_hand(
    *, member: Any, tier: Any, key: str, until: datetime | None = None, actor: Ref = NOBODY, reason: str = ""
) -> Any:
    """Give ``member`` a tier by hand, at least until ``until`` (``None``: for good); return the recorded change.

    A tier below the one that was earned takes that away, without an end to wait for. Pressed twice, done once.

    :raises ValueError: for a tier of another programme or one that was removed, or an end that has passed.
    """
    if tier.programme_id != member.programme_id or tier.removed_at is not None:
        raise ValueError("There is no such tier in this programme.")
    if until is not None and until <= clock.now():
        raise ValueError("A tier is given until a time that is still to come.")
    row = lock_members([member.pk])[member.pk]
    done = _model("TierChange").objects.filter(key=key).first()
    if done is not None:
        return done
    term = term_of(row)
    if term.earned is None:
        # Who joined before there were tiers: without one of their own, they would seem to have earned this.
        term.earned = selectors.tiers(row.programme_id).first()
    if term.earned.rank > tier.rank:
        term.earned, term.ends_at, term.warned_for = tier, None, None
    term.floor, term.floor_until, term.floor_reason = tier, until, reason
    term.warned_for = None
    term.save()
    move = Move(row, tier, "hand", key, reason=reason, actor=actor, until=until)
    change = move_many(programme=row.programme, moves=[move], quiet=row.tier_id == tier.pk)[0]
    member.tier = tier
    return change


@transaction.atomic
def end_by_hand(*, member: Any, key: str, actor: Ref = NOBODY, reason: str = "") -> Any:
    """End what was given by hand: ``member`` has what they earned. Return the change, or ``None`` if there is none."""
    row = lock_members([member.pk])[member.pk]
    done = _model("TierChange").objects.filter(key=key).first()
    if done is not None:
        return done
    term = term_of(row)
    if term.floor is None:
        return None
    term.floor, term.floor_until, term.floor_reason, term.warned_for = None, None, "", None
    term.save()
    after = term.earned or row.tier
    move = Move(row, after, "over", key, reason=reason, actor=actor)
    change = move_many(programme=row.programme, moves=[move], quiet=row.tier_id == after.pk)[0]
    member.tier = after
    return change


def uses_of(tier: Any) -> list[str]:
    """Return what needs a tier, such as pages of a club, so that it cannot be removed; in plain words."""
    found = []
    for relation in _model("Tier")._meta.get_fields(include_hidden=True):
        # A row that can do without it is not in its way, unless its room says so.
        if not relation.auto_created or relation.concrete or getattr(relation, "on_delete", None) is models.SET_NULL:
            continue
        model = relation.related_model
        if model._meta.app_label in REMEMBER or model._meta.label_lower == "loyalty_earning.award":
            continue
        rows = model._base_manager.filter(**{relation.field.name: tier})
        # A model may say which of its rows need their tier still.
        if getattr(model, "needing_tier", lambda rows: rows)(rows).exists():
            found.append(str(model._meta.verbose_name_plural))
    return [*found, *(str(name) for function in _uses for name in function(tier))]


def heir_of(tier: Any) -> Any:
    """Return the tier that the members of ``tier`` get when it is removed: the next lower, or else the next higher."""
    others = _model("Tier").objects.filter(programme=tier.programme_id).exclude(pk=tier.pk)
    lower = others.filter(rank__lt=tier.rank).order_by("-rank").first()
    return lower or others.filter(rank__gt=tier.rank).order_by("rank").first()


@transaction.atomic
def remove(*, tier: Any, actor: Ref = NOBODY, quiet: bool = True) -> int:
    """Take a tier away: its members get the next lower one, its offers end; return how many members that were.

    The history keeps it. Pressed twice, done once.

    :raises ValueError: for the only tier, or one that something needs (:func:`uses_of`).
    """
    programme = _model("Programme").objects.select_for_update(no_key=True).get(pk=tier.programme_id)
    row = _model("Tier").everything.select_related("group").get(pk=tier.pk)
    if row.removed_at is not None:
        return 0
    heir = heir_of(row)
    if heir is None or uses_of(row):
        raise ValueError("This tier is needed.")
    # Before the members: what others lock when a tier goes, such as a club its pages, comes before them.
    row.removed_at = clock.now()
    row.save(update_fields=["removed_at"])
    moved = 0
    people = _model("Member").objects.select_for_update(of=("self",), no_key=True).select_related("tier")
    while batch := [as_locked(each) for each in people.filter(tier=row).order_by("pk")[:SLICE]]:
        moves = [Move(each, heir, "removed", f"removed:{row.pk}:{each.pk}", actor=actor) for each in batch]
        move_many(programme=programme, moves=moves, quiet=quiet)
        moved += len(batch)
    Term = _model("TierTerm")
    Term.objects.filter(earned=row).update(earned=heir)
    Term.objects.filter(floor=row).update(floor=heir)
    row.group.user_set.clear()
    benefits.sync(tier=row)
    return moved
