"""What a member has before others, the friends they bring, and where the link leads."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from oscar.test.factories import create_product

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import passes, services


@pytest.fixture
def gold(member, programme):
    joining.set_tier(member=member, tier=members.tiers(programme).get(code="gold"), key="up")
    member.refresh_from_db()
    return member


@pytest.fixture
def window(programme, gold, time):
    soap = create_product(title="Soap", price=Decimal("20.00"), num_in_stock=100)
    return services.create(
        programme=programme, tier=gold.tier, target=soap, ends_at=time() + timedelta(days=10), key="w", passes=1
    )


@pytest.fixture
def give(client, window):
    def give(token="a" * 32, subject=None, **fields):
        data = {"token": token, "kind": "early", "subject": subject or window.pk, "friend": "Lina", **fields}
        return client.post("/accounts/loyalty/early/", data, follow=True)

    return give


def row():
    return get_model("loyalty_privileges", "GuestPass").objects.get()


def test_the_page_says_what_is_early_and_to_what_friends_may_come(page, window, give):
    text = page("early/")
    assert "Soap" in text
    assert "for everybody from March 12, 1 p.m. on" in text
    assert "You have one invitation left. Each holds for 7 days." in text
    response = give()
    assert response.status_code == 200
    give()
    text = page("early/")
    assert "You have given all your invitations to this." in text
    assert "for Lina" in text
    assert passes.token_of(row()) in text


def test_the_page_names_the_day_on_which_it_is_for_everybody(page, programme, window, time):
    silver = members.tiers(programme).get(code="silver")
    next_up = {"opens_at": window.ends_at, "ends_at": window.ends_at + timedelta(days=2), "closed_before": False}
    services.create(programme=programme, tier=silver, target=window.product, key="next", **next_up)
    assert "for everybody from March 14, 1 p.m. on" in page("early/")


def test_a_lower_tier_has_nothing_and_gives_nothing(page, window, gold, programme, give):
    joining.set_tier(member=gold, tier=members.tiers(programme).get(code="silver"), key="down")
    assert "Nothing is early for you at the moment." in page("early/")
    give()
    assert not get_model("loyalty_privileges", "GuestPass").objects.exists()


def test_what_is_typed_wrong_is_said_and_kept(page, window, give):
    page("early/")
    response = give(friend="x" * 81)
    assert "Ensure this value has at most 80 characters" in response.content.decode()
    assert not get_model("loyalty_privileges", "GuestPass").objects.exists()
    assert give(subject="99999").status_code == 200
    assert give(subject="x").status_code == 200


def test_looking_at_the_link_uses_nothing_up(page, window, give):
    page("early/")
    give()
    address = f"/loyalty/pass/{passes.token_of(row())}/"
    preview = Client().get(address)
    text = preview.content.decode()
    assert "Rose M. invites you" in text
    assert "Soap" in text
    assert (preview["Referrer-Policy"], preview["X-Robots-Tag"]) == ("same-origin", "noindex")
    assert "no-store" in preview["Cache-Control"]
    assert row().opened_at is None
    friend = Client()
    assert friend.post(address).url == window.product.get_absolute_url()
    assert friend.get(address).status_code == 200
    # Its name is nobody else's business now.
    other = Client()
    response = other.get(address)
    assert response.status_code == 404
    assert "Soap" not in response.content.decode()
    other.post(address)
    assert [event.what for event in row().events.all()] == ["given", "opened", "refused"]


def test_taken_back_after_one_more_question(page, client, window, give):
    page("early/")
    give()
    address = f"/accounts/loyalty/early/{row().uuid}/back/"
    assert "Your friend can then no longer see “Soap”." in client.get(address).content.decode()
    client.post(address)
    assert row().state == "back"
    assert client.get(address).status_code == 302
    response = Client().get(f"/loyalty/pass/{passes.token_of(row())}/")
    assert "was taken back" in response.content.decode()
    assert "Soap" not in response.content.decode()


def test_another_members_pass_is_not_ones_own(page, client, window, give, django_user_model, programme):
    page("early/")
    give()
    other = django_user_model.objects.create_user("eve", "eve@example.com", "petale-demo")
    joining.join(programme=programme, user=other, source="test")
    client.force_login(other)
    assert client.post(f"/accounts/loyalty/early/{row().uuid}/back/").status_code == 404
    assert row().taken_back_at is None


def test_a_wrong_link(db, programme):
    response = Client().get("/loyalty/pass/abc:def/")
    assert response.status_code == 404
    assert Client().post("/loyalty/pass/abc:def/").status_code == 404


def test_the_page_costs_the_same_with_many_given(page, client, window, gold, django_assert_max_num_queries):
    from oscar_loyalty.privileges import early_passes

    get_model("loyalty_privileges", "EarlyAccess").objects.update(passes=50)
    window.refresh_from_db()
    passes.give(member=gold, subject=early_passes.subject(window), key="one")
    page("early/")
    with CaptureQueriesContext(connection) as few:
        page("early/")
    for number in range(20):
        passes.give(member=gold, subject=early_passes.subject(window), key=f"many:{number}")
    with django_assert_max_num_queries(len(few)):
        page("early/")
    assert len(few) <= 24


def test_the_products_own_page_says_it(client, window, user, gold, time):
    address = window.product.get_absolute_url()
    text = Client().get(address).content.decode()
    assert "Now for members from Gold on; for everybody from March 12, 1 p.m. on" in text
    client.force_login(user)
    text = client.get(address).content.decode()
    assert "Early access for Gold until March 12, 1 p.m." in text
    assert "Bring a friend" in text
