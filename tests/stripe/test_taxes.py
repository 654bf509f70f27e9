"""Taxes that only the view knows that places the order, as in Oscar's recipe for the United States."""

from decimal import Decimal as D

import pytest
from oscar.apps.partner import strategy
from oscar.apps.shipping import methods
from oscar.core.loading import get_class, get_model

from oscar_loyalty.giftcards.strategy import GiftCardStrategyMixin
from tests.stripe.conftest import last_attempt
from tests.stripe.test_settling import settle

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db
PAGE = "/checkout/preview/"


class UnitedStates(
    GiftCardStrategyMixin,
    strategy.UseFirstStockRecord,
    strategy.StockRequired,
    strategy.DeferredTax,
    strategy.Structured,
):
    """Oscar's own for the United States."""


@pytest.fixture
def taxed_late(monkeypatch):
    """The taxes of 7 % are set by the view that places the order, as Oscar's recipe has it."""
    selector = get_class("partner.strategy", "Selector")
    monkeypatch.setattr(selector, "strategy", lambda self, request=None, user=None, **kwargs: UnitedStates(request))
    view = get_class("checkout.session", "CheckoutSessionMixin")
    build = view.build_submission

    def build_submission(self, **kwargs):
        submission = build(self, **kwargs)
        charge = submission["shipping_charge"]
        if charge is not None:
            for line in submission["basket"].all_lines():
                if not line.is_tax_known:
                    line.purchase_info.price.tax = (line.unit_price_excl_tax * D("0.07")).quantize(D("0.01"))
            if not charge.is_tax_known:
                charge.tax, charge.tax_code = D("0.35"), "ny"
            submission["order_total"] = self.get_order_totals(submission["basket"], charge)
        return submission

    monkeypatch.setattr(view, "build_submission", build_submission)


@pytest.fixture
def shipped(monkeypatch):
    """Shipping costs 5.00 before tax."""

    class Parcel(methods.FixedPrice):
        code, name, charge_excl_tax = "parcel", "Parcel", D("5.00")

    repository = get_class("shipping.repository", "Repository")
    monkeypatch.setattr(repository, "get_shipping_methods", lambda self, basket, **kwargs: [Parcel()])
    monkeypatch.setattr(repository, "get_default_shipping_method", lambda self, basket, **kwargs: Parcel())
    monkeypatch.setattr(
        get_class("checkout.session", "CheckoutSessionMixin"),
        "get_shipping_method",
        lambda self, basket, shipping_address=None, **kwargs: Parcel(),
    )


@pytest.fixture
def taxed(bank, to_stripe, taxed_late, shipped, shopper, member, haircut, issue):
    """A haircut for 30.00 and 7 %, shipped for 5.00 and 0.35; the money is set aside."""
    shopper.add(haircut)
    shopper.add_card(issue("2.00"))
    shopper.client.get(PAGE)
    to_stripe(shopper)
    bank.pay()
    return last_attempt()


def test_the_order_has_the_taxes_that_were_agreed_upon(bank, taxed):
    assert settle(taxed) == "placed"
    order, line = Order.objects.get(), Order.objects.get().lines.get()
    assert (order.total_incl_tax, order.total_excl_tax) == (D("37.45"), D("35.00"))
    assert (line.line_price_incl_tax, line.line_price_excl_tax) == (D("32.10"), D("30.00"))
    shipping = (order.shipping_incl_tax, order.shipping_excl_tax, order.shipping_tax_code)
    assert shipping == (D("5.35"), D("5.00"), "ny")
    assert bank.books()["currencies"]["eur"]["captured"] == 3545


def test_another_price_before_taxes_is_another_price(bank, taxed, haircut):
    haircut.stockrecords.update(price=D("29.00"))
    assert settle(taxed) == "cancelled"
    assert "price has changed" in last_attempt().reason
    assert bank.books()["currencies"]["eur"]["captured"] == 0


def test_a_snapshot_from_before_the_taxes_were_kept(bank, taxed):
    for line in taxed.snapshot["lines"]:
        del line["unit_excl"]
    del taxed.snapshot["shipping"]["excl"], taxed.snapshot["shipping"]["tax_code"]
    taxed.save()
    assert settle(taxed) == "cancelled"
    assert bank.books()["currencies"]["eur"]["captured"] == 0
