"""Points that are no purchase's, and who hears of awards."""

from decimal import Decimal as D

import pytest

from oscar_loyalty.earning import bookings, followers, gifts
from oscar_loyalty.members import services as members


@pytest.fixture
def heard(monkeypatch):
    """A follower that keeps how each award stood when it was told of it."""
    monkeypatch.setattr(followers, "_followers", {})
    told = []

    @followers.follower("test")
    def listen(awards):
        told.extend((award.reference, award.points - award.clawed_back, award.void) for award in awards)

    return told


def test_a_gift_is_given_once_and_taken_back_once(member, petals):
    first = gifts.give_points(member=member, points=50, reference="test:1", why="test")
    again = gifts.give_points(member=member, points=50, reference="test:1", why="test")
    assert first == again
    assert petals() == (50, 0)
    assert gifts.take_points(award=first) == 50
    assert gifts.take_points(award=first) == 0
    assert petals() == (0, 0)
    first.refresh_from_db()
    assert first.void


def test_who_cannot_earn_is_given_nothing(member):
    members.set_status(member=member, status="frozen")
    with pytest.raises(ValueError, match="cannot earn"):
        gifts.give_points(member=member, points=50, reference="test:1", why="test")


def test_followers_hear_of_an_order_and_of_its_end(order, heard, sweep):
    sweep()
    reference = f"order:{order.pk}"
    assert heard == [(reference, 172, False)]
    order.set_status("Cancelled")
    sweep()
    assert heard[-1] == (reference, 0, True)
    number = len(heard)
    sweep()
    assert len(heard) == number


def test_a_follower_that_fails_stops_no_other_and_is_called_again(order, heard, sweep, later):
    failing = True

    @followers.follower("broken")
    def broken(awards):
        if failing:
            raise RuntimeError("not today")

    sweep()
    assert len(heard) == 1
    failing = False
    later(hours=1)
    sweep()
    assert len(heard) == 2


def test_what_was_spent_goes_back_with_what_is_cancelled(order, sweep):
    from oscar_loyalty.earning.selectors import award_of_order

    before = award_of_order(order)
    assert (before.spent, before.spent_back, before.void) == (D("102.50"), 0, False)
    order.lines.get(title="Shampoo").set_status("Cancelled")
    sweep()
    after = award_of_order(order)
    assert (after.spent, after.spent_back, after.void) == (D("102.50"), D("12.50"), False)


def test_a_visit_without_points_counts_from_when_it_was_attended(member, haircut, time):
    bookings.made(reference="a", service=haircut, starts_at=None, member=member, price=D("45.00"), currency="EUR")
    booking = bookings.attended(reference="a")
    booking.award.refresh_from_db()
    assert booking.award.points == 0
    assert booking.award.usable_from is not None
    booking = bookings.cancelled(reference="a")
    booking.award.refresh_from_db()
    assert booking.award.void
