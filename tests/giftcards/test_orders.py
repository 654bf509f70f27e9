from decimal import Decimal

from oscar.core.loading import get_model as oscar_model

from oscar_loyalty.giftcards import selectors, services
from oscar_loyalty.ledger import books


def add(basket, ten, quantity=1, **chosen):
    return basket.add_product(ten.product, quantity=quantity, options=selectors.options_for(**chosen))[0]


def test_the_lines_choice_is_read_from_basket_and_order(basket, ten, place):
    line = add(basket, ten, recipient_name="Anna", message="Hi", pay_with_points=True)
    chosen = selectors.LineOptions(recipient_name="Anna", message="Hi", pay_with_points=True)
    assert selectors.line_options(line) == chosen
    assert selectors.line_options(place().lines.get()) == chosen
    assert selectors.line_options(None) == selectors.LineOptions()


def test_the_choice_of_oscars_own_form_is_understood(basket, ten, rf):
    from oscar.core.loading import get_class

    data = {"quantity": "1", "pay-with-points": "on", "recipient-name": "Anna"}
    form = get_class("basket.forms", "AddToBasketForm")(basket, ten.product, data)
    assert form.is_valid(), form.errors
    line, _made = basket.add_product(ten.product, 1, form.cleaned_options())
    assert selectors.line_options(line) == selectors.LineOptions(recipient_name="Anna", pay_with_points=True)


def test_the_choice_survives_a_merge_of_baskets(basket, ten, user):
    before = oscar_model("basket", "Basket").objects.create()
    before.strategy = basket.strategy
    line = add(before, ten, recipient_name="Anna", pay_with_points=True)
    add(basket, ten, recipient_name="Bea")
    basket.merge(before)
    found = {selectors.line_options(row).recipient_name: row for row in basket.lines.all()}
    assert set(found) == {"Anna", "Bea"}
    assert selectors.line_options(found["Anna"]).pay_with_points and found["Anna"].pk == line.pk


def test_an_order_makes_one_waiting_card_for_each_unit(order, user):
    cards = services.issue_for_lines(order, language="fr")
    assert [card.unit for card in cards] == [1, 2, 3]
    assert services.issue_for_lines(order) == cards
    card = cards[0]
    assert (card.state, card.value, card.currency) == ("waiting", Decimal("10"), "EUR")
    assert (card.recipient_name, card.recipient_email) == ("Anna", "anna@example.com")
    assert (card.message, card.sender_name, card.language) == ("Happy birthday!\nRose", "Rose Martin", "fr")
    assert (card.order_number, card.buyer, card.order) == ("100001", user, order)
    assert list(selectors.cards_of_order(order)) == cards


def test_other_products_make_no_cards(basket, place):
    from oscar.test.factories import create_product

    basket.add_product(create_product(price=Decimal("5"), num_in_stock=5))
    assert services.issue_for_lines(place()) == []


def test_a_card_sold_at_another_price_is_worth_its_value(basket, place):
    row = services.set_denomination(value=Decimal("50"), price=Decimal("45"))
    basket.add_product(row.product)
    assert services.issue_for_lines(place())[0].value == Decimal("50")


def test_a_card_without_a_denomination_is_worth_what_it_cost(basket, ten, place):
    ten.delete()
    basket.add_product(ten.product)
    assert services.issue_for_lines(place())[0].value == Decimal("10")


def test_a_guest_gets_the_card_by_the_orders_email(basket, ten, place):
    from oscar.apps.order.utils import OrderCreator
    from oscar.apps.shipping.methods import NoShippingRequired
    from oscar.core.prices import Price

    basket.add_product(ten.product)
    order = OrderCreator().place_order(
        basket=basket,
        total=Price("EUR", Decimal("10"), incl_tax=Decimal("10")),
        shipping_method=NoShippingRequired(),
        shipping_charge=NoShippingRequired().calculate(basket),
        order_number="7",
        guest_email="guest@example.com",
    )
    card = services.issue_for_lines(order)[0]
    assert card.buyer is None and selectors.buyer_email(card) == "guest@example.com"


def test_cancelled_units_take_as_many_cards_the_unused_first(order):
    cards = services.issue_for_lines(order)
    for card in cards[:2]:
        services.activate(card=card)
    books.spend(account=cards[0].account, units=300, key="s")
    line = order.lines.get()
    assert services.disable_for_lines(order, {line.pk: 1}) == [cards[2]]
    assert services.disable_for_lines(order, {line.pk: 1}) == []
    assert services.disable_for_lines(order, {line.pk: 2}) == [cards[1]]
    assert services.disable_for_lines(order, {line.pk: 9}) == [cards[0]]
    assert selectors.balance(cards[0]).amount == 0


def test_a_lost_card_does_not_stand_in_for_a_cancelled_one(order):
    cards = services.issue_for_lines(order)
    services.disable(card=cards[0], reason="lost")
    line = order.lines.get()
    assert len(services.disable_for_lines(order, {line.pk: 1})) == 1
    assert len(services.disable_for_lines(order, {line.pk: 3})) == 1


def test_a_deleted_order_leaves_its_cards(order):
    cards = services.issue_for_lines(order)
    services.activate(card=cards[0])
    order.delete()
    cards[0].refresh_from_db()
    assert (cards[0].order, cards[0].order_line, cards[0].order_number) == (None, None, "100001")
