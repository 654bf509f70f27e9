"""The one clock. Everything in this package that needs the time asks :func:`now`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

_source: Callable[[], datetime] = timezone.now


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return _source()


def past(happened_at: datetime | None, present: datetime | None = None) -> datetime:
    """Return when something happened: now, where it is not told, or told to be still to come."""
    present = present or now()
    return min(happened_at or present, present)


class FrozenClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> datetime:
        """Move the clock by ``timedelta(**delta)`` and return the new time."""
        self.at += timedelta(**delta)
        return self.at

    def move_to(self, at: datetime) -> None:
        """Set the clock to ``at``, an aware datetime."""
        self.at = at


@contextmanager
def frozen(at: datetime) -> Iterator[FrozenClock]:
    """Let :func:`now` return ``at`` within the block; yield the clock, so that it can be moved.

    The whole process shares it, threads included. ``at`` must be aware, else ``ValueError``.
    """
    global _source
    if timezone.is_naive(at):
        raise ValueError("The clock needs an aware datetime.")
    before, clock = _source, FrozenClock(at)
    _source = clock
    try:
        yield clock
    finally:
        _source = before
