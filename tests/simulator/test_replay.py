"""The replay of the rules that were published gives what was awarded; it writes nothing but the try."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from django.apps import apps
from django.utils import timezone

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import bookings, rules
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.simulation import selectors, services, sources
from oscar_loyalty.reports.simulation.purchases import Purchases
from oscar_loyalty.reports.simulation.replay import play


@pytest.fixture(autouse=True)
def _clock(time, programme):
    """The clock stands before the programme is made."""


def replayed(programme, name="published", **options):
    """Replay everything; return the sums, and the points of each purchase as they were given."""
    since, until = clock.now() - timedelta(days=400), clock.now() + timedelta(days=1)
    each = []
    tally = play(
        programme,
        sources.rules_of(programme, name, since, until),
        sources.rules_of(programme, "today", since, until),
        Purchases(programme, since, until, **options),
        each=lambda past, points: each.append((past.kind, past.pk, points)),
    )
    return tally, each


@pytest.fixture
def ask(programme):
    def ask(key="a", rules="published", since=None, until=None, **fields):
        today = timezone.localtime(clock.now()).date()
        since, until = since or today - timedelta(days=300), until or today
        return services.ask(
            programme=programme, key=key, rules=rules, title="A try", since=since, until=until, **fields
        )

    return ask


@pytest.fixture
def history(programme, member, place, haircut, shampoo, own, per_euro, later, cancel, sweep):
    """Orders under changing rules, a booster, a cancelled line and order, and visits, one of them taken back."""
    place((haircut, 2), (shampoo, 1))
    sweep()
    later(days=1)
    booster = rules.publish_rule(programme=programme, kind="booster", spec={"times": "2", "when": {"weekdays": [1, 2]}})
    place((shampoo, 3))
    whole = place((haircut, 1), (shampoo, 5))
    sweep()
    later(days=1)
    rules.publish_rule(programme=programme, kind="amount", rule=per_euro.rule, spec={"points": "1.5", "per": "1"})
    part = place((haircut, 2), (shampoo, 2))
    bookings.made(
        reference="b1", service=haircut, starts_at=clock.now() + timedelta(days=2), member=member, price=D(45)
    )
    bookings.made(reference="b2", service=shampoo, starts_at=clock.now(), member=member, price=D("12.50"))
    sweep()
    later(days=1)
    cancel(whole)
    cancel(part.lines.first())
    bookings.attended(reference="b1")
    bookings.missed(reference="b2")
    rules.end_rule(rule=booster.rule)
    later(days=1)
    place((shampoo, 1))
    sweep()


def test_the_rules_as_published_give_what_was_awarded(history, programme):
    tally, each = replayed(programme)
    awards = get_model("loyalty_earning", "Award").objects.filter(source_type__in=["order", "booking"])
    assert sorted(each) == sorted((award.source_type, int(award.source_id), award.points) for award in awards)
    assert len(each) >= 7
    assert tally.points == tally.awarded == sum(award.points - award.clawed_back for award in awards)
    assert tally.points < tally.given
    # By rule as in the lines of the awards.
    lines = get_model("loyalty_earning", "AwardLine").objects.filter(award__in=awards)
    by_rule = {}
    for line in lines:
        by_rule[line.rule_version_id] = by_rule.get(line.rule_version_id, 0) + line.points
    assert {version: row["given"] for version, row in tally.rules.items()} == by_rule


def test_other_rules_give_other_points(history, programme):
    tally, _each = replayed(programme, "today")
    assert tally.points == tally.today != tally.awarded


def test_it_writes_nothing_but_the_try(history, programme, ask, sweep):
    row = ask()
    ours = ("simulation", "simulatedmember", "due", "heartbeat")
    models = [model for model in apps.get_models() if model._meta.managed and model._meta.model_name not in ours]
    before = {model._meta.label: list(model.objects.order_by("pk").values()) for model in models}
    assert due.sweep()["due"] == 1
    assert before == {model._meta.label: list(model.objects.order_by("pk").values()) for model in models}
    row.refresh_from_db()
    assert row.state == "done"
    assert row.result["points"] == row.result["awarded"]
    assert selectors.members_of(row).get().awarded == row.result["awarded"]


def test_caps_carry_over_in_the_order_of_time(programme, member, place, shampoo, per_euro, later, sweep):
    place((shampoo, 4))
    sweep()
    later(hours=1)
    place((shampoo, 4))
    sweep()
    later(days=1)
    place((shampoo, 4))
    sweep()
    get_model("loyalty_earning", "EarningPolicy").objects.create(programme=programme, cap_day=60, cap_member=130)
    fresh = type(programme).objects.get(pk=programme.pk)
    _tally, each = replayed(fresh, "today")
    assert [points for _kind, _pk, points in each] == [50, 10, 50]


def test_an_empty_period(programme, ask, sweep):
    row = ask(since=date(2020, 1, 1), until=date(2020, 1, 31))
    sweep()
    row.refresh_from_db()
    assert (row.state, row.result["purchases"], row.percent) == ("done", 0, 100)
    assert selectors.cost_of(row).share == 0


def test_the_same_key_is_one_try(programme, ask):
    assert ask().pk == ask().pk
    assert ask("b").pk != ask().pk
    with pytest.raises(ValueError, match="period"):
        ask("c", since=date(2026, 2, 2), until=date(2026, 2, 1))


def test_rules_that_are_gone_and_runs_that_were_interrupted_are_said(programme, ask, sweep, time, later):
    gone = ask("gone", rules="draft:999999")
    sweep()
    gone.refresh_from_db()
    assert (gone.state, gone.error) == ("failed", "gone")
    row = ask("cut")
    type(row).objects.filter(pk=row.pk).update(state="running", heard_at=clock.now())
    row.refresh_from_db()
    assert not row.abandoned
    later(hours=1)
    assert row.abandoned
    services.restart(simulation=row)
    sweep()
    row.refresh_from_db()
    assert row.state == "done"


def test_cost_is_the_rate_less_what_is_never_spent(programme, ask, sweep):
    row = ask(breakage=D(25))
    sweep()
    row.refresh_from_db()
    row.result |= {"points": 40_000, "today": 30_000, "turnover": "7500.00"}
    cost = selectors.cost_of(row)
    assert (cost.tried.amount, cost.today.amount, cost.more.amount) == (D(300), D(225), D(75))
    assert cost.share == D("1.0")
