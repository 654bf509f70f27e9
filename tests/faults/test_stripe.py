"""kill -9 at each step of a payment by card and of its refund: Stripe's books and ours say the same in the end.

The shop, and the sweep, are processes of their own; Stripe is our stateful one, spoken to by the real client.
"""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from oscar.core.loading import get_model

from oscar_loyalty import clock
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import refunds
from oscar_loyalty.reports import audit
from tests.faults.process import Lost, Process, cut, mail_into, mails
from tests.faults.test_checkout import place, ready  # noqa: F401
from tests.stripe.conftest import bank, last_attempt, stripe_process, ways  # noqa: F401

Order = get_model("order", "Order")
PAYMENTS = "oscar_loyalty.payments"
STRIPE = f"{PAYMENTS}.stripe.tender:Stripe"

#: Before the customer pays.
ASKING = {
    "after the attempt, before Stripe is asked": f"{PAYMENTS}.asking:ask:before",
    "Stripe has made its page, the shop does not know": f"{STRIPE}.authorise:after",
    "the page is known, the customer was not sent there": f"{PAYMENTS}.asking:ask:after",
}
#: After the customer has paid.
PLACING = {
    "before Stripe is looked at": f"{STRIPE}.look:before",
    "Stripe says authorised, nothing is written": f"{STRIPE}.look:after",
    "the authorisation is written, not committed": f"{PAYMENTS}.outcomes:authorised:after",
    "the order is written": "oscar.apps.order.utils:OrderCreator.place_order:after",
    "between two captures": f"{PAYMENTS}.tenders.own:GiftCard.capture:after",
    "before the commit": f"{PAYMENTS}.services:complete:after",
    "after the commit, before the money is taken": f"{PAYMENTS}.outcomes:carry_out:before",
    "Stripe has taken the money, the shop does not know": f"{STRIPE}.take:after",
    "all is done, the customer has no answer": f"{PAYMENTS}.outcomes:carry_out:after",
}
REFUNDING = {
    "before the refund": f"{PAYMENTS}.refunds:carry_out:before",
    "before its commit": f"{PAYMENTS}.oscar_records:record_event:after",
    "after its commit": f"{PAYMENTS}.refunds:carry_out:after",
    "before Stripe is asked": f"{STRIPE}.give_back:before",
    "Stripe has given it back, the shop does not know": f"{STRIPE}.give_back:after",
}


@pytest.fixture
def paying(bank, ready, window, open_shop):  # noqa: F811
    """Somebody who pays 5 euros of an order by card: a haircut, 25 euros of it by gift card, and a card for points."""
    member, basket, card = ready

    class Paying:
        pass

    paying = Paying()
    paying.member, paying.basket, paying.card, paying.bank = member, basket, card, bank
    paying.customer = window()
    return paying


def sweep(bank, **delta):  # noqa: F811
    bank.later(**delta)
    call_command("loyalty_run", verbosity=0)
    call_command("loyalty_run", verbosity=0)


def assert_right(paying, *, placed):
    """All is given and taken once, or nothing is, and nothing is set aside, here and at Stripe."""
    paying.basket.refresh_from_db()
    assert Order.objects.count() == int(placed)
    assert paying.basket.status == ("Submitted" if placed else "Open")
    balance = ledger.balance(paying.member.account)
    assert (balance.usable, balance.held) == (1500 if placed else 2500, 0)
    assert giftcards.balance(paying.card).amount == (0 if placed else 25)
    assert not get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.filter(state="open").exists()
    intents = paying.bank.books()["payment_intents"].values()
    assert sorted(intent["captured"] for intent in intents if intent["captured"]) == ([500] if placed else [])
    assert not any(intent["authorised"] for intent in intents)
    report = audit.run()
    assert report.clean, report.findings


def go_to_pay(paying):
    status, _target, _text = place(paying.customer, paying.basket)
    assert status == 302
    paying.bank.pay()


