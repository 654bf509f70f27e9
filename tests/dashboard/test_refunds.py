"""Refunding an order in the dashboard: asked, shown, done once; and what became of each part."""

import re
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from oscar.core.loading import get_model

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import rules
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import services as members
from oscar_loyalty.payments import refunds
from tests.attacks.pages import forms
from tests.dashboard.conftest import *  # noqa: F403
from tests.refunds.conftest import *  # noqa: F403

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db


@pytest.fixture
def card(issue):
    return issue("10.00")


@pytest.fixture
def order(shopper, programme, make_product, card):
    """Two haircuts of 30 euros; 10 of them by gift card."""
    shopper.add(make_product("30.00", title="Cut & dry"), quantity=2)
    shopper.add_card(card)
    shopper.place()
    return Order.objects.get()


@pytest.fixture
def page(url, order):
    return url("refunds", order.number)


@pytest.fixture
def ask(owner, page, order):
    """Fill in the form: ``ask("preview", quantity=1)``."""
    line = order.lines.get().pk

    def ask(step, quantity="", token="a" * 32, **data):
        return owner.post(
            page, {"step": step, "token": token, f"quantity_{line}": quantity, "reason": "Too short", **data}
        )

    return ask


def test_the_order_leads_to_its_refunds(owner, order, page):
    text = owner.get(reverse("dashboard:order-detail", args=[order.number])).content.decode()
    assert page in text and "Nothing has been refunded." in text
    text = owner.get(page).content.decode()
    assert "Cut &amp; dry" in text and "€60.00 left to refund" in text


def test_it_is_shown_and_then_done_once(ask, owner, order, page, card):
    text = ask("preview", quantity=1).content.decode()
    assert f"€5.00 on gift card {card.label}" in text and "€25.00 at the till" in text
    assert not order.loyalty_refunds.exists()
    for _click in range(2):
        assert ask("confirm", quantity=1, shown="30.00").status_code == 302
    refund = order.loyalty_refunds.get()
    assert (refund.amount, refund.reason) == (D("30.00"), "Too short")
    text = owner.get(page).content.decode()
    assert "€5.00 on gift card" in text and "Too short" in text and "Ada Boss" in text
    detail = reverse("dashboard:order-detail", args=[order.number])
    assert "€30.00" in owner.get(detail).content.decode()


def test_what_was_shown_is_what_is_done(ask, order):
    ask("preview", quantity=2)
    ask("confirm", quantity=1, shown="30.00", token="b" * 32)
    response = ask("confirm", quantity=1, shown="29.00")
    assert "Something has changed meanwhile" in response.content.decode()
    assert order.loyalty_refunds.count() == 1


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"quantity": "3"}, "quantity"),
        ({"quantity": "x"}, "quantity"),
        ({"quantity": "1", "amount": "5"}, "amount"),
        ({"amount": "60.01"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "0.001"}, "amount"),
        ({"quantity": "1", "reason": ""}, "reason"),
        ({}, "__all__"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(ask, order, data, field):
    for step in ("preview", "confirm"):
        response = ask(step, **data)
        assert [name.partition("_")[0] or name for name in response.context["form"].errors] == [
            field.partition("_")[0] or field
        ]
    assert not order.loyalty_refunds.exists()


def test_an_amount_in_french(ask, owner, order):
    owner.cookies["django_language"] = "fr"
    assert "12,50" in ask("preview", amount="12,50").content.decode()
    ask("confirm", amount="12,50", shown="12.50")
    assert order.loyalty_refunds.get().amount == D("12.50")


def test_all_that_is_left_is_filled_in(owner, page, order):
    form = owner.get(page, {"all": "1"}).context["form"]
    assert form.initial[f"quantity_{order.lines.get().pk}"] == 2


def test_nothing_is_left(ask, owner, page):
    ask("confirm", quantity=2)
    assert "Nothing is left to refund." in owner.get(page).content.decode()


@pytest.fixture
def earning(programme, member):
    """One petal for each euro, to spend at once; refunds of what was spent are blocked."""
    members.save_programme(programme=programme, clawback_policy="block", pending_days=0)
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})


def test_a_blocked_refund_needs_a_tick(earning, ask, order, member):
    due.sweep()
    books.spend(account=member.account, units=50, key="spent")
    text = ask("preview", quantity=2).content.decode()
    assert "Of them, spent already: 50\xa0petals" in text and "Refund all the same" in text
    response = ask("confirm", quantity=2)
    assert set(response.context["form"].errors) == {"force"}
    assert not order.loyalty_refunds.exists()
    assert ask("confirm", quantity=2, force="on").status_code == 302
    member.account.refresh_from_db()
    assert member.account.debt == 50


def test_waiting_and_refused(ask, owner, page, order, paid_by_bank, url):
    bank = paid_by_bank(order)
    bank.answer = "refused"
    ask("confirm", quantity=2)
    assert "waiting for Card" in owner.get(page).content.decode()
    due.sweep()
    text = owner.get(page).content.decode()
    assert "refused by Card" in text and "The card was closed." in text
    assert "refused" in owner.get(url("health")).content.decode()
    refund = order.loyalty_refunds.get()
    part = refund.returns.get(state="failed")
    where = url("refund-part", order.number, refund.uuid)
    owner.post(where, {"tender": part.allotment.tender_id, "action": "again"})
    bank.answer = None
    due.sweep()
    part.refresh_from_db()
    assert part.state == "done"


