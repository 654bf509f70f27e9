"""Expiries of hundreds of thousands of accounts, posted by a few statements for thousands of lots at once.

What is written is what :meth:`oscar_loyalty.ledger.pages.Page.post_due` writes, row for row. Whoever has a hold past
its limit is left to that: what the hold frees may expire in its turn, or pay what is owed. So is whoever owes what free
points could have paid.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import F

from oscar_loyalty import clock
from oscar_loyalty.due import slices
from oscar_loyalty.ledger.pages import Pages, in_one_transaction, model
from oscar_loyalty.sql import Database, Value

KIND = "ledger.expiries"
#: Lots in one transaction: for as long as that takes, whose they are wait at the checkout.
SLICE = 5000
#: Accounts with holds that are open at once.
PAGES = 200

#: Lots past their end. The first condition is the index's own; the last leaves out what waits for its hold to end.
DUE = "lot.remaining > 0 AND lot.expires_at <= %s AND lot.remaining > lot.held"
STALE = "hold.state = 'open' AND hold.until <= %s"
#: Accounts that owe, with a lot that could pay; the last two conditions of the lot as above.
OWING = """$account owing JOIN $lot owed ON owed.account_id = owing.id
    WHERE owing.debt > 0 AND owed.remaining > 0 AND owed.remaining > owed.held"""
ACCOUNTS, LOTS = "loyalty_expiring_account", "loyalty_expiring_lot"


def expire_due(*, at: datetime | None = None, progress: Callable[[Any], None] | None = None) -> int:
    """Post the expiries and release the holds that are due, together with whoever else is at it; return of how many
    accounts they were.

    It goes slice by slice, each a transaction of its own: stopped at any moment, the next call goes on.
    """
    at, done = clock.past(at), 0
    while (run := begin(at=at)) is not None:
        outcome = slices.work(run, progress=progress)
        done += outcome.counts.get("accounts", 0)
        if outcome.run.finished_at is None or _at(run) >= at:
            # The rest is with others, or came after ``at``.
            break
    return done


def begin(*, at: datetime) -> Any:
    """Return the run that posts what is due, ``None`` when nothing is. One that is under way may be of before."""
    before = slices.under_way(KIND)
    if before is not None or not is_due(at):
        return before
    return slices.begin(kind=KIND, payload={"at": at.isoformat()}, parts=lambda: _cut(at))


def is_due(at: datetime) -> bool:
    """Whether any lot has expired, hold passed its limit, or debt could have been paid, that is not written yet."""
    lots = model("Lot").objects.filter(remaining__gt=0).filter(remaining__gt=F("held"))
    return (
        lots.filter(expires_at__lte=at).exists()
        or model("Hold").objects.filter(state="open", until__lte=at).exists()
        or lots.filter(account__debt__gt=0).exists()
    )


def _at(run: Any) -> datetime:
    return datetime.fromisoformat(run.payload["at"])


def _names(db: Database) -> dict[str, str]:
    tables = {name: db.table(model(name)) for name in ("Account", "Lot", "Hold", "Entry")}
    return {name.lower(): table for name, table in tables.items()} | {"accounts": ACCOUNTS, "lots": LOTS}


def _cut(at: datetime) -> list[slices.Part]:
    db = Database(model("Lot"))
    source = f"""
        SELECT account_id, COUNT(*) FROM (
            SELECT lot.account_id FROM $lot lot WHERE {DUE}
            UNION ALL SELECT hold.account_id FROM $hold hold WHERE {STALE}
            UNION ALL SELECT owing.id FROM {OWING}
        ) due GROUP BY account_id
    """  # noqa: S608  # nosec B608
    moment = db.moment(at)
    return slices.cut(db, source, [moment, moment], size=SLICE, **_names(db))


@slices.worker(KIND)
def expire_slice(run: Any, first: int, last: int | None) -> dict[str, int]:
    """Post what is due of the accounts from one key to another."""
    return _Slice(_at(run), first, last).post()


class _Slice:
    def __init__(self, at: datetime, first: int, last: int | None) -> None:
        self.at, self.db = at, Database(model("Lot"))
        self.names, self.moment = _names(self.db), self.db.moment(at)
        self.first, self.last = first, last

    def within(self, column: str) -> tuple[str, list[int]]:
        """Return the condition that an account is of this slice, and its parameters."""
        if self.last is None:
            return f"{column} >= %s", [self.first]
        return f"{column} BETWEEN %s AND %s", [self.first, self.last]

    def post(self) -> dict[str, int]:
        accounts = self.lock()
        if not accounts:
            return {}
        stale = self.stale()
        for start in range(0, len(stale), PAGES):
            _post_due(accounts=stale[start : start + PAGES], at=self.at)
        return {"accounts": accounts, "lots": self.expire()}

    def lock(self) -> int:
        """Lock the accounts with something due, in their order, and note whose they are; return how many they are."""
        text, within = self.within("account.id")
        lots, in_lots = self.within("lot.account_id")
        holds, in_holds = self.within("hold.account_id")
        owing, in_owing = self.within("owing.id")
        locking = "FOR UPDATE" if self.db.is_postgresql else ""
        self.db.make_table(ACCOUNTS, "id bigint")
        select = f"""
            INSERT INTO $accounts SELECT account.id FROM $account account WHERE {text} AND account.id IN (
                SELECT lot.account_id FROM $lot lot WHERE {lots} AND {DUE}
                UNION SELECT hold.account_id FROM $hold hold WHERE {holds} AND {STALE}
                UNION SELECT owing.id FROM {OWING} AND {owing}
            ) ORDER BY account.id {locking}
        """  # noqa: S608  # nosec B608
        params = [*within, *in_lots, self.moment, *in_holds, self.moment, *in_owing]
        number = self.db.run(select, params, **self.names)
        self.db.analyse(ACCOUNTS)
        return number

    def stale(self) -> list[int]:
        """Return the accounts with a hold past its limit, or a debt that could be paid."""
        holds, in_holds = self.within("hold.account_id")
        owing, in_owing = self.within("owing.id")
        select = f"""
            SELECT hold.account_id FROM $hold hold WHERE {holds} AND {STALE}
            UNION SELECT owing.id FROM {OWING} AND {owing} ORDER BY 1
        """  # noqa: S608  # nosec B608
        return [pk for (pk,) in self.db.rows(select, [*in_holds, self.moment, *in_owing], **self.names)]

    def expire(self) -> int:
        """Post the expiries of the accounts that are locked; return of how many lots."""
        db, names = self.db, self.names
        lots, in_lots = self.within("lot.account_id")
        db.make_table(
            LOTS,
            "lot bigint, account bigint, sequence bigint, units bigint, balance bigint, expires_at $moment",
        )
        # Each account's lots in the order of their ends, on from its last entry, as one after the other would be.
        number = db.run(
            f"""
            INSERT INTO $lots SELECT lot.id, account.id, account.sequence + ROW_NUMBER() OVER mine,
                lot.remaining - lot.held,
                account.balance - CAST(SUM(lot.remaining - lot.held) OVER mine AS bigint), lot.expires_at
            FROM $accounts locked JOIN $account account ON account.id = locked.id
            JOIN $lot lot ON lot.account_id = locked.id AND {DUE} AND {lots}
            WINDOW mine AS (PARTITION BY account.id ORDER BY lot.expires_at, lot.id ROWS UNBOUNDED PRECEDING)
            """,  # noqa: S608  # nosec B608
            [self.moment, *in_lots],
            **names,
        )
        if not number:
            return 0
        db.analyse(LOTS)
        entry: dict[str, str | Value] = {
            "account_id": "account",
            "sequence": "sequence",
            "key": "'expire:' || account || ':' || sequence",
            "digest": Value("expire"),
            "kind": Value("expire"),
            "units": "-units",
            "balance_after": "balance",
            "explanation": f"$json('why', 'expired', 'expired_at', {self.iso()})",
            "effective_at": "expires_at",
            "recorded_at": Value(db.moment(clock.now())),
        }
        db.insert(model("Entry"), entry, "FROM $lots", **names)
        use: dict[str, str | Value] = {"entry_id": "entry.id", "lot_id": "mine.lot", "units": "mine.units"}
        joined = "entry.account_id = mine.account AND entry.sequence = mine.sequence"
        db.insert(model("LotUse"), use, f"FROM $lots mine JOIN $entry entry ON {joined}", **names)
        db.run("UPDATE $lot SET remaining = held FROM $lots mine WHERE $lot.id = mine.lot", **names)
        db.run(
            """
            UPDATE $account SET sequence = last.sequence, balance = last.balance FROM (
                SELECT account, MAX(sequence) AS sequence, MIN(balance) AS balance FROM $lots GROUP BY account
            ) last WHERE $account.id = last.account
            """,
            **names,
        )
        return number

    def iso(self) -> str:
        """Return the SQL of what :meth:`datetime.isoformat` makes of a lot's end."""
        if not self.db.is_postgresql:
            return "REPLACE(expires_at, ' ', 'T') || '+00:00'"
        utc = "expires_at AT TIME ZONE 'UTC'"
        whole = f"to_char({utc}, 'YYYY-MM-DD\"T\"HH24:MI:SS')"
        exact = f"to_char({utc}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
        return f"CASE WHEN expires_at = date_trunc('second', expires_at) THEN {whole} ELSE {exact} END || '+00:00'"


@in_one_transaction
def _post_due(*, accounts: list[int], at: datetime) -> None:
    Pages(accounts, until=at).post_due(at)
