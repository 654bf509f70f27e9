"""The confirmation of an order goes through the outbox: nothing loses it, and nothing it meets breaks the order."""

from decimal import Decimal as D

import pytest
from django.contrib.sites.models import Site
from django.core import mail
from django.test import Client
from django.utils.translation import gettext, override
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.messaging.orders import write

Order = get_model("order", "Order")
CommunicationEventType = get_model("communication", "CommunicationEventType")
pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    site = Site.objects.get_current()
    site.name, site.domain = "Maison Pétale", "petale.example.com"
    site.save()
    Site.objects.clear_cache()
    yield site
    Site.objects.clear_cache()


@pytest.fixture
def haircut(db):
    ProductClass = get_model("catalogue", "ProductClass")
    ProductClass.objects.create(slug="service", name="Service", requires_shipping=False, track_stock=False)
    product = create_product(title="Haircut & more", product_class="Service")
    create_stockrecord(product, price=D("30.00"), num_in_stock=None, partner_name="Salon")
    product.stockrecords.update(price_currency="EUR")
    return product


@pytest.fixture
def gift(db):
    return giftcards.issue(value=D("5.00"), key="gift", deliver=False)


def order(client, product, prefix="", card=None, points=""):
    """Buy ``product`` as a browser does; return the order."""
    client.post(f"{prefix}/basket/add/{product.pk}/", {"quantity": "1"})
    if "_auth_user_id" not in client.session:
        client.post(f"{prefix}/checkout/", {"options": "anonymous", "username": "guest@example.com"})
    client.get(f"{prefix}/checkout/shipping-method/")
    page = f"{prefix}/checkout/preview/"
    if card is not None:
        client.post(page, {"loyalty_add_card": "1", "code": giftcards.code_of(card)})
    if points:
        client.post(page, {"loyalty_points_do": "use", "points": points})
    client.get(page)
    response = client.post(page, {"action": "place_order"})
    assert response.url.endswith("/checkout/thank-you/"), response.content.decode()
    return Order.objects.get()


@pytest.fixture
def rose(site, member, client):
    """A signed-in member with 1,000 points that pay at checkout."""
    member.programme.points_at_checkout = True
    member.programme.save()
    books.earn(account=member.account, units=1000, key="rich", usable_from=clock.now(), kind="adjust")
    client.force_login(member.user)
    return client


def confirmations():
    return [message for message in mail.outbox if Order.objects.get().number in message.subject]


def test_it_says_what_was_bought_and_how_it_was_paid(rose, haircut, gift, work, member):
    placed = order(rose, haircut, card=gift, points="1000")
    assert mail.outbox == []
    work()
    work()
    (message,) = confirmations()
    assert message.to == ["rose@example.com"]
    assert message.subject == f"Confirmation of order {placed.number}"
    html = message.alternatives[0][0]
    for text in (message.body, html):
        assert "How it was paid" in text
        assert "1,000\xa0petals" in text and f"Gift card {gift.label}" in text
        assert "€10.00" in text and "€5.00" in text and "At the salon" in text and "€15.00" in text
        assert text.count("How it was paid") == 1
        assert f"https://petale.example.com/accounts/orders/{placed.number}/" in text
        assert "http://petale" not in text
    # The plain text is Oscar's own, with our part at its end.
    assert "quantity: 1 - price: €30.00" in message.body and message.body.rstrip().endswith("At the salon: €15.00")
    assert "Haircut &amp; more" in html
    row = get_loyalty_model("loyalty_messaging", "Message").objects.get(kind="order_placed")
    assert (row.state, row.member, row.to) == ("sent", member, "rose@example.com")
    # As if Oscar's view had sent it: the customer finds it among the mails.
    assert get_model("communication", "Email").objects.get().subject == message.subject


@pytest.mark.urls("tests.messaging.guest_urls")
def test_guests_get_it_with_a_link_that_needs_no_account(site, programme, haircut, gift, settings, work):
    settings.OSCAR_ALLOW_ANON_CHECKOUT = True
    placed = order(Client(), haircut, card=gift)
    work()
    (message,) = confirmations()
    assert message.to == ["guest@example.com"]
    address = f"/accounts/order-status/{placed.number}/{placed.verification_hash()}/"
    assert f"https://petale.example.com{address}" in message.body
    assert f"Gift card {gift.label}: €5.00" in message.body
    # Oscar asks for the address that the order was placed with.
    assert "order-status-form" in Client().get(address).url


