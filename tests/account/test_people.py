"""Member pages of points given and received, of households, and what a member on hold reads."""

import re

import pytest
from django.core import mail

from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.selectors import balance
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households, links, merging, services, sharing

pytestmark = pytest.mark.django_db
GIVE, HOUSEHOLD = "/accounts/loyalty/give/", "/accounts/loyalty/household/"


@pytest.fixture(autouse=True)
def _terms(programme, settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=10)


@pytest.fixture
def lea(programme, django_user_model):
    user = django_user_model.objects.create_user(
        username="lea", email="lea@example.com", password="petale-demo", first_name="Léa", last_name="Petit"
    )
    return services.join(programme=programme, user=user, source="test")


@pytest.fixture
def as_(client):
    """Sign somebody in: ``as_(member)``."""

    def as_(member):
        client.force_login(member.user)
        return client

    return as_


def said(response):
    return response.content.decode().replace("\xa0", " ")


def token_of(response):
    return re.search(r'name="token" value="([0-9a-f]{32})"', said(response))[1]


def give_points(client, to, units, *, password="petale-demo", person=None):  # noqa: S107
    data = {"token": token_of(client.get(GIVE)), "to": to, "units": units}
    if person is not None:
        data["person"] = person
    preview = client.post(GIVE, {**data, "step": "preview"})
    if "Is this right?" not in said(preview):
        return preview
    return client.post(GIVE, {**data, "step": "confirm", "password": password}, follow=True)


def test_giving_and_accepting(as_, member, lea, give):
    give(100)
    client = as_(member)
    assert "Nothing yet: neither given nor received." in said(client.get(GIVE))
    response = give_points(client, "Lea@example.com", "60")
    assert "60 petals are set aside for Lea@example.com" in said(response)
    assert "waiting for an answer" in said(response) and "Call the gift off" in said(response)
    assert "60 petals" in said(client.get("/accounts/loyalty/"))
    mail.outbox.clear()
    due.sweep()
    told = {message.to[0]: message for message in mail.outbox}
    assert "Rose M. wants to give you 60" in told["lea@example.com"].subject.replace("\xa0", " ")
    assert "Was it not you?" in told["rose@example.com"].body
    assert "rose@example.com" not in told["lea@example.com"].body
    client = as_(lea)
    assert "wants to give you 60 petals" in said(client.get("/accounts/loyalty/"))
    page = client.get(GIVE)
    assert "60 petals from Rose M." in said(page)
    gift = get_model("loyalty_members", "Transfer").objects.get()
    for _click in range(2):
        response = client.post(f"{GIVE}{gift.uuid}/accept/", follow=True)
    assert "60 petals are yours now" in said(response)
    assert (balance(member.account).usable, balance(lea.account).usable) == (40, 60)
    history = said(client.get("/accounts/loyalty/history/"))
    assert "Points from another member" in history and "From Rose M." in history and "keep the dates" in history
    assert "Points given away" in said(as_(member).get("/accounts/loyalty/history/"))
    mail.outbox.clear()
    due.sweep()
    assert {message.to[0] for message in mail.outbox} == {"lea@example.com", "rose@example.com"}


def test_the_same_form_twice_gives_once(as_, member, lea, give):
    give(100)
    client = as_(member)
    data = {"token": "a" * 32, "to": lea.number, "units": "20", "step": "confirm", "password": "petale-demo"}
    for _click in range(2):
        assert client.post(GIVE, data).status_code == 302
    assert balance(member.account).held == 20


def test_whoever_is_no_member_gets_the_same_answer(as_, member, lea, give):
    give(100)
    client = as_(member)
    known, unknown = (
        said(give_points(client, to, "20")).replace(to, "…") for to in ("lea@example.com", "nobody@example.com")
    )
    shown = [re.search(r"20 petals are set aside.*?come back to you\.", text)[0] for text in (known, unknown)]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    ("to", "units", "field"),
    [
        ("", "20", "to"),
        ("rose", "20", "to"),
        ("123456789012", "20", "to"),
        ("a@b", "20", "to"),
        ("rose@example.com", "20", "to"),
        ("lea@example.com", "5", "units"),
        ("lea@example.com", "500", "units"),
        ("lea@example.com", "x", "units"),
        ("lea@example.com", "", "units"),
    ],
)
def test_mistakes_are_said_at_their_fields(to, units, field, as_, member, lea, give):
    give(100)
    response = give_points(as_(member), to, units)
    assert set(response.context["form"].errors) == {field}
    assert f'value="{units}"' in said(response) or not units
    assert balance(member.account).usable == 100


