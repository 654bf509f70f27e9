"""One function brings an attempt to its end, whoever calls it, however often, and whatever broke before."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core import mail
from oscar.core.loading import get_model

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import outcomes, placing, refunds, selectors, sending, services, settling, watching
from oscar_loyalty.payments.exceptions import ProviderDown
from oscar_loyalty.payments.stripe.tender import Stripe
from tests.stripe.conftest import last_attempt, tender_of

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")
pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process dies here."""


def killed(*args, **kwargs):
    raise Killed


@pytest.fixture
def paid(bank, to_stripe, shopper, rich, haircut, card_10):
    """A haircut for 30 euros and a gift card for 1,000 points; the money is set aside, nobody has come back yet."""
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    to_stripe(shopper)
    bank.pay()
    return last_attempt()


def settle(attempt):
    try:
        return settling.settle(attempt=attempt, at_once=True)
    except ProviderDown:
        return "down"


def only_intent(bank):
    [intent] = bank.books()["payment_intents"].values()
    return intent


# Taking


@pytest.mark.parametrize(
    "fault",
    [
        "500_before",
        "500_stored",
        "500_after",
        "502_after",
        "timeout_before",
        "timeout_after",
        "cut_before",
        "cut_after",
        "429",
        "lock_timeout",
        "401",
    ],
)
def test_whatever_goes_wrong_the_money_is_taken_once(bank, paid, fault):
    bank.control.fault("POST /v1/payment_intents/*/capture", fault, seconds=3)
    assert settle(paid) == "down"
    paid.refresh_from_db()
    # The order stands: its money is set aside.
    assert (paid.state, tender_of(paid).state) == ("placed", "authorised")
    assert paid.order.sources.get(source_type__name="Stripe").amount_debited == 0
    for _time in range(3):
        bank.later(minutes=10)
        settling.sweep()
    assert tender_of(paid).state == "captured"
    assert (only_intent(bank)["captured"], paid.order.sources.get(source_type__name="Stripe").amount_debited) == (
        3000,
        D("30.00"),
    )
    assert paid.order.sources.get(source_type__name="Stripe").transactions.count() == 1


def test_a_card_for_money_works_once_the_money_is_taken(bank, to_stripe, shopper, member, card_10):
    from oscar_loyalty.giftcards import selectors as giftcards

    shopper.add(card_10)
    to_stripe(shopper)
    bank.pay()
    bank.control.fault("POST /v1/payment_intents/*/capture", "500_before")
    assert settle(last_attempt()) == "down"
    order = Order.objects.get()
    # Whatever the order's status says.
    order.set_status("Being processed")
    order.set_status("Complete")
    assert giftcards.cards_of_order(order).get().state == "waiting"
    due.sweep()
    assert giftcards.cards_of_order(order).get().state == "active"


@pytest.mark.parametrize("status", ["Cancelled", ""])
def test_the_money_is_lost_for_good(bank, paid, rich, programme, shopper, status):
    programme.payment_failed_status = status
    programme.save()
    bank.control.fault("POST /v1/payment_intents/*/capture", "500_before", times=100)
    assert settle(paid) == "down"
    bank.control.dashboard_cancel(payment_intent=tender_of(paid).reference)
    assert settle(paid) == "placed"
    paid.refresh_from_db()
    assert tender_of(paid).state == "failed"
    assert ledger.balance(rich.account).usable == 2500
    [card] = get_loyalty_model("loyalty_giftcards", "GiftCard").objects.all()
    assert card.state == "disabled"
    assert paid.order.status == (status or "Pending")
    for _time in range(2):
        settle(paid)
        due.sweep()
    assert ledger.balance(rich.account).usable == 2500
    assert get_loyalty_model("loyalty_payments", "Refund").objects.count() == 1


def test_the_owner_took_it_by_hand(bank, paid):
    bank.control.fault("POST /v1/payment_intents/*/capture", "500_before")
    assert settle(paid) == "down"
    bank.control.dashboard_capture(payment_intent=tender_of(paid).reference)
    assert settle(paid) == "placed"
    assert tender_of(paid).state == "captured"


