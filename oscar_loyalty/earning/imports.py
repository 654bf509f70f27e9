"""Bringing in members, balances and past purchases from a table.

Each row has a key made from its content, so the same file twice changes nothing, and a file that grew brings only what
is new. Purchases become orders of the shop, awarded by the same engine as all others
(:mod:`oscar_loyalty.earning.backfill`).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock, importing
from oscar_loyalty.earning import cells
from oscar_loyalty.earning.cells import RowError
from oscar_loyalty.earning.people import People, Register
from oscar_loyalty.importing import MappingError
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import Earning, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.tables import BadCell, Row, Table

#: Fields of each kind of table, and whether they must be there. A customer is known by ``customer`` (the old system's
#: number), ``email``, or ``card`` (the number on the loyalty card).
KINDS: dict[str, dict[str, bool]] = {
    "members": {
        "customer": False,
        "email": False,
        "first_name": False,
        "last_name": False,
        "joined": False,
        "language": False,
    },
    "balances": {"customer": False, "email": False, "card": False, "points": True, "expires": False, "reason": False},
    "transactions": {
        "customer": False,
        "email": False,
        "card": False,
        "date": True,
        "amount": True,
        "quantity": False,
        "reference": False,
        "title": False,
    },
}
#: What makes a row, besides its customer, the same as another. A column mapped in one run and not in the next must not
#: make it a new one.
IDENTITY = {"members": (), "balances": ("points", "expires", "reason"), "transactions": ("date", "amount")}
#: Rows handled in one transaction.
SLICE = 1000
#: How often a slice is tried when somebody else writes the same in the same moment.
TRIES = 3


@dataclass
class Outcome:
    """What an import did, or would do: how many rows are new, were known, and were refused, with the reasons."""

    new: int = 0
    known: int = 0
    refused: int = 0
    people: int = 0
    total: Decimal = Decimal(0)
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Parsed:
    """A row understood: the key of its content and its values."""

    row: Row
    key: str
    values: dict[str, Any]


@dataclass
class _Written:
    """What one slice has written."""

    new: int = 0
    known: int = 0
    people: int = 0
    total: Decimal = Decimal(0)
    refused: list[tuple[Row, str]] = field(default_factory=list)


def run(
    *,
    kind: str,
    table: Table,
    programme: Any,
    mapping: dict[str, str] | None = None,
    dry_run: bool = False,
    dates: str = "",
    status: str = "",
    refused: Callable[[Row, str], Any] | None = None,
    progress: Callable[[int], Any] | None = None,
) -> Outcome:
    """Bring ``table`` in and return what happened.

    ``mapping`` names the table's column for a field where they differ, ``dates`` is how days are written where not as
    2026-03-31 (``"%d/%m/%Y"``), ``status`` that of the orders made of purchases. ``refused`` is called with each row
    that is left out and the reason.

    :raises MappingError: when a column that must be there is missing.
    """
    columns = _columns(kind, table, mapping or {})
    outcome = Outcome()
    register = Register(programme, dry_run=dry_run, orders=kind == "transactions")
    write = {"members": _write_members, "balances": _write_balances, "transactions": _write_transactions}[kind]

    def refuse(row: Row, reason: str) -> None:
        outcome.refused += 1
        outcome.reasons[reason] += 1
        if refused is not None:
            refused(row, reason)

    for batch, number in _batches(_parsed(kind, table, columns, programme, dates, refuse)):
        written = _in_peace(lambda batch=batch: write(batch, register, status), programme)  # type: ignore[misc]
        for row, reason in written.refused:
            refuse(row, reason)
        outcome.new += written.new
        outcome.known += written.known
        outcome.people += written.people
        outcome.total += written.total
        if progress is not None:
            progress(number)
    return outcome


def _in_peace(write: Callable[[], _Written], programme: Any) -> _Written:
    """Write in a transaction, one import at a time; again, when a visitor of the shop was faster with the same."""
    rows = get_model("loyalty_members", "Programme").objects.select_for_update(no_key=True)
    for rest in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                rows.get(pk=programme.pk)
                return write()
        except IntegrityError:
            if not rest:
                raise
    raise AssertionError


def _columns(kind: str, table: Table, mapping: dict[str, str]) -> dict[str, str]:
    found = importing.choose_columns(KINDS[kind], table, mapping)
    if not {"customer", "email", "card"} & set(found):
        raise MappingError(
            _("Say which column tells the customer, with --map customer=<column>; there are: %(columns)s.")
            % {"columns": ", ".join(table.columns)}
        )
    return found


def _parsed(
    kind: str, table: Table, columns: dict[str, str], programme: Any, dates: str, refuse: Callable[[Row, str], None]
) -> Iterator[Parsed]:
    seen = importing.Counted()
    for row in table.rows:
        try:
            values = understand(row, columns, dates)
        except RowError as error:
            refuse(row, str(error))
            continue
        who = values.get("customer") or values.get("email") or values.get("card")
        content = importing.digest(programme.pk, kind, who, *[values.get(name) or "" for name in IDENTITY[kind]])
        # Two rows that say the same are two purchases, not one; counting them keeps the keys the same next time.
        yield Parsed(row, f"{content}-{seen.next(content)}", values)


def understand(row: Row, columns: dict[str, str], dates: str = "") -> dict[str, Any]:
    """Return the values of a row by field; ``columns`` says which column holds a field.

    :raises RowError: when it cannot be believed.
    """
    if row.problem:
        raise RowError(row.problem)
    values = {}
    for name, column in columns.items():
        cell = row.cells.get(column, "")
        if isinstance(cell, BadCell):
            raise RowError(f"{name}: {cell.reason}")
        values[name] = cells.value(name, cell, dates)
    if not any(values.get(name) for name in ("customer", "email", "card")):
        raise RowError(_("the customer is missing"))
    return values


def _batches(rows: Iterator[Parsed]) -> Iterator[tuple[list[Parsed], int]]:
    """Yield slices of rows with how far in the file they go."""
    batch: list[Parsed] = []
    for row in rows:
        batch.append(row)
        if len(batch) == SLICE:
            yield batch, row.row.number
            batch = []
    if batch:
        yield batch, batch[-1].row.number


# Writing


def _somebody(people: People, batch: list[Parsed], written: _Written) -> list[Parsed]:
    """Return the rows whose customer is known or may be made, and make those; refuse the others."""
    usable = []
    for row in batch:
        try:
            people.member(row.values)
        except RowError as error:
            written.refused.append((row.row, str(error)))
        else:
            usable.append(row)
    written.people += people.make([row.values for row in usable])
    return usable


def _write_members(batch: list[Parsed], register: Register, status: str) -> _Written:
    written = _Written()
    usable = _somebody(People(register, [row.values for row in batch]), batch, written)
    written.new = written.people
    written.known = len(usable) - written.people
    return written


def _write_balances(batch: list[Parsed], register: Register, status: str) -> _Written:
    written = _Written()
    programme, now = register.programme, clock.now()
    keys = {row.key: f"import:{programme.pk}:{row.key}" for row in batch}
    Entry = get_model("loyalty_ledger", "Entry")
    known = set(Entry.objects.filter(key__in=keys.values()).values_list("key", flat=True))
    fresh = []
    for row in batch:
        if keys[row.key] in known:
            written.known += 1
        elif row.values.get("expires") and row.values["expires"] <= now:
            written.refused.append((row.row, _("these points have expired")))
        else:
            fresh.append(row)
    people = People(register, [row.values for row in fresh])
    usable = _somebody(people, fresh, written)
    written.new += len(usable)
    written.total += sum(row.values["points"] for row in usable)
    if not register.dry_run:
        books.earn_many(
            Earning(
                account=people.member(row.values).account_id,
                units=row.values["points"],
                key=keys[row.key],
                usable_from=now,
                expires_at=row.values.get("expires"),
                kind="import",
                explanation={"why": "import"},
                source=Ref.of("import", row.key),
                note=row.values.get("reason") or "",
            )
            for row in usable
        )
    return written


def _write_transactions(batch: list[Parsed], register: Register, status: str) -> _Written:
    Order, Line = get_model("order", "Order"), get_model("order", "Line")
    written = _Written()
    numbers = {row.key: _order_number(row) for row in batch}
    imagined = {number: register.numbers[number] for number in numbers.values() if number in register.numbers}
    rows = Order.objects.filter(number__in=numbers.values()).values_list("number", "total_incl_tax", "date_placed")
    known = imagined | {number: (total, placed) for number, total, placed in rows}
    fresh = []
    for row in batch:
        number, content = numbers[row.key], (row.values["amount"], row.values["date"])
        before = known.setdefault(number, content)
        if before is content:
            fresh.append(row)
        elif before == content:
            written.known += 1
        else:
            written.refused.append((row.row, _("reference: another purchase has it")))
    people = People(register, [row.values for row in fresh])
    usable = _somebody(people, fresh, written)
    written.new += len(usable)
    written.total += sum(row.values["amount"] for row in usable)
    if register.dry_run:
        register.numbers |= {numbers[row.key]: known[numbers[row.key]] for row in usable if row.values.get("reference")}
        return written
    status = status or usual_status(register.programme)
    orders = [_order(register.programme, numbers[row.key], people, row.values, status) for row in usable]
    Order.objects.bulk_create(orders, batch_size=500)
    Line.objects.bulk_create(
        [_line(order, row.values) for order, row in zip(orders, usable, strict=True)], batch_size=500
    )
    return written


def usual_status(programme: Any) -> str:
    """Return the status of orders made of past purchases: one that brings points, and is paid."""
    paid = programme.paid_statuses[0] if programme.paid_statuses else ""
    return programme.award_on_status or paid or getattr(settings, "OSCAR_INITIAL_ORDER_STATUS", "")


def _order_number(row: Parsed) -> str:
    return f"IMP-{row.values.get('reference') or row.key}"


def _order(programme: Any, number: str, people: People, values: dict[str, Any], status: str) -> Any:
    return get_model("order", "Order")(
        number=number,
        site_id=programme.site_id,
        user_id=people.member(values).user_id,
        currency=programme.currency,
        total_incl_tax=values["amount"],
        total_excl_tax=values["amount"],
        shipping_incl_tax=0,
        shipping_excl_tax=0,
        status=status,
        date_placed=values["date"],
    )


def _line(order: Any, values: dict[str, Any]) -> Any:
    amount, quantity = values["amount"], values.get("quantity") or 1
    cascade = getattr(settings, "OSCAR_ORDER_STATUS_CASCADE", {})
    unit = (amount / quantity).quantize(Decimal("0.01"))
    return get_model("order", "Line")(
        order=order,
        title=values.get("title") or _("Past purchase"),
        quantity=quantity,
        line_price_incl_tax=amount,
        line_price_excl_tax=amount,
        line_price_before_discounts_incl_tax=amount,
        line_price_before_discounts_excl_tax=amount,
        unit_price_incl_tax=unit,
        unit_price_excl_tax=unit,
        partner_name="",
        num_allocated=0,
        status=cascade.get(order.status) or getattr(settings, "OSCAR_INITIAL_LINE_STATUS", ""),
    )