def test_the_password_is_asked_for_and_not_for_ever(as_, member, lea, give, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_ATTEMPTS = 3
    give(100)
    client = as_(member)
    for _try in range(3):
        response = give_points(client, "lea@example.com", "20", password="wrong")
        assert "This is not your password" in said(response) and "Is this right?" in said(response)
    assert "Too many tries" in said(give_points(client, "lea@example.com", "20"))
    assert balance(member.account).usable == 100
    # Wrong passwords are no wrong gift-card codes.
    from oscar_loyalty.giftcards import guessing

    assert guessing.seen().tries == 0


def test_without_a_password_one_has_just_signed_in(as_, member, lea, give, time):
    give(100)
    member.user.set_unusable_password()
    member.user.save()
    client = as_(member)
    member.user.last_login = time.at
    member.user.save()
    assert "set aside" in said(give_points(client, "lea@example.com", "20"))
    time.advance(minutes=16)
    assert "sign out and in again" in said(give_points(client, "lea@example.com", "20"))


def test_changing_ones_mind_loses_nothing(as_, member, lea, give):
    give(100)
    client = as_(member)
    data = {"token": "b" * 32, "to": "lea@example.com", "units": "20"}
    client.post(GIVE, {**data, "step": "preview"})
    text = said(client.post(GIVE, {**data, "step": "change"}))
    assert 'value="lea@example.com"' in text and 'value="20"' in text and "b" * 32 in text


def test_what_waits_is_shown_with_its_last_day(as_, member, lea, give, time):
    give(100)
    giving.give(source=member, to=lea.email, units=20, key="g")
    households.invite(member=member, to=lea.email, key="i")
    assert "until March 9, 2026" in said(as_(member).get(GIVE))
    assert "invited, until March 9, 2026" in said(as_(member).get(HOUSEHOLD))
    for page in (GIVE, HOUSEHOLD):
        assert "Say yes or no by March 9, 2026" in said(as_(lea).get(page))


def test_one_point_is_one(as_, member, lea, give, programme):
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=1)
    give(100)
    answers = [
        (lea, "accept", 1, "1 petal is yours now."),
        (lea, "accept", 2, "2 petals are yours now."),
        (member, "call-off", 1, "Called off: 1 petal is yours again."),
    ]
    for number, (who, answer, units, words) in enumerate(answers):
        gift = giving.give(source=member, to=lea.email, units=units, key=f"one{number}")
        assert words in said(as_(who).post(f"{GIVE}{gift.uuid}/{answer}/", follow=True))
    assert "1 petal is set aside for lea@example.com" in said(give_points(as_(member), lea.email, 1))


@pytest.mark.parametrize(
    ("units", "waiting", "come", "back"),
    [
        (1, "1 petal waits for an answer", "1 petal from Rose M. is on your balance", "1 petal is yours again"),
        (2, "2 petals wait for an answer", "2 petals from Rose M. are on your balance", "2 petals are yours again"),
    ],
)
def test_mails_count_too(member, lea, give, programme, units, waiting, come, back):
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=1)
    give(100)

    def told():
        mail.outbox.clear()
        due.sweep()
        return {message.to[0]: f"{message.subject}\n{message.body}".replace("\xa0", " ") for message in mail.outbox}

    gift = giving.give(source=member, to=lea.email, units=units, key="a")
    assert waiting in told()[member.email]
    giving.accept(transfer=gift, member=lea)
    assert come in told()[lea.email]
    gift = giving.give(source=member, to=lea.email, units=units, key="b")
    told()
    giving.decline(transfer=gift, member=lea)
    assert back in told()[member.email]


