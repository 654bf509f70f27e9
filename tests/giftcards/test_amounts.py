"""Cards of an amount that the buyer chooses: priced by the strategy, never by what was posted."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model

from oscar_loyalty.giftcards import amounts, selectors, services
from oscar_loyalty.giftcards.exceptions import AmountRefused
from oscar_loyalty.giftcards.strategy import GiftCardStrategy

pytestmark = pytest.mark.django_db


@pytest.fixture
def choice(db):
    """From 15 to 500 euros in steps of 5, or 100 points for each euro."""
    return services.set_custom_amount(minimum=D(15), maximum=D(500), step=D(5), points_per_unit=D(100))


@pytest.fixture
def basket(basket):
    basket.strategy = GiftCardStrategy()
    return basket


def line_of(basket, choice, amount, **options):
    """A line as an attacker, or an older page, may have left it: nothing has looked at the amount."""
    chosen = selectors.options_for(amount=D("15"), currency="EUR", **options)
    setattr(choice.product, amounts.CHOSEN, D("15"))
    line, _made = basket.add_product(choice.product, options=chosen)
    del choice.product.__dict__[amounts.CHOSEN]
    line.attributes.filter(option__code="amount").update(value=amount)
    basket._lines = None
    return basket.all_lines().get(pk=line.pk)


@pytest.mark.parametrize("amount", ["15.00", "35", "500", "  20 "])
def test_an_amount_within_the_bounds_is_the_price(basket, choice, amount):
    line = line_of(basket, choice, amount)
    line.basket = basket
    assert line.purchase_info.price.incl_tax == D(amount.strip())
    assert line.purchase_info.price.tax == 0
    assert line.purchase_info.availability.is_purchase_permitted(1)[0]


@pytest.mark.parametrize(
    "amount",
    [
        "14.99",
        "0",
        "-35",
        "505",
        "36",
        "35.001",
        "35,00",
        "1e9",
        "1E+999999999",
        "NaN",
        "Infinity",
        "",
        "abc",
        True,
    ],
)
def test_any_other_amount_cannot_be_bought(basket, choice, amount):
    line = line_of(basket, choice, amount)
    line.basket = basket
    allowed, reason = line.purchase_info.availability.is_purchase_permitted(1)
    assert not allowed and reason
    assert not line.purchase_info.price.exists
    assert basket.is_quantity_allowed(1, line=line)[0] is False


def test_the_bounds_follow_the_owner_even_in_baskets(basket, choice):
    line = line_of(basket, choice, "35")
    services.set_custom_amount(minimum=D(50), maximum=D(500), step=D(5))
    line = get_model("basket", "Line").objects.get(pk=line.pk)
    line.basket = basket
    assert not line.purchase_info.availability.is_purchase_permitted(1)[0]
    services.set_custom_amount(minimum=D(15), maximum=D(500), step=D(5), is_active=False)
    line = get_model("basket", "Line").objects.get(pk=line.pk)
    line.basket = basket
    assert not line.purchase_info.availability.is_purchase_permitted(1)[0]


def test_without_an_amount_it_is_not_for_sale(choice):
    info = GiftCardStrategy().fetch_for_product(choice.product)
    assert not info.availability.is_available_to_buy
    assert not info.availability.is_purchase_permitted(1)[0]


def test_the_amount_survives_a_merge_of_baskets(basket, choice, django_user_model):
    line_of(basket, choice, "35", recipient_name="Zoé", design="ribbon")
    other = get_model("basket", "Basket").objects.create()
    other.strategy = GiftCardStrategy()
    other.merge(basket)
    line = other.all_lines().get()
    line.basket = other
    assert line.purchase_info.price.incl_tax == D("35")
    assert selectors.line_options(line).design == "ribbon"


def test_an_order_makes_a_card_of_what_was_charged(basket, choice, place):
    line_of(basket, choice, "35", recipient_name="Zoé", recipient_email="zoe@example.com", design="confetti")
    order = place()
    assert order.total_incl_tax == D("35")
    [card] = services.issue_for_lines(order)
    assert (card.value, card.currency, card.design) == (D("35"), "EUR", "confetti")
    services.activate(card=card)
    assert selectors.balance(card).amount == D("35")


def test_the_price_in_points_follows_the_amount(basket, choice):
    line = line_of(basket, choice, "35")
    assert selectors.line_points_price(line) == 3500
    assert amounts.points_price(D("35"), choice) == 3500
    services.set_custom_amount(minimum=D(15), maximum=D(500), step=D("0.01"), points_per_unit=D("33.3"))
    row = get_model("loyalty_giftcards", "CustomAmount").objects.get()
    assert amounts.points_price(D("15.01"), row) == 500
    services.set_custom_amount(minimum=D(15), maximum=D(500), step=D(5))
    assert selectors.line_points_price(get_model("basket", "Line").objects.get(pk=line.pk)) is None


def test_setting_it_again_changes_the_same_product(choice):
    product = choice.product
    product.title = "Le cadeau libre"
    product.save()
    again = services.set_custom_amount(minimum=D(20), maximum=D(100), step=D(10))
    assert (again.product_id, again.pk) == (product.pk, choice.pk)
    assert again.product.title == "Le cadeau libre"
    assert again.product.upc == "giftcard-custom"
    assert "amount" not in [option.code for option in again.product.options]


@pytest.mark.parametrize(
    "bounds",
    [(0, 10, 1), (-5, 10, 1), (20, 10, 1), (10, 20, 0), ("10.001", 20, 1), (10, 20, "0.001")],
)
def test_bounds_that_make_no_sense(db, bounds):
    low, high, step = (D(bound) for bound in bounds)
    with pytest.raises(ValueError):
        services.set_custom_amount(minimum=low, maximum=high, step=step)


def test_each_refusal_has_a_sentence(choice):
    for amount in (None, D("3"), D("17"), D("NaN")):
        with pytest.raises(AmountRefused) as caught:
            amounts.check(amount, choice)
        assert str(caught.value)


def test_the_check_says_that_a_strategy_does_not_read_it(choice, monkeypatch):
    from oscar_loyalty.giftcards import checks

    assert [found.id for found in checks.custom_amounts(None, databases=["default"])] == ["loyalty.W040"]
    monkeypatch.setattr(
        "oscar.apps.partner.strategy.Selector.strategy", lambda self, *args, **kwargs: GiftCardStrategy()
    )
    assert checks.custom_amounts(None, databases=["default"]) == []


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        (None, []),
        ({"name": "A", "template": "oscar_loyalty/designs/ribbon.svg", "picture": "oscar_loyalty/loyalty.css"}, []),
        ({"name": "A"}, ["loyalty.E040"]),
        ({"name": "A", "template": "no.svg", "picture": "oscar_loyalty/designs/ribbon.png"}, ["loyalty.E040"]),
        ({"name": "A", "template": "oscar_loyalty/designs/ribbon.svg", "picture": "no.png"}, ["loyalty.E040"]),
    ],
)
def test_a_design_of_the_shops_own_is_checked(settings, design, expected):
    from oscar_loyalty.giftcards import checks

    settings.OSCAR_LOYALTY_GIFTCARD_DESIGNS = {"own": design}
    assert [found.id for found in checks.designs(None)] == expected
