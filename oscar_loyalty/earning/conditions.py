"""When a rule holds: weekday, time of day, dates, tier, channel and the like. Pure, as the engine is.

All that is set must hold. Times of day are those on the shop's clock: an hour that happens twice in the night when
summer time ends counts both times, one that is left out in spring has no moment. A slot from 22:00 to 02:00 runs over
midnight, and belongs to the day on which it began.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

CHANNELS = ("order", "booking")
#: What a condition may ask, in the order in which it is said.
FIELDS = ("weekdays", "from", "until", "since", "to", "tiers", "channels", "first", "birthday_month", "segments")


class Circumstances(Protocol):
    """What :meth:`When.holds` looks at; :class:`oscar_loyalty.earning.engine.Purchase` is one."""

    @property
    def at(self) -> datetime | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def tier(self) -> Any: ...
    @property
    def first(self) -> bool: ...
    @property
    def birthday_month(self) -> bool: ...
    @property
    def segments(self) -> frozenset[str]: ...


@dataclass(frozen=True)
class When:
    """The conditions of a rule's version. ``begins`` and ``ends`` are the slot's times of day, ``since`` and ``to`` the
    first and the last day; what is empty asks nothing."""

    weekdays: frozenset[int] = frozenset()
    begins: time | None = None
    ends: time | None = None
    since: date | None = None
    to: date | None = None
    tiers: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    first: bool = False
    birthday_month: bool = False
    segments: frozenset[str] = frozenset()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "When | None":
        """Read the ``when`` of a version's spec as it is stored; ``None`` where it asks nothing."""
        if not data:
            return None
        return cls(
            weekdays=frozenset(data.get("weekdays", ())),
            begins=time.fromisoformat(data["from"]) if data.get("from") else None,
            ends=time.fromisoformat(data["until"]) if data.get("until") else None,
            since=date.fromisoformat(data["since"]) if data.get("since") else None,
            to=date.fromisoformat(data["to"]) if data.get("to") else None,
            tiers=frozenset(data.get("tiers", ())),
            channels=frozenset(data.get("channels", ())),
            first=bool(data.get("first")),
            birthday_month=bool(data.get("birthday_month")),
            segments=frozenset(data.get("segments", ())),
        )

    @property
    def has_time(self) -> bool:
        return bool(self.weekdays or self.begins or self.ends or self.since or self.to)

    def holds(self, purchase: Circumstances) -> bool:
        """Return whether all that is asked is so. A purchase without a time meets no condition of time."""
        if self.tiers and (purchase.tier or {}).get("code") not in self.tiers:
            return False
        if self.channels and purchase.channel not in self.channels:
            return False
        if (self.first and not purchase.first) or (self.birthday_month and not purchase.birthday_month):
            return False
        if self.segments and not self.segments & purchase.segments:
            return False
        return not self.has_time or (purchase.at is not None and self.slot_day(purchase.at) is not None)

    def slot_day(self, at: datetime) -> date | None:
        """Return the day whose slot ``at``, on the shop's clock, falls into; ``None`` where it falls into none."""
        today = at.date()
        if self.begins is None and self.ends is None:
            return today if self._day_fits(today) else None
        begins, ends, clock = self.begins or time.min, self.ends or time.min, at.time()
        if begins < ends:
            days = [today] if begins <= clock < ends else []
        else:
            # Until midnight, or over it; a slot that begins when it ends is the whole day.
            days = [today] if clock >= begins else []
            days += [today - timedelta(days=1)] if clock < ends else []
        return next((day for day in days if self._day_fits(day)), None)

    def ends_at(self, at: datetime) -> datetime | None:
        """Return when the slot that ``at``, on the shop's clock, is in comes to its end; ``None``: it has none."""
        day = self.slot_day(at)
        if day is None or not self.has_time:
            return None
        begins, ends = self.begins or time.min, self.ends or time.min
        if self.begins or self.ends:
            return datetime.combine(day if begins < ends else day + timedelta(days=1), ends, tzinfo=at.tzinfo)
        for _day in range(366):
            day += timedelta(days=1)
            if not self._day_fits(day):
                return datetime.combine(day, time.min, tzinfo=at.tzinfo)
        return None

    def begins_at(self, at: datetime, *, days: int) -> datetime | None:
        """Return the first moment from ``at`` on, on the shop's clock, that is in its slot; ``None``: none within
        ``days``."""
        if self.slot_day(at) is not None:
            return at
        for ahead in range(days + 1):
            day = at.date() + timedelta(days=ahead)
            begins = datetime.combine(day, self.begins or time.min, tzinfo=at.tzinfo)
            if begins > at and self._day_fits(day):
                return begins
        return None

    def _day_fits(self, day: date) -> bool:
        if self.weekdays and day.weekday() not in self.weekdays:
            return False
        return not ((self.since and day < self.since) or (self.to and day > self.to))