def test_only_ones_own_gifts(as_, member, lea, give, programme, django_user_model):
    other = django_user_model.objects.create_user(username="max", email="max@example.com")
    max_ = services.join(programme=programme, user=other)
    give(100)
    gift = giving.give(source=member, to=lea.email, units=20, key="g")
    client = as_(max_)
    for answer in ("accept", "decline", "call-off"):
        assert client.post(f"{GIVE}{gift.uuid}/{answer}/").status_code == 404
    assert as_(member).post(f"{GIVE}{gift.uuid}/accept/").status_code == 404
    assert client.post(f"{GIVE}{gift.uuid}/steal/").status_code == 404
    assert client.get(f"{GIVE}{gift.uuid}/accept/").status_code == 405
    text = said(as_(member).post(f"{GIVE}{gift.uuid}/call-off/", follow=True))
    assert "yours again" in text and "called off" in text
    text = said(as_(lea).post(f"{GIVE}{gift.uuid}/accept/", follow=True))
    assert "not there any more" in text


def test_switched_off_there_is_no_sign_of_it(as_, member, programme):
    giving.save_policy(programme=programme, is_active=False)
    client = as_(member)
    assert GIVE not in said(client.get("/accounts/loyalty/"))
    assert "Points cannot be given at the moment" in said(client.get(GIVE))
    assert "Nobody can be invited at the moment" in said(client.get(HOUSEHOLD))


def test_whoever_is_no_member_goes_to_the_overview(client, user, programme):
    client.force_login(user)
    for page in (GIVE, HOUSEHOLD):
        assert client.get(page)["Location"] == "/accounts/loyalty/"


# Households


def test_a_household_from_invitation_to_leaving(as_, member, lea, give):
    give(100)
    client = as_(member)
    assert "You are in no household" in said(client.get(HOUSEHOLD))
    data = {"token": token_of(client.get(HOUSEHOLD)), "to": "lea@example.com"}
    for _click in range(2):
        text = said(client.post(HOUSEHOLD, data, follow=True))
    assert "lea@example.com is invited" in text and "Take back" in text
    mail.outbox.clear()
    due.sweep()
    assert ["lea@example.com"] in [message.to for message in mail.outbox if "household" in message.subject]
    client = as_(lea)
    assert "invites you to a household" in said(client.get("/accounts/loyalty/"))
    invitation = get_model("loyalty_members", "HouseholdInvitation").objects.get()
    text = said(client.post(f"{HOUSEHOLD}{invitation.uuid}/accept/", follow=True))
    assert "Rose M." in text and "Leave" in text and "Take out" not in text
    # At once, and the name is known.
    client = as_(member)
    text = said(give_points(client, "", "30", person=lea.number))
    assert "Léa P. has got 30 petals from you" in text
    assert balance(lea.account).usable == 30
    row = sharing.household_of(member).people.get(member=lea)
    assert "Take out" in said(client.get(HOUSEHOLD))
    assert "not in your household any more" in said(client.post(f"{HOUSEHOLD}{row.pk}/remove/", follow=True))
    assert sharing.household_of(member) is None
    assert "no household any more" in said(client.post(f"{HOUSEHOLD}leave/", follow=True))


def test_only_within_the_household(as_, member, lea, give, programme):
    giving.save_policy(programme=programme, household_only=True)
    give(100)
    client = as_(member)
    assert "within a household only" in said(client.get(GIVE))
    households.accept(invitation=households.invite(member=member, to=lea.number, key="i"), member=lea)
    page = client.get(GIVE)
    assert "to" not in page.context["form"].fields
    assert "has got 20 petals" in said(give_points(client, "", "20", person=lea.number))
    response = client.post(GIVE, {"token": "c" * 32, "person": "123456789015", "units": "20", "step": "preview"})
    assert set(response.context["form"].errors) == {"person"} or response.context["form"].non_field_errors()


def test_invitations_of_others_are_others(as_, member, lea, programme):
    invitation = households.invite(member=member, to=lea.email, key="i")
    assert as_(member).post(f"{HOUSEHOLD}{invitation.uuid}/accept/").status_code == 404
    assert as_(lea).post(f"{HOUSEHOLD}{invitation.uuid}/call-off/").status_code == 404
    assert as_(lea).post(f"{HOUSEHOLD}1/remove/").status_code == 404
    as_(lea).post(f"{HOUSEHOLD}{invitation.uuid}/decline/")
    invitation.refresh_from_db()
    assert invitation.state == "declined"
    response = as_(member).post(HOUSEHOLD, {"token": "d" * 32, "to": "rose@example.com"})
    assert set(response.context["form"].errors) == {"to"}


