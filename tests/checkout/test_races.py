"""Many checkouts at once, from HTTP: what exists is paid in full, nobody's balance goes below zero, losers are told
why."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal as D
from threading import Event
from time import sleep

import pytest
from django.contrib.sites.models import Site
from django.db import connection
from oscar.core.loading import get_class, get_model
from oscar.core.prices import Price

from oscar_loyalty import clock
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import audit, books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import allotting, services
from oscar_loyalty.payments.exceptions import AlreadyPlaced, CardChanged
from tests.checkout.conftest import Shopper

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")
MANY = 20


@pytest.fixture(params=[False, True], ids=["own transactions", "ATOMIC_REQUESTS"], autouse=True)
def _atomic_requests(request):
    before = connection.settings_dict["ATOMIC_REQUESTS"]
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = before


def at_once(*jobs):
    """Run the jobs side by side, each in a thread of its own; return their results."""

    def run(job):
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        return list(pool.map(run, jobs))


def assert_paid_in_full():
    attempts = get_loyalty_model("loyalty_payments", "PaymentAttempt").objects
    assert not attempts.filter(state="open").exists()
    for order in Order.objects.all():
        tenders = order.payment_attempt.tenders.all()
        assert sum(tender.amount for tender in tenders) == order.total_incl_tax
        assert all(tender.state == "captured" for tender in tenders)
    held = get_loyalty_model("loyalty_ledger", "Hold").objects.filter(state="open")
    assert not held.exists()
    assert list(audit.audit()) == []


@pytest.fixture
def basket_of_window(settings):
    settings.MIDDLEWARE = [
        "tests.checkout.middleware.BasketOfWindowMiddleware" if name.endswith(".BasketMiddleware") else name
        for name in settings.MIDDLEWARE
    ]


@pytest.mark.django_db(transaction=True)
def test_twenty_checkouts_of_one_members_points(rich, user, card_10, basket_of_window):
    windows = [Shopper(user) for _window in range(MANY)]
    baskets = []
    for window in windows:
        basket = Basket.objects.create(owner=user)
        basket.strategy = get_class("partner.strategy", "Selector")().strategy(user=user)
        basket.add_product(card_10, options=giftcards.options_for(pay_with_points=True))
        session = window.client.session
        session["window_basket"] = basket.pk
        session.save()
        window.client.get("/checkout/shipping-method/")
        baskets.append(basket)
    responses = at_once(*[window.place for window in windows])
    # 2,500 points buy two cards of 1,000.
    assert Order.objects.count() == 2
    assert ledger.balance(rich.account).usable == ledger.balance(rich.account).book == 500
    issued = get_loyalty_model("loyalty_giftcards", "GiftCard").objects
    assert issued.filter(state="active").count() == issued.count() == 2
    for basket, response in zip(baskets, responses, strict=True):
        basket.refresh_from_db()
        if response.status_code == 302:
            assert (response.url, basket.status) == ("/checkout/thank-you/", "Submitted")
        else:
            assert "You are missing" in response.content.decode()
            assert (basket.status, basket.num_lines) == ("Open", 1)
    assert_paid_in_full()


@pytest.mark.django_db(transaction=True)
def test_twenty_orders_with_the_same_points_and_the_same_card(rich, user, haircut, issue, basket_of_window):
    rich.programme.points_at_checkout = True
    rich.programme.save()
    card = issue("8.00")
    windows, baskets = [Shopper(user) for _window in range(MANY)], []
    for window in windows:
        basket = Basket.objects.create(owner=user)
        basket.strategy = get_class("partner.strategy", "Selector")().strategy(user=user)
        basket.add_product(haircut)
        session = window.client.session
        session["window_basket"] = basket.pk
        session.save()
        window.client.get("/checkout/shipping-method/")
        window.add_card(card)
        window.client.post("/checkout/preview/", {"loyalty_points_do": "use", "points": "2000"})
        window.client.get("/checkout/preview/")
        baskets.append(basket)
    responses = at_once(*[window.place for window in windows])
    # All were shown that both would pay: one is right, the others are told.
    order = Order.objects.get()
    assert [tender.amount for tender in order.payment_attempt.tenders.all()] == [D("20.00"), D("8.00"), D("2.00")]
    assert ledger.balance(rich.account).usable == ledger.balance(rich.account).book == 500
    assert giftcards.balance(card).amount == 0
    for basket, response in zip(baskets, responses, strict=True):
        basket.refresh_from_db()
        if response.status_code == 302:
            assert basket.status == "Submitted"
        else:
            text = response.content.decode()
            assert any(words in text for words in ("has changed", "less on it", "You are missing"))
            assert (basket.status, basket.num_lines) == ("Open", 1)
    assert_paid_in_full()


@pytest.mark.django_db(transaction=True)
def test_twenty_baskets_with_one_gift_card(programme, new_shopper, haircut, issue):
    card = issue("50.00")
    shoppers = [new_shopper() for _shopper in range(MANY)]
    baskets = [shopper.add(haircut) for shopper in shoppers]
    for shopper in shoppers:
        shopper.add_card(card)
        shopper.client.get("/checkout/preview/")
    responses = at_once(*[shopper.place for shopper in shoppers])
    placed = Order.objects.count()
    # 30 euros each: the card pays one order. Who was shown that it would pay, and came too late, is told so.
    assert placed == 1
    assert giftcards.balance(card).amount == D("20.00")
    for basket, response in zip(baskets, responses, strict=True):
        basket.refresh_from_db()
        if response.status_code == 200:
            assert basket.status == "Open"
            assert basket.num_lines == 1
            text = response.content.decode()
            assert "has changed" in text or "less on it" in text
        else:
            assert basket.status == "Submitted"
    assert_paid_in_full()


@pytest.mark.django_db(transaction=True)
def test_a_double_click_places_one_order_and_ends_on_its_page(rich, shopper, card_10):
    basket = shopper.add(card_10, pay_with_points=True)
    shopper.client.get("/checkout/preview/")
    cookies = dict(shopper.client.cookies)

    def click():
        window = Shopper()
        window.client.cookies.update(cookies)
        return window.place(loyalty_basket=basket.pk)

    responses = at_once(*[click] * 4)
    assert Order.objects.count() == 1
    assert {response.url for response in responses} == {"/checkout/thank-you/"}
    assert ledger.balance(rich.account).usable == 1500
    assert_paid_in_full()


@pytest.mark.django_db(transaction=True)
def test_a_click_while_the_order_is_being_written_waits_for_it(rich, shopper, card_10, monkeypatch):
    """Both write the basket and its attempt: locked in another order, one of the two would be a deadlock."""
    basket = shopper.add(card_10, pay_with_points=True)
    shopper.client.get("/checkout/preview/")
    window = Shopper()
    window.client.cookies.update(dict(shopper.client.cookies))
    writing, allot = Event(), allotting.allot

    def slow_allot(*args):
        writing.set()
        # Long enough for the other to begin, and to wait for what is locked.
        sleep(1)
        return allot(*args)

    monkeypatch.setattr(allotting, "allot", slow_allot)

    def begin():
        writing.wait(20)
        with pytest.raises(AlreadyPlaced):
            services.begin(
                basket=Basket.objects.get(pk=basket.pk), total=None, user=None, member=rich, site=None, plan=None
            )
        return True

    response, refused = at_once(lambda: shopper.place(loyalty_basket=basket.pk), begin)
    assert (response.status_code, refused) == (302, True)
    assert Order.objects.count() == 1
    assert_paid_in_full()


@pytest.mark.django_db(transaction=True)
def test_points_earned_and_expiring_while_orders_are_placed(rich, new_shopper, card_10, haircut, issue):
    """Unrelated members and cards at once do not wait for each other for ever."""
    shoppers = [new_shopper() for _shopper in range(6)]
    cards = [issue("15.00"), issue("15.00")]
    for place, shopper in enumerate(shoppers):
        shopper.add(haircut)
        for card in cards if place % 2 else reversed(cards):
            shopper.add_card(card)
        shopper.client.get("/checkout/preview/")

    def earn(number):
        books.earn(account=rich.account, units=5, key=f"race:{number}", usable_from=clock.now())

    jobs = [shopper.place for shopper in shoppers] + [lambda number=number: earn(number) for number in range(6)]
    at_once(*jobs)
    assert Order.objects.count() == 1
    assert all(giftcards.balance(card).amount == 0 for card in cards)
    assert ledger.balance(rich.account).book == 2530
    assert_paid_in_full()


@pytest.mark.django_db(transaction=True)
def test_the_same_order_number_twice_is_one_order(programme, new_shopper, haircut, issue, monkeypatch):
    """A shop's own numbers may collide: who comes second is told, and gives nothing."""
    monkeypatch.setattr(get_class("order.utils", "OrderNumberGenerator"), "order_number", lambda self, basket: "42")
    shoppers, cards = [new_shopper(), new_shopper()], [issue("10.00"), issue("10.00")]
    baskets = [shopper.add(haircut) for shopper in shoppers]
    for shopper, card in zip(shoppers, cards, strict=True):
        shopper.add_card(card)
        shopper.client.get("/checkout/preview/")
    responses = at_once(*[shopper.place for shopper in shoppers])
    order = Order.objects.get()
    assert order.number == "42"
    for basket, card, response in zip(baskets, cards, responses, strict=True):
        basket.refresh_from_db()
        won = basket.pk == order.basket_id
        assert (response.status_code, basket.status) == ((302, "Submitted") if won else (200, "Open"))
        assert giftcards.balance(card).amount == (D("0.00") if won else D("10.00"))
    assert_paid_in_full()


