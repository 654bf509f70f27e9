"""The pages on which members decide: what they agree to, a copy of their data, leaving, and what they tell."""

import io
import re
import zipfile
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import profiles
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import consents, leaving, merging, services
from oscar_loyalty.reports import copies

pytestmark = pytest.mark.django_db
HOME = "/accounts/loyalty/"
PAGES = ["privacy/", "leave/", "profile/", "messages/"]


@pytest.fixture(autouse=True)
def _cron(settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"


@pytest.fixture
def stale(client, user, time):
    """Signed in long ago."""
    client.force_login(user)
    user.last_login = time.at - timedelta(hours=3)
    user.save()
    return client


@pytest.mark.parametrize("name", [*PAGES, "privacy/copy/"])
def test_strangers_sign_in_and_who_is_no_member_joins(client, programme, user, name):
    assert "/login/" in client.get(HOME + name).url
    client.force_login(user)
    assert client.get(HOME + name).url == HOME


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_are_of_bounded_cost_and_nobody_keeps_them(page, client, member, name):
    page(name)
    with CaptureQueriesContext(connection) as few:
        page(name)
    for number in range(25):
        consents.answer(member=member, given={"news": number % 2 == 0}, source="account")
        get_model("loyalty_messaging", "Message").objects.create(
            kind="joined", key=f"j{number}", to="x@example.com", member=member, state="sent",
            created_at=member.joined_at, sent_at=member.joined_at,
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        page(name)
    assert len(few) <= 45
    assert len(many) <= len(few) + 2
    assert "no-store" in client.get(HOME + name)["Cache-Control"]


def test_one_screen_to_see_and_change_what_one_agrees_to(page, client, member):
    text = page("privacy/")
    for words in (
        "News and offers by e-mail",
        "Reminders by e-mail",
        "Part of your membership",
        "Not given",
        "Tell us",
    ):
        assert words in text
    client.post(HOME + "privacy/", boxes(client, updates=False, news=True))
    assert consents.allows(member, "news")
    assert not consents.allows(member, "updates")
    text = page("privacy/")
    assert "Given on" in text
    assert "Withdrawn on" in text
    assert "What you answered before" in text
    # What one has to tell first is given by telling it.
    assert 'name="birthday"' not in text
    profiles.set_birthday(member=member, day=4, month=5)
    assert 'name="birthday"' in page("privacy/")
    client.post(HOME + "privacy/", boxes(client, birthday=False))
    member.refresh_from_db()
    assert member.birth_day is None


def test_a_page_that_lay_open_answers_only_what_was_changed_on_it(client, user, member):
    client.force_login(user)
    old = boxes(client, updates=False)
    profiles.set_birthday(member=member, day=3, month=3)
    consents.answer(member=member, given={"news": True}, source="mail")
    assert client.post(HOME + "privacy/", old).url == HOME + "privacy/"
    member.refresh_from_db()
    assert (member.birth_day, consents.allows(member, "birthday"), consents.allows(member, "news")) == (3, True, True)
    assert not consents.allows(member, "updates")


def boxes(client, **answered):
    """What a browser posts of the page as it is now, with these boxes ticked or emptied by hand."""
    data = {}
    for field in client.get(HOME + "privacy/").context["form"]:
        data |= {field.html_initial_name: str(field.initial)} if field.html_initial_name in str(field) else {}
        data |= {field.html_name: "on"} if answered.get(field.name, field.initial) else {}
    return data


def copy_of(response):
    assert response["Content-Disposition"].startswith("attachment")
    assert "no-store" in response["Cache-Control"]
    return zipfile.ZipFile(io.BytesIO(response.content))


def test_a_copy_for_whoever_has_signed_in_just_now(client, user, member):
    client.force_login(user)
    assert client.post(HOME + "privacy/copy/").url == HOME + "privacy/#copy"
    copy = copies.copy_of(member)
    assert f"privacy/copy/{copy.uuid}/" in client.get(HOME + "privacy/").content.decode()
    assert "data.json" in copy_of(client.get(f"{HOME}privacy/copy/{copy.uuid}/")).namelist()


def test_a_copy_asks_for_the_password_else(stale, member):
    assert 'name="password"' in stale.get(HOME + "privacy/").content.decode()
    wrong = stale.post(HOME + "privacy/copy/", {"password": "guess"})
    assert "This is not your password." in wrong.content.decode()
    assert copies.copy_of(member) is None
    copy = copies.request(member=member)
    assert stale.get(f"{HOME}privacy/copy/{copy.uuid}/").url == HOME + "privacy/#copy"
    stale.post(HOME + "privacy/copy/", {"password": "petale-demo"})
    assert copy_of(stale.get(f"{HOME}privacy/copy/{copy.uuid}/"))


def test_who_has_no_password_is_not_asked_to_type_it(stale, user, member):
    user.set_unusable_password()
    user.save()
    copy = copies.request(member=member)
    stale.force_login(user)
    user.last_login = clock.now() - timedelta(hours=3)
    user.save()
    text = stale.get(f"{HOME}privacy/copy/{copy.uuid}/", follow=True).content.decode()
    assert "sign out and in again" in text and "type your password" not in text


def test_nobody_gets_the_copy_of_somebody_else(client, member, programme, django_user_model):
    copy = copies.request(member=member)
    other = django_user_model.objects.create_user("other", "other@example.com", "petale-demo")
    services.join(programme=programme, user=other)
    assert client.get(f"{HOME}privacy/copy/{copy.uuid}/").status_code == 302
    client.force_login(other)
    assert client.get(f"{HOME}privacy/copy/{copy.uuid}/").status_code == 404


def test_a_copy_can_be_fetched_on_its_last_day(page, client, user, member, time):
    copy = copies.request(member=member)
    time.advance(days=7, hours=10)
    copies.sweep()
    assert "to be fetched until March 9, 2026" in page("privacy/")
    time.advance(hours=1)
    assert copies.sweep() == 1
    assert copies.file_of(member, copy.uuid) is None


def test_leaving_says_what_is_lost_and_what_stays(page, member, give, user):
    give(1200)
    giftcards.issue(value=Decimal("25.00"), key="card", buyer=user)
    text = page("leave/")
    for words in ("1,200 petals that you could spend", "Your tier Bronze", "it is money", "25.00", "for 14 days"):
        assert words in text


def test_leaving_needs_the_password_and_can_be_undone(client, user, member):
    client.force_login(user)
    assert "This is not your password." in client.post(HOME + "leave/", {"password": "guess"}).content.decode()
    assert client.post(HOME + "leave/", {}).status_code == 200
    assert client.post(HOME + "leave/", {"password": "petale-demo"}).url == HOME + "privacy/"
    member.refresh_from_db()
    assert member.status == "closed"
    text = client.get(HOME + "privacy/").content.decode()
    assert "You have left. Until" in text
    assert "What you agree to" not in text
    assert client.get(HOME + "leave/").url == HOME + "privacy/"
    assert client.post(HOME + "leave/undo/").url == HOME
    member.refresh_from_db()
    assert member.status == "active"


def test_who_was_joined_with_another_is_not_offered_to_leave(client, user, member, programme, django_user_model):
    other = services.join(programme=programme, user=django_user_model.objects.create_user("two", "two@example.com"))
    merging.merge(source=member, target=other, key="m")
    client.force_login(user)
    text = client.get(HOME + "privacy/").content.decode()
    assert "joined with your other one" in text and "See what leaving means" not in text
    assert client.get(HOME + "leave/").url == HOME + "privacy/"
    response = client.post(HOME + "leave/", {"password": "petale-demo"}, follow=True)
    assert "joined with another, for good" in response.content.decode()


def test_who_has_no_password_types_a_word(client, user, member, time):
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    assert "Please type" in client.post(HOME + "leave/", {"word": "stay"}).content.decode()
    user.last_login = time.at - timedelta(hours=1)
    user.save()
    assert "sign out and in" in client.post(HOME + "leave/", {"word": "Leave"}).content.decode()
    client.force_login(user)
    assert client.post(HOME + "leave/", {"word": "Leave"}).status_code == 302
    assert leaving.departure_of(member) is not None


def test_after_the_days_of_grace_one_joins_anew(client, user, member, time):
    client.force_login(user)
    client.post(HOME + "leave/", {"password": "petale-demo"})
    time.advance(days=15)
    client.force_login(user)
    assert "too late" in client.post(HOME + "leave/undo/", follow=True).content.decode()
    due.sweep()
    assert client.get(HOME + "privacy/").url == HOME
    client.post(HOME + "join/", {"next": HOME})
    fresh = get_model("loyalty_members", "Member").objects.get(user=user)
    assert fresh.pk != member.pk
    assert fresh.status == "active"


def test_the_profile_greets_as_one_likes(client, user, member):
    client.force_login(user)
    told = {"greeting_name": "  Madame  Rose ", "language": "fr", "day": "29", "month": "2", "year": ""}
    assert client.post(HOME + "profile/", told).url == HOME + "profile/"
    member.refresh_from_db()
    assert (member.display_name, member.language, member.birth_day) == ("Madame Rose", "fr", 29)
    # The shop's own name goes on to be that of the account.
    user.first_name = "Rosalie"
    user.save()
    member.refresh_from_db()
    assert (member.first_name, member.display_name) == ("Rosalie", "Madame Rose")


def chosen(page):
    """The language that a browser posts: the selected option, else the first one."""
    options = re.findall(
        r'<option value="([^"]*)"( selected)?', page.partition('id="id_language"')[2].split("</select>")[0]
    )
    return next((value for value, selected in options if selected), options[0][0])


@pytest.mark.parametrize(("stored", "shown"), [("fr", "fr"), ("fr-ca", "fr"), ("en-us", "en"), ("", ""), ("xx", "")])
def test_saving_the_profile_leaves_the_language_that_was_not_touched(client, user, member, stored, shown):
    type(member).objects.filter(pk=member.pk).update(language=stored)
    client.force_login(user)
    page = client.get(HOME + "profile/").content.decode()
    assert chosen(page) == shown
    assert ("The language of the shop" in page) == (shown == "")
    client.post(HOME + "profile/", {"language": shown, "greeting_name": "Rose"})
    member.refresh_from_db()
    assert (member.language, member.greeting_name) == (stored, "Rose")
    client.post(HOME + "profile/", {"language": "fr"})
    member.refresh_from_db()
    assert member.language == (stored if shown == "fr" else "fr")


@pytest.mark.parametrize(
    ("told", "field", "words"),
    [
        ({"day": "31", "month": "4"}, "day", "no such day"),
        ({"day": "4"}, "month", "both the day and the month"),
        ({"day": "29", "month": "2", "year": "2023"}, "day", "no such day"),
        ({"day": "1", "month": "2", "year": "1492"}, "year", "cannot be"),
        ({"language": "xx"}, "language", "xx"),
    ],
)
def test_what_cannot_be_is_said_at_the_field(client, user, member, told, field, words):
    client.force_login(user)
    response = client.post(HOME + "profile/", told)
    assert response.status_code == 200
    assert words in str(response.context["form"].errors[field])
    assert f'id="id_{field}_error"' in response.content.decode()


def test_messages_are_ones_own(client, user, member, programme):
    from oscar_loyalty.messaging import services as outbox

    message = outbox.queue(kind="joined", key="j", to=member.email, context={"member": member.pk}, member=member)
    outbox.send(message=message)
    client.force_login(user)
    assert "Welcome" in client.get(HOME + "messages/").content.decode()
    assert "Rose" in client.get(f"{HOME}messages/{message.pk}/").content.decode()
    message.member = services.join(programme=programme, email="other@example.com")
    message.save()
    assert client.get(f"{HOME}messages/{message.pk}/").status_code == 404
