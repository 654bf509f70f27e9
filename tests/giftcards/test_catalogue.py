from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured
from oscar.apps.partner import strategy as oscar_strategy
from oscar.core.loading import get_model as oscar_model

from oscar_loyalty.giftcards import checks, selectors, services
from oscar_loyalty.giftcards.strategy import GiftCardStrategy, GiftCardStrategyMixin, Selector
from oscar_loyalty.loading import get_model


class Taxed(oscar_strategy.UseFirstStockRecord, oscar_strategy.StockRequired, oscar_strategy.FixedRateTax):
    rate = Decimal("0.20")


class TaxedStrategy(Taxed, oscar_strategy.Structured):
    pass


class TaxedWithCards(GiftCardStrategyMixin, TaxedStrategy):
    pass


@pytest.fixture
def shampoo(db):
    from oscar.test.factories import create_product

    return create_product(price=Decimal("10"), num_in_stock=2)


def test_the_catalogue_is_made_once(db):
    first, second = services.ensure_catalogue(), services.ensure_catalogue()
    assert first == second
    assert not first.product_class.requires_shipping and not first.product_class.track_stock
    codes = {"recipient-name", "recipient-email", "message", "pay-with-points"}
    assert set(first.product_class.options.values_list("code", flat=True)) == codes
    assert oscar_model("catalogue", "Category").objects.filter(slug="gift-cards").count() == 1


def test_a_class_that_would_be_shipped_is_put_right(db):
    ours = services.ensure_catalogue().product_class
    ours.name, ours.requires_shipping, ours.track_stock = "Our cards", True, True
    ours.save()
    made = services.ensure_catalogue().product_class
    assert (made.name, made.requires_shipping, made.track_stock) == ("Our cards", False, False)


@pytest.fixture
def boxed(db):
    """What a shop sells as gift cards itself, of a class that it has made."""
    from oscar.test.factories import create_product

    return create_product(title="Boxed card", product_class="Gift card", price=Decimal("50"), num_in_stock=10)


def test_gift_cards_of_the_shops_own_are_let_be(boxed, ten, client, basket, place):
    own = boxed.product_class
    own.refresh_from_db()
    assert (own.slug, own.requires_shipping, own.track_stock, own.options.count()) == ("gift-card", True, True, 0)
    assert b"add-to-basket" in client.get(boxed.get_absolute_url()).content
    basket.add_product(boxed)
    assert services.issue_for_lines(place()) == []


def test_a_class_of_the_shops_own_is_not_taken(boxed, settings):
    assert checks.product_class(None, databases=["default"]) == []
    settings.OSCAR_LOYALTY_GIFTCARD_CLASS_SLUG = "gift-card"
    with pytest.raises(ImproperlyConfigured, match="gift-card"):
        services.set_denomination(value=Decimal("10"))
    boxed.product_class.refresh_from_db()
    assert boxed.product_class.requires_shipping and boxed.product_class.track_stock
    assert [problem.id for problem in checks.product_class(None, databases=["default"])] == ["loyalty.E043"]
    assert checks.product_class(None) == []


def test_a_value_is_put_on_sale_and_changed(ten):
    product = ten.product
    assert (product.upc, product.title, product.is_discountable) == ("giftcard-10", "Gift card €10.00", False)
    again = services.set_denomination(value=Decimal("10.00"), points_price=900, price=Decimal("9.50"), title="Ten")
    assert again.pk == ten.pk and again.points_price == 900
    product.refresh_from_db()
    assert product.title == "Ten"
    assert product.stockrecords.get().price == Decimal("9.50")
    services.set_denomination(value=Decimal("10"))
    product.refresh_from_db()
    assert product.title == "Ten" and selectors.points_price(get_product(product)) is None


def get_product(product):
    return oscar_model("catalogue", "Product").objects.get(pk=product.pk)


def test_each_value_and_currency_is_a_product_of_its_own(db):
    values = [("10", ""), ("12.5", ""), ("10", "USD"), ("1000", "JPY")]
    made = [services.set_denomination(value=Decimal(value), currency=currency) for value, currency in values]
    codes = [row.product.upc for row in made]
    assert codes == ["giftcard-10", "giftcard-12.50", "giftcard-10-usd", "giftcard-1000-jpy"]
    assert [row.value for row in selectors.denominations("EUR")] == [Decimal("10"), Decimal("12.5")]


