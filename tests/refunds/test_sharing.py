"""Whatever the parts and the steps: to the cent, never below zero, never above what was paid, all of it in the end."""

from decimal import Decimal as D
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oscar.core.loading import get_model

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.money import from_hundredths
from oscar_loyalty.payments import planning, refunds, services
from oscar_loyalty.payments.exceptions import RefundRefused
from oscar_loyalty.payments.places import Place, left_of

Order = get_model("order", "Order")


@given(
    unit=st.sampled_from([1, 100]),
    amounts=st.lists(st.integers(1, 100_000), min_size=1, max_size=6),
    half=st.integers(0, 99),
    steps=st.lists(st.integers(1, 50_000), max_size=20),
)
def test_steps_share_what_is_left(unit, amounts, half, steps):
    # The last is money, which pays what a discount leaves of a yen.
    amounts = [amount * unit for amount in amounts]
    amounts[-1] += half % unit
    parts = [SimpleNamespace(amount=from_hundredths(amount), returned_amount=D(0)) for amount in amounts]
    total = sum(amounts)
    place = Place(line=None, left=total, paid=total, step=unit, allotments=parts)
    for step in [*steps, total]:
        step = place.whole(step * unit)
        shares = place.share(step)
        assert sum(share for _part, share in shares) == step
        for part, share in shares:
            assert share > 0
            assert share % unit == 0 or (share % unit == half % unit and part is parts[-1] and step == place.left)
            # Each gets its part of what is left, but for less than one unit, and what is left of one.
            assert abs(share - step * left_of(part) / place.left) < unit + half % unit
            part.returned_amount += from_hundredths(share)
            assert part.returned_amount <= part.amount
        place.left -= step
    assert all(part.returned_amount == part.amount for part in parts)


@given(
    unit=st.sampled_from([1, 100]),
    paid=st.integers(0, 100_000),
    pieces=st.lists(st.integers(1, 5), min_size=1, max_size=6),
)
def test_pieces_sum_to_their_line(unit, paid, pieces):
    place = Place(line=None, left=paid, paid=paid, step=unit, pieces=sum(pieces))
    for number in pieces:
        worth = place.worth(number)
        assert 0 <= worth <= place.left
        assert worth % unit == 0 or worth == place.left
        assert abs(worth * sum(pieces) - paid * number) <= sum(pieces) * (number * unit + paid % unit)
        place.left -= worth
        place.pieces -= number
    assert place.left == 0


@pytest.mark.django_db
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_refunds_of_an_order_sum_to_it(data, new_shopper, programme, make_product, issue):
    shopper = new_shopper()
    prices = data.draw(st.lists(st.integers(1, 9999), min_size=1, max_size=3), label="prices")
    for price in prices:
        shopper.add(make_product(D(price) / 100), quantity=data.draw(st.integers(1, 4), label="quantity"))
    cards = [issue(D(value) / 100) for value in data.draw(st.lists(st.integers(100, 5000), max_size=2), label="cards")]
    for card in cards:
        shopper.add_card(card)
    shopper.place()
    order = Order.objects.get(user=shopper.user)
    lines = list(order.lines.values_list("pk", flat=True))
    for number in range(data.draw(st.integers(0, 5), label="steps")):
        wish = data.draw(
            st.one_of(
                st.fixed_dictionaries(
                    {"lines": st.dictionaries(st.sampled_from(lines), st.integers(1, 4), min_size=1)}
                ),
                st.fixed_dictionaries(
                    {"amounts": st.dictionaries(st.sampled_from(lines), st.integers(1, 9999).map(cents), min_size=1)}
                ),
                st.fixed_dictionaries({"amount": st.integers(1, 20_000).map(cents)}),
            ),
            label="wish",
        )
        before = given_back(order)
        try:
            refund = refunds.refund(order=order, key=f"{order.pk}:{number}", **wish)
        except RefundRefused:
            assert given_back(order) == before
        else:
            assert given_back(order) == before + refund.amount <= order.total_incl_tax
    refunds.give_all_back(order=order, key=f"{order.pk}:rest", kind="refund")
    assert given_back(order) == order.total_incl_tax
    for card in cards:
        assert giftcards.balance(card).amount == card.value


