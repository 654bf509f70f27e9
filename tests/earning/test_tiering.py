"""Tiers by rule: up at once, down at the end of a period and its grace, by hand for as long as the shop says."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils.translation import override

from oscar_loyalty import times
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import bookings, gifts, orders
from oscar_loyalty.earning.tiering import preview, proposals, review, selectors, services
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as member_services
from oscar_loyalty.members import tiers as by_hand
from tests.earning.tier_help import ladder, spend, tier


@pytest.fixture(autouse=True)
def _english():
    """Whatever an earlier test has read last."""
    with override("en"):
        yield


def at(year, month, day, hour=12):
    return datetime(year, month, day, hour, tzinfo=UTC)


def work():
    """What is due, the review that begins, and the mails that follow."""
    for _round in range(3):
        due.sweep()


def last_day(member):
    return selectors.standing(member).last_day.isoformat()


def subjects():
    return [message.subject for message in mail.outbox]


def test_an_order_lifts_at_once_and_says_so(programme, member, haircut, place):
    tiers = ladder(programme, silver=100, gold=300)
    orders.review_order(order=place((haircut, 2), number="1"))
    work()
    assert tier(member) == "bronze"
    standing = selectors.standing(member)
    assert (standing.total, standing.missing, standing.next) == (D("90.00"), D("10.00"), tiers["silver"])
    assert standing.percent == 90
    orders.review_order(order=place((haircut, 1), number="2"))
    work()
    assert tier(member) == "silver"
    assert member.user.groups.filter(pk=tiers["silver"].group_id).exists()
    change = member.tier_changes.get()
    assert (change.cause, change.before, change.after) == ("risen", tiers["bronze"], tiers["silver"])
    assert "Congratulations: you are Silver now" in subjects()


def test_a_refund_lowers_what_counts_but_not_the_tier_before_its_end(
    programme, member, haircut, place, cancel, time, later
):
    ladder(programme, silver=80, gold=300, months=12, grace_days=30, warning_days=30)
    order = place((haircut, 2), number="1")
    orders.review_order(order=order)
    work()
    assert tier(member) == "silver"
    cancel(order)
    work()
    standing = selectors.standing(member)
    assert standing.total == 0 and tier(member) == "silver"
    # Reached on 2 March 2026: until the end of 2 March 2027, and thirty days of grace.
    time.move_to(at(2027, 3, 31))
    work()
    assert tier(member) == "silver"
    time.move_to(at(2027, 4, 3))
    work()
    assert tier(member) == "bronze"
    assert member.tier_changes.first().cause == "fallen"
    assert subjects().count("You are Bronze from now on") == 1


def test_the_warning_says_what_is_missing_and_until_when_and_comes_once(programme, member, time):
    ladder(programme, months=12, grace_days=10, warning_days=30)
    spend(member, 250)
    time.move_to(at(2027, 1, 20))
    spend(member, 50)
    work()
    assert not [s for s in subjects() if "stay" in s]
    time.move_to(at(2027, 2, 10))
    work()
    time.move_to(at(2027, 2, 11))
    work()
    told = [message for message in mail.outbox if "stay" in message.subject]
    assert len(told) == 1 and "150.00" in told[0].subject
    assert "March 12, 2027" in told[0].body
    standing = selectors.standing(member)
    assert standing.at_risk and standing.to_keep == D("150.00") and standing.then.code == "bronze"
    # What is missing comes in the days of grace: another period begins where the last one ended.
    time.move_to(at(2027, 3, 8))
    spend(member, 150)
    assert not selectors.standing(member).at_risk
    time.move_to(at(2027, 4, 20))
    work()
    assert tier(member) == "silver" and not member.tier_changes.filter(cause="fallen").exists()


def test_who_was_passed_over_in_silence_is_warned_by_the_next_review(programme, member, time):
    ladder(programme, months=12, warning_days=30)
    spend(member, 250)
    time.move_to(at(2027, 2, 10))
    services.settle(programme=programme, members=[member.pk], quiet=True)
    work()
    assert len([s for s in subjects() if "stay" in s]) == 1


def test_a_warning_is_not_sent_once_what_was_missing_is_there(programme, member, time):
    ladder(programme, months=12, warning_days=30)
    spend(member, 250)
    time.move_to(at(2027, 2, 20))
    services.settle(programme=programme, members=[member.pk])
    spend(member, 300)
    work()
    assert not [s for s in subjects() if "stay" in s]


def test_what_lifts_before_the_period_does_not_keep_it_again(programme, member, time):
    ladder(programme, months=6, grace_days=0)
    spend(member, 250)
    time.move_to(at(2026, 9, 1))
    spend(member, 200)
    time.move_to(at(2026, 9, 4))
    work()
    assert tier(member) == "silver"
    assert last_day(member) == "2027-03-02"
    time.move_to(at(2027, 3, 4))
    work()
    assert tier(member) == "bronze"


@pytest.mark.parametrize(
    ("reached", "months", "over"),
    [
        # The day, how many months its tier is kept, and the first day without it.
        (at(2027, 2, 28), 12, at(2028, 2, 29)),
        (at(2028, 2, 29), 12, at(2029, 3, 1)),
        (at(2026, 4, 30), 6, at(2026, 10, 31)),
        (at(2026, 1, 31), 1, at(2026, 3, 1)),
        (at(2026, 4, 30), 1, at(2026, 5, 31)),
        # The clocks change in between.
        (at(2026, 3, 28), 7, at(2026, 10, 29)),
    ],
)
def test_what_has_reached_a_tier_does_not_keep_it_as_well(programme, member, time, reached, months, over):
    ladder(programme, months=months, grace_days=0, warning_days=0)
    time.move_to(reached)
    spend(member, 250)
    assert last_day(member) == (over - timedelta(days=1)).date().isoformat()
    time.move_to(over.replace(hour=0) - timedelta(hours=3))
    work()
    assert tier(member) == "silver"
    time.move_to(over)
    work()
    assert tier(member) == "bronze"


@pytest.mark.parametrize("months", [1, 6, 12])
def test_periods_follow_each_other_without_a_gap(programme, months):
    rules = selectors.ladder_from(ladder_scheme(programme, months), [])
    for number in range(1200):
        day = times.start_of((at(2026, 1, 1) + timedelta(days=number)).date())
        end = rules.term_end(day)
        assert times.day_of(day) < times.day_of(rules.kept_since(end)) <= times.day_of(end)
        assert times.day_of(rules.kept_since(rules.next_end(end))) <= times.day_of(end)


def ladder_scheme(programme, months):
    return get_model("loyalty_members", "TierScheme")(programme=programme, window="rolling", months=months)


def test_a_calendar_year_counts_to_the_end_of_the_next(programme, member, time):
    ladder(programme, window="year", grace_days=0)
    spend(member, 150, at=at(2025, 12, 30))
    spend(member, 150)
    assert tier(member) == "bronze"
    spend(member, 50)
    assert tier(member) == "silver"
    time.move_to(at(2027, 12, 31))
    work()
    assert tier(member) == "silver"
    time.move_to(at(2028, 1, 1))
    work()
    assert tier(member) == "bronze"


def test_all_the_time_falls_only_when_it_does_not_count_any_more(programme, member, time):
    ladder(programme, window="lifetime", grace_days=14, warning_days=30)
    award = spend(member, 600, at=at(2019, 1, 1))
    assert tier(member) == "gold"
    time.move_to(at(2031, 1, 1))
    work()
    assert tier(member) == "gold"
    award.spent_back = D(300)
    award.save()
    time.move_to(at(2031, 1, 2))
    work()
    assert tier(member) == "gold" and [s for s in subjects() if "stay Gold" in s]
    time.move_to(at(2031, 1, 17))
    work()
    assert tier(member) == "silver"


def test_a_visit_counts_once_it_has_happened_and_no_more_once_it_has_not(programme, member, own, haircut, time):
    ladder(programme, metric="visits", silver=2, gold=10)
    for number in range(2):
        starts = time.at + timedelta(days=1 + number)
        bookings.made(reference=f"v{number}", service=haircut, member=member, starts_at=starts)
    work()
    assert selectors.standing(member).total == 0
    bookings.attended(reference="v0")
    bookings.attended(reference="v1")
    work()
    assert tier(member) == "silver" and selectors.standing(member).total == 2
    bookings.corrected(reference="v1", state="missed")
    work()
    assert selectors.standing(member).total == 1


def test_gifts_are_points_earned_but_no_orders(programme, member):
    ladder(programme, metric="points", silver=100, gold=500)
    award = gifts.give_points(member=member, points=120, reference="card:1", why="goal")
    work()
    assert tier(member) == "silver"
    gifts.take_points(award=award)
    work()
    assert selectors.standing(member).total == 0
    ladder(programme, metric="orders", silver=1, gold=5)
    assert selectors.standing(member).total == 0


def test_nobody_is_congratulated_for_what_was_long_ago(programme, member, time):
    ladder(programme)
    spend(member, 250, at=at(2026, 1, 2))
    work()
    assert tier(member) == "silver"
    assert not [s for s in subjects() if "Silver" in s]


def test_a_tier_by_hand_ends_on_its_day_and_is_in_the_history(programme, member, time):
    tiers = ladder(programme, warning_days=0)
    spend(member, 250)
    end = at(2026, 6, 1)
    for _twice in range(2):
        by_hand.give_by_hand(
            member=member, tier=tiers["gold"], until=end, key="k", actor=Ref("user", "7"), reason="Our neighbour"
        )
    assert tier(member) == "gold"
    standing = selectors.standing(member)
    assert standing.given and standing.given_until == end and standing.then.code == "silver"
    given = member.tier_changes.get(cause="hand")
    assert (given.reason, given.until, given.actor_id) == ("Our neighbour", end, "7")
    work()
    assert tier(member) == "gold"
    time.move_to(end)
    work()
    assert tier(member) == "silver"
    assert [change.cause for change in member.tier_changes.all()] == ["over", "hand", "risen"]
    # The time that was earned has gone on meanwhile.
    assert last_day(member) == "2027-03-02"


def test_a_tier_by_hand_can_be_ended_and_ends_where_tiers_are_by_hand_alone(programme, member, time):
    tiers = {each.code: each for each in get_model("loyalty_members", "Tier").objects.all()}
    by_hand.give_by_hand(member=member, tier=tiers["gold"], key="a", until=at(2026, 4, 1))
    time.move_to(at(2026, 4, 1))
    work()
    assert tier(member) == "bronze"
    by_hand.give_by_hand(member=member, tier=tiers["silver"], key="b")
    time.move_to(at(2030, 4, 1))
    work()
    assert tier(member) == "silver"
    by_hand.end_by_hand(member=member, key="c")
    assert tier(member) == "bronze"
    with pytest.raises(ValueError, match="still to come"):
        by_hand.give_by_hand(member=member, tier=tiers["gold"], key="d", until=at(2030, 3, 1))


@pytest.mark.parametrize("over", ["its day", "by hand"])
def test_a_tier_by_hand_ends_for_who_joined_before_there_were_tiers(db, time, over):
    programme = member_services.create_programme(name="Pétales", tiers=False)
    member = member_services.join(programme=programme, email="rose@example.org")
    for rank, code in enumerate(("bronze", "gold"), start=1):
        given = member_services.save_tier(programme=programme, code=code, name=code, rank=rank)
    by_hand.give_by_hand(member=member, tier=given, key="a", until=at(2026, 4, 1))
    assert tier(member) == "gold"
    if over == "by hand":
        by_hand.end_by_hand(member=member, key="b")
    else:
        time.move_to(at(2026, 4, 1))
        work()
    assert tier(member) == "bronze"


def test_who_is_on_hold_keeps_the_tier(programme, member, time):
    ladder(programme, grace_days=0)
    spend(member, 250)
    member_services.set_status(member=member, status="frozen")
    time.move_to(at(2028, 1, 1))
    work()
    assert tier(member) == "silver"


def who(programme):
    """Who would rise and who would fall by the rules in force, a few at a time."""
    scheme, tiers = selectors.scheme_of(programme), members.tiers(programme)
    fields = {name: getattr(scheme, name) for name in proposals.FIELDS}
    made = proposals.make(programme=programme, fields=fields, thresholds={tier.pk: tier.threshold for tier in tiers})
    while preview.step(proposal=made, size=2):
        pass
    made.refresh_from_db()
    codes = {tier.pk: tier.code for tier in tiers}
    people = get_model("loyalty_members", "Member").objects.in_bulk()
    found = {True: [], False: []}
    for move in made.moves.order_by("member"):
        found[move.rising].append((people[move.member], codes[move.after]))
    counted = preview.moves(programme, selectors.ladder_of(programme))
    assert (counted.rising, counted.falling) == (made.rising, made.falling) == tuple(map(len, found.values()))
    assert counted.seen == made.seen == made.total
    return found[True], found[False]


def test_the_preview_says_what_the_review_does(programme, member, django_user_model, time):
    ladder(programme, metric="hand")
    people = [member]
    for number in range(4):
        user = django_user_model.objects.create_user(username=f"u{number}", email=f"u{number}@example.com")
        people.append(member_services.join(programme=programme, user=user, source="test"))
    for person, amount in zip(people, (0, 100, 210, 499, 800), strict=True):
        spend(person, amount)
    ladder(programme)
    assert who(programme) == ([(people[2], "silver"), (people[3], "silver"), (people[4], "gold")], [])
    done = review.run(review=review.begin(programme=programme))
    assert (done.seen, done.risen, done.fallen) == (5, 3, 0)
    assert who(programme) == ([], [])
    # With higher steps, two do not keep what they have; nobody falls before the end of the period.
    ladder(programme, silver=450, gold=1000)
    assert who(programme) == ([], [(people[2], "bronze"), (people[4], "silver")])
    assert review.run(review=review.begin(programme=programme)).fallen == 0
    time.move_to(at(2027, 2, 1))
    work()
    assert tier(people[4]) == "gold"
    time.move_to(at(2027, 5, 1))
    work()
    assert [tier(person) for person in people] == ["bronze"] * 5


def test_a_review_that_was_stopped_goes_on_where_it_was(programme, member, django_user_model):
    ladder(programme, metric="hand")
    people = [member]
    for number in range(6):
        user = django_user_model.objects.create_user(username=f"u{number}", email=f"u{number}@example.com")
        people.append(member_services.join(programme=programme, user=user, source="test"))
    for person in people:
        spend(person, 300)
    ladder(programme)
    begun = review.begin(programme=programme, size=3)
    assert review.step(review=begun)
    assert [tier(person) for person in people].count("silver") == 3
    work()
    begun.refresh_from_db()
    assert begun.finished_at is not None and (begun.seen, begun.risen) == (7, 7)
    # Today's, which the sweep began by itself, found nothing more to do.
    assert get_model("loyalty_members", "TierChange").objects.count() == 7


def test_there_is_one_review_a_day(programme, member, time):
    ladder(programme)
    for _sweep in range(3):
        work()
    Review = get_model("loyalty_members", "TierReview")
    assert Review.objects.count() == 1
    time.advance(days=1)
    work()
    work()
    assert Review.objects.filter(finished_at__isnull=False).count() == 2


def test_the_command_says_what_it_did(programme, member, capsys):
    ladder(programme, metric="hand")
    spend(member, 300)
    ladder(programme)
    call_command("loyalty_tiers", "--dry-run")
    assert "1 would rise, 0 would fall" in capsys.readouterr().out
    assert tier(member) == "bronze"
    call_command("loyalty_tiers", "--quiet")
    assert "1 members: 1 risen" in capsys.readouterr().out
    work()
    assert tier(member) == "silver" and not [s for s in subjects() if "Silver" in s]


def test_what_two_memberships_brought_counts_together(programme, member, user):
    tiers = ladder(programme)
    alone = member_services.join(programme=programme, email="rose@example.org", source="test")
    spend(alone, 150)
    by_hand.give_by_hand(member=alone, tier=tiers["gold"], key="x", until=at(2026, 5, 1))
    spend(member, 100)
    own = member_services.attach_user(member=alone, user=user)
    services.settle(programme=programme, members=[own.pk])
    assert selectors.standing(own).total == D("250.00")


def test_many_cost_as_many_queries_as_few(programme, member, django_user_model, django_assert_max_num_queries):
    ladder(programme, metric="hand")
    people = [member]
    for number in range(30):
        user = django_user_model.objects.create_user(username=f"u{number}", email=f"u{number}@example.com")
        people.append(member_services.join(programme=programme, user=user, source="test"))
    for person in people:
        spend(person, 300)
    ladder(programme)
    with django_assert_max_num_queries(26):
        services.settle(programme=programme, members=[person.pk for person in people])
    with django_assert_max_num_queries(6):
        selectors.standing(member)