@pytest.mark.parametrize(
    "fields",
    [
        {"value": "0"},
        {"value": "-1"},
        {"value": "0.001"},
        {"value": "10", "price": "0"},
        {"value": "1", "points_price": 0},
    ],
)
def test_bad_values_are_refused(db, fields):
    numbers = {name: Decimal(value) if isinstance(value, str) else value for name, value in fields.items()}
    with pytest.raises(ValueError, match=r"gift card|finer|points"):
        services.set_denomination(**numbers)


def test_a_value_taken_off_sale_is_neither_shown_nor_sold(ten):
    services.set_denomination(value=Decimal("10"), points_price=1000, is_active=False)
    assert not selectors.denominations().exists()
    product = get_product(ten.product)
    assert selectors.points_price(product) is None
    assert not GiftCardStrategy().fetch_for_product(product).availability.is_available_to_buy


def test_what_is_a_gift_card(ten, shampoo):
    assert selectors.is_giftcard(ten.product)
    assert not selectors.is_giftcard(shampoo)
    assert not selectors.is_giftcard(None)
    assert selectors.denomination_of(shampoo) is None and selectors.points_price(shampoo) is None


def test_a_variant_is_what_its_parent_is(db):
    Product = oscar_model("catalogue", "Product")
    made = services.ensure_catalogue()
    parent = Product.objects.create(structure="parent", title="Cards", product_class=made.product_class)
    child = Product.objects.create(structure="child", parent=parent, title="Red")
    assert selectors.is_giftcard(parent) and selectors.is_giftcard(child)


def test_the_page_says_how_many_points_are_missing(ten, member, give):
    services.set_denomination(value=Decimal("25"))
    assert [(offer.missing, offer.affordable) for offer in selectors.offers()] == [(None, False), (None, False)]
    give(400)
    assert [offer.missing for offer in selectors.offers(member=member)] == [600, None]
    assert selectors.missing_points(1000, member) == 600
    give(600)
    assert selectors.offers(member=member)[0].affordable
    assert selectors.missing_points(None, member) is None and selectors.missing_points(1000, None) is None


def test_cards_are_sold_without_tax_and_stock_other_products_as_before(ten, shampoo):
    card = TaxedWithCards().fetch_for_product(ten.product)
    assert (card.price.excl_tax, card.price.tax) == (Decimal("10.00"), Decimal("0.00"))
    assert card.availability.is_purchase_permitted(1000)[0]
    other = TaxedWithCards().fetch_for_product(shampoo)
    assert other.price.tax == Decimal("2.00")
    assert not other.availability.is_purchase_permitted(3)[0]


def test_cards_with_variants_are_sold_alike(db, ten):
    Product = oscar_model("catalogue", "Product")
    made = services.ensure_catalogue()
    parent = Product.objects.create(structure="parent", title="Cards", product_class=made.product_class)
    nothing = TaxedWithCards().fetch_for_parent(parent)
    assert not nothing.availability.is_available_to_buy and not nothing.price.exists
    Product.objects.filter(pk=ten.product.pk).update(structure="child", parent=parent, product_class=None)
    info = TaxedWithCards().fetch_for_parent(parent)
    assert info.price.tax == 0 and info.availability.is_available_to_buy


def test_without_a_stock_record_there_is_nothing_to_buy(ten):
    ten.product.stockrecords.all().delete()
    info = GiftCardStrategy().fetch_for_product(get_product(ten.product))
    assert not info.price.exists and not info.availability.is_available_to_buy


def test_the_check_names_a_strategy_that_taxes_cards(monkeypatch):
    import oscar.core.loading

    def use(strategy):
        class Picks:
            def strategy(self, **kwargs):
                if isinstance(strategy, Exception):
                    raise strategy
                return strategy()

        monkeypatch.setattr(oscar.core.loading, "get_class", lambda *names: Picks)
        return [warning.id for warning in checks.strategy_mixin(None)]

    assert use(TaxedStrategy) == ["loyalty.W010"]
    assert use(ValueError("a request, please")) == ["loyalty.W011"]
    assert use(TaxedWithCards) == use(GiftCardStrategy) == use(oscar_strategy.Default) == []
    assert isinstance(Selector().strategy(), GiftCardStrategy)


def test_the_check_names_key_ids_that_do_not_fit(settings):
    assert checks.key_ring(None) == []
    settings.OSCAR_LOYALTY_GIFTCARD_KEYS = {"k" * 65: "s" * 40, 1: "s" * 40}
    assert [warning.id for warning in checks.key_ring(None)] == ["loyalty.W012"] * 2


def test_deleting_a_product_keeps_the_cards_it_sold(order, ten):
    services.issue_for_lines(order)
    ten.product.delete()
    assert get_model("loyalty_giftcards", "GiftCard").objects.count() == 3
