"""What a member does by a button is done once, however often it is pressed, and each press is answered alike."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from oscar.test.factories import create_product

from oscar_loyalty.ledger.selectors import balance
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households, leaving, links, sharing
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import passes
from oscar_loyalty.privileges import services as privileges
from oscar_loyalty.rewards import services as rewards

pytestmark = pytest.mark.django_db
ACCOUNT = "/accounts/loyalty/"
TOKEN = "a" * 32


@pytest.fixture(autouse=True)
def _terms(programme, settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=10)


@pytest.fixture
def lea(programme, django_user_model):
    user = django_user_model.objects.create_user("lea", "lea@example.com", "petale-demo", first_name="Léa")
    return joining.join(programme=programme, user=user, source="test")


@pytest.fixture
def twice(client, user):
    """Press a button twice: ``twice("give/", {...})``; return what was said, after the second press the same."""
    client.force_login(user)

    def press(path, data):
        response = client.post(ACCOUNT + path, data or {}, follow=True)
        said = [(message.level_tag, str(message)) for message in response.context["messages"]]
        return response.status_code, response.redirect_chain, said

    def twice(path, data=None):
        first, second = press(path, data), press(path, data)
        assert first == second
        status, chain, said = first
        assert status == 200 and chain and len(said) == 1 and said[0][0].split()[-1] == "success"
        return said[0][1].replace("\xa0", " ")

    return twice


@pytest.fixture
def offered(member, lea, give):
    """Points that Léa offers."""
    give(500, to=lea)
    return giving.give(source=lea, to=member.email, units=100, key="gift")


@pytest.fixture
def together(member, lea):
    """Rose and Léa live together; Rose was there first."""
    invitation = households.invite(member=member, to=lea.email, key="i")
    return households.accept(invitation=invitation, member=lea)


def test_giving(twice, member, lea, give):
    give(500)
    data = {"token": TOKEN, "to": lea.email, "units": 100, "step": "confirm", "password": "petale-demo"}
    assert "set aside" in twice("give/", data)
    assert balance(member.account).held == 100


@pytest.mark.parametrize(
    ("answer", "said"), [("accept", "100 petals are yours now."), ("decline", "You have declined 100 petals.")]
)
def test_answering_a_gift(twice, offered, member, answer, said):
    assert twice(f"give/{offered.uuid}/{answer}/") == said
    assert balance(member.account).usable == (100 if answer == "accept" else 0)


def test_calling_a_gift_off(twice, member, lea, give):
    give(500)
    gift = giving.give(source=member, to=lea.email, units=100, key="gift")
    assert twice(f"give/{gift.uuid}/call-off/") == "Called off: 100 petals are yours again."
    assert balance(member.account).usable == 500


def test_inviting_into_the_household(twice, member, lea):
    assert "lea@example.com is invited" in twice("household/", {"token": TOKEN, "to": lea.email})
    assert get_model("loyalty_members", "HouseholdInvitation").objects.count() == 1


@pytest.mark.parametrize(("answer", "said"), [("accept", "You are in the household now"), ("decline", "You have dec")])
def test_answering_an_invitation(twice, member, lea, answer, said):
    invitation = households.invite(member=lea, to=member.email, key="i")
    assert twice(f"household/{invitation.uuid}/{answer}/").startswith(said)


def test_taking_an_invitation_back(twice, member, lea):
    invitation = households.invite(member=member, to=lea.email, key="i")
    assert twice(f"household/{invitation.uuid}/call-off/") == "The invitation has been taken back."


def test_taking_an_invitation_back_from_a_household_that_is_no_more(twice, member, lea):
    invitation = households.invite(member=member, to=lea.email, key="i")
    households.leave(member=member)
    assert twice(f"household/{invitation.uuid}/call-off/") == "The invitation has been taken back."


def test_leaving_the_household(twice, together):
    assert twice("household/leave/") == "You are in no household any more."


def test_taking_somebody_out_of_the_household(twice, member, lea, together, client):
    row = together.people.get(member=lea)
    page = client.get(ACCOUNT + "household/").content.decode()
    address = re.search(rf'action="[^"]*household/{row.pk}/remove/".*?</form>', page, re.DOTALL)[0]
    name = re.search(r'name="name" value="([^"]+)"', address)[1]
    assert twice(f"household/{row.pk}/remove/", {"name": name}) == "Léa is not in your household any more."
    assert sharing.household_of(lea) is None


def test_nobody_takes_out_of_a_household_of_others(client, user, member, lea, programme):
    sam = joining.join(programme=programme, email="sam@example.com", source="test")
    invitation = households.invite(member=lea, to=sam.email, key="i")
    household = households.accept(invitation=invitation, member=sam)
    client.force_login(user)
    client.post(f"{ACCOUNT}household/{household.people.get(member=sam).pk}/remove/", {"name": "Sam"})
    assert sharing.household_of(sam) == household


def test_taking_out_twice_in_the_same_moment_is_no_error(member, lea, together):
    """The second was on its way when the first gave the household up."""
    households.remove(member=member, other=lea)
    households.remove(member=member, other=lea)


def test_choosing_a_reward_and_giving_it_back(twice, programme, member, give):
    give(500)
    tea = get_model("loyalty_rewards", "Reward")(programme=programme, name="Tea", kind="amount", value=5, points=100)
    tea = rewards.save_reward(reward=tea)
    rewards.save_policy(programme=programme, own_cancel=True)
    assert twice(f"rewards/{tea.pk}/", {"token": TOKEN, "price": 100}) == "Yours: Tea"
    claim = get_model("loyalty_rewards", "Claim").objects.get()
    assert twice(f"rewards/mine/{claim.uuid}/back/") == "It is given back: 100 petals are yours again."
    assert balance(member.account).usable == 500


def test_inviting_a_friend_and_taking_it_back(twice, programme, member, time):
    gold = members.tiers(programme).get(code="gold")
    joining.set_tier(member=member, tier=gold, key="up")
    soap = create_product(title="Soap", price=Decimal("20.00"), num_in_stock=5)
    window = privileges.create(
        programme=programme, tier=gold, target=soap, ends_at=time() + timedelta(days=9), key="w", passes=1
    )
    data = {"token": TOKEN, "kind": "early", "subject": window.pk, "friend": "Lina"}
    assert twice("early/", data).startswith("The link for your friend is below.")
    given = passes.of_member(member).get()
    assert twice(f"early/{given.uuid}/back/") == "The invitation is taken back."


def test_leaving_and_coming_back(twice, member):
    assert twice("leave/", {"password": "petale-demo"}).startswith("You have left.")
    assert leaving.departure_of(member) is not None
    assert twice("leave/undo/").startswith("Good that you are back.")
    member.refresh_from_db()
    assert member.status == "active"


def test_coming_back_too_late_is_said(client, user, member):
    from oscar_loyalty.members import statuses

    statuses.set_status(member=member, status="closed", key="c")
    client.force_login(user)
    text = client.post(ACCOUNT + "leave/undo/", follow=True).content.decode()
    assert "It is too late for that" in text


def test_joining_with_a_membership_by_e_mail(twice, programme, user):
    found = joining.join(programme=programme, email="rose@example.com", source="till")
    assert twice(f"join/{links.make(found)}/").startswith("The membership is yours")


def test_a_link_that_somebody_else_has_used_stays_closed(client, programme, user, lea):
    found = joining.join(programme=programme, email="rose@example.com", source="till")
    token = links.make(found)
    joining.attach_user(member=found, user=user)
    client.force_login(lea.user)
    assert client.post(f"{ACCOUNT}join/{token}/").status_code == 404


def test_joining(client, user, programme):
    client.force_login(user)
    first = client.post(ACCOUNT + "join/")
    assert first.url == client.post(ACCOUNT + "join/").url
    assert get_model("loyalty_members", "Member").objects.count() == 1
