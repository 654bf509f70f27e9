"""The shop's calendar, whoever reads the page."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from oscar_loyalty import times

LATE = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # half past eleven in the evening in the shop, next morning in Tokyo


@pytest.fixture(params=[None, "Asia/Tokyo", "America/New_York"], autouse=True)
def reader(request):
    """Somebody reads in a time zone of their own."""
    with timezone.override(request.param):
        yield


def test_a_day_is_the_shops():
    assert times.day_of(LATE) == date(2026, 11, 23)
    assert times.start_of(date(2026, 11, 23)) == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert times.on_clock(LATE).hour == 23


def test_life_ends_with_a_day_of_the_shop():
    assert times.end_of_life(LATE, 1) == datetime(2026, 12, 23, 23, tzinfo=UTC)


def test_days_later_keep_the_time_of_day_over_the_change_of_the_clocks():
    assert times.days_later(datetime(2026, 10, 24, 22, tzinfo=UTC), 1) == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_a_term_of_days_ends_with_a_day_of_the_shop():
    assert times.end_of_term(LATE, 7) == times.end_of(date(2026, 11, 30))
    assert times.end_of_term(LATE, 0) == times.end_of_term(LATE, -1) == LATE


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 31)])
def test_an_end_is_not_part_of_its_day_however_long_that_is(day):
    end = times.end_of(day)
    assert times.last_day(end) == day == times.day_of(times.last_moment(end))
    assert times.day_of(end) > day
    assert times.last_day(None) is None
