"""Amounts as Oscar stores them, on whatever database."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model

from oscar_loyalty.money import as_stored, from_hundredths, to_hundredths

Order = get_model("order", "Order")


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["33.96327", "33.965", "33.975", "33.9649999", "0.005", "0.015", "904.5", "7"])
def test_what_is_stored_is_what_is_read(amount):
    order = Order.objects.create(number="1", currency="EUR", total_incl_tax=D(amount), total_excl_tax=D(amount))
    order.refresh_from_db()
    assert order.total_incl_tax == as_stored(D(amount))


def test_hundredths_whatever_the_currency():
    assert (to_hundredths(D("904.5")), from_hundredths(90450)) == (90450, D("904.50"))


@pytest.mark.parametrize("amount", ["10.005", "NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_stored_amount(amount):
    with pytest.raises(ValueError):
        to_hundredths(D(amount))
