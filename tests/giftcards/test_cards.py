import pickle
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override

from oscar_loyalty.giftcards import selectors, services
from oscar_loyalty.giftcards.exceptions import CodeRefused, GiftCardError
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money, from_minor, to_minor
from oscar_loyalty.reports import audit


def left(card):
    return selectors.balance(card).amount


def due_kinds():
    return sorted(get_model("loyalty_due", "Due").objects.values_list("kind", flat=True))


def test_an_issued_card_works_at_once_and_is_sent(card):
    assert card.state == "active" and card.activated_at
    assert selectors.balance(card) == Money(Decimal("50.00"), "EUR")
    assert due_kinds() == ["giftcards.deliver"]
    assert {row.kind for row in selectors.card_history(card)} == {"issued", "activated", "loaded"}


def test_the_same_key_issues_one_card(card, user):
    again = services.issue(value=Decimal("50.00"), key="first", buyer=user)
    assert again.pk == card.pk
    assert left(card) == 50
    with pytest.raises(KeyConflict):
        services.issue(value=Decimal("40"), key="first")


@pytest.mark.parametrize("value", ["0", "-5", "0.001", "NaN", "Infinity"])
def test_a_card_is_worth_more_than_nothing(db, value):
    with pytest.raises(ValueError, match=r"gift card|finer|finite"):
        services.issue(value=Decimal(value), key="bad")


def test_a_waiting_card_has_no_code_and_no_money(db, who):
    card = services.issue(value=Decimal("10"), key="w", activate=False)
    assert (card.state, card.lookup, left(card)) == ("waiting", None, 0)
    with pytest.raises(GiftCardError):
        services.code_of(card)
    services.activate(card=card)
    assert services.look_up(services.code_of(card), who=who) == card


def test_activating_twice_loads_once(db):
    card = services.issue(value=Decimal("10"), key="w", activate=False)
    for _time in range(2):
        services.activate(card=card, key="order:1")
    assert left(card) == 10
    assert card.events.filter(kind="activated").count() == 1
    assert due_kinds() == ["giftcards.deliver"]


def test_a_card_loaded_from_history_is_not_sent(db, time):
    services.issue(value=Decimal("10"), key="old", deliver=False, happened_at=time.at)
    assert due_kinds() == []


def test_disabling_takes_the_money_off_and_enabling_gives_it_back(card):
    books.spend(account=card.account, units=1500, key="spent")
    for _time in range(2):
        services.disable(card=card, reason="lost")
    assert (card.state, card.disabled_reason, left(card)) == ("disabled", "lost", 0)
    card.account.refresh_from_db()
    assert card.account.balance == 0
    for _time in range(2):
        services.enable(card=card)
    assert (card.state, card.disabled_reason, left(card)) == ("active", "", 35)
    services.disable(card=card)
    services.enable(card=card)
    assert left(card) == 35


def test_a_card_that_was_never_paid_waits_again_once_enabled(db):
    card = services.issue(value=Decimal("10"), key="w", activate=False)
    services.disable(card=card)
    with pytest.raises(GiftCardError):
        services.activate(card=card)
    services.enable(card=card)
    assert card.state == "waiting"
    services.activate(card=card)
    assert left(card) == 10


def test_what_a_checkout_has_set_aside_survives_disabling(time, card):
    hold = books.hold(account=card.account, units=2000, key="h", until=time.at.replace(hour=13))
    services.disable(card=card)
    assert left(card) == 0
    assert services.empty_disabled() == 0
    books.release(hold=hold)
    assert left(card) == 20
    assert services.empty_disabled() == 1
    assert left(card) == 0
    services.enable(card=card)
    assert left(card) == 50


def test_a_new_code_replaces_the_old_one(card, who):
    old = services.code_of(card)
    services.reissue(card=card, reason="lost")
    new = services.code_of(card)
    assert new != old
    assert services.look_up(new, who=who).pk == card.pk
    with pytest.raises(CodeRefused):
        services.look_up(old, who=who)
    services.disable(card=card)
    with pytest.raises(GiftCardError):
        services.reissue(card=card)


def test_keys_rotate_and_old_codes_go_on(card, who, settings):
    old = services.code_of(card)
    settings.OSCAR_LOYALTY_GIFTCARD_KEYS = {"new": "n" * 40, **settings.OSCAR_LOYALTY_GIFTCARD_KEYS}
    assert services.look_up(old, who=who).pk == card.pk
    services.reissue(card=card)
    assert card.key_id == "new"
    assert services.look_up(services.code_of(card), who=who).pk == card.pk


def test_another_recipient_gets_another_code(card):
    old = services.code_of(card)
    services.set_recipient(card=card, name="Anna\nMaria", email=" anna@example.com ")
    assert (card.recipient_name, card.recipient_email) == ("Anna Maria", "anna@example.com")
    assert services.code_of(card) != old
    now = services.code_of(card)
    services.set_recipient(card=card, name="Anna", email="ANNA@example.com")
    assert services.code_of(card) == now
    with pytest.raises(ValidationError):
        services.set_recipient(card=card, name="Anna", email="nonsense")


def test_the_code_is_shown_to_the_buyer_once(card):
    assert services.show_once(card=card) == services.code_of(card)
    assert services.show_once(card=card) is None
    assert card.events.filter(kind="shown").count() == 1


def test_names_and_addresses_are_cleaned_and_never_break_an_order(db):
    card = services.issue(
        value=Decimal("10"), key="x", recipient_name="A\r\nBcc: b@example.com", recipient_email="no mail"
    )
    assert card.recipient_name == "A Bcc: b@example.com"
    assert card.recipient_email == ""


def test_the_history_tells_what_came_and_went(card):
    books.spend(account=card.account, units=1250, key="spent")
    rows = selectors.card_history(card, money_only=True)
    assert [(row.kind, row.amount.amount, row.balance.amount) for row in rows] == [
        ("loaded", Decimal("50.00"), Decimal("50.00")),
        ("spend", Decimal("-12.50"), Decimal("37.50")),
    ]


def test_cards_are_found_by_what_an_owner_knows(card, user):
    for words in (card.label, card.label.lower(), "rose@example.com", ""):
        assert list(selectors.search(words)) == [card]
    assert not selectors.search("nobody").exists()
    assert not selectors.search(state="waiting").exists()
    assert list(selectors.cards_of(user)) == [card]
    assert not selectors.cards_of(None).exists()


def test_a_card_outlives_its_buyer(card, user):
    user.delete()
    card.refresh_from_db()
    assert card.buyer is None and left(card) == 50


def test_the_audit_agrees(card):
    services.disable(card=services.issue(value=Decimal("10"), key="b"))
    assert list(audit.giftcards()) == [] and list(audit.ledger()) == []


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("10.50", "EUR", 1050), ("1000", "JPY", 1000), ("1.234", "KWD", 1234), ("-0.01", "EUR", -1), ("0", "EUR", 0)],
)
def test_money_in_minor_units_and_back(amount, currency, units):
    assert to_minor(Decimal(amount), currency) == units
    assert from_minor(units, currency) == Decimal(amount)


def test_money_reads_as_the_shop_writes_it():
    money = Money(Decimal("1010.5"), "EUR")
    with override("en"):
        assert str(money) == "€1,010.50"
    with override("fr"):
        assert " ".join(str(money).split()) == "1 010,50 €"
    assert money and not Money(Decimal(0), "EUR")
    assert pickle.loads(pickle.dumps(money)) == money  # noqa: S301
