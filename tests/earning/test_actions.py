"""Points for what members do beside buying: once, capped, in versions, and given back."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from oscar_loyalty import clock
from oscar_loyalty.earning import actions, explain, occasions, profiles
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members


@pytest.fixture
def brings(programme):
    """Set what an action brings: ``brings("vote", 10, times=2, period="day")``."""
    return lambda action, points, **fields: actions.set_rule(
        programme=programme, action=action, points=points, **fields
    )


def test_the_same_reference_is_given_once(member, brings, petals):
    rule = brings("vote", 10)
    first = actions.perform(member=member, action="vote", reference="1")
    assert actions.perform(member=member, action="vote", reference="1") == first
    assert actions.perform(member=member, action="vote", reference="2") != first
    assert petals() == (20, 0)
    said = explain.entry_sentences(first.entry, member.programme)
    assert said == ["10\xa0petals: Vote"]
    assert first.lines.get().explanation["version"] == rule.pk


def test_nothing_without_points_nor_for_who_cannot_earn(member, brings):
    assert actions.perform(member=member, action="vote", reference="1") is None
    brings("vote", 10)
    members.set_status(member=member, status="frozen")
    assert actions.perform(member=member, action="vote", reference="1") is None
    with pytest.raises(LookupError):
        actions.perform(member=member, action="nonsense", reference="1")


@pytest.mark.parametrize(
    ("period", "days", "given"), [("ever", 400, 1), ("day", 1, 2), ("month", 31, 2), ("year", 31, 1)]
)
def test_the_cap_is_by_the_shops_calendar(member, brings, later, period, days, given):
    brings("survey", 10, times=1, period=period)
    actions.perform(member=member, action="survey", reference="a")
    assert actions.perform(member=member, action="survey", reference="b") is None
    later(days)
    actions.perform(member=member, action="survey", reference="c")
    assert get_model("loyalty_earning", "Award").objects.count() == given


def test_a_change_is_a_new_version_and_alters_nothing_given(member, brings, petals):
    first = brings("vote", 10)
    given = actions.perform(member=member, action="vote", reference="1")
    assert brings("vote", 10) == first
    second = brings("vote", 30)
    first.refresh_from_db()
    assert (first.valid_to is not None, second.number) == (True, 2)
    assert actions.perform(member=member, action="vote", reference="1") == given
    assert petals() == (10, 0)
    with pytest.raises(ValidationError):
        brings("vote", 30, period="century")


def test_what_was_taken_back_can_be_given_anew(member, brings, petals):
    brings("newsletter", 10, times=1)
    tell = {"user": member.user, "programme": member.programme}
    assert actions.newsletter(subscribed=True, **tell)
    actions.newsletter(subscribed=False, **tell)
    assert petals() == (10, 0)
    actions.newsletter(subscribed=False, take_back=True, **tell)
    assert petals() == (0, 0)
    actions.newsletter(subscribed=True, **tell)
    actions.newsletter(subscribed=True, **tell)
    assert petals() == (10, 0)


def test_a_birthday_once_in_twelve_months_whatever_is_edited(member, brings, petals, time, sweep):
    brings("birthday", 50)
    time.move_to(datetime(2026, 3, 1, 9, tzinfo=UTC))
    get_model("loyalty_members", "Member").objects.update(joined_at=datetime(2026, 1, 1, tzinfo=UTC))
    profiles.set_birthday(member=member, day=10, month=3)
    sweep()
    assert petals() == (0, 0)
    time.move_to(datetime(2026, 3, 9, 23, 30, tzinfo=UTC))  # half past midnight in Paris
    sweep()
    sweep()
    assert petals() == (50, 0)
    profiles.set_birthday(member=member, day=20, month=4)
    time.move_to(datetime(2026, 4, 20, 9, tzinfo=UTC))
    sweep()
    assert petals() == (50, 0)
    time.move_to(datetime(2027, 4, 20, 9, tzinfo=UTC))
    sweep()
    assert petals() == (100, 0)
    time.move_to(datetime(2028, 4, 20, 9, tzinfo=UTC))
    sweep()
    assert petals() == (150, 0)


def test_a_day_that_has_passed_when_it_is_told_brings_nothing(member, brings, petals, time, sweep):
    brings("birthday", 50)
    profiles.set_birthday(member=member, day=time.at.day - 1, month=time.at.month)
    sweep()
    assert petals() == (0, 0)


def test_a_birthday_on_29_february(member, brings, petals, time, sweep):
    brings("birthday", 50)
    profiles.set_birthday(member=member, day=29, month=2, year=2000)
    for year, day in ((2027, 28), (2028, 29), (2029, 28), (2030, 28)):
        time.move_to(datetime(year, 2, day, 9, tzinfo=UTC))
        sweep()
    assert petals() == (200, 0)
    with pytest.raises(ValidationError):
        profiles.set_birthday(member=member, day=29, month=2, year=2001)


def test_the_anniversary_of_joining(member, brings, petals, time, sweep):
    brings("anniversary", 20)
    sweep()
    assert petals() == (0, 0)
    time.move_to(datetime(2027, 3, 2, 0, 30, tzinfo=UTC))
    sweep()
    sweep()
    assert petals() == (20, 0)
    time.move_to(datetime(2028, 3, 4, 9, tzinfo=UTC))  # two days late
    sweep()
    assert petals() == (40, 0)


def test_joining_brings_a_welcome_once(programme, brings, django_user_model, petals, sweep, later):
    early = django_user_model.objects.create_user(username="early", email="early@example.com")
    before = members.join(programme=programme, user=early)
    later(hours=1)
    brings("welcome", 25)
    late = django_user_model.objects.create_user(username="late", email="late@example.com")
    after, bulk = (
        members.join(programme=programme, user=late),
        members.join(programme=programme, email="b@example.com", source="bulk"),
    )
    sweep()
    sweep()
    assert [petals(of) for of in (before, after, bulk)] == [(0, 0), (25, 0), (0, 0)]


def test_a_review_brings_points_while_it_is_approved(member, brings, petals, haircut, sweep):
    brings("review", 15)
    Review = get_model("reviews", "ProductReview")
    review = Review.objects.create(product=haircut, user=member.user, title="Good", body="Very", score=5, status=0)
    sweep()
    assert petals() == (0, 0)
    for status, expected in ((1, 15), (2, 0), (1, 15)):
        review.status = status
        review.save()
        sweep()
        sweep()
        assert petals() == (expected, 0)
    review.delete()
    sweep()
    assert petals() == (0, 0)


def test_reviews_that_changed_without_a_word_are_found(member, brings, petals, haircut, sweep):
    brings("review", 15)
    Review = get_model("reviews", "ProductReview")
    Review.objects.create(product=haircut, user=member.user, title="Good", body="Very", score=5, status=0)
    sweep()
    # Oscar dates it by its own clock.
    Review.objects.update(status=1, date_created=clock.now())
    sweep()
    assert petals() == (15, 0)
    Review.objects.all()._raw_delete("default")
    sweep()
    assert petals() == (0, 0)


def test_of_many_reviews_one_that_changed_without_a_word_is_found_in_its_turn(
    member, brings, petals, haircut, sweep, in_parts
):
    brings("review", 15)
    Review = get_model("reviews", "ProductReview")
    told = {"product": haircut, "title": "Good", "body": "Very", "score": 5, "status": 0}
    second = [Review.objects.create(user=who, **told) for who in (None, member.user, None, None)][1]
    sweep()
    Review.objects.filter(pk=second.pk).update(status=1, date_created=clock.now())
    assert [occasions.product_reviews() for _sweep in range(4)].count(1) == 1
    assert petals() == (15, 0)


def test_a_complete_profile(member, brings, petals, settings, sweep, later):
    from oscar.test.factories import UserAddressFactory

    brings("profile", 40, times=1)
    profiles.set_birthday(member=member, day=1, month=1)
    assert [told for _part, told in profiles.parts(member)] == [True, True, False]
    UserAddressFactory(user=member.user)
    sweep()
    assert petals() == (40, 0)
    profiles.set_birthday(member=member, day=2, month=1)
    sweep()
    assert petals() == (40, 0)


def test_a_scan_counts_once_for_each_product_and_day(programme, member, brings, petals, haircut, shampoo, later):
    brings("scan", 5)
    for product in (haircut, shampoo, haircut):
        found = occasions.read_scan(occasions.scan_token(product, programme), programme)
        assert found == product
        occasions.scan(member=member, product=found)
    assert petals() == (10, 0)
    later(1)
    occasions.scan(member=member, product=haircut)
    assert petals() == (15, 0)
    assert occasions.read_scan(f"{haircut.pk}:forged", programme) is None


@pytest.fixture(params=["birthday", "anniversary"])
def day(request, member):
    """Let a day of this year be the member's; returns the action: ``day(11)``."""

    def day(number):
        joined = datetime(2025, 3, number, 9, tzinfo=UTC)
        get_model("loyalty_members", "Member").objects.update(joined_at=joined)
        profiles.set_birthday(member=member, day=number, month=3)
        return request.param

    return day


