"""The link of a guest order, and the page of guest orders: what each reader is told, and what a press does."""

from decimal import Decimal

import pytest
from django.core import mail
from oscar.test.factories import create_order, create_product

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import claims, guests, rules
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as member_services

pytestmark = pytest.mark.django_db
GUEST = "lea@example.com"
HERE = "/accounts/loyalty/guest-orders/"
Order = get_model("order", "Order")


@pytest.fixture(autouse=True)
def _shop(settings):
    settings.OSCAR_ALLOW_ANON_CHECKOUT = True
    settings.OSCAR_LOYALTY_WORKER = "cron"


@pytest.fixture
def place(programme):
    """A guest's order of a haircut, 80 petals, and a gift card of 10 euros."""
    from oscar.apps.partner.strategy import Selector

    haircut = create_product(title="Haircut", price=Decimal("45.00"), product_class="Service", num_in_stock=100)
    rules.set_product_points(product=haircut, points=80)
    card = giftcards.set_denomination(value=Decimal("10")).product

    def place(number="2001", email=GUEST, cards=1):
        basket = get_model("basket", "Basket").objects.create()
        basket.strategy = Selector().strategy()
        basket.add_product(haircut, 1)
        if cards:
            basket.add_product(card, cards)
        order = create_order(basket=basket, number=number, user=None, guest_email=email, date_placed=clock.now())
        Order.objects.filter(pk=order.pk).update(user=None)
        order.refresh_from_db()
        for made in giftcards.issue_for_lines(order):
            giftcards.activate(card=made, deliver=False)
        return order

    return place


@pytest.fixture
def order(place):
    return place()


@pytest.fixture
def url(order, programme):
    return f"{HERE}{guests.token_of(claims.link_for(order=order, programme=programme))}/"


@pytest.fixture
def other(django_user_model):
    return django_user_model.objects.create_user(username="other", email="other@example.com")


def text_of(response, status=200):
    assert response.status_code == status
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def test_a_stranger_sees_what_waits_and_nothing_private(client, url, order):
    response = client.get(url)
    text = text_of(response)
    assert "80 petals" in text and "1 gift card comes to" in text and "Order 2001" in text
    assert f'href="/accounts/register/?next={url.replace(":", "%3A")}"' in text
    assert GUEST not in text and "Haircut" not in text
    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]
    # Opening it, or pressing without being signed in, takes nothing.
    assert client.post(url).url.startswith("/accounts/login/?next=")
    order.refresh_from_db()
    assert order.user is None


