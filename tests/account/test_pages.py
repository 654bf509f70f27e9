"""The member pages: every state, one's own data only, and the same queries however long the history."""

from datetime import date
from decimal import Decimal as D

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oscar.test.factories import create_product

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import rules
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.members import links
from oscar_loyalty.members import services as members

pytestmark = pytest.mark.django_db
PAGES = ["", "history/", "gift-cards/", "earn/"]


@pytest.mark.parametrize("name", [*PAGES, "join/"])
def test_strangers_sign_in_first(client, programme, name):
    response = client.get(f"/accounts/loyalty/{name}")
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


@pytest.mark.parametrize("name", PAGES)
def test_without_a_programme(page, name):
    page(name)


@pytest.mark.parametrize("name", PAGES)
def test_who_is_no_member_is_invited(page, programme, name):
    text = page(name)
    assert ("Join Pétales" in text) == (name != "gift-cards/")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_yet(page, member, name):
    page(name)
    assert "Your first points come with your next purchase or visit" in page("history/")


def test_the_overview_says_what_there_is_and_when(page, member, give, time):
    from datetime import timedelta

    give(1240, expires_at=clock.now() + timedelta(days=400))
    give(80, usable_from=clock.now() + timedelta(days=14))
    text = page()
    assert "1,240 petals" in text
    assert "80 petals from March 16, 2026 on" in text
    assert "on April 6, 2027" in text
    assert member.number in text
    assert "Bronze" in text


def test_points_are_shown_with_their_last_day(page, member, give, time):
    give(40, expires_at=times.end_of(date(2026, 5, 31)))
    assert "on May 31, 2026" in page() and "Good until May 31, 2026" in page("history/")


def test_the_entry_in_oscars_side_navigation(client, user, programme):
    client.force_login(user)
    assert 'href="/accounts/loyalty/"' in client.get("/accounts/profile/").content.decode()


@pytest.mark.parametrize(("status", "told"), [("frozen", "on hold"), ("closed", "has been closed")])
def test_a_membership_that_rests(page, member, give, status, told):
    give(100)
    members.set_status(member=member, status=status)
    for name in PAGES:
        assert told in page(name)
    # Nothing is lost: it is still there to see.
    assert "kept for you" in page()
    assert ('class="nav-link loyalty-balance"' in page()) == (status == "frozen")


def test_a_closed_programme_keeps_what_one_has_in_sight(page, member, give, programme, client):
    give(100)
    members.save_programme(programme=programme, is_active=False)
    text = page()
    assert "Pétales is closed for the moment" in text
    assert "100 petals" in text
    assert client.post("/accounts/loyalty/join/").status_code == 302


def test_history_tells_why(page, member, haircut_order):
    text = page("history/")
    assert f"Order {haircut_order.number}" in text
    assert "+80 petals" in text
    assert "Why?" in text


@pytest.fixture
def haircut_order(member, user):
    from oscar.test.factories import create_order

    from oscar_loyalty.earning import orders

    product = create_product(title="Haircut", price=D("45.00"), num_in_stock=10)
    rules.set_product_points(product=product, points=80)
    from oscar.core.loading import get_class, get_model

    basket = get_model("basket", "Basket").objects.create(owner=user)
    basket.strategy = get_class("partner.strategy", "Selector")().strategy()
    basket.add_product(product, 1)
    order = create_order(basket=basket, user=user)
    orders.review_order(order=order)
    return order


def test_ones_own_only(page, member, give, django_user_model, programme, client):
    give(987_654)
    assert "987,654" in page("")
    card = giftcards.issue(value=D("10.00"), key="mine", buyer=member.user, deliver=False)
    other = django_user_model.objects.create_user("other", "other@example.com", "petale-demo")
    members.join(programme=programme, user=other)
    client.force_login(other)
    for name in PAGES:
        text = client.get(f"/accounts/loyalty/{name}").content.decode()
        assert "987,654" not in text and "987654" not in text
        assert card.label not in text
    assert client.post(f"/accounts/loyalty/gift-cards/{card.uuid}/resend/").status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_the_queries_do_not_grow(page, member, give, name, client):
    def count():
        with CaptureQueriesContext(connection) as queries:
            page(name)
        return len(queries)

    def more(number):
        for turn in range(number):
            give(10)
            giftcards.issue(value=D("10.00"), key=f"{name}{turn}{number}", buyer=member.user, deliver=False)
            rules.set_product_points(product=create_product(price=D("5.00")), points=5)

    more(3)
    page(name)
    few = count()
    more(15)
    assert count() <= few


def test_pages_of_history(page, member, give):
    for _turn in range(25):
        give(1)
    assert page("history/").count('class="loyalty-movement"') == 20
    assert page("history/?page=2").count('class="loyalty-movement"') == 5
    for odd in ("x", "0", "-1", "99", "²"):
        page(f"history/?page={odd}")


# Joining


def test_joining(page, client, programme, user):
    assert "Join Pétales" in page("join/")
    response = client.post("/accounts/loyalty/join/", {"source": "club", "next": "/gift-cards/"})
    assert response.url == "/gift-cards/"
    assert user.loyalty_memberships.get().source == "club"
    assert client.get("/accounts/loyalty/join/").url == "/accounts/loyalty/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_joining_leads_nowhere_else(page, client, programme, elsewhere):
    page()
    response = client.post("/accounts/loyalty/join/", {"source": "<script>", "next": elsewhere})
    assert response.url == "/accounts/loyalty/"


