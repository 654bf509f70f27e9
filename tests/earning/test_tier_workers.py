"""A review in several processes: killed, side by side, and with somebody who changes while they are looked at."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from oscar_loyalty.due import services as due
from oscar_loyalty.earning.tiering import bulk, preview, proposals, review, standings
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors, services, signals
from oscar_loyalty.members import tiers as by_hand
from oscar_loyalty.members.tier_moves import Moves
from tests import processes
from tests.earning.tier_help import ladder, spend, tier

RUN = """
import sys, django; django.setup()
from oscar_loyalty.earning.tiering import review
from oscar_loyalty.loading import get_model
{before}
review.run(review=get_model("loyalty_members", "TierReview").objects.get(pk=int(sys.argv[1])))
"""
#: Dies in the third slice, when all of it is written and nothing is committed.
KILLED = """
import os, signal
from oscar_loyalty.members.tier_moves import Moves
write, times = Moves.write, []
def killed(self, **options):
    write(self, **options)
    times.append(1)
    if len(times) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
Moves.write = killed
"""


@pytest.fixture
def crowd(transactional_db, programme, time):
    """Sixty members; every second one has spent enough."""
    tiers = ladder(programme, metric="hand")
    found = []
    for number in range(60):
        user = get_user_model().objects.create_user(f"u{number}", f"u{number}@example.com")
        member = services.join(programme=programme, user=user, source="test")
        if number % 2:
            spend(member, 300, told=False)
        found.append(member)
    ladder(programme)
    return found, tiers


def start(begun, before=""):
    return subprocess.Popen(
        [sys.executable, "-c", RUN.format(before=before), str(begun.pk)],
        env=processes.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def changes():
    return get_model("loyalty_members", "TierChange").objects.count()


def prove(begun, crowd):
    people, tiers = crowd
    begun.refresh_from_db()
    assert begun.finished_at is not None
    assert (begun.seen, begun.risen, begun.fallen) == (60, 30, 0)
    assert [tier(person) for person in people] == ["bronze", "silver"] * 30
    assert changes() == 30
    assert get_model("loyalty_due", "Due").objects.filter(kind="members.tier_changed").count() == 30
    assert tiers["silver"].group.user_set.count() == 30


def test_a_killed_worker_loses_and_doubles_nothing(crowd, programme):
    begun = review.begin(programme=programme, size=7)
    process = start(begun, KILLED)
    said = process.communicate(timeout=200)
    assert process.returncode == -signal.SIGKILL, said
    begun.refresh_from_db()
    assert (begun.seen, begun.finished_at) == (14, None) and changes() == 7
    review.run(review=begun)
    prove(begun, crowd)


def test_two_at_once_do_what_one_does(crowd, programme):
    begun = review.begin(programme=programme, size=4)
    both = [start(begun), start(begun)]
    said = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    prove(begun, crowd)


def test_the_sweep_goes_on_with_what_a_dead_worker_left(crowd, programme, time):
    begun = review.begin(programme=programme, size=7)
    assert get_model("loyalty_due", "Due").objects.filter(kind=review.KIND).count() == 8
    review.step(review=begun)
    due.sweep()
    prove(begun, crowd)


@pytest.mark.django_db
def test_whoever_changes_while_they_are_looked_at_is_settled_as_they_are_then(programme, member, monkeypatch):
    tiers = ladder(programme)
    spend(member, 300, told=False)
    situations = standings.Standings.situations

    def slow(self):
        found = situations(self)
        spend(member, 900, told=False)
        by_hand.give_by_hand(member=member, tier=tiers["silver"], key="k")
        return found

    monkeypatch.setattr(standings.Standings, "situations", slow)
    outcome = bulk.settle_slice(programme=programme, first=0, last=None)
    assert tier(member) == "gold"
    assert (outcome.seen, outcome.risen, outcome.fallen) == (1, 1, 0)
    assert list(member.tier_changes.values_list("cause", flat=True)) == ["risen", "hand"]


@pytest.mark.django_db
def test_whoever_is_closed_meanwhile_is_left_alone(programme, member, monkeypatch):
    ladder(programme)
    spend(member, 300, told=False)
    lock = Moves.lock

    def late(self):
        services.set_status(member=member, status="closed")
        return lock(self)

    monkeypatch.setattr(Moves, "lock", late)
    outcome = bulk.settle_slice(programme=programme, first=0, last=None)
    assert tier(member) == "bronze" and (outcome.seen, outcome.risen) == (1, 0)


@pytest.mark.django_db
def test_a_shops_own_code_hears_of_moves_in_bulk(programme, member, django_capture_on_commit_callbacks):
    ladder(programme)
    spend(member, 300, told=False)
    heard = []

    def listen(sender, member, before, after, **kwargs):
        heard.append((member.pk, before.code, after.code))

    signals.tier_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            bulk.settle_slice(programme=programme, first=0, last=None)
    finally:
        signals.tier_changed.disconnect(listen)
    assert heard == [(member.pk, "bronze", "silver")]


@pytest.mark.django_db
def test_a_member_of_another_programme_is_another_ones(programme, member, django_user_model):
    from django.contrib.sites.models import Site

    other = services.create_programme(site=Site.objects.create(domain="b.example.com", name="B"), name="Other")
    tiers = ladder(other, silver=10, gold=20)
    ladder(programme)
    mine = services.join(programme=other, user=member.user, source="test")
    spend(mine, 100, told=False)
    spend(member, 100, told=False)
    for each in (programme, other):
        assert review.run(review=review.begin(programme=each, quiet=True)).seen == 1
    assert (tier(member), tier(mine)) == ("bronze", "gold")
    assert set(member.user.groups.all()) == {
        *(each.group for each in tiers.values()),
        selectors.tiers(programme).first().group,
    }


@pytest.mark.django_db
def test_a_slice_costs_as_many_queries_for_many_as_for_few(programme, django_user_model, django_assert_max_num_queries):
    ladder(programme, metric="hand")
    for number in range(30):
        user = django_user_model.objects.create_user(username=f"u{number}", email=f"u{number}@example.com")
        spend(services.join(programme=programme, user=user, source="test"), 100 + number * 20, told=False)
    ladder(programme)
    with django_assert_max_num_queries(40):
        assert bulk.settle_slice(programme=programme, first=0, last=None).risen == 25
    with django_assert_max_num_queries(13):
        assert bulk.settle_slice(programme=programme, first=0, last=None).risen == 0


@pytest.mark.django_db
def test_proposals_are_forgotten_with_those_who_would_move(programme, member, time):
    tiers = ladder(programme, metric="hand")
    spend(member, 300, told=False)
    steps = {tiers["silver"].pk: 200, tiers["gold"].pk: 500}
    fields = {"metric": "spend", "window": "rolling", "months": 12, "grace_days": 0, "warning_days": 0}
    made = preview.ask(proposal=proposals.make(programme=programme, fields=fields, thresholds=steps))
    assert (made.rising, made.moves.count()) == (1, 1)
    assert proposals.find(made.key, programme=programme) == made
    time.at += timedelta(days=2)
    assert preview.forget() == 0
    time.at += timedelta(minutes=1)
    assert proposals.find(made.key, programme=programme) is None
    assert preview.forget() == 1
    assert not get_model("loyalty_members", "TierProposalMove").objects.exists()
