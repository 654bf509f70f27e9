"""What is left of a line costs its exact part."""

from decimal import Decimal as D

import pytest

from oscar_loyalty.earning.facts import part_of


@pytest.mark.parametrize(("amount", "left", "of", "part"), [("30.00", 1, 3, "10"), ("90.00", 1, 9, "10")])
def test_a_part_of_a_line_is_exact(amount, left, of, part):
    """A third of 30.00 was 9.99…, and rounded down to 9 points."""
    assert part_of(D(amount), left, of) == D(part)


def test_what_is_left_of_three_brings_a_third(programme, member, per_euro, place, shampoo, petals, sweep):
    """Two of three pieces were refunded before the order was awarded."""
    programme.award_on_status = "Being processed"
    programme.save()
    order = place((shampoo, 3))
    line = order.lines.get()
    type(line).objects.filter(pk=line.pk).update(line_price_incl_tax=D("30.00"), line_price_excl_tax=D("30.00"))
    from oscar_loyalty.earning import facts

    book = facts.RuleBook(programme, since=order.date_placed)
    found = facts.order_purchases([order], book, without={line.pk: 2})[order.pk]
    assert found.lines[0].amount_incl == D(10)