def test_a_membership_by_e_mail_is_claimed_with_its_link(page, client, programme, user):
    by_mail = members.join(programme=programme, email="till@example.com")
    books.earn(account=by_mail.account, units=50, key="till", kind="adjust", usable_from=clock.now())
    token = links.make(by_mail)
    assert by_mail.number in page(f"join/{token}/")
    assert client.post(f"/accounts/loyalty/join/{token}/").url == "/accounts/loyalty/"
    by_mail.refresh_from_db()
    assert by_mail.user == user
    assert "50 petals" in page()
    assert "does not work any more" in page(f"join/{token}/", status=404)
    page("join/nonsense/", status=404)


# Gift cards


def test_own_gift_cards_and_sending_again(page, client, member, user, time):
    card = giftcards.issue(
        value=D("25.00"), key="test", buyer=user, recipient_name="Zoé", recipient_email="zoe@example.com", message="Hi"
    )
    due.sweep()
    assert [message.to for message in mail.outbox].count(["zoe@example.com"]) == 1
    text = page("gift-cards/")
    assert "Send it to Zoé again" in text
    assert giftcards.code_of(card) not in text

    def resend():
        client.post(f"/accounts/loyalty/gift-cards/{card.uuid}/resend/")
        due.sweep()
        return [message.to for message in mail.outbox].count(["zoe@example.com"])

    assert resend() == 1  # a moment ago
    time.advance(minutes=11)
    assert resend() == 2
    giftcards.disable(card=card)
    assert client.post(f"/accounts/loyalty/gift-cards/{card.uuid}/resend/").status_code == 404
    assert "Send it to" not in page("gift-cards/")


# How to earn


def test_rules_in_plain_words(page, programme, member):
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": "1.00", "threshold": "5.00"})
    rules.publish_rule(programme=programme, kind="visit", spec={"points": 50, "threshold": 20})
    haircut, voucher = create_product(title="Haircut", price=D("45.00")), create_product(title="Voucher")
    rules.set_product_points(product=haircut, points=80)
    rules.set_product_points(product=voucher, points=0)
    text = page("earn/")
    assert "2 petals per €1, on what is above €5" in text
    assert "50 petals for each visit of €20 or more" in text
    assert "<span>80 petals</span>" in text
    assert "Without points: Voucher." in text


def test_many_products_are_shown_on_pages(page, programme, member):
    for number in range(35):
        rules.set_product_points(product=create_product(title=f"Brush {number:02}"), points=5)
        rules.set_product_points(product=create_product(title=f"Comb {number:02}"), points=0)
    text = page("earn/")
    assert text.count("Brush ") == 30 and "Brush 30" not in text
    assert "Comb 29 and 5 others." in text
    text = page("earn/?page=2")
    assert text.count("Brush ") == 5 and "Brush 34" in text


@pytest.fixture
def waiting_card(user, time):
    """A card for Zoé that is to be sent in a week."""
    from datetime import date

    from oscar_loyalty.giftcards import delivery, services

    return services.issue(
        value=D("35"),
        key="week",
        buyer=user,
        recipient_name="Zoé",
        recipient_email="zoe@example.com",
        deliver_at=delivery.moment(date(2026, 3, 9)),
    )


def test_a_card_that_waits_for_its_day_is_changed(page, client, member, waiting_card):
    from datetime import date

    from oscar_loyalty.giftcards import delivery

    listed = page("gift-cards/")
    assert "March 9, 2026" in listed
    assert "Send it now" in listed and "again" not in listed.partition("loyalty-own")[2].partition("</ul>")[0]
    address = f"/accounts/loyalty/gift-cards/{waiting_card.uuid}/change/"
    fields = {"recipient_name": "Zoé M.", "recipient_email": "zoe.m@example.com", "deliver_on": "2026-03-01"}
    answer = client.post(address, fields).content.decode()
    assert "This day is over." in answer and "zoe.m@example.com" in answer
    fields["deliver_on"] = "2026-03-20"
    assert client.post(address, fields).status_code == 302
    waiting_card.refresh_from_db()
    assert delivery.day_of(waiting_card) == date(2026, 3, 20)
    assert (waiting_card.recipient_name, waiting_card.recipient_email) == ("Zoé M.", "zoe.m@example.com")
    assert waiting_card.generation == 1


def test_a_card_that_waits_is_sent_now_once(page, client, member, waiting_card):
    from oscar_loyalty.due import services as due

    address = f"/accounts/loyalty/gift-cards/{waiting_card.uuid}/send/"
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 302
    due.sweep()
    due.sweep()
    assert len([letter for letter in mail.outbox if letter.to == ["zoe@example.com"]]) == 1
    assert client.post(address).status_code == 302
    response = client.get(f"/accounts/loyalty/gift-cards/{waiting_card.uuid}/change/", follow=True)
    assert "on its way already" in response.content.decode()


@pytest.mark.parametrize("what", ["change", "send", "resend"])
def test_nobody_changes_the_card_of_another(client, waiting_card, django_user_model, programme, what):
    client.force_login(django_user_model.objects.create_user("other", "other@example.com", "petale-demo"))
    assert client.post(f"/accounts/loyalty/gift-cards/{waiting_card.uuid}/{what}/").status_code == 404
    client.logout()
    response = client.post(f"/accounts/loyalty/gift-cards/{waiting_card.uuid}/{what}/")
    assert response.status_code == 302 and "login" in response.url
