"""The replay of the rules that were published gives what was awarded; it writes nothing but the try."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from django.apps import apps
from django.utils import timezone

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import bookings, drafts, rules
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.reports.simulation import said, selectors, services, sources
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
    rebated = place((shampoo, 2))
    get_model("order", "Order").objects.filter(pk=rebated.pk).update(total_incl_tax=D(20), total_excl_tax=D(20))
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


def exact(programme):
    """Replay the published rules; each purchase brings what it was awarded, and by rule what the lines say."""
    fresh = type(programme).objects.get(pk=programme.pk)
    tally, each = replayed(fresh)
    awards = get_model("loyalty_earning", "Award").objects.filter(source_type__in=["order", "booking"])
    assert sorted(each) == sorted((award.source_type, int(award.source_id), award.points) for award in awards)
    assert tally.points == tally.awarded == sum(award.points - award.clawed_back for award in awards)
    return awards


def test_caps_are_freed_when_points_are_taken_back(programme, member, place, shampoo, per_euro, later, sweep, cancel):
    get_model("loyalty_earning", "EarningPolicy").objects.create(
        programme=programme, cap_day=60, cap_member=130, budget=170
    )
    booster = rules.publish_rule(
        programme=programme, kind="booster", spec={"plus": "9", "caps": {"member": 20}}, name="More"
    )
    first = place((shampoo, 4))
    sweep()
    later(hours=1)
    place((shampoo, 4))
    sweep()
    later(hours=1)
    cancel(first)
    place((shampoo, 2))
    sweep()
    later(days=1)
    place((shampoo, 3))
    place((shampoo, 3))
    sweep()
    later(hours=1)
    rules.end_rule(rule=booster.rule)
    later(days=1)
    place((shampoo, 4))
    sweep()
    assert [award.points for award in exact(programme).order_by("pk")] == [59, 1, 34, 46, 14, 35]


def test_the_order_of_awards_counts_where_there_are_caps(programme, member, place, shampoo, per_euro, later, sweep):
    """What was bought first may be awarded last: when it is sent."""
    programme.award_on_status = "Being processed"
    programme.save()
    get_model("loyalty_earning", "EarningPolicy").objects.create(programme=programme, cap_member=60)
    slow = place((shampoo, 4))
    later(hours=1)
    fast = place((shampoo, 2))
    later(hours=1)
    fast.set_status("Being processed")
    sweep()
    later(hours=1)
    slow.set_status("Being processed")
    sweep()
    assert {int(award.source_id): award.points for award in exact(programme)} == {fast.pk: 25, slow.pk: 35}


def test_the_first_purchase_is_the_one_that_was_first_then(
    programme, member, place, shampoo, haircut, per_euro, later, sweep, cancel
):
    rules.publish_rule(programme=programme, kind="booster", spec={"plus": "30", "when": {"first": True}}, name="First")
    first = place((shampoo, 1))
    sweep()
    later(days=1)
    place((shampoo, 2))
    sweep()
    later(days=1)
    cancel(first)
    sweep()
    later(days=1)
    for reference in ("b1", "b2"):
        bookings.made(reference=reference, service=haircut, starts_at=clock.now(), member=member, price=D(45))
        later(hours=1)
    bookings.cancelled(reference="b1")
    bookings.made(reference="b3", service=haircut, starts_at=clock.now(), member=member, price=D(45))
    sweep()
    exact(programme)


def test_a_draft_is_tried_against_todays_rules(history, programme, ask, sweep):
    draft = drafts.start(programme=programme, name="Twice")
    drafts.put(draft=draft, kind="booster", spec={"times": "2"}, name="Double")
    row = ask(rules=f"draft:{draft.pk}")
    assert (f"draft:{draft.pk}", "Draft: Twice") in [(name, str(title)) for name, title in sources.choices(programme)]
    sweep()
    row.refresh_from_db()
    assert row.state == "done", row.error
    assert row.result["points"] > row.result["today"] > 0
    assert row.result["win"] == 1
    assert selectors.members_of(row, "win").get().difference == row.result["points"] - row.result["today"]
    # Published, it is today's rules, once.
    drafts.publish(draft=draft)
    again = ask("again", rules=f"draft:{draft.pk}")
    sweep()
    again.refresh_from_db()
    assert again.result["points"] == again.result["today"] == row.result["points"]


@pytest.mark.parametrize("tax", ["incl", "excl"])
def test_what_is_alike_for_the_rules_is_reckoned_once_and_right(programme, member, place, haircut, shampoo, tax, sweep):
    """Pieces, shipping, several lines, tiers: with and without what is remembered, the same."""
    programme.earn_tax, programme.earn_shipping = tax, True
    programme.save()
    rules.publish_rule(programme=programme, kind="amount", spec={"points": "1.3", "per": "1", "threshold": "10"})
    rules.set_product_points(product=haircut, points=7)
    for lines in ([(haircut, 1)], [(haircut, 2)], [(shampoo, 1)], [(shampoo, 2), (haircut, 1)], [(shampoo, 1)]):
        place(*lines)
    sweep()
    assert exact(programme).count() == 5


def test_conditions_tiers_and_returns_are_replayed_exactly(
    programme, member, place, haircut, shampoo, per_euro, later, sweep, cancel, ask
):
    """Birthdays, new members, visits only, a tier of its moment, caps of a rule; and tiers that follow from points."""
    Tier = get_model("loyalty_members", "Tier")
    low = members.save_tier(programme=programme, code="low", rank=50, name="Low")
    high = members.save_tier(programme=programme, code="high", rank=60, name="High", multiplier=D("1.5"))
    type(member).objects.filter(pk=member.pk).update(birth_month=timezone.localtime(clock.now()).month, birth_day=1)
    member.refresh_from_db()
    publish = {"programme": programme, "kind": "booster"}
    rules.publish_rule(**publish, spec={"times": "3", "when": {"birthday_month": True}, "caps": {"day": 70}})
    rules.publish_rule(**publish, spec={"plus": "4", "when": {"segments": ["new"]}})
    rules.publish_rule(**publish, spec={"plus": "11", "when": {"tiers": ["high"], "channels": ["booking"]}})
    for number in range(6):
        later(days=9, hours=5)
        part = place((shampoo, 1 + number), (haircut, 1))
        bookings.made(reference=f"v{number}", service=haircut, starts_at=clock.now(), member=member, price=D("44.90"))
        sweep()
        later(hours=3)
        if number == 2:
            member.refresh_from_db()
            members.set_tier(member=member, tier=high, key="test")
        if number % 2:
            cancel(part.lines.first())
            bookings.missed(reference=f"v{number}")
        sweep()
    assert len({award.multiplier for award in exact(programme)}) == 2
    get_model("loyalty_members", "TierScheme").objects.update_or_create(
        programme=programme, defaults={"metric": "points"}
    )
    Tier.objects.filter(pk=high.pk).update(threshold=100)
    Tier.objects.filter(pk=low.pk).update(threshold=None)
    row = ask()
    sweep()
    row.refresh_from_db()
    assert row.result["tiers"] == {str(high.pk): 1}
    assert selectors.members_of(row).get().tier == high


def test_old_tries_go_and_a_run_that_was_called_off_writes_nothing(history, ask, sweep, later):
    row = ask()
    services.stop(simulation=row)
    services.run(simulation=row)
    row.refresh_from_db()
    assert (row.state, row.result) == ("stopped", {})
    later(days=400)
    sweep()
    assert not type(row).objects.exists()


@pytest.mark.parametrize(
    ("window", "before", "within", "reached"),
    [
        ("lifetime", 300, 4, "high"),
        # 50 within the period alone are not enough; nor is what lies further back than a year.
        ("rolling", 300, 4, "high"),
        ("rolling", 420, 4, "low"),
        # 2 March: what was bought last year counts no more, within the period or before.
        ("year", 300, 4, "low"),
    ],
)
def test_tiers_count_what_their_window_holds(
    programme, member, place, shampoo, per_euro, sweep, time, ask, window, before, within, reached
):
    high = members.save_tier(programme=programme, code="high", rank=60, name="High", threshold=D(120))
    tiers = {"low": programme.tiers.order_by("rank").first(), "high": high}
    get_model("loyalty_members", "TierScheme").objects.update_or_create(
        programme=programme, defaults={"metric": "spend", "window": window, "months": 12}
    )
    now = time.at
    type(programme).objects.filter(pk=programme.pk).update(started_at=now - timedelta(days=900))
    type(member).objects.filter(pk=member.pk).update(joined_at=now - timedelta(days=900), tier=tiers["low"])
    rule = get_model("loyalty_earning", "RuleVersion").objects.filter(pk=per_euro.pk)
    rule.update(valid_from=now - timedelta(days=900))
    for days, pieces in [(before, 6), (100, within)]:
        time.at = now - timedelta(days=days)
        place((shampoo, pieces))
    time.at = now
    sweep()
    today = timezone.localtime(now).date()
    row = ask(since=today - timedelta(days=200), until=today)
    sweep()
    row.refresh_from_db()
    assert row.result["purchases"] == 1
    assert selectors.members_of(row).get().tier == tiers[reached]
    assert said.tiers_note(row)


def test_a_run_that_takes_long_is_not_begun_again(history, ask, time, monkeypatch):
    begun, play = [], services.play

    def slow(*args, progress, **named):
        begun.append(args)
        for number in range(3):
            time.advance(minutes=3)
            progress(number)
            # The cron of that minute.
            due.sweep()
        return play(*args, progress=progress, **named)

    monkeypatch.setattr(services, "play", slow)
    row = ask()
    due.sweep()
    row.refresh_from_db()
    assert (len(begun), row.state, row.run) == (1, "done", 1)