def test_a_refund_that_waited_for_a_charge_that_never_came(bank, paid, rich):
    bank.control.fault("POST /v1/payment_intents/*/capture", "500_before", times=100)
    assert settle(paid) == "down"
    order = Order.objects.get()
    refunds.refund(order=order, key="all", lines={line.pk: line.quantity for line in order.lines.all()})
    due.sweep()
    parts = get_loyalty_model("loyalty_payments", "TenderReturn").objects.filter(allotment__tender__kind="stripe")
    assert parts.get().state == "waiting"
    bank.control.dashboard_cancel(payment_intent=tender_of(paid).reference)
    assert settle(paid) == "placed"
    assert tender_of(paid).state == "failed"
    for _time in range(3):
        bank.later(hours=2)
        due.sweep()
    assert (parts.get().state, parts.get().reference) == ("done", sending.NEVER_TAKEN)
    assert not selectors.unsettled_returns().exists()
    assert order.sources.get(source_type__name="Stripe").amount_refunded == 0


def test_the_owner_took_less_by_hand(bank, to_stripe, shopper, member, card_10, client, boss, url, settings, programme):
    from oscar_loyalty.giftcards import selectors as giftcards

    settings.ADMINS = [("Ada", "ada@example.com")]
    programme.paid_statuses = ["Complete"]
    programme.save()
    shopper.add(card_10, quantity=3)
    to_stripe(shopper)
    bank.pay()
    attempt = last_attempt()
    bank.control.fault("POST /v1/payment_intents/*/capture", "500_before")
    assert settle(attempt) == "down"
    bank.control.dashboard_capture(payment_intent=tender_of(attempt).reference, amount=500)
    assert settle(attempt) == "placed"
    order = Order.objects.get()
    assert order.sources.get(source_type__name="Stripe").amount_debited == D("5.00")
    assert (tender_of(attempt).state, tender_of(attempt).short) == ("captured", True)
    # Whatever the order's status says.
    order.set_status("Being processed")
    order.set_status("Complete")
    for _time in range(2):
        due.sweep()
    assert {card.state for card in giftcards.cards_of_order(order)} == {"waiting"}
    assert (watching.light().short, watching.light().colour) == (1, "red")
    [letter] = [letter for letter in mail.outbox if "ada@example.com" in letter.to]
    assert "Only €5.00 of €30.00 was charged." in letter.body
    client.force_login(boss)
    assert order.number in client.get(url("payments") + "?state=look").content.decode()
    page = client.get(url("payment", attempt.uuid)).content.decode()
    assert "This payment is settled" in page and "Only €5.00 of €30.00 was charged." in page
    # In the language of whoever reads it, not of whoever settled it.
    page = client.get(url("payment", attempt.uuid), headers={"accept-language": "fr"}).content.decode()
    assert "seulement ont été débités" in page
    for _time in range(2):
        client.post(url("payment-settle", attempt.uuid, "settled"))
    assert watching.light().colour == "green"
    assert {card.state for card in giftcards.cards_of_order(order)} == {"active"}
    page = client.get(url("payment", attempt.uuid)).content.decode()
    assert "This payment is settled" not in page
    assert page.count("The shop noted that it has seen to the rest") == 1


@pytest.mark.parametrize("amount", [None, 500])
def test_who_had_no_answer_says_nothing_of_what_another_has_written_down(bank, paid, monkeypatch, amount):
    if amount:
        bank.control.fault("POST /v1/payment_intents/*/capture", "500_before")
        assert settle(paid) == "down"
        bank.control.dashboard_capture(payment_intent=tender_of(paid).reference, amount=amount)
    real = Stripe.take

    def in_vain(self, *, tender):
        monkeypatch.setattr(Stripe, "take", real)
        assert settle(paid) == "placed"
        raise ProviderDown("Timeout")

    monkeypatch.setattr(Stripe, "take", in_vain)
    assert settle(paid) == "down"
    tender = tender_of(paid)
    assert (tender.state, tender.short, tender.error) == ("captured", bool(amount), "")
    assert watching.light().short == bool(amount)


