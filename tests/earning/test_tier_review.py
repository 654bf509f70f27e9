"""The review does in bulk what the rules say of each member; and what races ends well."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oscar_loyalty import clock, times
from oscar_loyalty.earning import followers
from oscar_loyalty.earning.tiering import review, selectors, services
from oscar_loyalty.earning.tiering.bulk import settle_slice
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as member_services
from tests.earning.test_races import at_once
from tests.earning.tier_help import ladder, spend

#: Moments before and after the one that the clock stands at, in days.
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAYS = st.integers(-800, 0)

AWARDS = st.lists(
    st.fixed_dictionaries(
        {
            "days": DAYS,
            "amount": st.integers(0, 60).map(lambda n: n * 10),
            "back": st.sampled_from([0, 0, 0, 1, 2]),
            "kind": st.sampled_from(["order", "order", "booking", "planned", "goal"]),
            "void": st.sampled_from([False, False, False, True]),
        }
    ),
    max_size=5,
)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "awards": AWARDS,
            "tier": st.sampled_from(["bronze", "silver", "gold"]),
            "ends": st.sampled_from([None, -400, -45, -20, -1, 10, 25, 200]),
            "floor": st.sampled_from([None, None, "silver", "gold"]),
            "floor_until": st.sampled_from([None, -3, 15]),
        }
    ),
    min_size=1,
    max_size=5,
)
RULES = st.fixed_dictionaries(
    {
        "metric": st.sampled_from(["spend", "points", "orders", "visits", "hand"]),
        "window": st.sampled_from(["rolling", "year", "lifetime"]),
        "months": st.sampled_from([1, 6, 12]),
        "grace_days": st.sampled_from([0, 30]),
        "warning_days": st.sampled_from([0, 30]),
    }
)


def counted(person, metric, since):
    """What counts, said as plainly as can be."""
    total = D(0)
    for award in person["awards"]:
        when = NOW + timedelta(days=award["days"])
        kind = award["kind"]
        if award["void"] or kind == "planned" or (since is not None and when < since):
            continue
        money = 0 if kind == "goal" else award["amount"] * (2 - award["back"]) / 2
        total += {
            "spend": D(str(money)),
            "points": D(award["amount"]),
            "orders": D(kind == "order"),
            "visits": D(kind == "booking"),
            "hand": D(0),
        }[metric]
    return total


def expected(person, rules, steps):
    """The tier after the review, by the sentences of the documentation."""
    names = ["bronze", "silver", "gold"]

    def reached(total):
        return max(rank for rank, need in enumerate(steps) if total >= need)

    today, window = times.day_of(NOW), rules["window"]
    since = None
    if window == "rolling":
        since = times.start_of(times.day_of(NOW) - (today - _back(today, rules["months"])))
    elif window == "year":
        since = times.start_of(today.replace(month=1, day=1))
    earned = names.index(person["tier"])
    if rules["metric"] != "hand":
        up = reached(counted(person, rules["metric"], since))
        end = times.start_of(today + timedelta(days=person["ends"])) if person["ends"] is not None else None
        if up > earned:
            earned = up
        elif window == "lifetime":
            grace = times.days_later(end, rules["grace_days"]) if end else times.days_later(NOW, rules["grace_days"])
            if up < earned and grace <= NOW:
                earned = up
        elif earned and end is not None and end <= NOW:
            if window == "rolling":
                # The day after the last one that leads no further than this end.
                last = times.day_of(end) - timedelta(days=1)
                days = (last - timedelta(days=each) for each in range(31 * rules["months"] + 5))
                start = times.start_of(
                    next(day for day in days if _back(day, -rules["months"]) <= last) + timedelta(days=1)
                )
            else:
                start = times.start_of(times.day_of(end).replace(year=times.day_of(end).year - 1, month=1, day=1))
            again = reached(counted(person, rules["metric"], start))
            if again < earned and times.days_later(end, rules["grace_days"]) <= NOW:
                earned = max(again, up)
    floor = names.index(person["floor"]) if person["floor"] else 0
    if person["floor_until"] is not None and person["floor_until"] <= 0:
        floor = 0
    return names[max(earned, floor)]


def _back(day, months):
    from calendar import monthrange

    count = day.year * 12 + day.month - 1 - months
    year, month = count // 12, count % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


def make(programme, people, tiers, django_user_model):
    Award, Term = get_model("loyalty_earning", "Award"), get_model("loyalty_members", "TierTerm")
    members, awards = [], []
    for index, person in enumerate(people):
        user = django_user_model.objects.create_user(username=f"h{index}", email=f"h{index}@example.com")
        member = member_services.join(programme=programme, user=user, source="test")
        floor = tiers[person["floor"]] if person["floor"] else None
        tier = max(tiers[person["tier"]], floor or tiers["bronze"], key=lambda each: each.rank)
        member_services.set_tier(member=member, tier=tier, key=f"h{index}")
        ends = person["ends"]
        Term.objects.create(
            member=member,
            earned=tiers[person["tier"]],
            ends_at=times.start_of(times.day_of(NOW) + timedelta(days=ends)) if ends is not None else None,
            floor=floor,
            floor_until=NOW + timedelta(days=person["floor_until"])
            if floor and person["floor_until"] is not None
            else None,
        )
        for number, award in enumerate(person["awards"]):
            kind, when = award["kind"], NOW + timedelta(days=award["days"])
            money = D(0) if kind == "goal" else D(award["amount"])
            source = {"planned": "booking"}.get(kind, kind)
            awards.append(
                Award(
                    programme=programme,
                    member=member,
                    reference=f"{source}:{index}-{number}",
                    source_type=source,
                    source_id=f"{index}{number}",
                    points=award["amount"],
                    spent=money,
                    spent_back=money * award["back"] / 2,
                    void=award["void"],
                    # A visit was booked long before it counts.
                    happened_at=when - timedelta(days=90) if source == "booking" else when,
                    usable_from=when if kind != "planned" else None,
                )
            )
        members.append(member)
    Award.objects.bulk_create(awards)
    return members


def state(members):
    rows = get_model("loyalty_members", "Member").objects.filter(pk__in=[member.pk for member in members])
    terms = ("tier__code", "tier_term__earned__code", "tier_term__ends_at", "tier_term__floor__code")
    groups = {
        member.pk: sorted(member.user.groups.values_list("pk", flat=True)) for member in rows.select_related("user")
    }
    return [(*row, groups[row[0]]) for row in rows.order_by("pk").values_list("pk", *terms, "tier_term__warned_for")]


KEPT_FOR_LESS_THAN_A_WARNING = {
    "awards": [{"days": -5, "amount": 200, "back": 0, "kind": "order", "void": False}],
    "tier": "silver",
    "ends": -400,
    "floor": None,
    "floor_until": None,
}
#: What was reached is kept just now; what was given by hand ends in two weeks.
KEPT_BELOW_WHAT_WAS_GIVEN = {
    "awards": [{"days": -126, "amount": 210, "back": 0, "kind": "order", "void": False}],
    "tier": "silver",
    "ends": -45,
    "floor": "gold",
    "floor_until": 15,
}
YEARLY = {"metric": "spend", "window": "year", "months": 1, "grace_days": 0, "warning_days": 30}
MONTHLY = {"metric": "spend", "window": "rolling", "months": 1, "grace_days": 0, "warning_days": 30}


@pytest.mark.django_db
def test_in_bulk_or_one_by_one_or_by_the_book(programme, django_user_model):
    """Written nowhere by hand: random people, awards and rules, three ways, and twice."""

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(people=PEOPLE, rules=RULES)
    @example(people=[KEPT_FOR_LESS_THAN_A_WARNING], rules=MONTHLY)
    @example(people=[KEPT_BELOW_WHAT_WAS_GIVEN], rules=YEARLY)
    def check(people, rules):
        with transaction.atomic():
            steps = (0, 1, 3) if rules["metric"] in ("orders", "visits") else (0, 200, 500)
            tiers = ladder(programme, silver=steps[1], gold=steps[2], **rules)
            members = make(programme, people, tiers, django_user_model)
            ends = [row[3] for row in state(members)]
            before = transaction.savepoint()
            for member in members:
                services.settle(programme=programme, members=[member.pk])
            single = state(members)
            transaction.savepoint_rollback(before)
            services.settle(programme=programme, members=[member.pk for member in members])
            bulk = state(members)
            assert bulk == single
            transaction.savepoint_rollback(before)
            settle_slice(programme=programme, first=members[0].pk, last=members[-1].pk)
            assert state(members) == single
            # Whoever was kept just now hears of the new end when settled again. Beside that, settling changes nothing.
            services.settle(programme=programme, members=[member.pk for member in members])
            again = state(members)
            for row, later, end in zip(bulk, again, ends, strict=True):
                told = later[5] == row[3] != end
                assert later == ((*row[:5], later[5], row[6]) if told else row)
            settle_slice(programme=programme, first=0, last=None)
            services.settle(programme=programme, members=[member.pk for member in members])
            assert state(members) == again
            assert [row[1] for row in bulk] == [expected(person, rules, steps) for person in people]
            standings = [selectors.standing(_fresh(member)).tier.code for member in members]
            assert standings == [row[1] for row in bulk]
            ranks = {tier.code: tier.rank for tier in tiers.values()}
            for row in bulk:
                inside = sorted(tier.group_id for tier in tiers.values() if tier.rank <= ranks[row[1]])
                assert row[-1] == inside
            transaction.set_rollback(True)

    with clock.frozen(NOW):
        check()


def _fresh(member):
    return get_model("loyalty_members", "Member").objects.select_related("programme").get(pk=member.pk)


@pytest.mark.django_db(transaction=True)
def test_awards_at_once_make_one_change(programme, member, time):
    ladder(programme)
    awards = [spend(member, 30, told=False).pk for _award in range(10)]
    at_once(lambda index: followers.follow([awards[index % 10]]), 12)
    member.refresh_from_db()
    assert member.tier.code == "silver"
    assert member.tier_changes.count() == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_review_every_member_once(programme, member, django_user_model, time):
    ladder(programme, metric="hand")
    people = [member]
    for number in range(11):
        user = django_user_model.objects.create_user(username=f"u{number}", email=f"u{number}@example.com")
        people.append(member_services.join(programme=programme, user=user, source="test"))
    for person in people:
        spend(person, 300, told=False)
    ladder(programme)
    begun = review.begin(programme=programme, size=2)

    def go(_index):
        for _try in range(30):
            review.step(review=begun)

    at_once(go, 4)
    review.run(review=begun)
    begun.refresh_from_db()
    assert begun.finished_at is not None and (begun.seen, begun.risen) == (12, 12)
    assert get_model("loyalty_members", "TierChange").objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_many_sweeps_begin_one_review(programme, member, time):
    ladder(programme)
    begun = at_once(lambda _index: review.review_daily(), 8)
    assert sum(begun) >= 1
    assert get_model("loyalty_members", "TierReview").objects.count() == 1
