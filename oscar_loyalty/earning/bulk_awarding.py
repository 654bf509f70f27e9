"""Thousands of awards at once: what :func:`~oscar_loyalty.earning.awarding.give` writes, without an object a row."""

from collections.abc import Sequence
from json import dumps
from typing import Any, NamedTuple

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.earning import allowance, followers
from oscar_loyalty.earning.awarding import Grant, earning_of
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database

#: Awards that one due row tells the followers of.
TOLD = 500
AWARD = (
    "id",
    "programme_id",
    "member_id",
    "reference",
    "source_type",
    "source_id",
    "points",
    "spent",
    "entry_id",
    "tier_id",
    "multiplier",
    "happened_at",
    "usable_from",
    "explanation",
)
LINE = (
    "award_id",
    "order_line_id",
    "product_id",
    "title",
    "quantity",
    "amount",
    "share",
    "points",
    "rule_version_id",
    "happened_at",
    "explanation",
)


class Given(NamedTuple):
    """An award that was made."""

    pk: int
    member_id: int
    points: int


@transaction.atomic
def give_many(grants: Sequence[Grant]) -> list[Given]:
    """Make the awards and return them. Whoever calls has made sure that there are none yet."""
    Award, Line = get_model("loyalty_earning", "Award"), get_model("loyalty_earning", "AwardLine")
    if not grants:
        return []
    entries = books.earn_in_bulk([earning_of(grant) for grant in grants if grant.outcome.points > 0])
    db = Database(Award)
    keys = db.keys(Award, len(grants))
    made = list(zip(keys, grants, strict=True))
    db.load(Award, AWARD, (_award(db, pk, grant, entries.get(grant.key)) for pk, grant in made))
    db.load(Line, LINE, (row for pk, grant in made for row in _lines(db, pk, grant)))
    given = [Given(pk, grant.member.pk, grant.outcome.points) for pk, grant in made]
    allowance.charge(grants[0].member.programme, ((grant.happened_at, grant.outcome.points) for grant in grants))
    for start in range(0, len(given), TOLD):
        followers.tell_given(given[start : start + TOLD])
    return given


def _award(db: Database, pk: int, grant: Grant, entry: int | None) -> tuple[Any, ...]:
    return (
        pk,
        grant.member.programme_id,
        grant.member.pk,
        grant.reference,
        grant.source.type,
        grant.source.id,
        grant.outcome.points,
        grant.outcome.spent,
        entry,
        grant.tier.pk if grant.tier else None,
        grant.tier.multiplier if grant.tier and grant.multiplied else 1,
        db.moment(grant.happened_at),
        db.moment(grant.usable_from),
        dumps({**grant.outcome.explanation, "number": grant.name, **grant.more}),
    )


def _lines(db: Database, pk: int, grant: Grant) -> list[tuple[Any, ...]]:
    happened_at = db.moment(clock.past(grant.happened_at))
    return [
        (
            pk,
            grant.order_lines.get(line.key),
            line.product,
            line.title[:255],
            line.quantity,
            line.amount,
            line.share,
            line.points,
            line.rule_version,
            happened_at,
            dumps(line.explanation),
        )
        for line in grant.outcome.lines
    ]
