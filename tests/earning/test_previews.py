from decimal import Decimal as D

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils.translation import override
from oscar.core.prices import Price
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty.earning import orders, rules, selectors
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services


@pytest.fixture
def ask(user):
    """A request of the member, or of another user: ``ask(AnonymousUser())``."""

    def ask(by=user):
        request = RequestFactory().get("/")
        request.user = by
        return request

    return ask


def test_a_product_says_what_it_would_bring(ask, member, haircut, shampoo, own, per_euro):
    preview = selectors.preview_product(haircut, ask())
    assert (preview.points, preview.would_join) == (80, False)
    assert preview.sentences == ["80\xa0petals for Haircut"]
    preview = selectors.preview_product(shampoo, ask())
    assert (preview.points, preview.of_line(shampoo.pk)) == (12, 12)
    assert preview.sentences == ["1\xa0petal per €1 on €12.50", "rounded down from 12.5"]
    with override("fr"):
        assert "12,50\xa0€" in selectors.preview_product(shampoo, ask()).sentences[0]


def test_the_basket_and_the_award_agree(
    ask, member, haircut, shampoo, own, per_euro, basket_of, place, user, programme
):
    gold = members.tiers(programme).get(code="gold")
    services.save_tier(programme=programme, code="gold", name=gold.name, rank=3, multiplier=D("1.5"))
    rules.publish_rule(programme=programme, kind="order", spec={"points": 7})
    services.set_tier(member=member, tier=gold, key="up")
    lines = [(haircut, 2), (shampoo, 3)]
    preview = selectors.preview_basket(basket_of(*lines, owner=user), ask())
    order = place(*lines)
    before = selectors.preview_order(order)
    award = orders.review_order(order=order)
    after = selectors.preview_order(order)
    assert preview.points == before.points == award.points == after.points == 306
    assert [line.points for line in preview.lines] == [line.points for line in after.lines]
    assert preview.sentences == before.sentences == after.sentences
    assert preview.sentences[-2:] == ["× 1.5 as Gold", "rounded down from 306.75"]
    assert preview.usable_from == after.usable_from


def test_shipping_and_what_cards_pay_are_told_to_the_basket(ask, member, shampoo, per_euro, basket_of, user, programme):
    services.save_programme(programme=programme, earn_shipping=True)
    basket = basket_of((shampoo, 2), owner=user)
    line = basket.all_lines()[0]
    shipping = Price("EUR", D("4"), incl_tax=D("4"))
    assert selectors.preview_basket(basket, ask()).points == 25
    assert selectors.preview_basket(basket, ask(), shipping=shipping).points == 29
    assert selectors.preview_basket(basket, ask(), shipping=shipping, paid={line.pk: D("10")}).points == 19


def test_a_rebate_is_known_to_the_basket(ask, member, haircut, own, shampoo, per_euro, basket_of, user, programme):
    services.save_programme(programme=programme, earn_shipping=True)
    basket = basket_of((haircut, 1), (shampoo, 2), owner=user)
    shipping = Price("EUR", D("5"), incl_tax=D("5"))
    assert selectors.preview_basket(basket, ask(), shipping=shipping, total=D("75")).points == 80 + 25 + 5
    # Of the shipping first, then a tenth of each line.
    assert selectors.preview_basket(basket, ask(), shipping=shipping, total=D("72")).points == 80 + 25 + 2
    assert selectors.preview_basket(basket, ask(), shipping=shipping, total=D("63")).points == 80 + 22
    paid = {basket.all_lines()[0].pk: D("40.50")}
    assert selectors.preview_basket(basket, ask(), shipping=shipping, total=D("63"), paid=paid).points == 22


@pytest.mark.parametrize("stranger", [AnonymousUser(), None])
def test_strangers_see_what_they_would_earn_if_they_joined(stranger, ask, programme, haircut, own, django_user_model):
    stranger = stranger or django_user_model.objects.create_user(username="new", email="new@example.com")
    preview = selectors.preview_product(haircut, ask(stranger))
    assert (preview.points, preview.would_join) == (80, True)


def test_nothing_is_promised_that_is_not_given(ask, member, haircut, own, programme, basket_of, user):
    assert selectors.preview_basket(basket_of(owner=user), ask()) is None
    services.set_status(member=member, status="frozen")
    assert selectors.preview_product(haircut, ask()) is None
    services.set_status(member=member, status="active")
    services.save_programme(programme=programme, award_on_status="Complete")
    assert selectors.preview_product(haircut, ask()).usable_from is None
    services.save_programme(programme=programme, is_active=False)
    assert selectors.preview_product(haircut, ask()) is None


def test_without_a_programme_there_is_nothing_to_say(ask, haircut, user):
    assert selectors.preview_product(haircut, ask()) is None


def test_a_parent_shows_what_its_variant_brings(ask, member, per_euro):
    parent = create_product(title="Cut", product_class="Service", structure="parent")
    child = create_product(title="Short", parent=parent, product_class="Service")
    create_stockrecord(child, price=D("30"), num_in_stock=5)
    assert selectors.preview_product(parent, ask()).points == 30
    assert selectors.preview_product(child, ask()).points == 30


def test_a_product_without_a_price_brings_its_own_points(ask, member, haircut, own, per_euro):
    haircut.stockrecords.all().delete()
    assert selectors.preview_product(haircut, ask()).points == 80


def test_a_page_of_products_costs_what_one_costs(ask, member, programme, own, per_euro, django_assert_max_num_queries):
    root = get_model("catalogue", "Category").add_root(name="Hair")
    rules.publish_rule(programme=programme, kind="unit", spec={"points": 5}, target="category", target_object=root)
    for number in range(20):
        product = create_product(title=f"Cut {number}", price=D("10"), product_class="Service", num_in_stock=5)
        product.categories.add(root)
    products = list(
        get_model("catalogue", "Product")
        .objects.select_related("product_class", "parent")
        .prefetch_related("stockrecords")
        .filter(title__startswith="Cut")
    )
    request = ask()
    with django_assert_max_num_queries(10):
        previews = selectors.preview_products(products, request)
        assert [previews[product.pk].points for product in products] == [5] * 20
        assert selectors.preview_product(products[3], request).points == 5


def test_a_basket_costs_the_same_for_one_line_or_ten(
    ask, member, own, per_euro, basket_of, user, django_assert_max_num_queries
):
    products = [
        create_product(title=f"Soap {number}", price=D("2"), product_class="Care", num_in_stock=50)
        for number in range(10)
    ]
    basket = basket_of(*[(product, 1) for product in products], owner=user)
    request = ask()
    list(basket.all_lines())
    for line in basket.all_lines():
        assert line.purchase_info.price.exists
    with django_assert_max_num_queries(8):
        assert selectors.preview_basket(basket, request).points == 20