def test_a_day_that_passed_before_it_was_switched_on_brings_nothing(day, brings, petals, time, sweep):
    action = day(2)
    time.advance(days=4)
    brings(action, 50)
    sweep()
    assert petals() == (0, 0)
    # Nor what was switched off over it.
    brings(action, 0)
    day(8)
    time.advance(days=4)
    brings(action, 50)
    sweep()
    assert petals() == (0, 0)


def test_the_whole_day_of_the_shop_counts_on_which_it_is_switched_on(day, brings, petals, time, sweep):
    action = day(11)
    time.move_to(datetime(2026, 3, 10, 23, 30, tzinfo=UTC))  # half past midnight in Paris
    brings(action, 50)
    sweep()
    assert petals() == (50, 0)


def test_a_late_sweep_gives_what_the_day_brought_then(day, brings, petals, time, sweep):
    action = day(12)
    brings(action, 50)
    time.move_to(datetime(2026, 3, 15, 9, tzinfo=UTC))
    brings(action, 80)
    sweep()
    assert petals() == (50, 0)


def test_what_happened_before_it_brought_something_brings_nothing(member, brings, petals, time):
    before = time.at
    time.advance(days=3)
    brings("event", 10)
    assert actions.perform(member=member, action="event", reference="1", happened_at=before) is None
    assert actions.perform(member=member, action="event", reference="2").points == 10
    assert petals() == (10, 0)
