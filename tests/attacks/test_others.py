"""Rose has something of every kind. Whoever else asks for it by its key is told that it is not there.

The addresses come from the URL conf: one that is added later has to be opened here by whom it belongs to, or named
below with the reason why it belongs to nobody.
"""

import itertools
from decimal import Decimal

import pytest
from django.contrib.sites.models import Site
from django.db.models import AutoField

from oscar_loyalty import clock
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, services
from tests.attacks import addresses, belongings
from tests.sites.test_leaks import ours

ANSWERS = ["accept", "decline", "call-off"]
#: Addresses with a key that is nobody's own, and why.
EVERYBODYS = {
    "loyalty-account:reward": "a reward of the catalogue, which all members see",
    "loyalty-wallet:registration": "opened by the token of the pass: tests/wallet/test_service.py",
    "loyalty-wallet:latest": "opened by the token of the pass: tests/wallet/test_service.py",
    "loyalty-storefront:print": "opened by the session that has ordered it: tests/giftcards/test_orders.py",
}


@pytest.fixture
def people(time, programme, member, django_user_model, settings):
    """Rose, Lea in her household, Noa whom she has invited, and Eve, who has a household of her own."""
    Site.objects.filter(pk=programme.site_id).update(domain="testserver")
    Site.objects.clear_cache()
    settings.OSCAR_LOYALTY_WORKER = "cron"
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=10)
    found = {"rose": member}
    for name in ("lea", "noa", "eve", "ben"):
        user = django_user_model.objects.create_user(name, f"{name}@example.com", "petale-demo", first_name=name)
        found[name] = services.join(programme=programme, user=user, source="test")
    for name, person in found.items():
        books.earn(account=person.account, units=5000, key=f"begin:{name}", kind="adjust", usable_from=clock.now())
    return found


@pytest.fixture
def hers(people, programme):
    """Whatever somebody can have, for Rose."""
    return belongings.give(programme, people)


@pytest.fixture
def line(hers, people, client):
    """A gift card that lies in Rose's basket, and one in Eve's."""
    ten = giftcards.set_denomination(value=Decimal(10), points_price=1000)
    for name in ("eve", "rose"):
        client.force_login(people[name].user)
        data = {"for_whom": "myself", "buy": ten.pk}
        assert client.post("/gift-cards/", data).status_code == 302
    return get_model("basket", "Line").objects.get(basket__owner=people["rose"].user)


def keys():
    """The keys of all rows of ours, and of what lies in baskets."""
    numbers, uuids = set(), set()
    for model in [*ours(), get_model("basket", "Line"), get_model("basket", "Basket")]:
        if isinstance(model._meta.pk, AutoField):
            numbers |= set(model._base_manager.values_list("pk", flat=True))
        uuids |= {
            value
            for name in ("uuid", "serial")
            if any(field.name == name for field in model._meta.concrete_fields)
            for value in model._base_manager.values_list(name, flat=True)
        }
    return {"int": sorted(numbers)[:40], "uuid": sorted(uuids), "str": ANSWERS, "slug": ["x"]}


def keyed():
    """The addresses with a number or a UUID in them, outside of the dashboard."""
    found = [one for one in addresses.every() if "dashboard" not in one.route and "appointments" not in one.route]
    return [one for one in found if {"int", "uuid"} & {kind for _word, kind in one.holes}]


def paths(address, known):
    return [address.fill(values) for values in itertools.product(*(known[kind] for _word, kind in address.holes))]


def opens(client, method, path):
    """Whether the address does something for whoever asks, of which nothing stays."""
    response = addresses.Undone(client)(method, path)
    away = response.status_code == 302 and "/login" in response.headers["Location"]
    return not away and response.status_code not in (404, 405)


