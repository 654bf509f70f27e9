"""The owner's page of payments: what is shown, to whom, in how many queries; and the button that looks again."""

import pytest
from django.core import mail
from oscar.core.loading import get_model

from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import settling, watching
from oscar_loyalty.payments.exceptions import ProviderDown
from tests.stripe.conftest import last_attempt, tender_of

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _menu(settings):
    from oscar_loyalty.dashboard.navigation import NAVIGATION

    settings.OSCAR_DASHBOARD_NAVIGATION = [*settings.OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]


@pytest.fixture
def paid(bank, to_stripe, shopper, rich, haircut, card_10):
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    to_stripe(shopper)
    bank.pay()
    return last_attempt()


@pytest.fixture
def owner(client, boss):
    client.force_login(boss)
    return client


def test_the_list_and_one_of_them(paid, owner, url, bank):
    page = owner.get(url("payments")).content.decode()
    assert paid.order_number in page
    assert "Every payment came to its end." in page
    settling.settle(attempt=paid, at_once=True)
    page = owner.get(url("payment", paid.uuid)).content.decode()
    assert "The card was charged" in page
    assert "Visa •••• 4242" in page
    assert tender_of(paid).reference in page
    assert "Look again" not in page
    assert paid.order_number in owner.get(url("payments") + "?state=placed&q=rose").content.decode()
    assert "No payment matches" in owner.get(url("payments") + "?state=cancelled").content.decode()


def test_looking_again_places_the_order(paid, owner, url):
    assert "Look again" in owner.get(url("payment", paid.uuid)).content.decode()
    owner.post(url("payment-settle", paid.uuid, "settle"))
    assert tender_of(paid).state == "captured"
    owner.post(url("payment-settle", paid.uuid, "settle"))
    assert Order.objects.count() == 1


def test_looking_again_at_what_is_away(paid, owner, url, bank):
    bank.control.fault("GET /v1/*", "500_before")
    response = owner.post(url("payment-settle", paid.uuid, "settle"), follow=True)
    assert "gave no clear answer" in response.content.decode()
    assert last_attempt().state == "open"


def test_who_may_see_and_who_may_do(paid, client, staff, url):
    client.force_login(staff(username="none"))
    assert client.get(url("payments")).status_code == 403
    client.force_login(staff("view_loyalty"))
    assert client.get(url("payments")).status_code == 200
    assert "Look again" not in client.get(url("payment", paid.uuid)).content.decode()
    assert client.post(url("payment-settle", paid.uuid, "settle")).status_code == 403
    assert client.get(url("payment-settle", paid.uuid, "settle")).status_code in (403, 405)


def test_many_payments_in_few_queries(
    bank, to_stripe, new_shopper, programme, haircut, owner, url, django_assert_max_num_queries
):
    for _shopper in range(5):
        shopper = new_shopper()
        shopper.add(haircut)
        to_stripe(shopper)
    owner.get(url("payments"))
    with django_assert_max_num_queries(22):
        owner.get(url("payments"))
    with django_assert_max_num_queries(22):
        owner.get(url("payment", last_attempt().uuid))
    with django_assert_max_num_queries(14):
        owner.get(url("payment-events"))


def test_a_payment_that_will_be_lost_tomorrow(paid, owner, url, bank, settings):
    settings.ADMINS = [("Ada", "ada@example.com")]
    bank.control.fault("POST /v1/payment_intents/*/capture", "500_before", times=1000)
    with pytest.raises(ProviderDown):
        settling.settle(attempt=paid, at_once=True)
    assert watching.light().late == 0
    bank.clock.move_to(tender_of(paid).capture_before)
    bank.clock.advance(hours=-20)
    assert watching.light().late == 1
    page = owner.get(url("payments") + "?state=look").content.decode()
    assert "must be charged within a day" in page
    assert paid.order_number in page
    for _time in range(2):
        due.sweep()
    [letter] = [letter for letter in mail.outbox if "ada@example.com" in letter.to]
    assert "€30.00" in letter.body
    bank.control.faults(clear=True)
    settling.settle(attempt=paid, at_once=True)
    assert watching.light().colour == "green"


def test_an_event_that_failed_is_shown(paid, owner, url, bank):
    events = get_loyalty_model("loyalty_payments", "StripeEvent").objects
    events.create(
        event_id="evt_1",
        kind="payment_intent.succeeded",
        state="failed",
        note="?",
        happened_at=paid.created_at,
        received_at=paid.created_at,
    )
    assert "1 message from Stripe could not be handled" in owner.get(url("overview")).content.decode()
    assert "evt_1" in owner.get(url("payment-events") + "?state=failed").content.decode()
