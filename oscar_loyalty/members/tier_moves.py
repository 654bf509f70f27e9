"""Moves of members by the thousand: term, tier, history, groups and word of it, each by one statement for all.

The members are in a table of the transaction (``standing``) that says how each stands, and to which situation that
belongs; what becomes of a situation is a :class:`Ruling`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import signals
from oscar_loyalty.members.groups import Belonging
from oscar_loyalty.sql import Database, Value

TABLE = "loyalty_now_ruling"
COLUMNS = """
    situation integer PRIMARY KEY, tier_id bigint, rank integer, before_rank integer, cause varchar(16),
    term boolean, earned_id bigint, ends_at $moment, floor_id bigint, floor_until $moment, warned_for $moment,
    warning varchar(32), until varchar(40)
"""


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@dataclass(frozen=True)
class Ruling:
    """What becomes of the members of a situation. Tiers are primary keys, with their ranks (none: below all).

    ``cause`` is one of ``TierChange.CAUSES``, or nothing for those who stay where they are; ``term`` is whether the
    fields below it have to be written. ``warn``: they are to be warned of ``warned_for``.
    """

    situation: int
    tier: int
    rank: int
    before_rank: int
    cause: str
    term: bool
    earned: int | None
    ends_at: datetime | None
    floor: int | None
    floor_until: datetime | None
    warned_for: datetime | None
    warn: bool


class Moves:
    """Writes rulings about the members in ``standing``, in the caller's transaction.

    Their keys are from ``first`` to ``last``, which each statement says, so that it reads no more of a table than it
    must.
    """

    def __init__(self, programme: Any, standing: str, rulings: Sequence[Ruling], first: int, last: int) -> None:
        self.db = Database(_model("Member"))
        self.programme, self.standing = programme, standing
        self.rises = any(ruling.rank > ruling.before_rank for ruling in rulings)
        self.falls = any(ruling.rank < ruling.before_rank for ruling in rulings)
        self._rule(rulings)
        self.names = {"standing": standing, "ruling": TABLE, "between": f"BETWEEN {int(first)} AND {int(last)}"}
        for name in ("Member", "TierTerm", "TierChange", "Tier"):
            self.names[name.lower()] = self.db.table(_model(name))

    def _rule(self, rulings: Sequence[Ruling]) -> None:
        db = self.db
        db.make_table(TABLE, COLUMNS)
        rows = []
        for ruling in rulings:
            key, until = "", ""
            if ruling.warn and ruling.warned_for is not None:
                key, until = f"{ruling.warned_for:%Y%m%dT%H%M}", ruling.warned_for.isoformat()
            moments = [db.moment(each) for each in (ruling.ends_at, ruling.floor_until, ruling.warned_for)]
            rows.append(
                (
                    *(ruling.situation, ruling.tier, ruling.rank, ruling.before_rank, ruling.cause, ruling.term),
                    *(ruling.earned, moments[0], ruling.floor, moments[1], moments[2], key, until),
                )
            )
        db.fill(TABLE, rows)
        db.analyse(TABLE)

    def lock(self) -> list[tuple[int, int]]:
        """Lock the members, in the order of their keys, and leave out whoever has been changed since they were looked
        at; return these with their situations."""
        db = self.db
        db.run(
            "DELETE FROM $standing WHERE situation NOT IN (SELECT situation FROM $ruling)",
            **self.names,
        )
        if db.connection.features.has_select_for_update:
            db.run(
                "SELECT COUNT(*) FROM (SELECT member.id FROM $member member JOIN $standing stood "
                "ON stood.member_id = member.id AND member.id $between "
                "ORDER BY member.id FOR NO KEY UPDATE OF member) locked",
                **self.names,
            )
        same = ("ends_at", "floor_id", "floor_until", "warned_for")
        unchanged = " AND ".join(f"term.{name} $same stood.{name}" for name in same)
        text = """
            SELECT stood.member_id, stood.situation FROM $standing stood
            LEFT JOIN $member member ON member.id = stood.member_id AND member.id $between AND member.status = 'active'
                AND member.merged_into_id IS NULL AND member.tier_id $same stood.tier_id
            LEFT JOIN $tierterm term ON term.member_id = stood.member_id AND term.member_id $between
            WHERE member.id IS NULL OR stood.stored <> (term.member_id IS NOT NULL)
                OR NOT COALESCE(term.earned_id, member.tier_id) $same stood.earned_id OR NOT ($unchanged)
        """
        stale = [
            (int(member), int(situation)) for member, situation in db.rows(text, unchanged=unchanged, **self.names)
        ]
        if stale:
            marks = ", ".join(["%s"] * len(stale))
            db.run(
                "DELETE FROM $standing WHERE member_id IN ($marks)",
                [pk for pk, _situation in stale],
                marks=marks,
                **self.names,
            )
        return stale

    def write(self, *, quiet: bool = False) -> None:
        """Write terms, tiers, history and groups, and leave word of it; nobody is written to of a move if ``quiet``.

        The history says when: now, which is after whatever was waited for.
        """
        at, stamp = clock.now(), uuid4().hex
        self._terms()
        self._tiers()
        self._history(at, stamp)
        self._groups()
        self._warnings(at)
        if not quiet:
            self._word(at, stamp)
        self._signal(stamp)

    def _source(self, where: str) -> str:
        return f"FROM $standing stood JOIN $ruling ruling ON ruling.situation = stood.situation {where}"

    def _terms(self) -> None:
        names = ("earned_id", "ends_at", "floor_id", "floor_until", "warned_for")
        reason = "CASE WHEN ruling.floor_id IS NULL THEN '' ELSE COALESCE(term.floor_reason, '') END"
        columns: dict[str, str | Value] = {"member_id": "stood.member_id"}
        columns |= {name: f"ruling.{name}" for name in names} | {"floor_reason": reason}
        updates = ", ".join(f"{name} = excluded.{name}" for name in (*names, "floor_reason"))
        source = self._source(
            "LEFT JOIN $tierterm term ON term.member_id = stood.member_id AND term.member_id $between WHERE ruling.term"
        )
        conflict = f"ON CONFLICT (member_id) DO UPDATE SET {updates}"  # nosec B608
        self.db.insert(_model("TierTerm"), columns, f"{source} {conflict}", **self.names)

    def _tiers(self) -> None:
        moved = self._source("WHERE ruling.cause <> '' AND ruling.tier_id = %s")
        text = "UPDATE $member SET tier_id = %s WHERE id $between AND id IN (SELECT stood.member_id $moved)"
        rows = self.db.rows("SELECT DISTINCT tier_id FROM $ruling WHERE cause <> ''", **self.names)
        for (tier,) in sorted(rows):
            self.db.run(text, [tier, tier], moved=moved, **self.names)

    def _history(self, at: datetime, stamp: str) -> None:
        columns: dict[str, str | Value] = {
            "member_id": "stood.member_id",
            "key": f"'tier:' || stood.member_id || ':{stamp}'",
            "before_id": "stood.tier_id",
            "after_id": "ruling.tier_id",
            "cause": "ruling.cause",
            "happened_at": Value(self.db.moment(at)),
        }
        self.db.insert(_model("TierChange"), columns, self._source("WHERE ruling.cause <> ''"), **self.names)

    def _groups(self) -> None:
        belonging = Belonging()
        crossed = self._source(
            "JOIN $member member ON member.id = stood.member_id AND member.id $between AND member.user_id IS NOT NULL "
            "JOIN $tier tier ON tier.programme_id = %s AND tier.removed_at IS NULL AND tier.rank $crossing "
            "WHERE ruling.cause <> ''"
        )
        if self.rises:
            self.db.insert(
                belonging.model,
                {belonging.column: "member.user_id", "group_id": "tier.group_id"},
                f"{crossed} ON CONFLICT DO NOTHING",
                [self.programme.pk],
                crossing="> ruling.before_rank AND tier.rank <= ruling.rank",
                **self.names,
            )
        if self.falls:
            self.db.run(
                "DELETE FROM $through WHERE ($user, group_id) IN (SELECT member.user_id, tier.group_id $crossed)",
                [self.programme.pk],
                crossed=crossed,
                through=self.db.table(belonging.model),
                user=belonging.column,
                crossing="> ruling.rank AND tier.rank <= ruling.before_rank",
                **self.names,
            )

    def _warnings(self, at: datetime) -> None:
        due.leave_selected(
            kind="members.tier_ends",
            key="stood.member_id || ':' || ruling.warning",
            payload={"member": "stood.member_id", "until": "ruling.until"},
            source=self._source("WHERE ruling.warning <> ''"),
            names=self.names,
            at=at,
        )

    def _word(self, at: datetime, stamp: str) -> None:
        mine = "change.member_id $between AND change.happened_at = %s AND change.key = $key"
        due.leave_selected(
            kind="members.tier_changed",
            key="change.id",
            payload={"change": "change.id"},
            source=f"FROM $tierchange change WHERE {mine}",
            params=[self.db.moment(at)],
            names={**self.names, "key": f"'tier:' || change.member_id || ':{stamp}'"},
            at=at,
        )

    def _signal(self, stamp: str) -> None:
        """Tell a shop's own code, where there is some, after the commit."""
        Member = _model("Member")
        if not signals.tier_changed.has_listeners(Member):
            return
        changes = _model("TierChange").objects.filter(key__endswith=f":{stamp}")
        pks = [pk for (pk,) in self.db.rows("SELECT member_id FROM $standing", **self.names)]

        def tell() -> None:
            rows = changes.filter(member__in=pks).select_related("member", "before", "after")
            for change in rows.order_by("pk").iterator():
                signals.tier_changed.send_robust(
                    sender=Member, member=change.member, before=change.before, after=change.after
                )

        transaction.on_commit(tell, robust=True)
