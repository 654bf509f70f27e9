"""The audit finds what got into the books of another Site."""

from decimal import Decimal

import pytest

from oscar_loyalty import clock
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit


def strangers():
    return [finding.row.rpartition(" ")[0] for finding in audit.run(keep=False).findings if finding.check == "sites"]


@pytest.fixture
def order(a, b, own, place):
    return place(a, "1")


def test_an_award_at_another_site_than_its_order(a, b, own, order):
    assert strangers() == []
    Order = get_model("order", "Order")
    Order.objects.filter(pk=order.pk).update(site=b.site)
    assert strangers() == ["award"]
    Order.objects.filter(pk=order.pk).update(site=a.site)


def test_a_card_at_another_site_than_its_order(a, b, order):
    card = giftcards.issue(value=Decimal(10), key="c", order=order)
    assert strangers() == []
    rows = get_model("loyalty_giftcards", "GiftCard").objects.filter(pk=card.pk)
    rows.update(site=b.site)
    assert strangers() == ["gift card"]
    rows.update(site=a.site)


def test_a_payment_with_a_card_of_another_site(a, b, settings):

    card = giftcards.issue(value=Decimal(10), key="c", site=a.site)
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.create(
        site=b.site,
        member=a.member,
        total=Decimal(10),
        currency="EUR",
        state="cancelled",
        created_at=clock.now(),
        leased_until=clock.now(),
        expires_at=clock.now(),
    )
    tender = get_model("loyalty_payments", "Tender").objects.create(
        attempt=attempt, number=1, kind="giftcard", card=card, amount=Decimal(10), units=1000, state="cancelled"
    )
    # Both the member and the card are strangers there.
    assert strangers() == ["tender", "tender"]
    settings.OSCAR_LOYALTY_GIFTCARDS_SHARED = True
    assert strangers() == ["tender"]
    tender.delete()
