"""Amounts as Stripe counts them."""

from decimal import Decimal as D

import pytest

from oscar_loyalty.payments.stripe import minimums


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("10.50", "EUR", 1050), ("0.01", "EUR", 1), ("1200", "JPY", 1200), ("1200.00", "JPY", 1200)],
)
def test_there_and_back(amount, currency, units):
    assert minimums.to_stripe(D(amount), currency) == units
    assert minimums.from_stripe(units, currency) == D(amount)


@pytest.mark.parametrize(("amount", "currency"), [("0.005", "EUR"), ("1.50", "JPY"), ("1.00", "KWD")])
def test_what_stripe_cannot_charge(amount, currency):
    with pytest.raises(ValueError):
        minimums.to_stripe(D(amount), currency)


def test_the_least():
    assert minimums.minimum("EUR") == D("0.50")
    assert minimums.minimum("JPY") == D("50")
    # Not in Stripe's table.
    assert minimums.minimum("ISK") == 0
