"""Paying with points and gift cards, through the shop's own pages."""

from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oscar.core.loading import get_class, get_model
from oscar.test.factories import create_basket, create_order, create_stockrecord

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import audit, books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import options, receivers, returns, selectors, services, settling

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books_agree(db):
    yield
    assert list(audit.audit()) == []


def attempts(**fields):
    return get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.filter(**fields)


def test_points_buy_a_gift_card_beside_a_line_paid_with_money(shopper, rich, haircut, card_10):
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True, recipient_name="Zoé", recipient_email="zoe@example.com")
    response = shopper.place()
    order = Order.objects.get()
    assert response.url == "/checkout/thank-you/"
    assert order.total_incl_tax == D("40.00")
    assert [(paid.kind, paid.amount, paid.points) for paid in selectors.paid_with(order)] == [
        ("points_line", D("10.00"), 1000),
        ("on_site", D("30.00"), 0),
    ]
    assert ledger.balance(rich.account).usable == 1500
    card = giftcards.cards_of_order(order).get()
    assert (card.state, card.recipient_name) == ("active", "Zoé")
    assert giftcards.balance(card).amount == D("10.00")
    assert Basket.objects.get(pk=order.basket_id).status == "Submitted"
    assert [source.amount_allocated for source in order.sources.all()] == [D("10.00"), D("30.00")]


def test_the_code_is_shown_once(shopper, rich, card_10):
    shopper.add(card_10, pay_with_points=True)
    shopper.place()
    code = giftcard_services.code_of(giftcards.cards_of_order(Order.objects.get()).get())
    assert code in shopper.client.get("/checkout/thank-you/").content.decode()
    assert code not in shopper.client.get("/checkout/thank-you/").content.decode()


def test_a_card_for_money_waits_until_the_order_is_paid(shopper, member, card_10):
    shopper.add(card_10)
    shopper.place()
    order = Order.objects.get()
    card = giftcards.cards_of_order(order).get()
    assert card.state == "waiting"
    order.set_status("Being processed")
    order.set_status("Complete")
    card.refresh_from_db()
    assert card.state == "active"
    assert order.sources.get().amount_debited == D("10.00")


def test_the_sweep_activates_cards_of_orders_that_are_paid(shopper, member, card_10):
    from oscar_loyalty.due.registry import sweepers

    shopper.add(card_10)
    shopper.place()
    assert sweepers["payments.paid"]() == 0
    # Somebody changed the status without a signal.
    Order.objects.update(status="Complete")
    assert sweepers["payments.paid"]() == 1
    assert sweepers["payments.paid"]() == 0
    assert giftcards.cards_of_order(Order.objects.get()).get().state == "active"


def test_two_lines_of_one_card_are_told_apart_by_how_they_are_paid(shopper, rich, card_10, monkeypatch):
    from oscar_loyalty.checkout.views import PaymentDetailsView

    place = PaymentDetailsView.place_order

    def backwards(self, *args, **kwargs):
        # A shop's own OrderCreator may write the lines in any order.
        kwargs["basket"].all_lines()._result_cache.reverse()
        return place(self, *args, **kwargs)

    shopper.add(card_10)
    shopper.add(card_10, pay_with_points=True)
    monkeypatch.setattr(PaymentDetailsView, "place_order", backwards)
    shopper.place()
    order = Order.objects.get()
    paid = {line.pk: giftcards.line_options(line).pay_with_points for line in order.lines.all()}
    assert {card.order_line_id: card.state == "active" for card in giftcards.cards_of_order(order)} == paid


def test_a_basket_that_is_being_paid_for_is_not_changed(shopper, rich, card_10):
    from oscar_loyalty.payments.exceptions import PaymentProblem

    basket = shopper.add(card_10)
    basket.freeze()
    with pytest.raises(PaymentProblem):
        options.set_pay_with_points(line=basket.lines.get(), on=True)


@pytest.mark.parametrize("row_left", [True, False])
def test_an_order_placed_without_the_checkout_frees_the_holds_and_makes_the_cards(shopper, rich, card_10, row_left):
    from django.contrib.sites.models import Site
    from oscar.core.prices import Price

    from oscar_loyalty.due import services as due

    basket = shopper.add(card_10, pay_with_points=True)
    total = Price(currency="EUR", excl_tax=D("10.00"), tax=D("0.00"))
    plan = services.plan_for(basket=basket, total=total.incl_tax)
    services.begin(basket=basket, total=total, user=rich.user, member=rich, site=Site.objects.get_current(), plan=plan)
    free = get_class("shipping.methods", "NoShippingRequired")()
    get_class("order.utils", "OrderCreator")().place_order(
        basket=basket, total=total, shipping_method=free, shipping_charge=free.calculate(basket), user=rich.user
    )
    if not row_left:
        get_loyalty_model("loyalty_due", "Due").objects.filter(kind="payments.order_placed").delete()
    due.sweep()
    assert ledger.balance(rich.account).usable == 2500
    assert attempts(state="open").count() == 0
    assert giftcards.cards_of_order(Order.objects.get()).get().state == "waiting"