def cents(number):
    return D(number) / 100


def given_back(order):
    return sum((part.amount for refund in order.loyalty_refunds.all() for part in refund.returns.all()), D(0))


@pytest.mark.django_db
def test_yen_have_no_cents(settings, shopper, programme, make_product):
    from oscar_loyalty.giftcards import services as giftcard_services

    card = giftcard_services.issue(value=D(100), currency="JPY", key="yen", deliver=False)
    shopper.add(make_product("1001", currency="JPY"), quantity=3)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    assert order.currency == "JPY"
    line = order.lines.get().pk
    for number in range(3):
        refund = refunds.refund(order=order, key=str(number), lines={line: 1})
        assert refund.amount == 1001
        assert sum(part.amount for part in refund.returns.all()) == 1001
    assert giftcards.balance(card).amount == 100
    with pytest.raises(RefundRefused):
        refunds.refund(order=order, key="more", amount=D("0.5"))


@pytest.mark.django_db
def test_points_of_a_line_come_back_in_proportion(shopper, give, member, card_10):
    give(3000)
    shopper.add(card_10, quantity=3, pay_with_points=True)
    shopper.place()
    order = Order.objects.get()
    line = order.lines.get().pk
    for number in range(1, 4):
        refunds.refund(order=order, key=str(number), lines={line: 1})
        assert ledger.balance(member.account).usable == number * 1000


@pytest.fixture
def by_points(monkeypatch, programme):
    """Let 333 points pay for 10 euros of the next order."""
    programme.points_at_checkout = True
    programme.save()
    whole = services.plan_for

    def plan_for(**kwargs):
        plan = whole(**kwargs)
        rest = plan.money - D("10.00")
        tenders = (planning.PlanTender("points", D("10.00"), points=333), planning.PlanTender("on_site", rest))
        return planning.Plan(tenders, plan.total, rest, 333, D(0))

    monkeypatch.setattr(services, "plan_for", plan_for)


@pytest.mark.django_db
def test_points_at_a_rate_come_back_in_proportion_and_all_of_them(shopper, give, member, make_product, by_points):
    give(333)
    for price in ("9.99", "20.01"):
        shopper.add(make_product(price))
    shopper.place()
    order = Order.objects.get()
    assert ledger.balance(member.account).usable == 0
    first, second = order.lines.order_by("pk").values_list("pk", flat=True)
    back = []
    for number, wish in enumerate(
        [
            {"amounts": {first: D("5.00")}},
            {"lines": {second: 1}},
            {"amounts": {first: D("0.01")}},
            {"lines": {first: 1}},
        ]
    ):
        refunds.refund(order=order, key=str(number), **wish)
        back.append(ledger.balance(member.account).usable)
    assert back == sorted(back)
    # 20.01 and 5.00 of 30.00 euros.
    assert abs(back[1] - 333 * D("25.01") / 30) <= 3
    assert back[-1] == 333


@pytest.mark.django_db
def test_points_refunded_in_part_and_then_cancelled(shopper, give, member, make_product, by_points):
    give(333)
    shopper.add(make_product("10.01"), quantity=3)
    shopper.place()
    order = Order.objects.get()
    refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    assert 110 <= ledger.balance(member.account).usable <= 111
    order.set_status("Cancelled")
    due.sweep()
    assert ledger.balance(member.account).usable == 333
    rest = refunds.give_all_back(order=order, key="2", kind="refund")
    assert {part.allotment.tender.kind for part in rest.returns.all()} == {"on_site"}
    assert given_back(order) + cancelled(order) == order.total_incl_tax


def cancelled(order):
    parts = get_loyalty_model("loyalty_payments", "TenderReturn").objects
    parts = parts.filter(refund__isnull=True, allotment__tender__attempt__order=order)
    return sum((part.amount for part in parts), D(0))
