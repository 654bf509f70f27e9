from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty.ledger import audit
from oscar_loyalty.payments import tenders
from oscar_loyalty.payments.exceptions import ProviderDown, ProviderRefused
from oscar_loyalty.reports import audit as whole_audit
from tests.checkout.conftest import *  # noqa: F403  (the shopper and what can be bought)


@pytest.fixture(autouse=True)
def _books_agree(db):
    yield
    assert list(audit.audit()) == []
    assert whole_audit.run(keep=False).findings == []


@pytest.fixture
def make_product(db):
    """A service with a price: ``make_product("10.00")``."""

    def make(price, title="Nail polish", currency="EUR"):
        kind = get_model("catalogue", "ProductClass").objects.get_or_create(
            slug="service", defaults={"name": "Service", "requires_shipping": False, "track_stock": False}
        )[0]
        product = create_product(title=title, product_class=kind.name)
        create_stockrecord(product, price=D(price), num_in_stock=None, partner_name="Salon")
        product.stockrecords.update(price_currency=currency)
        return product

    return make


class Bank(tenders.Provider):
    """A provider that answers what the test wants."""

    kind, source = "stripe", "Card"

    def __init__(self):
        self.asked = []
        self.answer = None

    def give_back(self, *, part):
        from django.db import connection

        self.asked.append((part.pk, part.amount, connection.in_atomic_block))
        if self.answer == "down":
            raise ProviderDown("no answer")
        if self.answer == "refused":
            raise ProviderRefused("The card was closed.", "card_closed")
        return f"re_{part.pk}"


@pytest.fixture
def bank(monkeypatch):
    """What money is paid with in this test, instead of at the salon."""
    bank = Bank()
    monkeypatch.setitem(tenders._kinds, "stripe", bank)
    return bank


@pytest.fixture
def paid_by_bank(bank):
    """Turn the money of a placed order into the provider's: ``paid_by_bank(order)``."""
    from oscar_loyalty.loading import get_model as get_loyalty_model

    def change(order):
        rows = get_loyalty_model("loyalty_payments", "Tender").objects.filter(attempt__order=order, kind="on_site")
        assert rows.update(kind="stripe", state="captured", reference="pi_1")
        return bank

    return change
