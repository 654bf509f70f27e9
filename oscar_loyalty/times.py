"""The shop's own clock and calendar, whatever time zone a reader has chosen: days, and how long things hold."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta

from django.utils import timezone


def on_clock(moment: datetime) -> datetime:
    """Return ``moment`` as the shop's clock shows it."""
    return timezone.localtime(moment, timezone.get_default_timezone())


def day_of(moment: datetime) -> date:
    """Return the day of the shop's calendar."""
    return on_clock(moment).date()


def start_of(day: date) -> datetime:
    """Return when a day of the shop's calendar begins."""
    return timezone.make_aware(datetime.combine(day, time()), timezone.get_default_timezone())


def days_later(moment: datetime, days: int) -> datetime:
    """Return the same time of day, ``days`` later, whatever summer time does between."""
    # Python adds days to what the clock shows.
    return on_clock(moment) + timedelta(days=days)


def end_of(day: date) -> datetime:
    """Return when a day of the shop's calendar is over: an end that is not part of it."""
    return start_of(day + timedelta(days=1))


def end_of_term(moment: datetime, days: int) -> datetime:
    """Return the end of the local day ``days`` after ``moment``, which people are told; ``moment`` without any days."""
    return end_of(day_of(moment) + timedelta(days=days)) if days > 0 else moment


def last_moment(end: datetime) -> datetime:
    """Return the last moment before ``end``, which is not part of what it ends."""
    return end - timedelta(microseconds=1)


def last_day(end: datetime | None) -> date | None:
    """Return the day of the shop's calendar to be shown for ``end``, the last before it; ``None`` without an end."""
    return day_of(last_moment(end)) if end is not None else None


def end_of_life(moment: datetime, months: int | None) -> datetime | None:
    """Return the end of the local day ``months`` after ``moment``; ``None`` without an end."""
    if months is None:
        return None
    day = day_of(moment)
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    last = day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))
    return end_of(last)