def test_it_is_in_the_language_of_the_order(rose, haircut, gift, work, settings):
    rose.post("/i18n/setlang/", {"language": "fr"})
    placed = order(rose, haircut, card=gift, points="1000")
    assert placed.payment_attempt.snapshot["language"] == "fr"
    work()
    (message,) = confirmations()
    text = " ".join(message.body.split())
    assert "1 000 pétales : 10,00 €" in text


def test_it_is_oscars_own_in_a_language_that_we_do_not_speak(rose, haircut, gift):
    """Nothing of it but how it was paid is ours, so a shop in German still writes in German."""
    placed = order(rose, haircut, card=gift)
    with override("de"):
        body = write(placed)["body"]
        for words in ("Your order contains:", "Basket total:", "The team"):
            assert gettext(words) != words and gettext(words) in body
    assert "Thank you for your order" not in body and "Hello" not in body


def test_a_mail_server_that_is_down_breaks_no_order_and_loses_no_mail(rose, haircut, broken_mail, settings, time, work):
    order(rose, haircut)
    work()
    assert get_loyalty_model("loyalty_messaging", "Message").objects.get(kind="order_placed").state == "failed"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    time.advance(minutes=2)
    work()
    assert len(confirmations()) == 1


def test_a_process_that_dies_right_after_the_order_loses_no_mail(rose, haircut, monkeypatch, work):
    from oscar_loyalty.checkout.views import PaymentDetailsView

    class Killed(BaseException):
        pass

    def die(self, order):
        raise Killed

    rose.post(f"/basket/add/{haircut.pk}/", {"quantity": "1"})
    rose.get("/checkout/shipping-method/")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(PaymentDetailsView, "handle_successful_order", die)
        rose.post("/checkout/preview/", {"action": "place_order"})
    assert Order.objects.count() == 1
    work()
    assert len(confirmations()) == 1


def test_the_order_remembers_it_and_a_template_of_the_shop_counts(rose, haircut, gift, work):
    CommunicationEventType.objects.create(
        code="ORDER_PLACED",
        name="Order placed",
        email_subject_template="Ahoy {{ order.number }}",
        email_body_template="Your order for {{ user.first_name }}.",
        email_body_html_template="<html><body><p>Ahoy</p></body></html>",
    )
    placed = order(rose, haircut, card=gift)
    work()
    (message,) = confirmations()
    assert message.subject == f"Ahoy {placed.number}"
    assert message.body.startswith("Your order for Rose.\n\nHow it was paid\n")
    html = message.alternatives[0][0]
    assert html.startswith("<html><body><p>Ahoy</p>") and html.endswith("</body></html>")
    assert html.count("How it was paid") == 1
    assert placed.communication_events.get().event_type.code == "ORDER_PLACED"


def test_a_template_may_say_where_it_stands(rose, haircut, gift, work):
    CommunicationEventType.objects.create(
        code="ORDER_PLACED",
        name="Order placed",
        email_body_template="{{ loyalty_paid_text }}\n\nSee you soon.",
        email_body_html_template="{{ loyalty_paid_html }}<p>See you soon.</p>",
    )
    order(rose, haircut, card=gift)
    work()
    (message,) = confirmations()
    assert message.body.count("How it was paid") == 1 and message.body.rstrip().endswith("See you soon.")
    assert message.alternatives[0][0].count("How it was paid") == 1


def test_whoever_has_no_address_any_more_is_no_error(rose, haircut, work, user):
    order(rose, haircut)
    due.run(get_loyalty_model("loyalty_due", "Due").objects.get(kind="payments.order_mail").pk)
    user.email = ""
    user.save()
    work()
    assert get_loyalty_model("loyalty_messaging", "Message").objects.get(kind="order_placed").state == "cancelled"
    assert mail.outbox == []
