"""Sessions and cookies: nobody lends one, keeps one of before, or writes one themselves."""

from decimal import Decimal

import pytest
from django.contrib.sites.models import Site
from django.core import signing
from django.test import Client

from oscar_loyalty.earning.referrals import services as referring
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from oscar_loyalty.storefront.inviting import DEVICE, INVITATION, SALT

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _here(db, settings):
    Site.objects.filter(pk=settings.SITE_ID).update(domain="testserver")
    Site.objects.clear_cache()


@pytest.fixture
def lea(programme, django_user_model):
    user = django_user_model.objects.create_user("lea", "lea@example.com", "petale-demo")
    return services.join(programme=programme, user=user, source="test")


def sign_in(client, email):
    return client.post(
        LOGIN,
        {
            "login-username": email,
            "login-password": "petale-demo",
            "login_submit": "1",
            "login-redirect_url": "/accounts/loyalty/",
        },
    )


def begin(client):
    """A visitor who has a session already, known to whoever set it."""
    session = client.session
    session["loyalty_points"] = 50
    session.save()
    client.cookies["sessionid"] = session.session_key
    return session.session_key


def test_signing_in_takes_another_session(client, user, member):
    before = begin(client)
    assert sign_in(client, user.email).status_code == 302
    assert client.session.session_key != before
    assert "_auth_user_id" in client.session
    fixed = Client()
    fixed.cookies["sessionid"] = before
    assert fixed.get("/accounts/loyalty/").status_code == 302


def test_registering_as_a_member_takes_another_session(client, programme):
    before = begin(client)
    response = client.post(
        "/accounts/register/",
        {
            "email": "new@example.com",
            "password1": "a long petal of its own",
            "password2": "a long petal of its own",
            "loyalty_join": "on",
            "redirect_url": "/accounts/loyalty/",
        },
    )
    assert response.status_code == 302, response.context["form"].errors
    assert client.session.session_key != before
    assert get_model("loyalty_members", "Member").objects.get().email == "new@example.com"


def test_a_session_that_the_server_never_made_is_none(client, user, member):
    client.cookies["sessionid"] = "a" * 32
    sign_in(client, user.email)
    assert client.session.session_key != "a" * 32


@pytest.mark.parametrize("out", [True, False], ids=["signed out", "still signed in"])
def test_the_next_at_the_same_browser_has_nothing_of_the_first(client, user, member, lea, out):
    sign_in(client, user.email)
    session = client.session
    card = giftcards.issue(value=Decimal(25), key="card", buyer=user)
    session["loyalty_giftcards"] = [[card.pk, card.generation]]
    session["loyalty_points"] = 50
    session["checkout_order_id"] = 4711
    session["loyalty_proved"] = "2026-03-02T12:00:00+00:00"
    session.save()
    if out:
        client.get("/accounts/logout/")
        client.post("/accounts/logout/")
    client.force_login(lea.user)
    kept = set(client.session.keys())
    assert not {"loyalty_giftcards", "loyalty_points", "checkout_order_id", "loyalty_proved"} & kept


def test_a_guests_basket_brings_no_cards_of_another(client, user, member):
    """What a guest has added, by its code, stays theirs when they sign in; nothing of anybody else comes along."""
    card = giftcards.issue(value=Decimal(25), key="card")
    session = client.session
    session["loyalty_giftcards"] = [[card.pk, card.generation]]
    session.save()
    client.cookies["sessionid"] = session.session_key
    sign_in(client, user.email)
    assert client.session.get("loyalty_giftcards") == [[card.pk, card.generation]]


# Cookies


def always(request, purpose):
    return True


@pytest.fixture
def link(programme, lea, settings):
    settings.OSCAR_LOYALTY_CONSENT = "tests.attacks.test_sessions.always"
    referring.save_scheme(programme=programme, is_active=True)
    return f"/r/{referring.invitation_of(member=lea).code}/"


def test_each_cookie_is_closed_to_scripts_and_other_sites(client, link):
    client.get(link, secure=True)
    assert {INVITATION, DEVICE} <= set(client.cookies)
    for name in (INVITATION, DEVICE):
        cookie = client.cookies[name]
        assert cookie["httponly"] and cookie["secure"] and cookie["samesite"] == "Lax", name


FORGED = {
    "plain": lambda code: code,
    "another purpose": lambda code: signing.dumps(code, salt=DEVICE),
    "another key": lambda code: signing.dumps(code, key="guessed", salt=SALT),
    "changed": lambda code: signing.dumps(code, salt=SALT)[:-1] + "_",
    "no text": lambda code: "\x00",
    "long": lambda code: "a" * 9000,
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_invitation_is_nobodys(client, link, user, how):
    code = link.split("/")[2]
    client.force_login(user)
    client.cookies[INVITATION] = FORGED[how](code)
    assert client.post("/accounts/loyalty/join/").status_code == 302
    assert not get_model("loyalty_earning", "Referral").objects.exists()


def test_odd_cookies_break_nothing(client, link, user, member):
    client.force_login(user)
    for value in ("\x00", "²", "a:b:c", "e30:x:y", "a" * 4000):
        for name in (INVITATION, DEVICE, "loyalty_pass", "oscar_open_basket", "django_language"):
            client.cookies[name] = value
        for path in ("/accounts/loyalty/", "/accounts/loyalty/invite/", "/gift-cards/", link):
            assert client.get(path).status_code == 200


def test_a_public_servers_cookies():
    """As in the settings that a shop is shown."""
    from pathlib import Path

    text = (Path(__file__).parent.parent.parent / "sandbox/live.py").read_text()
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        assert f"{name}_COOKIE_SECURE = True" in text
