"""What the plugin adds to the POST that places an order, in queries: it must not grow again.

Oscar's own number is counted by ``benchmarks/checkout.py``, in a shop without the plugin.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oscar.core.loading import get_class, get_model

from oscar_loyalty.earning import rules
from oscar_loyalty.loading import get_model as get_loyalty_model

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db(transaction=True)

#: Oscar alone, for an order of one line that is not shipped; of these, for the mail that confirms it.
OSCAR, ITS_MAIL = 36, 8


def asked(shopper):
    """Place the order; return how many queries that took, without the ends of transactions."""
    with CaptureQueriesContext(connection) as queries:
        response = shopper.place()
    assert response.url == "/checkout/thank-you/"
    return len([query for query in queries if not query["sql"].startswith(("BEGIN", "COMMIT"))])


@pytest.fixture
def warm(shopper, member, haircut, programme):
    """The member has bought before; the programme gives points."""
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})
    shopper.add(haircut)
    shopper.place()
    shopper.client.get("/checkout/thank-you/")
    return shopper.add(haircut)


def test_nothing_to_redeem(warm, shopper):
    added = asked(shopper) - (OSCAR - ITS_MAIL)
    assert added <= 13
    assert Order.objects.count() == 2


def test_nothing_to_redeem_and_the_mail_sent_at_once(warm, shopper, monkeypatch):
    monkeypatch.setattr(get_class("checkout.views", "PaymentDetailsView"), "mail_through_outbox", False)
    assert asked(shopper) - OSCAR <= 13


def test_somebody_who_is_no_member(programme, haircut, new_shopper):
    shopper = new_shopper()
    shopper.add(haircut)
    shopper.place()
    shopper.add(haircut)
    assert asked(shopper) - (OSCAR - ITS_MAIL) <= 13


def test_an_offer_of_the_programme_that_is_not_for_this_order(warm, shopper, rich):
    """Having points that are not used costs nothing."""
    shopper.client.get("/checkout/preview/")
    assert asked(shopper) - (OSCAR - ITS_MAIL) <= 13


def test_a_gift_card_pays_a_part(warm, shopper, haircut, issue):
    for number in range(2):
        if number:
            shopper.add(haircut)
        shopper.add_card(issue("25.00"))
        shopper.client.get("/checkout/preview/")
        added = asked(shopper) - (OSCAR - ITS_MAIL)
    assert added <= 48
    assert kinds_of(Order.objects.latest("pk")) == {"giftcard", "on_site"}


def test_points_buy_a_gift_card_and_another_pays_a_part(warm, shopper, haircut, give, card_10, issue):
    """Two lines; a card is made for one of them."""
    for number in range(2):
        give(1000)
        if number:
            shopper.add(haircut)
        shopper.add(card_10, pay_with_points=True)
        shopper.add_card(issue("25.00"))
        shopper.client.get("/checkout/preview/")
        added = asked(shopper) - (OSCAR - ITS_MAIL)
    assert added <= 114
    assert kinds_of(Order.objects.latest("pk")) == {"points_line", "giftcard", "on_site"}


def kinds_of(order):
    return set(
        get_loyalty_model("loyalty_payments", "Tender")
        .objects.filter(attempt__order=order)
        .values_list("kind", flat=True)
    )


def test_no_card_hold_or_point_is_looked_for(warm, shopper):
    """Nor a rule: what the order brings is found out later."""
    with CaptureQueriesContext(connection) as queries:
        shopper.place()
    tables = " ".join(query["sql"] for query in queries)
    for name in ("loyalty_ledger", "giftcard", "loyalty_rewards", "loyalty_earning", "ruleversion"):
        assert name not in tables, name
