"""From when points and gift cards can be spent, and until when: by the shop's own calendar."""

from calendar import monthrange
from datetime import datetime, time, timedelta

from django.utils import timezone


def days_later(moment: datetime, days: int) -> datetime:
    """Return the same time of day, ``days`` later, whatever summer time does between."""
    local = timezone.localtime(moment).replace(tzinfo=None)
    return timezone.make_aware(local + timedelta(days=days))


def end_of_life(moment: datetime, months: int | None) -> datetime | None:
    """Return the end of the local day ``months`` after ``moment``; ``None`` without an end."""
    if months is None:
        return None
    day = timezone.localtime(moment).date()
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    last = day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))
    return timezone.make_aware(datetime.combine(last + timedelta(days=1), time()))
