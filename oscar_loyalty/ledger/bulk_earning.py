"""Thousands of earnings at once: what :func:`~oscar_loyalty.ledger.books.earn_many` books, without an object a row.

Private to :mod:`oscar_loyalty.ledger.books`.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json import dumps
from typing import Any

from oscar_loyalty import clock
from oscar_loyalty.ledger import keyed
from oscar_loyalty.ledger.pages import in_one_transaction, model
from oscar_loyalty.lookups import among
from oscar_loyalty.sql import Database

ENTRY = (
    "id",
    "account_id",
    "sequence",
    "key",
    "digest",
    "kind",
    "units",
    "balance_after",
    "explanation",
    "source_type",
    "source_id",
    "effective_at",
    "recorded_at",
)
LOT = ("id", "account_id", "entry_id", "units", "remaining", "held", "usable_from", "expires_at")
USE = ("entry_id", "lot_id", "units")
FIGURES = "loyalty_figures"


@dataclass(slots=True)
class _Account:
    """The figures of an account, and the ends of its new lots."""

    sequence: int
    balance: int
    ends: list[tuple[datetime, int, int]] = field(default_factory=list)


class Plain:
    """Accounts, locked, in which an earning is an entry and a lot, and nothing else has to happen."""

    def __init__(self, db: Database, accounts: Sequence[int], until: datetime) -> None:
        self.db, self.now = db, clock.now()
        self.accounts = self._lock(accounts, until)
        self.entries: list[list[Any]] = []
        self.lots: list[list[Any]] = []
        self.uses: list[tuple[int, int]] = []

    def _lock(self, accounts: Sequence[int], until: datetime) -> dict[int, _Account]:
        """Lock all of them, and return those without debt, rest, heir, or anything that falls due before ``until``."""
        Account, Lot, Hold = model("Account"), model("Lot"), model("Hold")
        rows = Account.objects.select_for_update().filter(among("pk", accounts)).order_by("pk")
        fields = ("pk", "sequence", "balance", "debt", "paused_at", "merged_into_id")
        locked = list(rows.values_list(*fields))
        due = Lot.objects.filter(among("account_id", accounts), remaining__gt=0, expires_at__lte=until)
        stale = Hold.objects.filter(among("account_id", accounts), state="open", until__lte=until)
        other = {*due.values_list("account", flat=True), *stale.values_list("account", flat=True)}
        return {
            pk: _Account(sequence, balance)
            for pk, sequence, balance, debt, paused, heir in locked
            if not debt and paused is None and heir is None and pk not in other
        }

    def add(self, earning: Any) -> None:
        """Note an earning; what was earned before it and has expired by then goes first."""
        pk, at = keyed.pk(earning.account), clock.past(earning.happened_at, self.now)
        account = self.accounts[pk]
        while account.ends and account.ends[0][0] <= at:
            end, _number, lot = heapq.heappop(account.ends)
            self._expire(pk, account, end, lot)
        digest = keyed.digest("earn", pk, earning.units, earning.kind)
        self._post(
            pk, account, earning.key, digest, earning.kind, earning.units, earning.explanation, at, earning.source
        )
        new = [pk, len(self.entries) - 1, earning.units, earning.units, earning.usable_from, earning.expires_at]
        if earning.expires_at is not None:
            heapq.heappush(account.ends, (earning.expires_at, len(self.lots), len(self.lots)))
        self.lots.append(new)

    def _post(
        self,
        pk: int,
        account: _Account,
        key: str,
        digest: str,
        kind: str,
        units: int,
        why: dict[str, Any],
        at: datetime,
        source: keyed.Ref,
    ) -> None:
        account.sequence += 1
        account.balance += units
        self.entries.append(
            [
                pk,
                account.sequence,
                key,
                digest,
                kind,
                units,
                account.balance,
                why,
                source,
                at,
            ]
        )

    def _expire(self, pk: int, account: _Account, end: datetime, lot: int) -> None:
        units = self.lots[lot][3]
        why = {"why": "expired", "expired_at": end.isoformat()}
        key = f"expire:{pk}:{account.sequence + 1}"
        self._post(pk, account, key, "expire", "expire", -units, why, end, keyed.NOBODY)
        self.lots[lot][3] = 0
        self.uses.append((len(self.entries) - 1, lot))

    def write(self) -> dict[str, int]:
        """Write all of it; return the entries' primary keys by their keys."""
        db, moment = self.db, self.db.moment
        entries, lots = db.keys(model("Entry"), len(self.entries)), db.keys(model("Lot"), len(self.lots))
        db.load(model("Entry"), ENTRY, self._written(entries))
        db.load(
            model("Lot"),
            LOT,
            (
                (pk, account, entries[entry], units, left, 0, moment(start), moment(end))
                for pk, (account, entry, units, left, start, end) in zip(lots, self.lots, strict=True)
            ),
        )
        db.load(model("LotUse"), USE, ((entries[entry], lots[lot], self.lots[lot][2]) for entry, lot in self.uses))
        db.make_table(FIGURES, "account bigint, sequence bigint, balance bigint")
        db.fill(FIGURES, ((pk, row.sequence, row.balance) for pk, row in self.accounts.items()))
        db.run(
            """
            UPDATE $account SET sequence = mine.sequence, balance = mine.balance
            FROM $figures mine WHERE $account.id = mine.account
            """,
            account=db.table(model("Account")),
            figures=FIGURES,
        )
        return {row[2]: pk for pk, row in zip(entries, self.entries, strict=True)}

    def _written(self, pks: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """Make the entries' rows one by one, while the database takes in those before."""
        moment, now = self.db.moment, self.db.moment(self.now)
        for pk, (*row, why, source, at) in zip(pks, self.entries, strict=True):
            yield (pk, *row, dumps(why), source.type, source.id, moment(at), now)


@in_one_transaction
def earn_plain(*, earnings: Sequence[Any]) -> tuple[dict[str, int], list[Any]]:
    """Book those of the earnings that are plain, in the order given; return their entries' primary keys, by key, and
    the earnings that are not: of accounts where more has to happen, with a note or an actor, or a key that is known.
    """
    now = clock.now()
    until = max(clock.past(earning.happened_at, now) for earning in earnings)
    db = Database(model("Entry"))
    plain = Plain(db, sorted({keyed.pk(earning.account) for earning in earnings}), until)
    keys = [earning.key for earning in earnings]
    known = set(model("Entry").objects.filter(among("key", keys)).values_list("key", flat=True))
    other = {
        keyed.pk(earning.account)
        for earning in earnings
        if earning.key in known or earning.note or earning.actor != keyed.NOBODY
    }
    mine: list[Any] = []
    rest: list[Any] = []
    for earning in earnings:
        pk = keyed.pk(earning.account)
        (rest if pk in other or pk not in plain.accounts else mine).append(earning)
    for earning in mine:
        plain.add(earning)
    return plain.write() if mine else {}, rest
