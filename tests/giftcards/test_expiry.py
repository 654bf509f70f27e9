"""When cards end: the policy and its floor, later ends, what expired and comes back, the reminder."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone

from oscar_loyalty import times
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import expiry, selectors, services, staff
from oscar_loyalty.giftcards.exceptions import CodeRefused, GiftCardError, NotAllowed
from oscar_loyalty.giftcards.laws import LAWS
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.reports import audit


def clean():
    return audit.run(keep=False).findings == []


@pytest.fixture
def year(db, time):
    """Cards live twelve months."""
    return services.set_policy(country="", months=12)


@pytest.fixture
def ending(year):
    """A card of 50 euros that ends with 2 March 2027."""
    return services.issue(value=D("50"), key="ending", recipient_name="Lou", recipient_email="lou@example.com")


def test_without_a_policy_cards_never_end(card, time):
    assert card.expires_at is None
    assert card.account.lots.get().expires_at is None


def test_a_card_ends_with_the_day_of_the_shop(ending):
    assert timezone.localtime(ending.expires_at).strftime("%Y-%m-%d %H:%M") == "2027-03-03 00:00"
    assert ending.account.lots.get().expires_at == ending.expires_at
    assert clean()


def test_a_card_that_waits_lives_from_its_activation(year, time):
    card = services.issue(value=D("10"), key="w", activate=False)
    assert card.expires_at is None
    time.advance(days=60)
    services.activate(card=card)
    assert timezone.localdate(card.expires_at).isoformat() == "2027-05-02"


def test_existing_cards_keep_what_they_have(card, year):
    card.refresh_from_db()
    assert card.expires_at is None and clean()


@pytest.mark.parametrize("late", [False, True])
def test_an_ended_card_gets_the_answer_of_every_wrong_code(ending, who, time, late):
    code = services.code_of(ending)
    assert services.look_up(code, who=who) == ending
    time.move_to(ending.expires_at - timedelta(seconds=1))
    assert services.look_up(code, who=who) == ending
    time.move_to(ending.expires_at)
    if not late:
        due.sweep()
    assert selectors.balance(ending).amount == 0
    for empty_ok in (False, True):
        with pytest.raises(CodeRefused):
            services.look_up(code, who=who, empty_ok=empty_ok)
    assert clean()


@pytest.mark.parametrize(
    ("country", "months", "allowed"),
    [
        ("", 1, True),
        ("", None, True),
        ("FR", 1, True),
        ("US", 59, False),
        ("US", 60, True),
        ("US", None, True),
        ("IE", 12, False),
        ("AU", 36, True),
        ("NZ", 35, False),
        ("DE", 24, False),
        ("DE", 36, True),
        ("CA-ON", 600, False),
        ("CA-QC", None, True),
        ("AT", 120, False),
    ],
)
def test_the_law_is_a_floor(country, months, allowed, db):
    if allowed:
        services.set_policy(country=country, months=months)
        assert (expiry.policy().country, expiry.policy().months) == (country, months)
        return
    with pytest.raises(ValidationError) as error:
        services.set_policy(country=country, months=months)
    assert LAWS[country].source in str(error.value.messages)
    assert expiry.policy().pk is None


def test_an_unknown_country_is_refused(db):
    with pytest.raises(ValidationError):
        services.set_policy(country="ZZ", months=12)


def test_german_cards_live_to_the_end_of_the_third_year(db, time):
    services.set_policy(country="DE", months=36)
    card = services.issue(value=D("10"), key="de")
    assert timezone.localtime(card.expires_at).strftime("%Y-%m-%d %H:%M") == "2030-01-01 00:00"


@pytest.mark.parametrize("reader", ["Asia/Tokyo", "America/New_York"])
def test_the_year_of_a_german_card_is_the_shops(db, reader):
    with timezone.override(reader):
        for moment, year in (
            (datetime(2026, 12, 31, 22, 30, tzinfo=UTC), 2029),
            (datetime(2027, 1, 1, tzinfo=UTC), 2030),
        ):
            assert times.last_day(LAWS["DE"].earliest(moment)) == date(year, 12, 31)


def test_a_later_end(ending, time):
    books.spend(account=ending.account, units=1000, key="s")
    end = ending.expires_at + timedelta(days=90)
    for _press in range(2):
        services.extend(card=ending, expires_at=end, key="t1", reason="Was ill")
    assert ending.expires_at == end and selectors.balance(ending).amount == 40
    event = ending.events.get(kind="extended")
    assert event.detail["reason"] == "Was ill" and event.detail["brought_back"] == 0
    time.move_to(end - timedelta(seconds=1))
    assert selectors.balance(ending).amount == 40
    time.move_to(end)
    assert selectors.balance(ending).amount == 0 and clean()


def test_never_an_earlier_end(ending, time):
    card = services.issue(value=D("5"), key="for ever", expires_at=None)
    for end in (ending.expires_at, ending.expires_at - timedelta(days=1), time.at - timedelta(days=1)):
        with pytest.raises(NotAllowed):
            services.extend(card=ending, expires_at=end, key="t", reason="x")
    with pytest.raises(NotAllowed):
        services.extend(card=card, expires_at=time.at + timedelta(days=999), key="t", reason="a card that never ends")
    services.disable(card=ending)
    with pytest.raises(GiftCardError):
        services.extend(card=ending, expires_at=None, key="t", reason="x")


@pytest.mark.parametrize("late", [False, True])
def test_what_expired_comes_back_once(ending, time, late):
    books.spend(account=ending.account, units=1000, key="s")
    time.move_to(ending.expires_at + timedelta(days=5))
    if not late:
        due.sweep()
    assert expiry.expired_units(ending) == 4000
    for _press in range(2):
        services.extend(card=ending, expires_at=time.at + timedelta(days=30), key="back", reason="A good customer")
    assert selectors.balance(ending).amount == 40 and expiry.expired_units(ending) == 0
    assert ending.events.get(kind="extended").detail["brought_back"] == 4000
    assert clean()
    # And once more, a year on: only what is left then.
    books.spend(account=ending.account, units=1500, key="s2")
    time.advance(days=40)
    services.extend(card=ending, expires_at=None, key="again", reason="Again")
    assert selectors.balance(ending).amount == 25 and ending.expires_at is None
    assert clean()


def test_without_bringing_back_only_new_money_lives(ending, time, boss):
    time.move_to(ending.expires_at)
    services.extend(card=ending, expires_at=time.at + timedelta(days=30), key="t", reason="x", bring_back=False)
    assert selectors.balance(ending).amount == 0
    staff.top_up(card=ending, amount=D("5"), reason="y", key="u", user=boss)
    assert selectors.balance(ending).amount == 5 and clean()


def test_what_a_checkout_holds_survives_its_end(ending, time):
    hold = books.hold(account=ending.account, units=2000, key="h", until=ending.expires_at + timedelta(minutes=30))
    time.move_to(ending.expires_at + timedelta(minutes=10))
    assert ledger.balances([ending.account])[ending.account_id].held == 2000
    services.extend(card=ending, expires_at=time.at + timedelta(days=30), key="t", reason="x")
    books.capture(hold=hold, key="c")
    assert selectors.balance(ending).amount == 30 and clean()


def test_a_reminder_once_for_each_end(ending, time, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_REMIND_DAYS = 14
    due.sweep()
    mail.outbox.clear()
    time.move_to(ending.expires_at - timedelta(days=15))
    due.sweep()
    assert mail.outbox == []
    time.advance(days=2)
    for _sweep in range(3):
        due.sweep()
    [message] = mail.outbox
    assert message.to == ["lou@example.com"] and "March 2, 2027" in message.subject and "€50.00" in message.body
    assert services.code_of(ending) not in message.body
    assert ending.events.filter(kind="reminded").count() == 1
    services.extend(card=ending, expires_at=ending.expires_at + timedelta(days=100), key="t", reason="x")
    mail.outbox.clear()
    due.sweep()
    assert mail.outbox == []
    time.move_to(ending.expires_at - timedelta(days=1))
    due.sweep()
    due.sweep()
    assert len(mail.outbox) == 1


def test_no_reminder_of_an_empty_card_or_without_days(ending, time, settings):
    books.spend(account=ending.account, units=5000, key="s")
    due.sweep()
    mail.outbox.clear()
    time.move_to(ending.expires_at - timedelta(days=1))
    due.sweep()
    assert mail.outbox == []
    full = services.issue(
        value=D("5"),
        key="full",
        recipient_email="max@example.com",
        expires_at=time.at + timedelta(days=1),
        deliver=False,
    )
    settings.OSCAR_LOYALTY_GIFTCARD_REMIND_DAYS = 0
    due.sweep()
    due.sweep()
    assert mail.outbox == []
    settings.OSCAR_LOYALTY_GIFTCARD_REMIND_DAYS = 30
    due.sweep()
    due.sweep()
    assert [message.to for message in mail.outbox] == [["max@example.com"]]
    full.refresh_from_db()
    assert full.reminded_for == full.expires_at


def test_the_audit_sees_money_that_ends_before_its_card(ending):
    lot = ending.account.lots.get()
    lot.expires_at = datetime(2026, 12, 1, tzinfo=UTC)
    lot.save()
    assert [finding.check for finding in audit.run(keep=False).findings] == ["giftcards.end"]
    lot.expires_at = None
    lot.save()
    assert [finding.check for finding in audit.run(keep=False).findings] == ["giftcards.end"]
