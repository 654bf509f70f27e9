"""What a shop's own gateway may tell us beside ``handle_payment``: which try was paid, and what was undone there."""

import re

import pytest
from django.urls import reverse
from oscar.apps.order.exceptions import UnableToPlaceOrder
from oscar.apps.payment.exceptions import RedirectRequired
from oscar.core.loading import get_model

from oscar_loyalty.ledger import audit
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import services, settling
from tests.attacks.pages import forms
from tests.checkout.shop_views import Gateway, SplitView

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.checkout.shop_urls")]


@pytest.fixture(autouse=True)
def _books_agree(db):
    yield
    assert list(audit.audit()) == []


@pytest.fixture
def tries(monkeypatch):
    """The shop sends its customers to a bank, with the name of the try."""
    named = []

    def send(view, number, total):
        named.append(view.loyalty_attempt)
        raise RedirectRequired("https://bank.example/pay")

    monkeypatch.setattr(Gateway, "gateway", send)
    return named


@pytest.fixture
def gone(shopper, rich, haircut, card_10, tries):
    basket = shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    assert shopper.place().url == "https://bank.example/pay"
    return basket


def attempt(name):
    return get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.get(uuid=name)


def test_the_try_that_was_paid_is_completed(shopper, rich, gone, tries):
    assert shopper.client.get(f"/bank/return/?try={tries[0]}").url == "/checkout/thank-you/"
    assert attempt(tries[0]).state == "placed"


@pytest.mark.parametrize("name", ["", "nonsense", "6f2b5c9e-0000-4000-8000-000000000000"])
def test_a_try_that_there_never_was(shopper, rich, gone, tries, name):
    with pytest.raises(UnableToPlaceOrder):
        shopper.client.get(f"/bank/return/?try={name}")
    assert (attempt(tries[0]).state, Order.objects.count()) == ("open", 0)


def test_paying_for_an_older_try_completes_no_newer_one(shopper, rich, gone, tries, monkeypatch):
    voided = []
    monkeypatch.setattr(
        SplitView, "void_payment", lambda view, attempt, problem: voided.append(str(attempt.uuid)) or True
    )
    settling.call_off(attempt=attempt(tries[0]), reason="test")
    shopper.client.get("/checkout/preview/")
    shopper.place()
    with pytest.raises(UnableToPlaceOrder):
        shopper.client.get(f"/bank/return/?try={tries[0]}")
    assert [attempt(name).state for name in tries] == ["cancelled", "open"]
    assert (voided, Order.objects.count()) == ([tries[0]], 0)


def test_who_comes_back_gets_the_basket_when_the_bank_is_sure(shopper, rich, gone, tries, monkeypatch):
    # The bank is not sure, unless the shop says so.
    shopper.client.get("/checkout/preview/")
    gone.refresh_from_db()
    assert (gone.status, ledger.balance(rich.account).usable) == ("Frozen", 1500)
    asked = []
    monkeypatch.setattr(SplitView, "withdraw_payment", lambda view, attempt: asked.append(str(attempt.uuid)) or True)
    response = shopper.client.get("/checkout/preview/")
    assert response.status_code == 200
    assert "nothing was taken" in response.content.decode()
    assert (asked, attempt(tries[0]).state) == (tries, "cancelled")
    gone.refresh_from_db()
    assert (gone.status, ledger.balance(rich.account).usable) == ("Open", 2500)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "The customer came back without paying."), ("fr", "Le client est revenu sans payer.")],
)
def test_why_nothing_came_of_a_try_is_said_in_the_readers_language(
    shopper, rich, gone, tries, monkeypatch, client, django_user_model, language, said
):
    monkeypatch.setattr(SplitView, "withdraw_payment", lambda view, attempt: True)
    shopper.client.get("/checkout/preview/")
    client.force_login(django_user_model.objects.create_superuser("ada", "ada@example.com", "x"))
    client.cookies["django_language"] = language
    page = reverse("loyalty-dashboard:loyalty-payment", args=[tries[0]])
    # Beside the state, and among what happened.
    assert client.get(page).content.decode().count(said) == 2
    # What was stored as words is shown as it is.
    type(attempt(tries[0])).objects.filter(uuid=tries[0]).update(reason="nobody paid")
    assert client.get(page).content.decode().count("nobody paid") == 2


def test_a_bank_that_fails_to_answer_keeps_the_basket(shopper, rich, gone, monkeypatch):
    monkeypatch.setattr(SplitView, "withdraw_payment", lambda view, attempt: 1 / 0)
    shopper.client.get("/checkout/preview/")
    gone.refresh_from_db()
    assert gone.status == "Frozen"


def taken(shopper, haircut, monkeypatch, void):
    """The shop's own payment has taken money, and no order could be written; return its tender."""
    shopper.add(haircut)
    monkeypatch.setattr(Gateway, "gateway", lambda view, number, total: None)
    monkeypatch.setattr(SplitView, "void_payment", void)
    monkeypatch.setattr(services, "complete", lambda **kwargs: 1 / 0)
    shopper.place()
    return get_loyalty_model("loyalty_payments", "Tender").objects.get()


@pytest.mark.parametrize("answer", [True, False, None])
def test_money_taken_for_an_order_that_could_not_be_placed(shopper, rich, haircut, monkeypatch, answer):
    """The shop voids it; where it cannot, the owner sees it until somebody has given it back."""

    def void(view, attempt, problem):
        return 1 / 0 if answer is None else answer

    tender = taken(shopper, haircut, monkeypatch, void)
    assert (tender.attempt.state, Order.objects.count()) == ("cancelled", 0)
    assert tender.state == ("cancelled" if answer else "failed")
    services.given_back(attempt=tender.attempt)
    tender.refresh_from_db()
    assert tender.state == "cancelled"


@pytest.mark.parametrize(
    ("language", "sure", "told"),
    [
        ("en", "Say so only once you have given it back", "The shop noted that it has given the money back"),
        ("fr", "Ne confirmez qu’une fois l’argent rendu", "La boutique a noté avoir rendu l’argent"),
    ],
)
def test_who_has_given_it_back_is_asked_once_more_and_remembered(
    shopper, rich, haircut, monkeypatch, client, django_user_model, language, sure, told
):
    tender = taken(shopper, haircut, monkeypatch, lambda view, attempt, problem: False)
    people = django_user_model.objects
    client.force_login(people.create_superuser("ada", "ada@example.com", "x", first_name="Ada", last_name="Boss"))
    client.cookies["django_language"] = language
    page = reverse("loyalty-dashboard:loyalty-payment", args=[tender.attempt.uuid])
    before = client.get(page)
    assert told not in before.content.decode()
    [form] = [form for form in forms(before) if form.action.endswith("/returned/")]
    # Its button is behind a second look.
    assert re.search(rf'<details class="loyalty-sure">.*?{sure}.*?<button type="submit"', before.content.decode())
    for _click in range(2):
        client.post(form.action, form.filled())
    after = client.get(page).content.decode()
    assert told in after and "Ada Boss" in after.partition(told)[2].partition("</li>")[0]
    assert after.count(told) == 1 and sure not in after
