"""Looking at all rows of a large table, a part of it each time: for sweepers that mend what no signal told of.

What was written last is looked at by every sweep, so a shop with no more than :data:`SIZE` rows is looked at whole. Of
the older ones each sweep takes the next :data:`SIZE`, and begins again once it has been through: a minute's work stays
what it is, however many rows there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from oscar_loyalty.loading import get_model

#: Rows in a part.
SIZE = 10_000


@dataclass(frozen=True)
class Part:
    """The rows whose primary key is above ``newest``, and those above ``first`` up to ``last``."""

    name: str
    newest: int
    first: int
    last: int

    @property
    def is_all(self) -> bool:
        """Whether every row is in it."""
        return not self.newest

    def where(self, field: str = "pk") -> Q:
        """Return the condition that ``field``, which holds a primary key of the table, lies in this part."""
        return reduce(or_, self.ranges(field))

    def ranges(self, field: str = "pk") -> Iterator[Q]:
        """Yield the same as conditions of one range each, for a query that the database orders by ``field``."""
        if self.is_all:
            yield Q()
        else:
            yield Q(**{f"{field}__gt": self.newest})
            yield Q(**{f"{field}__gt": self.first, f"{field}__lte": self.last})

    def over(self) -> None:
        """Note that all of it has been looked at: the next sweep takes the next part. Of two at once, one counts."""
        if not self.is_all:
            reached = self.last if self.last < self.newest else 0
            _rounds().filter(name=self.name, reached=self.first).update(reached=reached)


#: Every row.
ALL = Part("", 0, 0, 0)


def newest(model: Any, number: int) -> QuerySet[Any]:
    """Return the last ``number`` rows of ``model``, by their primary keys."""
    before = _before_the_last(model, number)
    return model._base_manager.all() if before is None else model._base_manager.filter(pk__gt=before)


def part(name: str, model: Any, size: int | None = None) -> Part:
    """Return the part of the rows of ``model`` (by whole numbers as primary keys) that is to be looked at now.

    ``name`` is of the round; whoever has been through calls :meth:`Part.over`. ``size``: of so many rows are the newest
    and, each, the parts of the others (default: :data:`SIZE`). Rows are counted, since primary keys may have gaps.
    """
    size = size or SIZE
    newest = _before_the_last(model, size)
    if newest is None:
        return ALL
    reached = _rounds().get_or_create(name=name)[0].reached
    # Rows may have gone since.
    first = reached if reached < newest else 0
    if first != reached:
        _rounds().filter(name=name, reached=reached).update(reached=first)
    others = model._base_manager.filter(pk__gt=first, pk__lte=newest).order_by("pk").values_list("pk", flat=True)
    return Part(name, newest, first, next(iter(others[size - 1 : size]), newest))


def _before_the_last(model: Any, number: int) -> int | None:
    """Return the primary key that so many rows come after, ``None`` where there are no more of them."""
    keys = model._base_manager.order_by("-pk").values_list("pk", flat=True)
    return next(iter(keys[number : number + 1]), None)


def _rounds() -> Any:
    return get_model("loyalty_due", "Round").objects
