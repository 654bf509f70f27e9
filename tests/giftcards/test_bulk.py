"""Cards made many at a time: once, whoever presses or dies; their codes leave only by the one door."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import bulk, selectors, services
from oscar_loyalty.giftcards.exceptions import GiftCardError, NotAllowed
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit

pytestmark = pytest.mark.django_db


def ask(**fields):
    return bulk.ask(
        **{"name": "Christmas", "number": 7, "value": D("20"), "key": "k1", "reason": "For partners"} | fields
    )


@pytest.fixture
def small(monkeypatch):
    """Slices of three cards."""
    monkeypatch.setattr(bulk, "SLICE", 3)


def test_asked_for_twice_they_are_made_once(small, clerk):
    for _press in range(2):
        batch = ask(user=clerk)
    assert batch.made == 0 and batch.state == "running"
    due.sweep()
    due.sweep()
    batch.refresh_from_db()
    assert (batch.made, batch.state, batch.percent) == (7, "done", 100)
    cards = list(batch.cards.select_related("account"))
    assert sum(money.amount for money in selectors.balances(cards).values()) == 140
    assert {card.state for card in cards} == {"active"} and len({card.lookup for card in cards}) == 7
    assert batch.events.get().actor_id == str(clerk.pk)
    for card in cards:
        assert [event.kind for event in card.events.all()] == ["issued", "activated"]
    with pytest.raises(KeyConflict):
        ask(number=8)
    assert audit.run(keep=False).findings == []


def test_no_mail_is_sent(mailoutbox):
    ask()
    due.sweep()
    assert mailoutbox == []


def test_each_works_like_any_other(who):
    batch = ask()
    due.sweep()
    card = batch.cards.first()
    assert services.look_up(services.code_of(card), who=who) == card


def test_a_worker_that_dies_loses_and_doubles_nothing(small, monkeypatch):
    batch = ask()
    earn, calls = bulk.books.earn_many, []

    def dies_once(earnings):
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit
        return earn(earnings)

    monkeypatch.setattr(bulk.books, "earn_many", dies_once)
    with pytest.raises(SystemExit):
        due.sweep()
    batch.refresh_from_db()
    assert batch.made == 3
    bulk.finish(batch=batch)
    assert batch.made == batch.cards.count() == 7 and batch.state == "done"
    for start in (0, 3, 6):
        assert bulk.work(batch=batch.pk, start=start) == 0
    assert audit.run(keep=False).findings == []


def test_they_end_as_they_are_told(time):
    services.set_policy(country="", months=12)
    ends = {}
    for kind, fields in {
        "policy": {},
        "never": {},
        "months": {"months": 3},
        "day": {"expires_at": time.at + timedelta(days=10)},
    }.items():
        batch = bulk.finish(batch=ask(key=kind, number=1, expiry_kind=kind, **fields))
        ends[kind] = batch.cards.get().expires_at
    assert ends["never"] is None and ends["day"] == time.at + timedelta(days=10)
    assert (ends["policy"] - time.at).days == 365 and (ends["months"] - time.at).days == 92
    assert audit.run(keep=False).findings == []


def test_they_heed_the_law_whoever_asks(time):
    services.set_policy(country="IE", months=60)
    for fields in ({"expiry_kind": "months", "months": 12}, {"expiry_kind": "day", "expires_at": time.at}):
        with pytest.raises(ValidationError):
            ask(**fields)
    assert ask(expiry_kind="months", months=60)


def test_so_much_money_needs_somebody_else(clerk, boss, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_TOPUP_LIMIT = 139
    with pytest.raises(NotAllowed):
        ask(user=clerk)
    # What is only printed holds nothing yet.
    assert ask(user=clerk, at_till=True, key="till")
    assert ask(user=boss)


@pytest.mark.parametrize(
    "fields",
    [{"number": 0}, {"number": bulk.MOST + 1}, {"value": None}, {"value": D(0)}, {"value": D("0.001")}, {"name": " "}],
)
def test_nonsense_is_refused(fields, db):
    with pytest.raises(ValueError):
        ask(**fields)


def test_codes_leave_by_the_one_door(clerk, django_user_model):
    batch = ask()
    with pytest.raises(GiftCardError):
        bulk.export_codes(batch=batch, user=clerk)
    clerk.user_permissions.add(Permission.objects.get(codename="export_codes"))
    clerk = django_user_model.objects.get(pk=clerk.pk)
    with pytest.raises(GiftCardError):
        bulk.export_codes(batch=batch, user=clerk)
    due.sweep()
    batch.refresh_from_db()
    services.disable(card=batch.cards.first())
    rows = list(bulk.export_codes(batch=batch, user=clerk))
    assert len(rows) == 6 and all(code == services.code_of(card) for card, code in rows)
    event = batch.events.get(kind="exported")
    assert event.actor_id == str(clerk.pk)


def test_codes_are_stored_nowhere(db):
    batch = bulk.finish(batch=ask(at_till=True))
    [(card, code), *_rest] = bulk.export_codes(batch=batch, user=None)
    kept = str(get_model("loyalty_giftcards", "GiftCard").objects.filter(pk=card.pk).values().get())
    assert code.replace("-", "") not in kept and code not in kept


def test_the_audit_sees_a_batch_that_lacks_cards(db):
    batch = bulk.finish(batch=ask(number=3))
    batch.made = 2
    batch.save()
    assert "giftcards.batch" in {finding.check for finding in audit.run(keep=False).findings}


def test_statements_do_not_grow_with_the_cards(db, django_assert_max_num_queries):
    batch = ask(number=200)
    with django_assert_max_num_queries(40):
        bulk.work(batch=batch.pk, start=0)
    assert batch.cards.count() == 200
