"""Pages of lists that may have ten million rows: what would count them all, or leaf through them, is not asked."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from oscar_loyalty import times

#: The most rows that a list without sums of its own counts, and leafs through.
MOST = 10_000


class ShortPaginator(Paginator):
    """Leafs through up to :data:`MOST` rows; ``more`` says whether there are others behind them.

    It counts no further, and not at all where it is told the ``number`` (of more than :data:`MOST`: any that is more).
    """

    def __init__(self, object_list: Any, per_page: int, number: int | None = None) -> None:
        super().__init__(object_list, per_page)
        self.number = number

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if self.number is not None:
            return self.number
        return rows.order_by()[: MOST + 1].count() if isinstance(rows, QuerySet) else len(rows)

    @property
    def more(self) -> bool:
        return self._counted > MOST

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST)


class DayPaginator(Paginator):
    """Pages of entries, the newest first, of which it is known how many there are on each day.

    However many there are, a page reads those of its own days only. ``days`` are the numbers by day; ``keys`` are the
    same rows with nothing beside them, by which those of a page are found before all that belongs to them is read.
    """

    more = False

    def __init__(self, object_list: Any, per_page: int, days: dict[date, int], *, keys: QuerySet[Any]) -> None:
        super().__init__(object_list, per_page)
        self.keys = keys
        self.days = sorted(((day, number) for day, number in days.items() if number), reverse=True)

    @cached_property
    def count(self) -> int:
        return sum(number for _day, number in self.days)

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys, before, newest, oldest = self.keys, 0, None, None
        for day, of_day in self.days:
            if newest is None and before + of_day > first:
                newest, first = day, first - before
                before = 0
            before += of_day
            oldest = day
            if newest is not None and before >= first + self.per_page:
                break
        if newest is not None and oldest is not None:
            keys = keys.filter(effective_at__gte=times.start_of(oldest), effective_at__lt=times.end_of(newest))
        keys = keys.order_by("-effective_at", "-pk").values_list("pk", flat=True)[first : first + self.per_page]
        return self._get_page(self.object_list.filter(pk__in=list(keys)), number, self)


class KeyPaginator(Paginator):
    """Leafs through ``rows`` of which the primary keys are known, in the order in which ``rows`` are; ``more`` says
    whether there are others behind them."""

    def __init__(self, keys: Sequence[int], per_page: int, rows: QuerySet[Any], *, more: bool) -> None:
        super().__init__(keys, per_page)
        self.rows, self.more = rows, more

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys = list(self.object_list)[first : first + self.per_page]
        return self._get_page(self.rows.filter(pk__in=keys), number, self)