def test_who_presses_joins_and_finds_everything(client, url, order, user, programme):
    client.force_login(user)
    assert "Join Pétales and add to my account" in text_of(client.get(url))
    response = client.post(url, follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/loyalty/history/"
    text = text_of(response)
    assert "Order 2001 is on your account now, with 80 petals." in text
    assert "Ordered as a guest, added on" in text
    assert "Gift card €10.00" in text_of(client.get("/accounts/loyalty/gift-cards/"))
    assert "2001" in text_of(client.get("/accounts/orders/"))
    assert client.get("/accounts/orders/2001/").status_code == 200
    # Again, whether pressed or opened, it leads to the history.
    assert client.post(url).url == client.get(url).url == "/accounts/loyalty/history/"
    assert ledger.balance(members.member_for(user, programme).account).book == 80


def test_others_are_told_that_it_was_taken(client, url, user, other):
    client.force_login(user)
    client.post(url)
    client.logout()
    text = text_of(client.get(url))
    assert "This was taken already" in text and "log in to see it" in text
    assert "80 petals" not in text
    client.force_login(other)
    for response in (client.get(url), client.post(url)):
        text = text_of(response)
        assert "You are signed in as other@example.com" in text
        assert user.email not in text
    assert not Order.objects.filter(user=other).exists()


def test_an_account_that_took_it_and_is_gone(client, url, user, other):
    client.force_login(user)
    client.post(url)
    user.delete()
    client.force_login(other)
    assert "This was taken already" in text_of(client.get(url))
    assert "This was taken already" in text_of(client.post(url))


def test_links_that_do_not_work(client, url, user, order):
    for signed_in in (False, True):
        if signed_in:
            client.force_login(user)
        for broken in (f"{url[:-2]}/", f"{HERE}nonsense/"):
            for response in (client.get(broken), client.post(broken)):
                assert "Open it from the e-mail once more" in text_of(response, 404)
    Order.objects.filter(pk=order.pk).update(guest_email="right@example.com")
    text_of(client.post(url), 404)
    assert not Order.objects.filter(user=user).exists()


def test_without_a_programme_no_link_works(client, db):
    assert client.get(f"{HERE}nonsense/").status_code == 404


@pytest.mark.parametrize("status", ["frozen", "closed"])
def test_a_membership_that_rests(client, url, member, status):
    member_services.set_status(member=member, status=status)
    client.force_login(member.user)
    for response in (client.get(url), client.post(url)):
        assert "whose membership is on hold or closed" in text_of(response)


def test_a_closed_programme(client, url, user, programme):
    member_services.save_programme(programme=programme, is_active=False)
    client.force_login(user)
    for response in (client.get(url), client.post(url)):
        assert "Pétales is closed for the moment, so nothing can be added." in text_of(response)


def test_a_cancelled_order(client, url, order, user):
    order.set_status("Cancelled")
    client.force_login(user)
    assert "It was cancelled, so it brings no points." in text_of(client.get(url))
    assert "Order 2001 is on your account now." in text_of(client.post(url, follow=True))


def test_the_membership_opened_with_the_address(client, url, user, programme):
    alone = member_services.join(programme=programme, email=GUEST, source="till")
    client.force_login(user)
    assert f"The membership {alone.number}, opened with the same e-mail" in text_of(client.get(url))


def test_asking_says_the_same_to_everybody(client, order, user, other, programme):
    user.email = GUEST
    user.save()
    answers = []
    for who in (user, other):
        client.force_login(who)
        assert f"Send a link to {who.email}" in text_of(client.get(HERE))
        text = text_of(client.post(HERE, {"ask": "1"}, follow=True))
        answers.append(text.replace(who.email, "…").partition('id="messages"')[2][:600])
        assert "was asked for a short while ago" in text_of(client.post(HERE, {"ask": "1"}, follow=True))
    assert answers[0] == answers[1]
    assert "If orders were placed as a guest with …, a link is on its way there now." in answers[0]
    due.sweep()
    (message,) = [message for message in mail.outbox if "found" in message.subject]
    assert message.to == [GUEST]
    # Pressing "add" by hand, unproven, takes nothing.
    client.force_login(user)
    client.post(HERE, {"claim": "1"})
    assert not Order.objects.filter(user=user).exists()
    path = message.body.partition("http://example.com")[2] or message.body.partition("https://example.com")[2]
    address = path.split()[0]
    assert "1 order was placed with your address" in text_of(client.get(address))
    client.post(address)
    assert Order.objects.get().user == user
    assert "No guest order of lea@example.com waits." in text_of(client.get(HERE))


def test_a_proven_address_shows_what_waits(client, url, user, place):
    client.force_login(user)
    client.post(url)
    place("2002", cards=0)
    place("2003", email="someone@example.com")
    text = text_of(client.get(HERE))
    assert "Order 2002 of" in text and "2003" not in text
    text = text_of(client.post(HERE, {"claim": "1"}, follow=True))
    assert "Order 2002 is on your account now, with 80 petals." in text
    assert "There was nothing left to add" in text_of(client.post(HERE, {"claim": "1"}, follow=True))


def test_the_page_costs_the_same_however_many_wait(client, url, user, place, django_assert_max_num_queries):
    client.force_login(user)
    client.post(url)
    for number in range(25):
        place(f"3{number:03}", cards=0)
    with django_assert_max_num_queries(37):
        text = text_of(client.get(HERE))
    assert "25 orders of yours" in text and text.count("Order 3") == 20
    client.post(HERE, {"claim": "1"})
    assert Order.objects.filter(user=user).count() == 26


def test_a_link_costs_a_bounded_number_of_queries(client, url, user, django_assert_max_num_queries):
    with django_assert_max_num_queries(32):
        client.get(url)
    client.force_login(user)
    with django_assert_max_num_queries(37):
        client.get(url)


def test_the_entry_is_there_where_guests_may_order(client, member, settings):
    client.force_login(member.user)
    assert HERE in text_of(client.get("/accounts/loyalty/"))
    settings.OSCAR_ALLOW_ANON_CHECKOUT = False
    assert HERE not in text_of(client.get("/accounts/loyalty/"))


def test_without_a_programme_the_page_says_so(client, user):
    client.force_login(user)
    assert "no loyalty programme" in text_of(client.get(HERE))
    assert "no loyalty programme" in text_of(client.post(HERE, {"ask": "1"}))