def test_an_order_that_another_has_written_is_not_tried_again(bank, paid, monkeypatch):
    place, try_later = placing.place, settling._try_later

    def fails(*, attempt):
        raise ValueError("A mistake in the shop's code")

    def too_late(*args):
        monkeypatch.setattr(placing, "place", place)
        assert settle(paid) == "placed"
        return try_later(*args)

    monkeypatch.setattr(placing, "place", fails)
    monkeypatch.setattr(settling, "_try_later", too_late)
    assert settle(paid) == "placed"
    tender = tender_of(paid)
    assert (tender.state, tender.short, tender.error) == ("captured", False, "")
    assert watching.light().colour == "green"


# Dying half way


@pytest.mark.parametrize("where", ["after looking", "before committing", "after committing"])
def test_a_killed_settle_is_finished_by_the_next(bank, paid, monkeypatch, where):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        if where == "after looking":
            patch.setattr(settling, "_place", killed)
        elif where == "before committing":
            patch.setattr(services, "complete", killed)
        else:
            patch.setattr(outcomes, "carry_out", killed)
        settling.settle(attempt=paid, at_once=True)
    assert Order.objects.exists() == (where == "after committing")
    bank.later(minutes=6)
    due.sweep()
    assert Order.objects.count() == 1
    assert tender_of(paid).state == "captured"


def test_a_request_that_dies_before_it_knows_the_page(bank, shopper, rich, haircut, card_10, monkeypatch):
    from oscar_loyalty.payments import asking

    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(asking, "_remember", killed)
        patch.setattr(services, "cancel", killed)
        shopper.place()
    attempt = last_attempt()
    assert (attempt.state, ledger.balance(rich.account).usable) == ("open", 1500)
    bank.later(minutes=3)
    settling.sweep()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.basket.status) == ("cancelled", "Open")
    assert ledger.balance(rich.account).usable == 2500


# What can no longer be bought


def dearer(attempt):
    get_model("partner", "StockRecord").objects.filter(price=D("30.00")).update(price=D("31.00"))


def sold_out(attempt):
    get_model("catalogue", "ProductClass").objects.filter(slug="service").update(track_stock=True)
    get_model("partner", "StockRecord").objects.filter(price=D("30.00")).update(num_in_stock=0)


def another_basket(attempt):
    get_model("basket", "Line").objects.filter(basket=attempt.basket, product__title="Haircut").update(quantity=2)


def number_taken(attempt):
    from oscar.test.factories import create_order

    create_order(number=attempt.order_number)
    attempt.__class__.objects.create(
        order=Order.objects.get(),
        site=attempt.site,
        total=0,
        created_at=clock.now(),
        leased_until=clock.now(),
        expires_at=clock.now(),
        state="placed",
    )
    Order.objects.update(total_incl_tax=0)


@pytest.mark.parametrize("happened", [dearer, sold_out, another_basket, number_taken])
def test_what_can_no_longer_be_bought_is_not_paid(bank, paid, rich, shopper, ways, happened):
    before = Order.objects.count()
    happened(paid)
    placed = Order.objects.count()
    response = shopper.client.get(ways(paid)["paid"])
    assert response.url == "/basket/"
    assert Order.objects.count() == placed >= before
    paid.refresh_from_db()
    assert (paid.state, tender_of(paid).state, paid.basket.status) == ("cancelled", "cancelled", "Open")
    assert paid.reason
    assert ledger.balance(rich.account).usable == 2500
    intent = only_intent(bank)
    assert (intent["status"], intent["captured"], intent["authorised"]) == ("canceled", 0, 0)
    assert "could not be placed" in shopper.client.get("/basket/").content.decode()


