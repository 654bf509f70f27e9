"""What is left of a line costs its exact part."""

from decimal import Decimal as D

import pytest

from oscar_loyalty.earning import facts


@pytest.mark.parametrize(("amount", "left", "of"), [("30.00", 1, 3), ("90.00", 1, 9), ("70.00", 1, 7)])
def test_a_part_of_a_line_is_exact(programme, member, per_euro, place, shampoo, amount, left, of):
    """A third of 30.00 was 9.99…, and rounded down to 9 points."""
    order = place((shampoo, of))
    line = order.lines.get()
    type(line).objects.filter(pk=line.pk).update(line_price_incl_tax=D(amount), line_price_excl_tax=D(amount))
    book = facts.RuleBook(programme, since=order.date_placed)
    found = facts.order_purchases([order], book, without={line.pk: of - left})[order.pk]
    assert found.lines[0].amount_incl == found.lines[0].amount_excl == D(10)
