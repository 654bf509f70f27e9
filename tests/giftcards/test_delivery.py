"""Sending on a day of the buyer's choice: not before, not twice, and not at all if the card is out of use."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import delivery, designs, services
from oscar_loyalty.giftcards.exceptions import TooLate
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 9)
AT = datetime(2026, 3, 9, 8, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.fixture
def card(time, user):
    """A card for Anna, to be sent in a week."""
    return services.issue(
        value=D(35), key="one", buyer=user, recipient_name="Anna", recipient_email="anna@example.com", deliver_at=AT
    )


def sent(to="anna@example.com"):
    return [letter for letter in mail.outbox if letter.to == [to]]


def at(time, moment):
    time.advance(seconds=(moment - clock.now()).total_seconds())
    due.sweep()
    due.sweep()


def test_the_moment_is_a_morning_in_the_shops_zone(time, settings):
    assert delivery.moment(DAY) == AT
    settings.OSCAR_LOYALTY_GIFTCARD_DELIVERY_HOUR = 10
    assert delivery.moment(DAY) == AT + timedelta(hours=2)
    assert delivery.moment(date(2026, 3, 2)) is None
    assert delivery.moment(date(2026, 3, 1)) is None
    assert delivery.moment(None) is None
    # Nobody may wait longer than a year, whatever a line says.
    assert delivery.moment(date(2099, 1, 1)).date() == date(2027, 3, 2)


def test_today_is_the_shops_day(time):
    with clock.frozen(datetime(2026, 3, 2, 23, 30, tzinfo=UTC)):
        assert delivery.today() == date(2026, 3, 3)
    with clock.frozen(datetime(2028, 2, 29, 12, tzinfo=UTC)):
        assert delivery.last_day() == date(2029, 2, 28)


def test_it_is_sent_at_its_moment_once(time, card):
    at(time, AT - timedelta(seconds=1))
    assert sent() == []
    at(time, AT)
    at(time, AT + timedelta(days=1))
    assert len(sent()) == 1
    card.refresh_from_db()
    assert not card.is_scheduled
    # The buyer hears of it then, not before.
    assert len(sent("rose@example.com")) == 1


def test_a_card_paid_after_its_day_is_sent_at_once(time, user):
    card = services.issue(
        value=D(35), key="late", buyer=user, recipient_email="anna@example.com", deliver_at=AT, activate=False
    )
    at(time, AT + timedelta(days=2))
    assert sent() == []
    services.activate(card=card)
    due.sweep()
    assert len(sent()) == 1


def test_a_card_out_of_use_is_not_sent_until_it_is_back(time, card):
    services.disable(card=card)
    at(time, AT + timedelta(hours=1))
    assert sent() == []
    services.enable(card=card)
    due.sweep()
    assert len(sent()) == 1


@pytest.mark.parametrize("days", [-3, 30])
def test_the_day_may_be_changed(time, card, days):
    services.set_delivery_day(card=card, day=DAY + timedelta(days=days))
    moment = AT + timedelta(days=days)
    if days > 0:
        # Into summer time: still at eight.
        moment = datetime(2026, 4, 8, 8, tzinfo=ZoneInfo("Europe/Paris"))
    at(time, moment - timedelta(minutes=1))
    assert sent() == []
    at(time, moment + timedelta(minutes=1))
    at(time, AT + timedelta(days=40))
    assert len(sent()) == 1
    assert card.events.filter(kind="scheduled").count() == 1


def test_a_row_that_comes_too_early_waits_on(time, card):
    """As after a reissue, whose row keeps the day that was chosen before."""
    row = get_model("loyalty_due", "Due").objects.get(kind=delivery.DELIVER)
    get_model("loyalty_due", "Due").objects.filter(pk=row.pk).update(due_at=clock.now())
    due.sweep()
    assert sent() == []
    row.refresh_from_db()
    assert (row.state, row.due_at) == ("waiting", AT)
    at(time, AT)
    assert len(sent()) == 1


def test_a_reissued_card_keeps_its_day(time, card):
    services.reissue(card=card)
    due.sweep()
    assert sent() == []
    at(time, AT)
    [letter] = sent()
    card.refresh_from_db()
    assert services.code_of(card) in letter.body


def test_send_it_now(time, card):
    services.set_delivery_day(card=card, day=None)
    due.sweep()
    assert len(sent()) == 1
    at(time, AT + timedelta(hours=1))
    assert len(sent()) == 1
    with pytest.raises(TooLate):
        services.set_delivery_day(card=card, day=DAY)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2027, 3, 3)])
def test_days_that_cannot_be(card, day):
    with pytest.raises(ValueError):
        services.set_delivery_day(card=card, day=day)


def test_a_corrected_recipient_keeps_the_code_nobody_has(time, card):
    generation = card.generation
    services.set_recipient(card=card, name="Anne", email="anne@example.com")
    assert card.generation == generation
    at(time, AT)
    assert sent() == [] and len(sent("anne@example.com")) == 1
    # Afterwards somebody has it.
    services.set_recipient(card=card, name="Anne", email="another@example.com")
    assert card.generation == generation + 1


def test_until_then_the_buyer_sees_no_code(time, card):
    assert services.show_once(card=card) is None
    assert services.print_once(card=card) is None
    assert card.code_shown_at is None


def test_what_is_shown_may_be_printed_once(time, user):
    card = services.issue(value=D(35), key="own", buyer=user)
    assert services.print_once(card=card) is None
    code = services.show_once(card=card)
    assert services.print_once(card=card) == code
    assert services.print_once(card=card) is None
    assert card.events.filter(kind="printed").count() == 1


def test_the_line_says_when_and_how(basket, ten, place, time):
    from oscar_loyalty.giftcards import selectors

    options = selectors.options_for(
        recipient_name="Anna", recipient_email="anna@example.com", design="ribbon", deliver_on=DAY
    )
    basket.add_product(ten.product, options=options)
    basket.add_product(ten.product, options=selectors.options_for(deliver_on=DAY, design="no such"))
    anna, own = services.issue_for_lines(place())
    assert (anna.design, anna.deliver_at) == ("ribbon", AT)
    # A card for oneself does not wait; a design that is gone is the default one.
    assert (own.design, own.deliver_at) == ("blossoms", None)


def test_a_shop_has_designs_of_its_own(settings):
    settings.OSCAR_LOYALTY_GIFTCARD_DESIGNS = {
        "confetti": None,
        "stars": {"name": "Stars", "template": "shop/stars.svg", "picture": "shop/stars.png"},
    }
    assert [design.code for design in designs.designs()] == ["blossoms", "ribbon", "stars"]
    assert designs.get("stars").name == "Stars"
    assert designs.get("confetti").code == "blossoms"