@pytest.mark.parametrize("fault", ["500_before", "500_stored", "500_after", "timeout_after", "cut_before"])
def test_letting_go_goes_wrong_at_first(bank, paid, fault):
    dearer(paid)
    bank.control.fault("POST /v1/payment_intents/*/cancel", fault, seconds=3)
    assert settle(paid) == "down"
    paid.refresh_from_db()
    assert (paid.state, tender_of(paid).state) == ("cancelled", "authorised")
    bank.later(minutes=10)
    settling.sweep()
    assert tender_of(paid).state == "cancelled"
    assert only_intent(bank)["status"] == "canceled"


def test_taken_by_hand_for_an_order_that_will_never_be(bank, paid):
    dearer(paid)
    bank.control.fault("POST /v1/payment_intents/*/cancel", "500_before")
    assert settle(paid) == "down"
    bank.control.dashboard_capture(payment_intent=tender_of(paid).reference)
    bank.later(minutes=10)
    settling.sweep()
    assert tender_of(paid).state == "cancelled"
    intent = only_intent(bank)
    assert (intent["captured"], intent["refunded"]) == (3000, 3000)


def test_an_order_that_cannot_be_written_is_tried_for_a_quarter_of_an_hour(bank, paid, rich, monkeypatch):
    def broken(**kwargs):
        raise RuntimeError("the shop's own code")

    monkeypatch.setattr(placing, "place", broken)
    assert settle(paid) == "open"
    bank.later(minutes=5)
    settling.sweep()
    paid.refresh_from_db()
    assert paid.state == "open"
    bank.later(minutes=11)
    settling.sweep()
    paid.refresh_from_db()
    assert (paid.state, tender_of(paid).state) == ("cancelled", "cancelled")
    assert ledger.balance(rich.account).usable == 2500