def test_lines_without_their_cards_are_looked_for_by_product(member, card_10, user, time):
    """By the kind of the products, the database would go through all lines ever sold; a variant has its parent's."""
    get_loyalty_model("loyalty_members", "Programme").objects.update(started_at=time.at)
    Product = get_model("catalogue", "Product")
    variant = Product.objects.create(structure="child", parent=Product.objects.get(pk=card_10.pk), title="Gold")
    create_stockrecord(variant, price=D("12.00"), num_in_stock=None, partner_name="Salon")
    for number, product in enumerate((card_10, variant)):
        basket = create_basket(empty=True)
        basket.add_product(product)
        create_order(number=str(number), basket=basket, user=user)
    get_loyalty_model("loyalty_due", "Due").objects.all().delete()
    with CaptureQueriesContext(connection) as queries:
        assert receivers.cards() == 2
    assert [order.loyalty_giftcards.count() for order in Order.objects.all()] == [1, 1]
    (looked,) = [query["sql"] for query in queries if "date_placed" in query["sql"] and "giftcard" in query["sql"]]
    assert "product_id" in looked and "catalogue_product" not in looked


def test_of_many_orders_those_without_their_cards_are_found_in_their_turn(member, card_10, user, time, in_parts):
    get_loyalty_model("loyalty_members", "Programme").objects.update(started_at=time.at)
    for number in range(4):
        basket = create_basket(empty=True)
        basket.add_product(card_10)
        create_order(number=str(number), basket=basket, user=user)
    get_loyalty_model("loyalty_due", "Due").objects.all().delete()
    assert [receivers.cards() for _sweep in range(4)] == [2, 1, 1, 0]


def test_too_few_points_are_told_and_the_basket_is_kept(shopper, member, give, card_10):
    give(400)
    basket = shopper.add(card_10, pay_with_points=True)
    response = shopper.place()
    assert "600" in response.content.decode()
    basket.refresh_from_db()
    assert (basket.status, basket.num_lines) == ("Open", 1)
    assert not Order.objects.exists()
    assert ledger.balance(member.account).usable == 400


def test_somebody_who_is_no_member_cannot_pay_with_points(programme, shopper, card_10):
    shopper.add(card_10, pay_with_points=True)
    response = shopper.place()
    assert "Only members" in response.content.decode()
    assert not Order.objects.exists()


def test_several_gift_cards_pay_and_the_rest_stays_on_the_last(shopper, programme, haircut, issue):
    first, second = issue("12.50"), issue("50.00")
    shopper.add(haircut)
    shopper.add_card(first)
    shopper.add_card(second)
    shopper.place()
    order = Order.objects.get()
    assert [(paid.kind, paid.amount) for paid in selectors.paid_with(order)] == [
        ("giftcard", D("12.50")),
        ("giftcard", D("17.50")),
    ]
    assert giftcards.balance(first).amount == 0
    assert giftcards.balance(second).amount == D("32.50")


def test_a_gift_card_buys_no_gift_card(shopper, programme, card_10, issue):
    card = issue("50.00")
    shopper.add(card_10)
    shopper.add_card(card)
    shopper.place()
    assert [paid.kind for paid in selectors.paid_with(Order.objects.get())] == ["on_site"]
    assert giftcards.balance(card).amount == D("50.00")


def test_a_wrong_code_is_told_at_the_field(shopper, programme, haircut):
    shopper.add(haircut)
    for wrong in ("ABCD", "AAAA-BBBB-CCCC-DDDD-EEEE", "'; DROP TABLE"):
        response = shopper.client.post("/checkout/preview/", {"loyalty_add_card": "1", "code": wrong})
        assert response.context["loyalty_form"].errors["code"]


