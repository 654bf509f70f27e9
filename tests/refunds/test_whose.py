"""Refunds to guests, to members who have merged, and of points whose last day has passed."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core import mail
from oscar.core.loading import get_model

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.payments import refunds

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db


@pytest.fixture
def bought(shopper, member, card_10):
    """An order of one gift card, paid with 1,000 points that lived ten days: ``bought(days)`` ago."""
    books.earn(
        account=member.account,
        units=1000,
        key="ten days",
        usable_from=clock.now(),
        expires_at=clock.now() + timedelta(days=10),
        kind="adjust",
    )
    shopper.add(card_10, pay_with_points=True)
    shopper.place()
    return Order.objects.get()


def test_points_that_come_back_late_live_the_grace_days(time, bought, member, programme):
    time.advance(days=11)
    refunds.give_all_back(order=bought, key="1", kind="refund")
    assert ledger.balance(member.account).usable == 1000
    time.advance(days=programme.grace_days)
    assert ledger.balance(member.account).usable == 0


def test_points_follow_the_member_who_merged(bought, member, programme, django_user_model):
    from oscar_loyalty.members import services

    other = services.join(
        programme=programme,
        user=django_user_model.objects.create_user(username="other", email="other@example.com", password="x"),
        source="test",
    )
    books.merge(source=member.account, target=other.account, key="merge")
    refunds.give_all_back(order=bought, key="1", kind="refund")
    assert ledger.balance(other.account).usable == 1000


def test_an_order_without_our_checkout(haircut, programme):
    from oscar.test.factories import create_basket, create_order

    basket = create_basket(empty=True)
    basket.add_product(haircut, quantity=2)
    order = create_order(basket=basket, user=None)
    order.guest_email = "guest@example.com"
    order.save()
    line = order.lines.get().pk
    done = refunds.preview(order=order, lines={line: 1})
    assert done.untracked.amount == D("30.00")
    refund = refunds.refund(order=order, key="1", lines={line: 1})
    assert (refund.amount, refund.returns.count()) == (D("30.00"), 0)
    with pytest.raises(refunds.RefundRefused):
        refunds.refund(order=order, key="2", amounts={line: D("30.01")})
    due.sweep()
    assert mail.outbox[-1].to == ["guest@example.com"]
    assert refunds.give_all_back(order=order, key="3", kind="refund").amount == order.total_incl_tax - D("30.00")
