from decimal import Decimal

import pytest
from oscar.apps.partner.strategy import Selector
from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.fields import localized
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit


@pytest.fixture
def reward(programme):
    def reward(**fields):
        wanted = {"kind": "amount", "name": localized(en="Five off", fr="Cinq de moins"), "points": 500, "value": 5}
        rows = get_model("loyalty_rewards", "Reward").objects
        return rows.create(programme=programme, created_at=clock.now(), **(wanted | fields))

    return reward


@pytest.fixture
def petals(member):
    """What the member can spend."""
    return lambda: ledger.balance(member.account).usable


@pytest.fixture
def proof(db):
    """The audit, which finds nothing wrong."""

    def proof():
        report = audit.run(keep=False)
        assert report.clean, report.as_dict()

    return proof


@pytest.fixture
def soap(db):
    return create_product(title="Soap", price=Decimal("20.00"), num_in_stock=100)


@pytest.fixture
def basket_with(db):
    """An open basket with a product and vouchers, and its offers applied."""

    def basket_with(owner, *lines, vouchers=()):
        from oscar.apps.offer.applicator import Applicator

        basket = get_model("basket", "Basket").objects.create(owner=owner)
        basket.strategy = Selector().strategy()
        for product, quantity in lines:
            basket.add_product(product, quantity)
        for voucher in vouchers:
            basket.vouchers.add(voucher)
        basket.reset_offer_applications()
        Applicator().apply(basket, owner)
        return basket

    return basket_with


@pytest.fixture
def order_with(basket_with, django_capture_on_commit_callbacks):
    """Place an order as Oscar does, and let what follows follow."""

    def order_with(owner, *lines, vouchers=(), number="1001", shipping=None):
        from oscar.apps.checkout.calculators import OrderTotalCalculator
        from oscar.apps.order.utils import OrderCreator
        from oscar.apps.shipping.methods import Free

        basket = basket_with(owner, *lines, vouchers=vouchers)
        method = shipping(basket) if shipping is not None else Free()
        charge = method.calculate(basket)
        with django_capture_on_commit_callbacks(execute=True):
            order = OrderCreator().place_order(
                basket=basket,
                user=owner,
                order_number=number,
                total=OrderTotalCalculator().calculate(basket, charge),
                shipping_method=method,
                shipping_charge=charge,
            )
        due.sweep()
        return order

    return order_with