def test_guessing_is_limited(shopper, programme, haircut, issue, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_ATTEMPTS = 3
    card = issue("10.00")
    shopper.add(haircut)
    for _try in range(3):
        shopper.client.post("/checkout/preview/", {"loyalty_add_card": "1", "code": "AAAA-BBBB-CCCC-DDDD-EEEE"})
    response = shopper.add_card(card)
    assert "Too many" in str(response.context["loyalty_form"].errors)


def test_a_card_can_be_taken_off_again(shopper, programme, haircut, issue):
    card = issue("10.00")
    shopper.add(haircut)
    shopper.add_card(card)
    shopper.client.post("/checkout/preview/", {"loyalty_remove_card": str(card.pk)})
    shopper.place()
    assert [paid.kind for paid in selectors.paid_with(Order.objects.get())] == ["on_site"]


def test_a_card_used_meanwhile_is_told_not_replaced_by_more_money(shopper, programme, haircut, issue):
    card = issue("10.00")
    basket = shopper.add(haircut)
    shopper.add_card(card)
    shopper.client.get("/checkout/preview/")
    books.spend(account=card.account, units=700, key="elsewhere")
    response = shopper.place()
    assert "has changed" in response.content.decode()
    basket.refresh_from_db()
    assert basket.status == "Open"
    assert not Order.objects.exists()
    shopper.place()
    assert [paid.amount for paid in selectors.paid_with(Order.objects.get())] == [D("3.00"), D("27.00")]


def test_a_second_click_ends_on_the_thank_you_page(shopper, rich, card_10):
    basket = shopper.add(card_10, pay_with_points=True)
    shopper.place()
    response = shopper.place(loyalty_basket=basket.pk)
    assert response.url == "/checkout/thank-you/"
    assert Order.objects.count() == 1
    assert ledger.balance(rich.account).usable == 1500


def test_nobody_is_shown_the_order_of_somebody_else(shopper, new_shopper, rich, card_10):
    basket = shopper.add(card_10, pay_with_points=True)
    shopper.place()
    response = new_shopper().place(loyalty_basket=basket.pk)
    assert response.url != "/checkout/thank-you/"


def test_an_attempt_left_by_a_dead_request_is_undone(time, shopper, rich, card_10):
    from django.contrib.sites.models import Site
    from oscar.core.prices import Price

    basket = shopper.add(card_10, pay_with_points=True)
    total = Price(currency="EUR", excl_tax=D("10.00"), tax=D("0.00"))
    plan = services.plan_for(basket=basket, total=total.incl_tax)
    attempt = services.begin(
        basket=basket, total=total, user=rich.user, member=rich, site=Site.objects.get_current(), plan=plan
    )
    assert ledger.balance(rich.account).usable == 1500
    assert settling.settle(attempt=attempt) == "open"
    time.advance(minutes=3)
    assert settling.settle(attempt=attempt) == "cancelled"
    assert settling.settle(attempt=attempt) == "cancelled"
    basket.refresh_from_db()
    assert basket.status == "Open"
    assert ledger.balance(rich.account).usable == 2500


def test_cancelling_lines_returns_points_as_points_and_disables_the_card(shopper, rich, haircut, card_10):
    shopper.add(haircut)
    shopper.add(card_10, quantity=2, pay_with_points=True)
    shopper.place()
    order = Order.objects.get()
    line = order.lines.get(product=card_10)
    assert ledger.balance(rich.account).usable == 500
    returns.return_lines(order=order, cancelled={line.pk: 1})
    returns.return_lines(order=order, cancelled={line.pk: 1})
    assert ledger.balance(rich.account).usable == 1500
    assert sorted(card.state for card in giftcards.cards_of_order(order)) == ["active", "disabled"]
    returns.return_lines(order=order, cancelled={line.pk: 2})
    assert ledger.balance(rich.account).usable == 2500


def test_a_card_that_was_spent_is_not_paid_back_in_points(shopper, rich, haircut, card_10):
    shopper.add(card_10, pay_with_points=True)
    shopper.place()
    first = Order.objects.get()
    card = giftcards.cards_of_order(first).get()
    shopper.add(haircut)
    shopper.add_card(card)
    shopper.place()
    assert giftcards.balance(card).amount == 0
    returns.return_lines(order=first, cancelled={first.lines.get().pk: 1})
    assert ledger.balance(rich.account).usable == 1500


def test_cancelling_returns_card_money_to_its_card(shopper, programme, haircut, issue):
    card = issue("20.00")
    shopper.add(haircut, quantity=2)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    returns.return_lines(order=order, cancelled={order.lines.get().pk: 1})
    assert giftcards.balance(card).amount == D("10.00")
    returns.return_lines(order=order, cancelled={order.lines.get().pk: 2}, shipping=True)
    assert giftcards.balance(card).amount == D("20.00")


def test_paying_with_points_can_be_switched_in_the_basket(shopper, rich, card_10):
    basket = shopper.add(card_10)
    shopper.add(card_10, pay_with_points=True)
    plain, _with_points = basket.lines.order_by("pk")
    options.set_pay_with_points(line=plain, on=True)
    line = basket.lines.get()
    assert line.quantity == 2
    assert giftcards.line_options(line).pay_with_points
    options.set_pay_with_points(line=line, on=False)
    assert not giftcards.line_options(basket.lines.get()).pay_with_points


def test_a_minimum_of_money_is_kept(shopper, rich, card_10, haircut):
    rich.programme.minimum_cash = D("5.00")
    rich.programme.save()
    shopper.add(card_10, pay_with_points=True)
    assert "in money" in shopper.place().content.decode()
    shopper.add(haircut)
    shopper.place()
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_neither_breaks_nor_reopens_the_order(shopper, rich, card_10):
    from django.db import connection
    from oscar.apps.order.signals import order_placed

    def careless(sender, order, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    order_placed.connect(careless)
    try:
        basket = shopper.add(card_10, pay_with_points=True)
        response = shopper.place()
    finally:
        order_placed.disconnect(careless)
    assert response.url == "/checkout/thank-you/"
    basket.refresh_from_db()
    assert basket.status == "Submitted"
    assert selectors.paid_with(Order.objects.get())


def test_a_mail_that_cannot_be_sent_does_not_hide_the_order(shopper, rich, card_10, monkeypatch):
    from oscar_loyalty.checkout.views import PaymentDetailsView

    def broken(self, order):
        raise OSError("the mail server is away")

    monkeypatch.setattr(PaymentDetailsView, "send_order_placed_email", broken)
    shopper.add(card_10, pay_with_points=True)
    assert shopper.place().url == "/checkout/thank-you/"
    assert Order.objects.count() == 1


def test_an_order_that_cannot_be_written_lets_points_go(shopper, rich, card_10, monkeypatch):
    from oscar_loyalty.checkout.views import PaymentDetailsView

    def broken(self, order):
        raise OSError("the disk is full")

    monkeypatch.setattr(PaymentDetailsView, "save_payment_details", broken)
    basket = shopper.add(card_10, pay_with_points=True)
    assert "A problem occurred" in shopper.place().content.decode()
    assert not Order.objects.exists()
    assert ledger.balance(rich.account).usable == 2500
    basket.refresh_from_db()
    assert basket.status == "Open"
    assert attempts(state="cancelled").count() == 1


def test_a_shops_own_payment_takes_what_is_left(shopper, rich, haircut, card_10, monkeypatch):
    from oscar.apps.checkout import views
    from oscar.apps.payment.exceptions import UnableToTakePayment

    from oscar_loyalty.checkout.views import PaymentDetailsView

    asked = []
    monkeypatch.setattr(PaymentDetailsView, "money_kind", "shop")
    monkeypatch.setattr(
        views.PaymentDetailsView, "handle_payment", lambda self, number, total, **kwargs: asked.append(total.incl_tax)
    )
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    shopper.place()
    assert asked == [D("30.00")]
    assert [paid.kind for paid in selectors.paid_with(Order.objects.get())] == ["points_line", "shop"]

    def refused(self, number, total, **kwargs):
        raise UnableToTakePayment("The card was refused.")

    monkeypatch.setattr(views.PaymentDetailsView, "handle_payment", refused)
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    assert "The card was refused." in shopper.place().content.decode()
    assert Order.objects.count() == 1
    assert ledger.balance(rich.account).usable == 1500


def test_paying_elsewhere_keeps_points_aside_until_the_customer_comes_back(
    time, shopper, rich, card_10, haircut, monkeypatch
):
    from oscar.apps.checkout import views
    from oscar.apps.payment.exceptions import RedirectRequired

    from oscar_loyalty.checkout.views import PaymentDetailsView

    def elsewhere(self, number, total, **kwargs):
        raise RedirectRequired("https://bank.example/pay")

    monkeypatch.setattr(PaymentDetailsView, "money_kind", "shop")
    monkeypatch.setattr(views.PaymentDetailsView, "handle_payment", elsewhere)
    basket = shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    assert shopper.place().url == "https://bank.example/pay"
    assert ledger.balance(rich.account).usable == 1500
    attempt = attempts(state="open").get()
    time.advance(minutes=30)
    assert settling.settle(attempt=attempt) == "open"
    time.advance(minutes=31)
    assert settling.settle(attempt=attempt) == "cancelled"
    basket.refresh_from_db()
    assert basket.status == "Open"
    assert ledger.balance(rich.account).usable == 2500
