"""Bringing in members, balances and past purchases from a table.

Each row has a key made from its content, so the same file twice changes nothing, and a file that grew brings only
what is new.
Purchases become orders of the shop, awarded by the same engine as all others (:mod:`oscar_loyalty.earning.backfill`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.earning.tables import BadCell, Row, Table, digest
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import Earning, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members

#: Fields of each kind of table, and whether they must be there. A customer is known by ``customer`` (the old
#: system's number),
#: ``email``, or ``card`` (the number on the loyalty card).
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
#: Rows handled in one transaction.
SLICE = 1000
#: The dearest purchase that is believed.
DEAREST = Decimal("1000000")


class RowError(Exception):
    """A row cannot be brought in; ``str()`` says why."""


@dataclass
class Outcome:
    """What an import did, or would do: how many rows are new, were known, and were refused, with the reasons."""

    new: int = 0
    known: int = 0
    refused: list[tuple[Row, str]] = field(default_factory=list)
    people: int = 0
    total: Decimal = Decimal(0)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _row, reason in self.refused)


@dataclass(frozen=True)
class Parsed:
    """A row understood: the key of its content and its values."""

    row: Row
    key: str
    values: dict[str, Any]


def run(
    *,
    kind: str,
    table: Table,
    programme: Any,
    mapping: dict[str, str] | None = None,
    dry_run: bool = False,
    progress: Callable[[int], Any] | None = None,
) -> Outcome:
    """Bring ``table`` in and return what happened. ``mapping`` names the table's column for a field where they differ.

    :raises RowError: when a column that must be there is missing.
    """
    columns = _columns(kind, table, mapping or {})
    outcome = Outcome()
    write = {"members": _write_members, "balances": _write_balances, "transactions": _write_transactions}[kind]
    for batch in _batches(_parsed(kind, table.rows, columns, outcome)):
        with transaction.atomic():
            write(batch, programme, outcome)
            if dry_run:
                transaction.set_rollback(True)
        if progress is not None:
            progress(SLICE)
    return outcome


def _columns(kind: str, table: Table, mapping: dict[str, str]) -> dict[str, str]:
    fields = KINDS[kind]
    lower = {column.lower().replace(" ", "_"): column for column in table.columns}
    found = {}
    for name, required in fields.items():
        column = mapping.get(name) or lower.get(name)
        if column is not None and column not in table.columns:
            raise RowError(
                _("There is no column “%(column)s”; there are: %(columns)s.")
                % {"column": column, "columns": ", ".join(table.columns)}
            )
        if column is None and required:
            raise RowError(
                _("Say which column is the %(field)s, with --map %(field)s=<column>; there are: %(columns)s.")
                % {"field": name, "columns": ", ".join(table.columns)}
            )
        if column is not None:
            found[name] = column
    unknown = set(mapping) - set(fields)
    if unknown:
        raise RowError(_("There is no field “%(field)s”.") % {"field": ", ".join(sorted(unknown))})
    if not {"customer", "email", "card"} & set(found):
        raise RowError(_("Say which column tells the customer: --map customer=<column> or --map email=<column>."))
    return found


def _parsed(kind: str, rows: Iterable[Row], columns: dict[str, str], outcome: Outcome) -> Iterator[Parsed]:
    seen: Counter[str] = Counter()
    for row in rows:
        try:
            cells = {name: row.cells.get(column, "") for name, column in columns.items()}
            for cell in row.cells.values():
                if isinstance(cell, BadCell):
                    raise RowError(f"{cell.text[:40]}: {cell.reason}")
            values = {name: PARSERS[name](str(cell)) for name, cell in cells.items()}
            if not any(values.get(name) for name in ("customer", "email", "card")):
                raise RowError(_("the customer is missing"))
        except RowError as error:
            outcome.refused.append((row, str(error)))
            continue
        content = digest(kind, *[values.get(name) for name in KINDS[kind]])
        # Two rows that say the same are two purchases, not one; counting them keeps the keys the same next time.
        seen[content] += 1
        yield Parsed(row, f"{content}-{seen[content]}", values)


def _batches(rows: Iterable[Parsed]) -> Iterator[list[Parsed]]:
    batch: list[Parsed] = []
    for row in rows:
        batch.append(row)
        if len(batch) == SLICE:
            yield batch
            batch = []
    if batch:
        yield batch


# Cells


def _text(cell: str) -> str:
    return " ".join(cell.split())[:150]


def _email(cell: str) -> str:
    if cell:
        try:
            validate_email(cell)
        except ValidationError:
            raise RowError(_("“%(text)s” is no e-mail address") % {"text": cell[:60]}) from None
    return cell.lower()


def _number(cell: str) -> Decimal:
    text = cell.replace("\xa0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
    if "," in text and "." in text:
        text = text.replace(",", "") if text.rfind(".") > text.rfind(",") else text.replace(".", "")
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise RowError(_("“%(text)s” is no number") % {"text": cell[:40]}) from None
    if not number.is_finite():
        raise RowError(_("“%(text)s” is no number") % {"text": cell[:40]})
    return number


def _amount(cell: str) -> Decimal:
    number = _number(cell)
    if number < 0:
        raise RowError(_("the amount is below zero"))
    if number > DEAREST:
        raise RowError(_("the amount is too large to be believed"))
    if number != round(number, 2):
        raise RowError(_("the amount has more than two decimals"))
    return number.quantize(Decimal("0.01"))


def _whole(cell: str, *, least: int, most: int) -> int:
    number = _number(cell)
    if number != number.to_integral_value():
        raise RowError(_("“%(text)s” is no whole number") % {"text": cell[:40]})
    if not least <= number <= most:
        raise RowError(
            _("%(number)s is not between %(least)s and %(most)s") % {"number": cell[:20], "least": least, "most": most}
        )
    return int(number)


def _quantity(cell: str) -> int:
    return _whole(cell, least=1, most=10_000) if cell else 1


def _points(cell: str) -> int:
    return _whole(cell, least=1, most=100_000_000)


def _moment(cell: str) -> datetime | None:
    if not cell:
        return None
    found: datetime | None = None
    try:
        if cell.isdigit() and len(cell) == 8:
            found = datetime.combine(date(int(cell[:4]), int(cell[4:6]), int(cell[6:])), time(12))
        else:
            found = parse_datetime(cell)
            if found is None and (day := parse_date(cell)):
                found = datetime.combine(day, time(12))
    except ValueError:
        found = None
    if found is None:
        raise RowError(_("“%(text)s” is no date: write 2026-03-31") % {"text": cell[:40]})
    if timezone.is_naive(found):
        found = timezone.make_aware(found)
    if found.year < 1970:
        raise RowError(_("the date is too long ago"))
    return found.astimezone(UTC)


def _past(cell: str) -> datetime | None:
    found = _moment(cell)
    if found is not None and found > clock.now():
        raise RowError(_("the date is in the future"))
    return found


def _day(cell: str) -> datetime:
    found = _past(cell)
    if found is None:
        raise RowError(_("the date is missing"))
    return found


PARSERS: dict[str, Callable[[str], Any]] = {
    "customer": _text,
    "email": _email,
    "card": _text,
    "first_name": _text,
    "last_name": _text,
    "language": lambda cell: cell if cell in dict(settings.LANGUAGES) else "",
    "joined": _past,
    "points": _points,
    "expires": _moment,
    "reason": _text,
    "date": _day,
    "amount": _amount,
    "quantity": _quantity,
    "reference": _text,
    "title": _text,
}


# People


def username(customer: str) -> str:
    """Return the user name of a customer of the old system."""
    return f"import-{customer}"[:150]


class People:
    """Finds, for a batch of rows, the members they are about, and makes those that are missing."""

    def __init__(self, batch: list[Parsed], programme: Any) -> None:
        self.programme = programme
        self.by_user: dict[int, Any] = {}
        self.by_card: dict[str, Any] = {}
        customers = {row.values.get("customer") for row in batch} - {None, ""}
        emails = {row.values.get("email") for row in batch} - {None, ""}
        cards = {_digits(row.values.get("card") or "") for row in batch} - {""}
        User = get_user_model()
        names = [username(customer) for customer in customers]
        self.users = {user.get_username(): user for user in User.objects.filter(username__in=names)}
        self.users_by_email = {
            user.email.lower(): user for user in User.objects.filter(email__in=emails).order_by("-pk")
        }
        Member = get_model("loyalty_members", "Member")
        rows = Member.objects.filter(programme=programme).select_related("account", "tier", "user")
        known = [*self.users.values(), *self.users_by_email.values()]
        for member in rows.filter(user__in=known):
            self.by_user[member.user_id] = member
        for member in rows.filter(number__in=cards):
            self.by_card[member.number] = member
        self.by_email = {
            member.email.lower(): member
            for member in rows.filter(user__isnull=True, email__in=emails, merged_into__isnull=True)
        }

    def user(self, values: dict[str, Any]) -> Any:
        """Return the user a row is about, or ``None``."""
        if values.get("customer"):
            found = self.users.get(username(values["customer"]))
            if found is not None:
                return found
        return self.users_by_email.get(values.get("email") or "")

    def member(self, values: dict[str, Any]) -> Any:
        """Return the member a row is about, or ``None``."""
        if values.get("card"):
            return self.by_card.get(_digits(values["card"]))
        user = self.user(values)
        if user is not None:
            return self.by_user.get(user.pk)
        return self.by_email.get(values.get("email") or "")

    def make(self, batch: list[Parsed]) -> int:
        """Make the users and members that the rows name and nobody knows yet; return how many members are new."""
        User = get_user_model()
        wanted: dict[str, Any] = {}
        joined: dict[str, datetime] = {}
        for row in batch:
            values = row.values
            if values.get("card") or self.member(values) is not None:
                continue
            name = username(values["customer"]) if values.get("customer") else values["email"][:150]
            at = values.get("joined") or values.get("date") or clock.now()
            joined[name] = min(joined.get(name, at), at)
            if name not in wanted:
                wanted[name] = self.user(values) or User(
                    username=name,
                    email=values.get("email") or "",
                    first_name=values.get("first_name") or "",
                    last_name=values.get("last_name") or "",
                    password="!",  # noqa: S106  (nobody logs in with it; they reset it by e-mail)
                )
        for name, user in wanted.items():
            if user.pk is None:
                user.date_joined = joined[name]
        new = [user for user in wanted.values() if user.pk is None]
        User.objects.bulk_create(new, batch_size=500)
        made = members.join_many(
            programme=self.programme,
            people=[(user, joined[name]) for name, user in wanted.items()],
            source="import",
        )
        for user in wanted.values():
            self.users[user.get_username()] = user
            if user.email:
                self.users_by_email[user.email.lower()] = user
        for member in made:
            self.by_user[member.user_id] = member
        return len(made)


def _digits(card: str) -> str:
    return "".join(character for character in card if character.isdigit())


# Writing


def _write_members(batch: list[Parsed], programme: Any, outcome: Outcome) -> None:
    people = People(batch, programme)
    before = {row.key for row in batch if people.member(row.values) is not None}
    made = people.make(batch)
    outcome.people += made
    outcome.new += made
    outcome.known += len(before)
    outcome.known += len(batch) - len(before) - made


def _write_balances(batch: list[Parsed], programme: Any, outcome: Outcome) -> None:
    people = People(batch, programme)
    outcome.people += people.make(batch)
    earnings = []
    now = clock.now()
    for row in batch:
        member = people.member(row.values)
        if member is None:
            outcome.refused.append((row.row, _("nobody has this card number")))
            continue
        if row.values.get("expires") and row.values["expires"] <= now:
            outcome.refused.append((row.row, _("these points have expired")))
            continue
        earnings.append(
            Earning(
                account=member.account_id,
                units=row.values["points"],
                key=f"import:{programme.pk}:{row.key}",
                usable_from=now,
                expires_at=row.values.get("expires"),
                kind="import",
                explanation={"why": "import"},
                source=Ref.of("import", row.key),
                note=row.values.get("reason") or "",
            )
        )
    Entry = get_model("loyalty_ledger", "Entry")
    known = set(Entry.objects.filter(key__in=[earning.key for earning in earnings]).values_list("key", flat=True))
    books.earn_many(earnings)
    outcome.known += len(known)
    outcome.new += len(earnings) - len(known)
    outcome.total += sum(earning.units for earning in earnings if earning.key not in known)


def _write_transactions(batch: list[Parsed], programme: Any, outcome: Outcome) -> None:
    Order, Line = get_model("order", "Order"), get_model("order", "Line")
    people = People(batch, programme)
    outcome.people += people.make(batch)
    numbers = {row.key: _order_number(row) for row in batch}
    known = set(Order.objects.filter(number__in=numbers.values()).values_list("number", flat=True))
    orders, lines = [], []
    for row in batch:
        number, values = numbers[row.key], row.values
        if number in known:
            outcome.known += 1
            continue
        known.add(number)
        member = people.member(values)
        if member is None:
            outcome.refused.append((row.row, _("nobody has this card number")))
            continue
        amount = values["amount"]
        order = Order(
            number=number,
            site_id=programme.site_id,
            user_id=member.user_id,
            currency=programme.currency,
            total_incl_tax=amount,
            total_excl_tax=amount,
            shipping_incl_tax=0,
            shipping_excl_tax=0,
            status=programme.award_on_status or getattr(settings, "OSCAR_INITIAL_ORDER_STATUS", ""),
            date_placed=values["date"],
            shipping_method="",
        )
        orders.append(order)
        quantity = values.get("quantity") or 1
        unit = (amount / quantity).quantize(Decimal("0.01"))
        lines.append(
            Line(
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
                status=order.status,
            )
        )
        outcome.new += 1
        outcome.total += amount
    Order.objects.bulk_create(orders, batch_size=500)
    Line.objects.bulk_create(lines, batch_size=500)


def _order_number(row: Parsed) -> str:
    reference = row.values.get("reference")
    return f"IMP-{reference}"[:128] if reference else f"IMP-{row.key}"