@pytest.mark.parametrize("name", ASKING)
def test_killed_before_the_customer_pays(name, paying, open_shop, ways, mail_folder):  # noqa: F811
    shop = open_shop(boundary=ASKING[name])
    with pytest.raises(Lost):
        place(paying.customer.at(shop), paying.basket)
    assert shop.wait() == -9
    # Stripe's page may be open until it closes by itself; until then nothing that was set aside is let go.
    sweep(paying.bank, minutes=32)
    sweep(paying.bank, minutes=6)
    assert_right(paying, placed=False)
    paying.customer.at(open_shop())
    assert paying.customer.get("/checkout/preview/")[0] == 200
    go_to_pay(paying)
    assert paying.customer.get(ways(last_attempt())["paid"])[:2] == (302, "/checkout/thank-you/")
    sweep(paying.bank, minutes=3)
    assert_right(paying, placed=True)


@pytest.mark.parametrize("name", PLACING)
def test_killed_once_the_customer_has_paid(name, paying, open_shop, ways, mail_folder):  # noqa: F811
    paying.customer.at(open_shop())
    go_to_pay(paying)
    address = ways(last_attempt())["paid"]
    shop = open_shop(boundary=PLACING[name])
    with pytest.raises(Lost):
        paying.customer.at(shop).get(address)
    assert shop.wait() == -9
    sweep(paying.bank, minutes=6)
    assert_right(paying, placed=True)
    # Whoever reloads the page sees the order, and no second one is made.
    assert paying.customer.at(open_shop()).get(address)[:2] == (302, "/checkout/thank-you/")
    status, _target, text = paying.customer.get("/checkout/thank-you/")
    assert (status, Order.objects.get().number in text) == (200, True)
    sweep(paying.bank, minutes=6)
    assert_right(paying, placed=True)
    confirmations = [subject for subject in mails(mail_folder) if Order.objects.get().number in subject]
    assert len(confirmations) == 1


@pytest.mark.parametrize("name", REFUNDING)
def test_killed_over_a_refund(name, paying, open_shop, ways, mail_folder):  # noqa: F811
    paying.customer.at(open_shop())
    go_to_pay(paying)
    paying.customer.get(ways(last_attempt())["paid"])
    sweep(paying.bank, minutes=6)
    order = Order.objects.get()
    line = order.lines.get(line_price_incl_tax=30)

    def work():
        refunds.refund(order=order, key="fault", lines={line.pk: 1})
        call_command("loyalty_run", verbosity=0)

    process = Process(work, boundary=REFUNDING[name], **mail_into(mail_folder))
    assert process.wait() == -9
    # Whoever asked has had no answer, and asks again.
    refunds.refund(order=order, key="fault", lines={line.pk: 1})
    sweep(paying.bank, minutes=6)
    sweep(paying.bank, minutes=6)
    assert get_loyalty_model("loyalty_payments", "Refund").objects.count() == 1
    assert giftcards.balance(paying.card).amount == 25
    (intent,) = paying.bank.books()["payment_intents"].values()
    assert (intent["captured"], intent["refunded"]) == (500, 500)
    parts = get_loyalty_model("loyalty_payments", "TenderReturn").objects
    assert set(parts.values_list("state", flat=True)) == {"done"}
    report = audit.run()
    assert report.clean, report.findings


CUTS = ["the authorisation is written, not committed", "the order is written", "before the commit"]

# SQLite is a file: nobody can cut it off.
if connection.vendor == "postgresql":

    @pytest.mark.parametrize("name", CUTS)
    def test_the_database_is_cut_off_once_the_customer_has_paid(name, paying, open_shop, ways):
        paying.customer.at(open_shop())
        go_to_pay(paying)
        address = ways(last_attempt())["paid"]
        paying.customer.at(open_shop(boundary=PLACING[name], act=cut)).get(address)
        sweep(paying.bank, minutes=6)
        assert_right(paying, placed=True)
        assert paying.customer.get(address)[:2] == (302, "/checkout/thank-you/")


def test_two_sweeps_at_once_while_the_customer_comes_back(paying, open_shop, ways, mail_folder):  # noqa: F811
    paying.customer.at(open_shop())
    go_to_pay(paying)
    ahead = timedelta(minutes=6)

    def work():
        with clock.frozen(clock.now() + ahead):
            call_command("loyalty_run", verbosity=0)

    both = [Process(work, **mail_into(mail_folder)) for _worker in range(2)]
    status, target, _text = paying.customer.get(ways(last_attempt())["paid"])
    assert [process.wait(60) for process in both] == [0, 0]
    assert status in (200, 302), target
    sweep(paying.bank, minutes=12)
    assert_right(paying, placed=True)
