"""What the shop's people do to cards: top up, sell at the till, take a mistake back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from oscar_loyalty.giftcards import bulk, selectors, services, staff
from oscar_loyalty.giftcards.exceptions import CodeRefused, GiftCardError, NotAllowed, TooManyTries
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.reports import audit

WHO = Guard(user_id=1, session_key="till", address="192.0.2.1")


@pytest.fixture
def _clean(db):
    yield
    assert audit.run(keep=False).findings == []


pytestmark = pytest.mark.usefixtures("_clean")


def printed(value=D("25"), number=3, **fields):
    """Cards for the till."""
    batch = bulk.ask(name="Counter", number=number, value=value, key=f"printed:{value}", at_till=True, **fields)
    bulk.finish(batch=batch)
    return list(batch.cards.order_by("pk"))


def code_of_printed(card):
    from oscar_loyalty.giftcards import codes

    return codes.make(uuid=card.uuid, generation=card.generation, key_id=card.key_id)


# Top-up


def test_a_top_up_once_for_each_key(card, clerk, who):
    for _press in range(2):
        staff.top_up(card=card, amount=D("12.50"), reason="A complaint", key="t1", user=clerk)
    assert selectors.balance(card).amount == D("62.50") and selectors.topped_up(card).amount == D("12.50")
    event = card.events.get(kind="topped_up")
    assert (event.actor_id, event.detail["reason"], event.detail["amount"]) == (str(clerk.pk), "A complaint", "12.50")
    assert services.look_up(services.code_of(card), who=who) == card
    with pytest.raises(KeyConflict):
        staff.top_up(card=card, amount=D("13"), reason="A complaint", key="t1", user=clerk)
    staff.top_up(card=card, amount=D("1"), reason="Another", key="t2", user=clerk)
    assert selectors.balance(card).amount == D("63.50")


def test_above_the_limit_somebody_else_must_do_it(card, clerk, boss, user, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_TOPUP_LIMIT = "20.00"
    staff.top_up(card=card, amount=D("20"), reason="x", key="a", user=clerk)
    with pytest.raises(NotAllowed, match=r"20\.00"):
        staff.top_up(card=card, amount=D("20.01"), reason="x", key="b", user=clerk)
    with pytest.raises(NotAllowed):
        staff.top_up(card=card, amount=D("1"), reason="x", key="c", user=user)
    staff.top_up(card=card, amount=D("2000"), reason="x", key="d", user=boss)
    assert selectors.balance(card).amount == 2070


@pytest.mark.parametrize("amount", ["0", "-5", "0.001", "100001"])
def test_nonsense_is_refused(amount, card, boss):
    with pytest.raises(ValueError):
        staff.top_up(card=card, amount=D(amount), reason="x", key="a", user=boss)
    with pytest.raises(ValueError):
        staff.top_up(card=card, amount=D("5"), reason=" ", key="a", user=boss)


def test_only_active_cards_are_topped_up(card, boss):
    services.disable(card=card)
    with pytest.raises(GiftCardError):
        staff.top_up(card=card, amount=D("5"), reason="x", key="a", user=boss)


def test_money_put_on_a_card_lives_as_long_as_new_money(boss, time):
    services.set_policy(country="US", months=60)
    card = services.issue(value=D("50"), key="us")
    first = card.expires_at
    time.advance(days=400)
    staff.top_up(card=card, amount=D("5"), reason="x", key="a", user=boss)
    assert card.expires_at > first + timedelta(days=390)
    assert {lot.expires_at for lot in card.account.lots.all()} == {card.expires_at}
    # A policy that is dropped leaves it its end, but for the law: five years from the last loading.
    services.set_policy(country="US", months=None)
    second = card.expires_at
    time.advance(days=100)
    staff.top_up(card=card, amount=D("5"), reason="x", key="b", user=boss)
    assert card.expires_at > second + timedelta(days=90)
    services.set_policy(country="US-CA", months=None)
    staff.top_up(card=card, amount=D("5"), reason="x", key="c", user=boss)
    assert card.expires_at is None


def test_a_topped_up_card_may_still_be_disabled_and_enabled(card, boss):
    staff.top_up(card=card, amount=D("5"), reason="x", key="a", user=boss)
    services.disable(card=card, reason="Lost")
    assert selectors.balance(card).amount == 0
    services.enable(card=card, reason="Found")
    assert selectors.balance(card).amount == 55
    assert card.events.get(kind="enabled").detail == {"reason": "Found"}


# The till


def test_a_printed_card_works_once_it_is_paid(clerk, who):
    card = printed()[0]
    code = code_of_printed(card)
    with pytest.raises(CodeRefused):
        services.look_up(code, who=who, empty_ok=True)
    assert staff.find(code, who=WHO) == card and staff.find(card.label.lower(), who=WHO) == card
    for _press in range(2):
        staff.activate_at_till(card=card, key="k1", user=clerk, note="Receipt 17")
    assert services.look_up(code, who=who) == card and services.code_of(card) == code
    assert selectors.balance(card).amount == 25
    assert card.events.get(kind="activated").detail == {"key": "k1", "reason": "Receipt 17"}
    with pytest.raises(GiftCardError):
        staff.activate_at_till(card=card, key="k2", user=clerk)


def test_a_printed_code_outlives_a_new_key(clerk, who, settings):
    card = printed()[0]
    code = code_of_printed(card)
    settings.OSCAR_LOYALTY_GIFTCARD_KEYS = {"new": "n" * 40, **settings.OSCAR_LOYALTY_GIFTCARD_KEYS}
    staff.activate_at_till(card=card, key="k1", user=clerk)
    assert services.look_up(code, who=who) == card and services.code_of(card) == code


def test_a_blank_card_gets_its_value_at_the_till(clerk, boss, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_TOPUP_LIMIT = 100
    card, other, _third = printed(value=None)
    for value in (None, D("0"), D("-1"), D("1.001")):
        with pytest.raises(ValueError):
            staff.activate_at_till(card=card, key="k", user=clerk, value=value)
    with pytest.raises(NotAllowed):
        staff.activate_at_till(card=card, key="k", user=clerk, value=D("101"))
    card.refresh_from_db()
    assert (card.state, card.value) == ("waiting", 0)
    staff.activate_at_till(card=card, key="k", user=clerk, value=D("40"))
    staff.activate_at_till(card=other, key="k", user=boss, value=D("400"))
    assert selectors.balance(card).amount == 40 and selectors.balance(other).amount == 400


def test_the_value_of_a_printed_card_is_its_own(clerk):
    card = printed()[0]
    staff.activate_at_till(card=card, key="k", user=clerk, value=D("999"))
    assert card.value == 25 and selectors.balance(card).amount == 25


def test_a_card_from_the_till_lives_from_its_activation(clerk, time):
    card = printed(expiry_kind="months", months=6)[0]
    time.advance(days=100)
    staff.activate_at_till(card=card, key="k", user=clerk)
    assert card.expires_at > time.at + timedelta(days=180)


def test_a_card_whose_day_has_passed_is_not_sold(clerk, time):
    card = printed(expiry_kind="day", expires_at=time.at + timedelta(days=5))[0]
    time.advance(days=5)
    with pytest.raises(GiftCardError):
        staff.activate_at_till(card=card, key="k", user=clerk)


@pytest.mark.parametrize("value", [D("25"), None])
def test_a_mistake_is_taken_back_on_its_day(value, clerk, time, who):
    card = printed(value=value)[0]
    for turn in range(3):
        staff.activate_at_till(card=card, key=f"k{turn}", user=clerk, value=D("25"))
        assert selectors.balance(card).amount == 25
        for _press in range(2):
            staff.deactivate(card=card, reason="Wrong card")
        assert card.state == "waiting" and selectors.balance(card).amount == 0
        assert card.value == (value or 0)
        with pytest.raises(CodeRefused):
            services.look_up(code_of_printed(card), who=who)
    assert card.events.filter(kind="deactivated").count() == 3
    staff.activate_at_till(card=card, key="k", user=clerk, value=D("25"))
    time.advance(days=1)
    with pytest.raises(GiftCardError):
        staff.deactivate(card=card, reason="Too late")
    assert selectors.balance(card).amount == 25


@pytest.mark.parametrize("reader", [None, "Asia/Tokyo", "America/New_York"])
def test_the_day_of_a_mistake_is_the_shops(reader, clerk, time):
    # Half past midnight in Paris; where some read, it is still, or was already, another day.
    time.move_to(datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    card = printed()[0]
    staff.activate_at_till(card=card, key="k", user=clerk)
    with timezone.override(reader):
        for hours, may in ((0, True), (23, True), (1, False)):
            time.advance(hours=hours)
            assert staff.can_take_back(card) == may


def test_a_used_card_is_not_taken_back(clerk):
    card, held, _third = printed()
    staff.activate_at_till(card=card, key="k", user=clerk)
    books.spend(account=card.account, units=1, key="s")
    staff.activate_at_till(card=held, key="k", user=clerk)
    books.hold(account=held.account, units=1, key="h", until=held.activated_at + timedelta(hours=1))
    for used in (card, held):
        with pytest.raises(GiftCardError):
            staff.deactivate(card=used, reason="x")


def test_other_cards_are_not_the_tills(card, clerk):
    waiting = services.issue(value=D("10"), key="unpaid", activate=False)
    for other in (card, waiting):
        assert not staff.can_take_back(other)
        with pytest.raises(CodeRefused):
            staff.find(other.label, who=WHO)
        with pytest.raises(GiftCardError):
            staff.activate_at_till(card=other, key="k", user=clerk)
        with pytest.raises(GiftCardError):
            staff.deactivate(card=other, reason="x")


def test_guessing_at_the_till_is_limited(clerk):
    card = printed()[0]
    for _guess in range(10):
        with pytest.raises(CodeRefused):
            staff.find("2222-2222-2222-2222-2222", who=WHO)
    with pytest.raises(TooManyTries):
        staff.find(card.label, who=WHO)
