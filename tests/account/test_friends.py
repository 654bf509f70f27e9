"""A friend's way from the link to the referral, the invite page, and the profile page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from i18nfield.strings import LazyI18nString

from oscar_loyalty.account import selectors
from oscar_loyalty.earning import actions, occasions
from oscar_loyalty.earning.referrals import services
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members

pytestmark = pytest.mark.django_db


@pytest.fixture
def code(programme, member):
    services.save_scheme(programme=programme, is_active=True, referrer_points=200, friend_points=100)
    return services.invitation_of(member=member).code


def register(client, **more):
    data = {"email": "lea@example.org", "password1": "a long petale-demo", "password2": "a long petale-demo"}
    return client.post("/accounts/register/", {**data, **more}, follow=True)


def test_from_the_link_to_the_referral(client, code, member):
    text = client.get(f"/r/{code.lower()}/").content.decode().replace("\xa0", " ")
    assert "Rose invites you" in text and "100 petals" in text
    assert "Martin" not in text and member.email not in text
    assert "Rose has invited you" in client.get("/accounts/register/").content.decode()
    register(client, loyalty_join="1")
    assert get_model("loyalty_earning", "Referral").objects.get().referrer == member
    assert "loyalty_invitation" not in client.cookies and "loyalty_device" not in client.cookies


def test_a_code_that_is_typed_joins(client, code, member):
    register(client, loyalty_code=f" {code[:4]}-{code[4:].lower()} ")
    assert get_model("loyalty_earning", "Referral").objects.get().referrer == member


def test_a_code_nobody_has_is_said_and_can_be_typed_again(client, code):
    assert "We do not know this invitation code" in register(client, loyalty_code="WRONG").content.decode()
    page = client.post("/accounts/loyalty/invite/", {"code": "WRONG"}).content.decode()
    assert "We do not know this code" in page and 'value="WRONG"' in page
    client.post("/accounts/loyalty/invite/", {"code": code})
    assert get_model("loyalty_earning", "Referral").objects.exists()


def agree(request, purpose):
    return True


def test_cookies_only_with_consent(client, code, settings):
    settings.OSCAR_LOYALTY_CONSENT = "tests.account.test_friends.agree"
    client.get(f"/r/{code}/")
    assert client.cookies["loyalty_invitation"]["httponly"] and client.cookies["loyalty_device"].value
    client.session.flush()
    register(client, loyalty_join="1")
    assert get_model("loyalty_earning", "Referral").objects.exists()


def test_same_device(client, user, code, settings):
    settings.OSCAR_LOYALTY_CONSENT = "tests.account.test_friends.agree"
    client.force_login(user)
    client.get("/accounts/loyalty/invite/")
    # Signed out, with the device's cookie left.
    del client.cookies["sessionid"]
    client.get(f"/r/{code}/")
    register(client, loyalty_join="1")
    assert get_model("loyalty_earning", "Referral").objects.get().reasons == ["device"]


@pytest.mark.parametrize("broken", ["NOSUCH", "<b>"])
def test_a_link_that_does_not_work(client, code, broken):
    assert client.get(f"/r/{broken}/").status_code == 404


def test_the_invite_page_and_its_queries(page, code, member, programme, client):
    with CaptureQueriesContext(connection) as one:
        assert code in page("invite/")
    for index in range(15):
        friend = members.join(programme=programme, email=f"f{index}@example.net", first_name=f"F{index}")
        services.accept(code=code, friend=friend)
    with CaptureQueriesContext(connection) as many:
        text = page("invite/")
    assert "F14" in text and "example.net" not in text
    assert len(many) <= len(one) + 1
    assert client.get("/accounts/loyalty/invite/code.svg")["Content-Type"] == "image/svg+xml"
    assert "Invite friends" in page()


def test_without_a_scheme(page, member):
    assert "Nobody can be invited" in page("invite/")
    assert "Invite friends" not in page()


def test_the_profile_says_what_is_missing_and_what_is_wrong(page, client, member, programme):
    actions.set_rule(programme=programme, action="birthday", points=50)
    assert "missing" in page("profile/") and "50 petals" in page("profile/")
    wrong = client.post("/accounts/loyalty/profile/", {"day": "31", "month": "2", "year": ""}).content.decode()
    assert "This month has no such day" in wrong and 'value="31"' in wrong
    assert client.post("/accounts/loyalty/profile/", {"day": "29", "month": "2", "year": ""}).status_code == 302
    member.refresh_from_db()
    assert (member.birth_day, member.birth_month, member.birth_year) == (29, 2, None)


def test_a_scan(client, user, member, programme, page):
    from oscar.test.factories import create_product

    product = create_product(title="Shampoo")
    url = f"/loyalty/scan/{occasions.scan_token(product, programme)}/"
    actions.set_rule(programme=programme, action="scan", points=5)
    client.logout()
    assert f"?next={url.replace(':', '%3A')}" in client.get(url).content.decode()
    assert client.post(url).url.startswith("/accounts/login/")
    client.force_login(user)
    assert "5 petals" in client.get(url).content.decode().replace("\xa0", " ")
    for _press in range(2):
        client.post(url)
    assert get_model("loyalty_earning", "Award").objects.get().points == 5
    actions.set_rule(programme=programme, action="scan", points=1)
    other = f"/loyalty/scan/{occasions.scan_token(create_product(title='Soap'), programme)}/"
    text = client.post(other, follow=True).content.decode().replace("\xa0", " ")
    assert "5 petals are on your account now." in text and "1 petal is on your account now." in text
    assert "scanned this today" in client.get(url).content.decode()
    assert client.get("/loyalty/scan/1:forged/").status_code == 404


@pytest.mark.parametrize(
    ("times", "period", "said", "francais"),
    [
        (None, "ever", "20 petals each time", "20 pétales à chaque fois"),
        (1, "ever", "20 petals, once", "20 pétales, une fois"),
        (1, "year", "20 petals, once a year", "20 pétales, une fois par an"),
        (5, "month", "20 petals, up to 5 times a month", "20 pétales, jusqu’à 5 fois par mois"),
    ],
)
def test_how_to_earn_says_what_actions_bring(
    client, user, member, programme, monkeypatch, times, period, said, francais
):
    monkeypatch.setattr(actions, "_actions", dict(actions._actions))
    programme.points_name_one, programme.points_name_many = (
        LazyI18nString({"en": "petal", "fr": "pétale"}),
        LazyI18nString({"en": "petals", "fr": "pétales"}),
    )
    programme.save()
    actions.set_rule(programme=programme, action="review", points=20, times=times, period=period)
    actions.register(actions.Action("secret", "Secret", hidden=True))
    actions.set_rule(programme=programme, action="secret", points=5)
    client.force_login(user)
    text = client.get("/accounts/loyalty/earn/").content.decode().replace("\xa0", " ")
    assert f"<strong>Review published</strong> <span>{said}</span>" in text
    assert "Secret" not in text
    with override("fr"):
        (way,) = selectors.deeds(programme)
        assert way.sentence.replace("\xa0", " ") == francais
