"""What the shop does to cards, from many hands at once."""

import signal
import subprocess
import sys
import time as clocks
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import bulk, selectors, services, staff
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit
from tests import processes
from tests.giftcards.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def cards():
    return get_model("loyalty_giftcards", "GiftCard").objects


def failures(results):
    return [result for result in results if isinstance(result, Exception)]


def test_two_presses_top_up_once(boss):
    card = services.issue(value=D("10"), key="c")
    results = at_once(
        6,
        lambda n: staff.top_up(card=cards().get(pk=card.pk), amount=D("5"), reason="x", key="token", user=boss),
    )
    assert not failures(results), results
    assert selectors.balance(card).amount == 15
    assert card.events.filter(kind="topped_up").count() == 1


def test_top_ups_of_several_are_all_booked(boss):
    card = services.issue(value=D("10"), key="c")
    results = at_once(
        6,
        lambda n: staff.top_up(card=cards().get(pk=card.pk), amount=D("5"), reason="x", key=f"t{n}", user=boss),
    )
    assert not failures(results), results
    assert selectors.balance(card).amount == 40


def test_a_later_end_at_once_brings_back_once(boss, time):
    services.set_policy(country="", months=1)
    card = services.issue(value=D("10"), key="c")
    time.move_to(card.expires_at)
    at_once(6, lambda n: services.extend(card=cards().get(pk=card.pk), expires_at=None, key=f"t{n % 2}", reason="x"))
    assert selectors.balance(card).amount == 10
    assert audit.run(keep=False).findings == []


def test_two_workers_at_one_batch_make_each_card_once(monkeypatch, boss):
    monkeypatch.setattr(bulk, "SLICE", 5)
    batch = bulk.ask(name="x", number=20, value=D("5"), key="x", user=boss)

    def work(n):
        if n == 3:
            return due.sweep()
        return [bulk.work(batch=batch.pk, start=start) for start in (0, 5, 10, 15)]

    results = at_once(4, work)
    assert not failures(results), results
    batch.refresh_from_db()
    assert (batch.state, batch.made, batch.cards.count()) == ("done", 20, 20)
    assert get_model("loyalty_ledger", "Account").objects.filter(owner_type="giftcard").count() == 20
    assert audit.run(keep=False).findings == []


def test_a_batch_asked_for_at_once_is_one(boss):
    results = at_once(6, lambda n: bulk.ask(name="x", number=5, value=D("5"), key="same", user=boss))
    assert not failures(results), results
    assert len({batch.pk for batch in results}) == 1
    due.sweep()
    assert cards().count() == 5


def test_a_card_is_sold_once_at_two_tills(boss):
    batch = bulk.finish(batch=bulk.ask(name="x", number=1, value=D("10"), key="x", at_till=True))
    card = batch.cards.get()
    results = at_once(6, lambda n: staff.activate_at_till(card=cards().get(pk=card.pk), key=f"till{n}", user=boss))
    assert len(failures(results)) == 5 and selectors.balance(card).amount == 10


def test_taking_back_while_it_is_spent_never_loses_or_makes_money(boss):
    from oscar_loyalty.ledger import books

    batch = bulk.finish(batch=bulk.ask(name="x", number=1, value=D("10"), key="x", at_till=True))
    card = batch.cards.get()
    staff.activate_at_till(card=card, key="k", user=boss)

    def act(n):
        own = cards().select_related("account", "batch").get(pk=card.pk)
        if n % 2:
            return staff.deactivate(card=own, reason="x")
        return books.spend(account=own.account, units=300, key="s")

    at_once(4, act)
    card.refresh_from_db()
    spent = get_model("loyalty_ledger", "Entry").objects.filter(key="s").exists()
    assert (card.state, selectors.balance(card).amount) == (("active", 7) if spent else ("waiting", 0))
    assert audit.run(keep=False).findings == []


SWEEP = """
import django; django.setup()
from oscar_loyalty.due import services
from oscar_loyalty.giftcards import bulk
bulk.SLICE = 7
services.sweep()
"""


def test_a_killed_worker_loses_and_doubles_nothing(boss, monkeypatch):
    """kill -9 in the middle of a batch: slices are made or not, and the next sweep makes what is left."""
    monkeypatch.setattr(bulk, "SLICE", 7)
    batch = bulk.ask(name="x", number=700, value=D("1"), key="x", user=boss)
    worker = subprocess.Popen(
        [sys.executable, "-c", SWEEP], env=processes.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    limit = clocks.monotonic() + 100
    while cards().count() < 21 and worker.poll() is None and clocks.monotonic() < limit:
        clocks.sleep(0.005)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    assert worker.returncode == -signal.SIGKILL
    done = cards().count()
    assert 0 < done < 700 and done % 7 == 0
    # The slice that was being made is leased; its lease runs out.
    with clock.frozen(timezone.now() + timedelta(minutes=10)):
        due.sweep()
    batch.refresh_from_db()
    assert (batch.state, batch.made, cards().count()) == ("done", 700, 700)
    assert audit.run(keep=False).findings == []
