"""Writing awards: the one place where an outcome of the engine becomes rows and an entry in the ledger."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.earning import allowance, followers
from oscar_loyalty.earning.engine import Outcome
from oscar_loyalty.ledger import books, rows
from oscar_loyalty.ledger.books import Earning, Opened, Ref
from oscar_loyalty.loading import get_model


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


def reference_of_order(order: int) -> str:
    """Return what the award of an order, by its primary key, is known by."""
    return f"order:{order}"


def key_of_order(order: int) -> str:
    """Return the key of its entry in the ledger."""
    return f"award:{reference_of_order(order)}"


@dataclass(frozen=True)
class Grant:
    """An award to be made. ``name`` is what staff and customers know the source by;

    ``order_lines`` are by the lines' keys; ``said`` is what the entry's explanation tells beside the points.
    """

    member: Any
    tier: Any
    outcome: Outcome
    reference: str
    key: str
    source: Ref
    name: str
    happened_at: datetime
    usable_from: datetime | None
    expires_at: datetime | None
    order_lines: dict[str, int] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    multiplied: bool = True


def earning_of(grant: Grant) -> Earning:
    """Return what the ledger books for a grant."""
    return Earning(
        account=grant.member.account_id,
        units=grant.outcome.points,
        key=grant.key,
        usable_from=grant.usable_from,
        expires_at=grant.expires_at,
        explanation=_explanation(grant),
        source=grant.source,
        happened_at=grant.happened_at,
    )


@transaction.atomic
def give(grants: Sequence[Grant]) -> list[Any]:
    """Make the awards, with bulk writes, and return them. Whoever calls has made sure that there are none yet."""
    return write(grants)


def write(grants: Sequence[Grant], *, opened: Opened | None = None) -> list[Any]:
    """Make awards as :func:`give` does, in the caller's transaction, which must not outlive a failure.

    ``opened`` is the account of the one that they are for, where it is locked and looked at.
    """
    if not grants:
        return []
    earnings = [earning_of(grant) for grant in grants if grant.outcome.points > 0]
    entries = {entry.key: entry for entry in books.earn_many(earnings, opened=opened)}
    Award, AwardLine = _model("Award"), _model("AwardLine")
    awards = _insert(
        [
            Award(
                programme=grant.member.programme,
                member=grant.member,
                reference=grant.reference,
                source_type=grant.source.type,
                source_id=grant.source.id,
                points=grant.outcome.points,
                spent=grant.outcome.spent,
                entry=entries.get(grant.key),
                tier=grant.tier,
                multiplier=grant.tier.multiplier if grant.tier and grant.multiplied else 1,
                happened_at=grant.happened_at,
                usable_from=grant.usable_from,
                explanation={**grant.outcome.explanation, "number": grant.name, **grant.more},
            )
            for grant in grants
        ]
    )
    _insert(
        [
            AwardLine(
                award_id=award.pk,
                order_line_id=grant.order_lines.get(line.key),
                product_id=line.product,
                title=line.title[:255],
                quantity=line.quantity,
                amount=line.amount,
                share=line.share,
                points=line.points,
                rule_version_id=line.rule_version,
                happened_at=clock.past(grant.happened_at),
                explanation=line.explanation,
            )
            for grant, award in zip(grants, awards, strict=True)
            for line in grant.outcome.lines
        ],
        keys=False,
    )
    allowance.charge(grants[0].member.programme, ((grant.happened_at, grant.outcome.points) for grant in grants))
    followers.tell_given(awards)
    return awards


def _insert(objects: list[Any], *, keys: bool = True) -> list[Any]:
    """Write new rows: a few by a statement whose text is known, many as Django does it best."""
    if len(objects) > rows.KEPT:
        return list(type(objects[0])._base_manager.bulk_create(objects, batch_size=500))
    if objects:
        with rows.database(type(objects[0])).cursor() as cursor:
            rows.insert(cursor, type(objects[0]), objects, keys=keys)
    return objects


def _explanation(grant: Grant) -> dict[str, Any]:
    lines = [{**line.explanation, "title": line.title, "product": line.product} for line in grant.outcome.lines]
    return {
        "why": "award",
        "source": grant.source.type,
        "number": grant.name,
        **grant.outcome.explanation,
        **grant.said,
        "lines": lines,
    }


def take_back(
    *,
    award: Any,
    target: int,
    key: str,
    explanation: dict[str, Any],
    happened_at: datetime | None,
    policy: str | None = None,
) -> int:
    """Take back so much of ``award``, which the caller has locked, that ``target`` are taken in all.

    Return how many were taken now. What was spent meanwhile becomes debt or is written off, as the programme says; a
    programme that blocks says so to a refund (``policy``) and cannot stop what has happened already.

    :raises Blocked: under the policy ``"block"``, when points that were spent would have to be taken.
    """
    more = target - award.clawed_back
    if more <= 0 or award.entry_id is None:
        return 0
    books.reverse(
        entry=award.entry,
        units=more,
        key=f"{key}:{target}",
        policy=policy or {"block": "debt"}.get(award.programme.clawback_policy, award.programme.clawback_policy),
        explanation=explanation,
        happened_at=happened_at,
    )
    award.clawed_back = target
    award.save(update_fields=["clawed_back"])
    allowance.charge(award.programme, [(award.happened_at, -more)])
    followers.tell_moved(award)
    return more


def mark_back(*, award: Any, spent_back: Decimal, void: bool) -> None:
    """Note how much of what was spent for ``award``, locked, was given back, and whether anything is left of it."""
    if (award.spent_back, award.void) != (spent_back, void):
        award.spent_back, award.void = spent_back, void
        award.save(update_fields=["spent_back", "void"])
        followers.tell_moved(award)


def tiers_of(members: Iterable[Any]) -> Callable[[Any, datetime], Any]:
    """Return a function that says which tier a member (fetched with ``tier``) had at a moment; one query for all."""
    changes: dict[int, list[Any]] = defaultdict(list)
    rows = get_model("loyalty_members", "TierChange").objects.filter(member__in=[member.pk for member in members])
    for change in rows.select_related("before", "after").order_by("happened_at", "pk"):
        changes[change.member_id].append(change)

    def tier_at(member: Any, moment: datetime) -> Any:
        own = changes.get(member.pk)
        if not own:
            return member.tier
        tier = own[0].before
        for change in own:
            if change.happened_at > moment:
                break
            tier = change.after
        return tier

    return tier_at
