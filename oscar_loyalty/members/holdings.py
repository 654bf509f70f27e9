"""What is held on a member, room by room: what a copy of their data has, and what becomes of it when they leave.

A room that keeps rows of members says so once for each table::

    hold(
        "stamps.cards", _("Stamp cards"), lambda person: StampCard.objects.filter(member__in=person.members),
        columns=["shop.StampCard.member"], names=["goal__name"], without=["key"], keeps="figures, without a person",
    )

All plain columns are in the copy, those of tomorrow too, but for the ones named in ``without``; ``names`` are columns
of related rows that tell a person more than a number. ``erase`` takes away what names the person, or ``keeps`` says why
nothing has to be.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, QuerySet

from oscar_loyalty.loading import get_model

#: Columns that are technical everywhere.
TECHNICAL = frozenset({"id", "key", "digest", "actor_type", "actor_id"})
CHUNK = 1000


@dataclass(frozen=True)
class Person:
    """One person in a programme: ``member`` as it is now, with all memberships that were joined with it.

    ``members`` and ``accounts`` are primary keys; ``user`` is that of the account in the shop, or ``None``.
    """

    member: Any
    members: tuple[int, ...]
    accounts: tuple[int, ...]
    user: int | None


def person_of(member: Any) -> Person:
    """Return the person whose membership ``member`` is, as it stands after all merges; a query for each merge."""
    found, last = [member], [member.pk]
    while rows := list(get_model("loyalty_members", "Member").objects.filter(merged_into__in=last)):
        found += rows
        last = [row.pk for row in rows]
    return Person(
        member=member,
        members=tuple(row.pk for row in found),
        accounts=tuple(row.account_id for row in found),
        user=member.user_id,
    )


@dataclass(frozen=True)
class Holding:
    """A table of a copy: its name, its title, its rows of a person, and what becomes of them when they leave."""

    name: str
    title: Any
    rows: Callable[[Person], QuerySet[Any]]
    names: tuple[str, ...]
    without: frozenset[str]
    said: Mapping[str, tuple[Any, Callable[[dict[str, Any]], Any]]]
    erase: Callable[[Person], object] | None
    keeps: str
    order: int

    def columns(self, model: Any) -> list[str]:
        hidden = TECHNICAL | self.without
        own = [
            field.name for field in model._meta.concrete_fields if not field.is_relation and field.name not in hidden
        ]
        return [*own, *self.names]

    def read(self, person: Person, *, newest: int | None = None) -> Iterator[list[Any]]:
        """Yield the rows, newest first, in the order of :meth:`columns` with what is ``said`` behind; one query."""
        rows = self.rows(person).order_by("-pk")
        names = self.columns(rows.model)
        found = rows.values_list(*names)
        for values in found[:newest] if newest is not None else found.iterator(chunk_size=CHUNK):
            told = dict(zip(names, values, strict=True))
            yield [*values, *(say(told) for _title, say in self.said.values())]

    def fields(self, model: Any) -> list[tuple[str, Any, Any]]:
        """Return for each column its name, its title, and the model's field where it has one."""
        own = [(name, *_titled(model, name)) for name in self.columns(model)]
        return [*own, *((name, title, None) for name, (title, _say) in self.said.items())]


def _titled(model: Any, path: str) -> tuple[Any, Any]:
    """Return the title and the field of a path such as ``tier__name``: the relation's title, or of more the last."""
    first, *rest = path.split("__")
    field: Field = model._meta.get_field(first)
    last: Any = field
    for name in rest:
        try:
            last = last.related_model._meta.get_field(name)
        except FieldDoesNotExist:
            return field.verbose_name, None
    plain = len(rest) == 1 and rest[0] in ("name", "title", "number")
    return (field.verbose_name if plain or not rest else last.verbose_name), last


_holdings: dict[str, Holding] = {}
#: Columns that name a member, an account or a user, by the holding that has them; and those in none, each with why.
COLUMNS: dict[str, str] = {}
LEFT_OUT: dict[str, str] = {}


def hold(
    name: str,
    title: Any,
    rows: Callable[[Person], QuerySet[Any]],
    *,
    columns: Iterable[str],
    names: Iterable[str] = (),
    without: Iterable[str] = (),
    said: Mapping[str, tuple[Any, Callable[[dict[str, Any]], Any]]] | None = None,
    erase: Callable[[Person], object] | None = None,
    keeps: str = "",
    order: int = 50,
) -> None:
    """Register a table that holds rows of members; see the head of this module.

    ``columns`` ("loyalty_earning.Award.member") are those that name the member; ``said`` adds what is worked out from a
    row's values: by name, its title and how. Erasers run from the lowest ``order`` on, in the transaction that erases.

    :raises ValueError: when it is neither said how to erase nor why to keep.
    """
    if (erase is None) == (not keeps):
        raise ValueError(f"Say for {name} either how it is erased or why it is kept.")
    _holdings[name] = Holding(name, title, rows, tuple(names), frozenset(without), said or {}, erase, keeps, order)
    COLUMNS.update(dict.fromkeys(columns, name))


def left_out(column: str, *, why: str) -> None:
    """Say that a column that names a member or user is in no copy and is not erased, and why (for developers)."""
    LEFT_OUT[column] = why


def registered() -> list[Holding]:
    """Return all holdings: first who the person is, then by name."""
    return [_holdings[name] for name in sorted(_holdings, key=lambda name: (name != "membership", name))]


def erase_all(person: Person) -> None:
    """Let every room take away what names ``person``."""
    for holding in sorted(_holdings.values(), key=lambda one: (one.order, one.name)):
        if holding.erase is not None:
            holding.erase(person)