@pytest.mark.django_db(transaction=True)
def test_a_second_try_and_another_checkout_with_the_same_cards(programme, new_shopper, haircut, issue, monkeypatch):
    """The second try gives the higher card back, and takes both; somebody else takes both at that moment."""
    cards = [issue("10.00"), issue("100.00")]
    assert cards[0].account_id < cards[1].account_id
    baskets = [new_shopper().add(haircut) for _shopper in range(2)]
    total = Price(currency="EUR", excl_tax=D("30.00"), tax=D("0.00"))

    def begin(basket, cards):
        plan = services.plan_for(basket=basket, total=total.incl_tax, cards=cards)
        site = Site.objects.get_current()
        more = {"user": basket.owner, "member": None, "site": site, "cards": cards, "plan": plan}
        return services.begin(basket=basket, total=total, **more)

    first = begin(baskets[0], cards[1:])
    services.redirected(attempt=first)
    giving_back, undo = Event(), services.undo

    def slow_undo(*args, **named):
        undo(*args, **named)
        giving_back.set()
        # Long enough for the other to have the lower card, and to wait for the higher one.
        sleep(1)

    monkeypatch.setattr(services, "undo", slow_undo)

    def another():
        giving_back.wait(20)
        with pytest.raises(CardChanged):
            begin(baskets[1], cards)

    at_once(lambda: begin(baskets[0], cards), another)
    first.refresh_from_db()
    assert first.state == "cancelled"
    assert get_loyalty_model("loyalty_ledger", "Hold").objects.filter(state="open").count() == 2
    assert list(audit.audit()) == []
