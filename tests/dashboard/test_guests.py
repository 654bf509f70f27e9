"""The owner's page of guest orders: who took which, when and how, and sending a link again."""

from datetime import timedelta

import pytest
from django.core import mail
from oscar.test.factories import create_order, create_product

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import claims, rules
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members

pytestmark = pytest.mark.django_db
Order = get_model("order", "Order")


@pytest.fixture
def place(programme):
    product = create_product(price="45.00", num_in_stock=100)
    rules.set_product_points(product=product, points=80, programme=programme)

    def place(number, email="lea@example.com", ago=0):
        from oscar.apps.partner.strategy import Selector

        basket = get_model("basket", "Basket").objects.create()
        basket.strategy = Selector().strategy()
        basket.add_product(product, 1)
        order = create_order(
            basket=basket, number=number, guest_email=email, date_placed=clock.now() - timedelta(days=ago)
        )
        Order.objects.filter(pk=order.pk).update(user=None)
        order.refresh_from_db()
        return order

    return place


def text_of(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def test_what_waits_and_who_took_what(owner, url, place, user, programme, django_assert_max_num_queries):
    programme.started_at -= timedelta(days=60)
    programme.save()
    for number in range(30):
        place(f"4{number:03}", email=f"g{number}@example.com")
    taken = place("5001")
    claims.claim(link=claims.link_for(order=taken, programme=programme), user=user)
    with django_assert_max_num_queries(26):
        text = text_of(owner.get(url("guest-orders")))
    assert "31 guest orders" in text and "No link has been sent." in text and "80" in text
    text = text_of(owner.get(url("guest-orders"), {"state": "claimed"}))
    assert "1 guest order" in text and "Rose Martin" in text and "by the link in the order&#x27;s e-mail" in text
    text = text_of(owner.get(url("guest-orders"), {"q": "g7@example", "state": "open"}))
    assert "4007" in text and "4008" not in text
    assert "No guest order matches." in text_of(owner.get(url("guest-orders"), {"q": "nobody"}))
    member = programme.members.get()
    text = text_of(owner.get(url("member", member.pk)))
    assert "Guest orders that were added" in text and "5001" in text and "lea@example.com" in text
    assert "Ordered as a guest, added on" in text


def test_nobody_has_ordered_as_a_guest(owner, url, programme):
    assert "Nobody has ordered without an account yet." in text_of(owner.get(url("guest-orders")))


def test_a_link_is_sent_and_sent_again_once_for_each_press(owner, url, place):
    order = place("1")
    for _press in range(2):
        response = owner.post(url("guest-order-send", order.pk), {"tries": 0}, follow=True)
        assert "The link is on its way to lea@example.com." in text_of(response)
    due.sweep()
    assert len(mail.outbox) == 1
    assert "The link was sent on" in text_of(owner.get(url("guest-orders")))
    for _press in range(2):
        owner.post(url("guest-order-send", order.pk), {"tries": 1})
    due.sweep()
    assert len(mail.outbox) == 2
    # The shop corrects the address: the link goes to the new one, and the old one is void.
    Order.objects.filter(pk=order.pk).update(guest_email="right@example.com")
    assert "No link has been sent." in text_of(owner.get(url("guest-orders")))
    owner.post(url("guest-order-send", order.pk), {"tries": 0})
    due.sweep()
    assert mail.outbox[-1].to == ["right@example.com"]


def test_what_cannot_be_sent(owner, url, place, user, programme):
    order = place("1", ago=3)
    text = text_of(owner.post(url("guest-order-send", order.pk), {"tries": 0}, follow=True))
    assert "This order brings neither points nor gift cards" in text
    members.save_programme(programme=programme, is_active=False)
    text = text_of(owner.post(url("guest-order-send", order.pk), {"tries": 0}, follow=True))
    assert "is closed for the moment" in text
    assert owner.post(url("guest-order-send", order.pk), {}).status_code == 302
    members.save_programme(programme=programme, is_active=True)
    claims.claim(link=claims.link_for(order=order, programme=programme), user=user)
    assert owner.post(url("guest-order-send", order.pk), {"tries": 0}).status_code == 404
    due.sweep()
    assert [message for message in mail.outbox if message.to == ["lea@example.com"]] == []


def test_seeing_and_sending_are_two_permissions(client, url, staff, place, programme):
    order = place("1")
    client.force_login(staff("view_loyalty"))
    assert "Send the link" not in text_of(client.get(url("guest-orders")))
    assert client.post(url("guest-order-send", order.pk), {"tries": 0}).status_code == 403
    client.force_login(staff("view_loyalty", "manage_programme", username="other"))
    assert "Send the link" in text_of(client.get(url("guest-orders")))
    assert client.post(url("guest-order-send", order.pk), {"tries": 0}).status_code == 302
