"""The demo loads, tells its stories, agrees with its own audit, and loads once."""

from datetime import timedelta
from io import StringIO
from itertools import pairwise

import pytest
from appointment.models import Appointment
from django.core.management import call_command
from django.utils import timezone

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit
from sandbox.demo.people import people
from sandbox.demo.progress import Progress
from sandbox.demo.rhythm import ITEMS, Writer


def plan(count=60, days=200, seed=1):
    now = timezone.now()
    return Writer(
        people=people(count=count, seed=seed), start=timezone.localdate() - timedelta(days=days), now=now, seed=seed
    ).write()


def test_the_same_seed_makes_the_same_salon():
    assert people(count=50, seed=1) == people(count=50, seed=1)
    assert people(count=50, seed=1) != people(count=50, seed=2)
    assert [person.email for person in people(count=400, seed=1)] == list(
        dict.fromkeys(person.email for person in people(count=400, seed=1))
    )


def test_nobody_has_two_customers_at_once():
    visits = plan().visits
    for stylist in {visit.stylist for visit in visits}:
        times = sorted((visit.starts_at, visit.ends_at) for visit in visits if visit.stylist == stylist)
        assert all(end <= start for (_start, end), (start, _end) in pairwise(times))


def test_the_rhythm_is_that_of_a_salon():
    rhythm = plan(count=150, days=400)
    weekdays = [timezone.localtime(visit.starts_at).weekday() for visit in rhythm.visits]
    assert weekdays.count(5) > weekdays.count(0) > 0 == weekdays.count(6)
    now = timezone.now()
    outcomes = [visit.outcome for visit in rhythm.visits if visit.starts_at < now - timedelta(days=1)]
    assert 0.85 < outcomes.count("attended") / len(outcomes) < 0.97
    assert outcomes.count("missed") and outcomes.count("cancelled") and "made" not in outcomes
    assert all(visit.made_at < min(visit.starts_at, now) for visit in rhythm.visits)
    assert any(visit.starts_at > now for visit in rhythm.visits)
    assert all(purchase.placed_at < now for purchase in rhythm.purchases)
    assert {upc for purchase in rhythm.purchases for upc, _quantity in purchase.lines} <= set(ITEMS)


def test_the_progress_is_a_line_for_each_part_where_nobody_watches():
    out = StringIO()
    progress = Progress(out)
    progress.begin("weeks", 3)
    progress.step(3)
    progress.begin("sweep")
    progress.end()
    assert [line.split(":")[0] for line in out.getvalue().splitlines()] == ["weeks", "sweep"]


def counts():
    names = [
        ("loyalty_members", "Member"), ("loyalty_ledger", "Entry"), ("loyalty_earning", "Booking"),
        ("loyalty_earning", "Award"), ("loyalty_giftcards", "GiftCard"), ("order", "Order"), ("catalogue", "Product"),
        ("loyalty_earning", "RuleVersion"), ("appointment", "Appointment"),
    ]  # fmt: skip
    return {name: get_model(app, name).objects.count() for app, name in names}


def load(**options):
    out = StringIO()
    call_command("loyalty_demo", stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_small_demo_is_whole(wagtail_pages):
    load(members=20, months=13)
    report = audit.run()
    assert report.clean, report.findings
    Member = get_model("loyalty_members", "Member")
    assert Member.objects.count() == 20
    assert not Member.objects.filter(email="new@example.com").exists()

    gold = Member.objects.select_related("account", "tier", "user").get(email="gold@example.com")
    balance = ledger.balance(gold.account)
    assert gold.tier.code == "gold"
    assert gold.user.check_password("petale-demo")
    assert balance.usable > 3400 and balance.pending > 0 and balance.next_expiry is not None
    assert any(giftcards.balance(card).amount for card in giftcards.cards_of(gold.user))

    bronze = Member.objects.select_related("account", "tier").get(email="bronze@example.com")
    balance = ledger.balance(bronze.account)
    assert (bronze.tier.code, balance.usable, balance.pending) == ("bronze", 640, 50)

    prices = get_model("loyalty_giftcards", "Denomination").objects.values_list("value", "points_price")
    assert dict(prices) == {10: 1000, 25: 2300, 40: 3400, 50: 4200, 100: 8000}
    assert Appointment.objects.count() == get_model("loyalty_appointment", "AppointmentState").objects.count() > 0
    states = set(get_model("loyalty_earning", "Booking").objects.values_list("state", flat=True))
    assert {"made", "attended"} <= states
    assert not get_model("loyalty_due", "Due").objects.exclude(state="done").exists()
    assert not get_model("loyalty_due", "Heartbeat").objects.exclude(error="").exists()

    before = counts()
    assert "Nothing to do" in load()
    assert counts() == before


@pytest.mark.django_db(transaction=True)
def test_a_run_that_was_cut_short_goes_on(wagtail_pages, monkeypatch):
    from sandbox.demo.history import History

    def stop(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(History, "_calendar", stop)
        load(members=5, months=2)
    before = counts()
    load(members=400)
    assert get_model("loyalty_members", "Member").objects.count() == 5
    assert {**before, "Appointment": 0, "Booking": 0, "Award": 0, "Entry": 0}.items() <= {
        **counts(), "Appointment": 0, "Booking": 0, "Award": 0, "Entry": 0,
    }.items()  # fmt: skip
    assert Appointment.objects.exists()