def test_an_order_that_cannot_be_written_at_first(bank, paid, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(placing, "place", lambda **kwargs: 1 / 0)
        assert settle(paid) == "open"
    bank.later(minutes=2)
    settling.sweep()
    assert tender_of(paid).state == "captured"


def test_a_basket_that_has_an_order_is_never_opened_again(bank, paid):
    from oscar.test.factories import create_order

    order = create_order(number="elsewhere")
    Order.objects.filter(pk=order.pk).update(basket=paid.basket, total_incl_tax=0)
    paid.__class__.objects.create(
        order=order,
        site=paid.site,
        total=0,
        created_at=clock.now(),
        leased_until=clock.now(),
        expires_at=clock.now(),
        state="placed",
    )
    assert settle(paid) == "cancelled"
    paid.refresh_from_db()
    assert paid.basket.status == "Frozen"
    assert only_intent(bank)["status"] == "canceled"


def test_another_amount_is_not_enough(bank, paid):
    get_loyalty_model("loyalty_payments", "Tender").objects.filter(kind="stripe").update(amount=D("29.00"))
    assert settle(paid) == "cancelled"
    get_loyalty_model("loyalty_payments", "Tender").objects.filter(kind="stripe").update(amount=D("30.00"))
    assert not Order.objects.exists()


def test_paid_at_the_moment_it_is_given_up(bank, to_stripe, shopper, member, haircut, monkeypatch):
    shopper.add(haircut)
    to_stripe(shopper)
    attempt = last_attempt()
    kind = services.tenders.of("stripe")
    close = type(kind).close

    def paid_first(self, *, tender):
        bank.pay(attempt)
        return close(self, tender=tender)

    monkeypatch.setattr(type(kind), "close", paid_first)
    assert settling.give_up(attempt=attempt) == "placed"
    assert tender_of(attempt).state == "captured"


def test_the_server_is_away_while_the_customer_gives_up(bank, to_stripe, ways, shopper, rich, haircut, card_10):
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    to_stripe(shopper)
    bank.control.fault("* /v1/checkout/sessions/*", "500_before")
    response = shopper.client.get(ways(last_attempt())["back"])
    assert response.status_code == 200
    assert ledger.balance(rich.account).usable == 1500
    bank.later(minutes=2)
    settling.sweep()
    assert last_attempt().state == "cancelled"
    assert ledger.balance(rich.account).usable == 2500


def test_nobody_asks_stripe_within_a_transaction(bank, paid):
    from django.db import transaction

    with transaction.atomic(), pytest.raises(RuntimeError):
        settling.settle(attempt=paid, at_once=True)


def test_a_sweep_does_not_ask_a_silent_stripe_for_ever(bank, new_shopper, to_stripe, programme, haircut, monkeypatch):
    for _shopper in range(6):
        shopper = new_shopper()
        shopper.add(haircut)
        to_stripe(shopper)
    bank.later(minutes=6)
    bank.control.fault("* /v1/*", "500_before", times=100)
    asked = []
    settle_one = settling.settle
    monkeypatch.setattr(settling, "settle", lambda **kwargs: asked.append(1) or settle_one(**kwargs))
    settling.sweep()
    assert len(asked) == settling.GIVE_UP
    bank.control.faults(clear=True)


def test_the_order_is_as_it_was_agreed_upon(bank, to_stripe, shopper, member, haircut):
    """With a voucher, an address, shipping, and the address book."""
    from oscar.test.factories import create_product, create_stockrecord

    product = create_product(title="Shampoo", product_class="Goods")
    create_stockrecord(product, price=D("12.00"), num_in_stock=3, partner_name="Salon")
    product.stockrecords.update(price_currency="EUR")
    voucher = _voucher()
    basket = shopper.add(product, quantity=2)
    basket.vouchers.add(voucher)
    country = get_model("address", "Country").objects.create(
        iso_3166_1_a2="FR", printable_name="France", is_shipping_country=True
    )
    address = {
        "first_name": "Rose",
        "last_name": "Martin",
        "line1": "1 rue des Fleurs",
        "line4": "Lyon",
        "postcode": "69001",
        "country": country.pk,
        "phone_number": "+33 6 12 34 56 78",
    }
    shopper.client.post("/checkout/shipping-address/", address)
    shopper.client.get("/checkout/shipping-method/")
    to_stripe(shopper)
    bank.pay()
    assert settle(last_attempt()) == "placed"
    order = Order.objects.get()
    assert (order.total_incl_tax, order.shipping_code) == (D("19.00"), "free-shipping")
    assert (order.shipping_address.line1, str(order.shipping_address.phone_number)) == (
        "1 rue des Fleurs",
        "+33612345678",
    )
    assert order.discounts.get().amount == D("5.00")
    assert voucher.applications.get().order == order
    assert shopper.user.addresses.get().num_orders_as_shipping_address == 1
    assert product.stockrecords.get().num_allocated == 2
    assert order.site == last_attempt().site


def test_a_voucher_that_is_over(bank, to_stripe, shopper, member, haircut):
    voucher = _voucher()
    shopper.add(haircut).vouchers.add(voucher)
    to_stripe(shopper)
    bank.pay()
    assert tender_of(last_attempt()).amount == D("25.00")
    type(voucher).objects.update(end_datetime=clock.now() - timedelta(minutes=1))
    assert settle(last_attempt()) == "cancelled"
    assert (only_intent(bank)["status"], Order.objects.count()) == ("canceled", 0)


def _voucher():
    from oscar.test.factories import ConditionalOfferFactory, VoucherFactory

    benefit = get_model("offer", "Benefit").objects.create(
        range=get_model("offer", "Range").objects.create(name="All", includes_all_products=True),
        type="Absolute",
        value=5,
    )
    condition = get_model("offer", "Condition").objects.create(range=benefit.range, type="Count", value=1)
    voucher = VoucherFactory(
        code="ROSE", start_datetime=clock.now() - timedelta(days=1), end_datetime=clock.now() + timedelta(days=1)
    )
    voucher.offers.add(ConditionalOfferFactory(benefit=benefit, condition=condition, offer_type="Voucher"))
    return voucher