# On hold, closed, joined


@pytest.mark.parametrize("page", ["", "give/", "household/", "history/"])
def test_on_hold_one_reads_why(as_, member, page):
    services.set_status(member=member, status="frozen", reason="Card was lost", shown=True)
    text = said(as_(member).get(f"/accounts/loyalty/{page}"))
    assert "on hold" in text and "you lose nothing" in text and "Card was lost" in text
    assert 'name="units"' not in text


def test_a_reason_for_the_shop_stays_with_the_shop(as_, member):
    services.set_status(member=member, status="frozen", reason="Thief", shown=False)
    text = said(as_(member).get("/accounts/loyalty/"))
    assert "Thief" not in text and "Ask us if you wonder why" in text
    services.set_status(member=member, status="closed", reason="Thief", shown=False)
    assert "has been closed" in said(as_(member).get("/accounts/loyalty/"))


def test_the_login_of_before_says_where_the_points_are(as_, member, lea):
    merging.merge(source=member, target=lea, key="m")
    text = said(as_(member).get("/accounts/loyalty/"))
    assert f"ends in {lea.number[-4:]}" in text and "l…@example.com" in text
    assert "lea@example.com" not in text


def test_on_hold_no_points_buy_gift_cards(as_, member, give):
    from decimal import Decimal

    from oscar_loyalty.giftcards import catalogue

    give(5000)
    catalogue.set_denomination(value=Decimal(10), points_price=1000)
    services.set_status(member=member, status="frozen")
    text = said(as_(member).get("/gift-cards/"))
    assert "on hold" in text and "cannot be spent" in text


def test_the_pages_ask_a_bounded_number_of_queries(as_, member, many_gifts, django_assert_max_num_queries):
    client = as_(member)
    client.get(GIVE)
    with django_assert_max_num_queries(45):
        assert client.get(GIVE).status_code == 200
    with django_assert_max_num_queries(45):
        assert client.get(HOUSEHOLD).status_code == 200


@pytest.fixture
def many_gifts(member, give, programme):
    giving.save_policy(programme=programme, per_day=None, per_month=None)
    for number in range(25):
        other = services.join(programme=programme, email=f"x{number}@example.com", first_name=f"X{number}")
        give(100, to=other)
        gift = giving.give(source=other, to=member.email, units=50, key=f"{number}")
        if number % 2:
            giving.accept(transfer=gift, member=member)
        if number < 5:
            invitation = households.invite(member=member, to=other.number, key=f"h{number}")
            households.accept(invitation=invitation, member=other)


def test_a_membership_on_hold_stays_where_it_is(as_, member, programme):
    alone = services.join(programme=programme, email="till@example.com")
    page = f"/accounts/loyalty/join/{links.make(alone)}/"
    services.set_status(member=alone, status="frozen")
    text = said(as_(member).post(page, follow=True))
    assert "cannot be joined with yours at the moment" in text
    alone.refresh_from_db()
    assert alone.status == "frozen" and alone.merged_into is None


@pytest.mark.parametrize("end", ["called off", "too late"])
def test_a_gift_that_came_back_and_paid_a_debt_says_so(as_, member, lea, give, time, mailoutbox, end):
    entry = give(100)
    gift = giving.give(source=member, to=lea.email, units=60, key="g")
    books.reverse(entry=entry, key="back", units=90)
    assert balance(member.account).debt == 50
    owed = "50 petals of them have paid back what was owed."
    if end == "called off":
        text = said(as_(member).post(f"{GIVE}{gift.uuid}/call-off/", follow=True))
        assert f"Called off: 60 petals are yours again. {owed}" in text
    else:
        time.advance(days=30)
        due.sweep()
        (told,) = [mail for mail in mailoutbox if "were not accepted in time" in mail.body]
        assert owed in told.body.replace("\xa0", " ")
        assert all(owed in body.replace("\xa0", " ") for body, _kind in told.alternatives)
    assert balance(member.account).usable == 10
    # Of no points in the history: they were taken off where they came to be owed.
    text = said(as_(member).get("/accounts/loyalty/history/"))
    assert "Owed points paid back: 50" in text and ">0 petals<" not in text