@pytest.mark.django_db(transaction=True)
def test_all_that_was_refused_is_tried_again_in_one_go(
    shopper, programme, make_product, paid_by_bank, owner, url, settings
):
    """A worker that hears of the first part at once must not ask for it alone: its key is that of the whole."""
    for price in ("10.00", "20.00"):
        shopper.add(make_product(price))
    shopper.place()
    order = Order.objects.get()
    bank = paid_by_bank(order)
    bank.answer = "refused"
    refund = refunds.give_all_back(order=order, key="1", kind="refund")
    due.sweep()
    settings.OSCAR_LOYALTY_WORKER, bank.answer, bank.asked = "inline", None, []
    tender = order.payment_attempt.tenders.get()
    owner.post(url("refund-part", order.number, refund.uuid), {"tender": tender.pk, "action": "again"})
    assert [amount for _pk, amount, _atomic in bank.asked] == [D("30.00")]
    assert {(part.state, part.key.endswith(":again:1")) for part in refund.returns.all()} == {("done", True)}


def test_a_refused_part_can_be_given_otherwise(ask, owner, order, paid_by_bank, url):
    bank = paid_by_bank(order)
    bank.answer = "refused"
    ask("confirm", quantity=2)
    due.sweep()
    refund = order.loyalty_refunds.get()
    part = refund.returns.get(state="failed")
    owner.post(
        url("refund-part", order.number, refund.uuid), {"tender": part.allotment.tender_id, "action": "otherwise"}
    )
    due.sweep()
    part.refresh_from_db()
    assert (part.state, len(bank.asked)) == ("done", 1)


@pytest.mark.parametrize(
    ("language", "sure", "told"),
    [
        ("en", "Say so only once you have given back €50.00", "given back in another way"),
        ("fr", "Ne confirmez qu’une fois que vous avez rendu 50,00\xa0€", "rendu autrement"),
    ],
)
def test_who_gives_it_otherwise_is_asked_once_more_and_remembered(
    ask, owner, order, page, paid_by_bank, language, sure, told
):
    paid_by_bank(order).answer = "refused"
    ask("confirm", quantity=2)
    due.sweep()
    owner.cookies["django_language"] = language
    before = owner.get(page)
    again, otherwise = [form for form in forms(before) if "tender" in form.values]
    assert again.buttons == {"action": "again"}
    assert (otherwise.values["action"], otherwise.buttons) == ("otherwise", {})
    # Its button is behind a second look.
    _, _, form = before.content.decode().partition('value="otherwise">')
    assert re.match(rf'\s*<details class="loyalty-sure">.*{sure}.*<button type="submit"', form.partition("</form>")[0])
    for _click in range(2):
        owner.post(otherwise.action, otherwise.filled())
    text = owner.get(page).content.decode()
    assert "Ada Boss" in text.partition(told)[2].partition("</li>")[0]
    assert 'value="again"' not in text and sure not in text
    # Oscar's page of the order says it too.
    assert told in owner.get(reverse("dashboard:order-detail", args=[order.number])).content.decode()


def test_who_may(client, staff, page, order):
    detail = reverse("dashboard:order-detail", args=[order.number])
    view_order = Permission.objects.get(content_type__app_label="order", codename="view_order")
    looker, cashier = staff("view_loyalty", username="looker"), staff("refund_orders", username="cashier")
    looker.user_permissions.add(view_order)
    client.force_login(looker)
    assert client.get(page).status_code == 403
    assert page not in client.get(detail).content.decode()
    client.force_login(cashier)
    assert client.get(page).status_code == 403
    cashier.user_permissions.add(view_order)
    assert client.get(page).status_code == 200
    assert page in client.get(detail).content.decode()


def test_bounded_queries(ask, owner, order, page):
    """However many refunds, as many queries: on our page, and ours on Oscar's (which asks for each event's lines)."""

    def count(address, tables):
        with CaptureQueriesContext(connection) as queries:
            owner.get(address)
        return sum(any(table in query["sql"] for table in tables) for query in queries)

    detail = reverse("dashboard:order-detail", args=[order.number])
    found = []
    for number in range(6):
        ask("confirm", amount="1.00", token=f"{number}" * 32)
        found.append((count(page, [""]), count(detail, ["loyalty_"])))
    assert found[1:] == [found[1]] * 5
    assert found[1][0] <= 30


@pytest.mark.parametrize(("language", "said"), [("en", "We have refunded your order"), ("fr", "")])
def test_the_customer_is_told(ask, order, card, language, said, shopper):
    order.payment_attempt.snapshot["language"] = language
    order.payment_attempt.save()
    ask("confirm", quantity=1)
    due.sweep()
    key = get_loyalty_model("loyalty_messaging", "Message").objects.get(kind="refunded").key
    assert key == f"refunded:{order.loyalty_refunds.get().pk}"
    message = mail.outbox[-1]
    assert message.to == ["rose@example.com"]
    if said:
        assert said in message.subject
        assert f"- €5.00 back on your gift card {card.label}" in message.body
        assert "1 × Cut & dry" in message.body
    text = shopper.client.get(reverse("customer:order", args=[order.number])).content.decode()
    assert f"€5.00 back on your gift card {card.label}" in text
    assert giftcards.balance(card).amount == D("5.00")