def test_each_address_with_a_key_opens_to_whose_it_is_and_to_nobody_else(line, people, client_of):
    known, told, never = keys(), [], []
    owners = [client_of(people[name].user) for name in ("rose", "noa")]
    eve, stranger = client_of(people["eve"].user), client_of(None)
    for address in keyed():
        if address.name in EVERYBODYS:
            continue
        own = set()
        for path in paths(address, known):
            for method in ("get", "post"):
                if any(opens(client, method, path) for client in owners):
                    own.add((method, path))
        if not own:
            never.append(address.name)
        for who, client in (("Eve", eve), ("a stranger", stranger)):
            told += [f"{who}: {method} {path}" for method, path in sorted(own) if opens(client, method, path)]
    assert not never, f"nobody's own, or Rose lacks one: {never}"
    assert not told, "\n".join(told)


@pytest.fixture
def client_of(client):
    from django.test import Client

    def client_of(user):
        found = Client()
        if user is not None:
            found.force_login(user)
        return found

    return client_of


# Keys within forms


def test_nobody_gives_a_pass_to_what_they_may_not_see_themselves(hers, people, client_of):
    data = {"token": "a" * 32, "kind": "early", "subject": hers.pk, "friend": "Zoe"}
    before = get_model("loyalty_privileges", "GuestPass").objects.count()
    client_of(people["eve"].user).post("/accounts/loyalty/early/", data)
    assert get_model("loyalty_privileges", "GuestPass").objects.count() == before
    client_of(people["rose"].user).post("/accounts/loyalty/early/", data)
    assert get_model("loyalty_privileges", "GuestPass").objects.count() == before + 1


def test_a_pass_for_nothing_is_not_given(hers, people, client_of):
    before = get_model("loyalty_privileges", "GuestPass").objects.count()
    client = client_of(people["rose"].user)
    for kind in ("page", "early", "nothing", "__class__", ""):
        for subject in ("0", "-1", "1 OR 1=1", "9" * 40, "²"):
            data = {"token": "a" * 32, "kind": kind, "subject": subject, "friend": ""}
            assert client.post("/accounts/loyalty/early/", data).status_code in (200, 302)
    assert get_model("loyalty_privileges", "GuestPass").objects.count() == before


def test_points_move_at_once_only_within_ones_own_household(hers, people, client_of):
    """The number of somebody of another household, in the field that lists one's own, is no choice."""
    form = {"token": "b" * 32, "units": "10", "step": "confirm", "password": "petale-demo", "to": ""}
    for name, moved in (("eve", 0), ("rose", 1)):
        data = {**form, "person": people["lea"].number}
        client_of(people[name].user).post("/accounts/loyalty/give/", data)
        done = get_model("loyalty_members", "Transfer").objects.filter(source=people[name], at_once=True)
        assert done.count() == moved


def test_nobody_takes_another_basket_for_their_own(line, people, client_of):
    """The number of a basket is what a second click on "place order" sends along."""
    response = client_of(people["eve"].user).post("/checkout/preview/", {"loyalty_basket": line.basket_id})
    assert response.status_code in (302, 200)
    assert "rose" not in response.content.decode().lower()
    line.basket.refresh_from_db()
    assert (line.basket.status, line.basket.owner) == ("Open", people["rose"].user)


def test_a_card_is_taken_off_ones_own_checkout_only(line, people, client_of):
    """Cards of a checkout are the session's: a number in the form takes away nobody else's."""
    card = get_model("loyalty_giftcards", "GiftCard").objects.first()
    rose = client_of(people["rose"].user)
    session = rose.session
    session["loyalty_giftcards"] = [[card.pk, card.generation]]
    session.save()
    client_of(people["eve"].user).post("/checkout/preview/", {"loyalty_remove_card": card.pk})
    assert rose.session["loyalty_giftcards"] == [[card.pk, card.generation]]


def test_a_session_cannot_be_written_from_outside(hers, people, client_of):
    """What the session keeps cannot be named in an address, a form or a cookie."""
    eve = client_of(people["eve"].user)
    card = get_model("loyalty_giftcards", "GiftCard").objects.first()
    for name in ("loyalty_giftcards", "loyalty_points", "checkout_order_id", "loyalty_attempt", "loyalty_proved"):
        eve.cookies[name] = "1"
        eve.get("/accounts/loyalty/", {name: "1"})
        eve.post("/accounts/loyalty/join/", {name: "1"})
        assert name not in eve.session
    assert eve.post(f"/gift-cards/{card.uuid}/print/").status_code == 404
