"""No page about one programme says anything of another, and no address with another's key opens.

The walk is by the list of pages: one that is added later is walked too.
"""

import itertools
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import AutoField
from django.urls import reverse

from oscar_loyalty import clock
from oscar_loyalty.dashboard.apps import PAGES
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import actions, adjustments, bookings, drafts, goals, rules
from oscar_loyalty.earning.referrals import services as referring
from oscar_loyalty.giftcards import bulk
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.reports.simulation import services as simulation

#: Words in addresses, any of which may be meant.
WORDS = {
    "format": ["csv"],
    "decision": ["allow", "refuse", "approve", "reject", "decline", "withdraw"],
    "action": ["disable", "enable", "reissue", "resend", "top-up", "extend", "deactivate", "settle", "returned"],
}
VERBS = ["active", "frozen", "hold", "closed", "cancel", "restart", "again", "delete"]
#: Pages about something that is the whole shop's: accounts without a membership, products, work that was given up,
#: orders as Oscar's own page shows them, and the Sites themselves.
SHARED = {
    "loyalty-members-enrol",
    "loyalty-scan-code",
    "loyalty-denomination",
    "loyalty-health-retry",
    "loyalty-refunds",
    "loyalty-refund-part",
    "loyalty-programmes",
    "loyalty-programme-choose",
    "loyalty-programme-create",
}


def ours():
    """Return the plugin's models."""
    return [model for model in apps.get_models() if model._meta.app_label.startswith("loyalty_")]


def far_away():
    """Let the keys of what is made from now on begin far above all others, and return where."""
    tables = [model._meta.db_table for model in ours() if isinstance(model._meta.pk, AutoField)]
    with connection.cursor() as cursor:
        # A sequence of PostgreSQL goes on where the test before has left it.
        if connection.vendor == "postgresql":
            cursor.execute("SELECT max(last_value) FROM pg_sequences")
        else:
            cursor.execute("SELECT max(seq) FROM sqlite_sequence")
        far = (cursor.fetchone()[0] or 0) + 1000
        for table in tables:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, far])
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, far])
    return far


@pytest.fixture
def full(houses, haircut, place, boss, django_user_model):
    """Each shop with something of every kind, all of which has the shop's name in it.

    Keys of the second are above those of the first, ``far`` and on, so that no key means something in both.
    """
    for house in houses:
        house.far = far_away() if house is houses[1] else 0
        fill(house, haircut, place, boss, django_user_model)
        due.sweep()
    return houses


def fill(house, haircut, place, boss, User):
    name, low, programme = house.name, house.name.lower(), house.programme
    people = [
        User.objects.create_user(username=f"{low}{n}", email=f"{low}{n}@example.com", last_name=f"{name}son{n}")
        for n in range(2)
    ]
    one, two = [members.join(programme=programme, user=user, source="test") for user in people]
    tier = members.save_tier(programme=programme, code="extra", name=f"{name} tier", rank=9)
    rules.publish_rule(programme=programme, kind="order", spec={"points": 3}, name=f"{name} rule")
    place(house, f"{name}-1", by=people[0])
    place(house, f"{name}-2", by=None, guest_email=f"guest@{low}.example")
    bookings.made(reference=f"visit:{low}", service=f"{name} massage", starts_at=clock.now(), member=one)
    adjustments.request_adjustment(
        programme=programme, members=[one], units=90_000, reason=f"{name} reason", key=f"adjust:{low}", user=boss
    )
    referring.save_scheme(programme=programme, is_active=True, friend_points=17)
    referring.accept(code=referring.invitation_of(member=one).code, friend=two)
    actions.set_rule(programme=programme, action="birthday", points=31)
    goals.create_goal(
        programme=programme,
        kind="stamps",
        name=f"{name} stamps",
        steps=[goals.Step(10, points=500)],
        key=f"goal:{low}",
        tier=tier,
    )
    draft = drafts.start(programme=programme, name=f"{name} draft", key=f"draft:{low}")
    drafts.put(draft=draft, kind="order", spec={"points": 4}, name=f"{name} change")
    simulation.ask(
        programme=programme,
        key=f"try:{low}",
        rules="now",
        title=f"{name} try",
        since=clock.now().date() - timedelta(days=30),
        until=clock.now().date(),
    )
    get_model("loyalty_rewards", "Reward").objects.create(
        programme=programme, kind="experience", name=f"{name} reward", points=100, created_at=clock.now()
    )
    giftcards.issue(
        value=Decimal(25), key=f"card:{low}", site=house.site, buyer=people[0], recipient_name=f"{name} lover"
    )
    batch = bulk.ask(
        name=f"{name} batch", number=1, value=Decimal(20), key=f"batch:{low}", at_till=True, site=house.site
    )
    bulk.finish(batch=batch)
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.create(
        site=house.site,
        order_number=f"{name}-1",
        total=Decimal(10),
        currency="EUR",
        state="cancelled",
        created_at=clock.now(),
        leased_until=clock.now(),
        expires_at=clock.now(),
    )
    get_model("loyalty_payments", "StripeEvent").objects.create(
        event_id=f"evt_{low}",
        kind=f"{low}.paid",
        attempt=attempt,
        state="failed",
        received_at=clock.now(),
        happened_at=clock.now(),
    )
    get_model("loyalty_messaging", "Message").objects.create(
        key=f"broken:{low}",
        kind="giftcard_sent",
        to=f"lost@{low}.example",
        state="dead",
        site=house.site,
        created_at=clock.now(),
    )


def words_of(address):
    """Return the names of what an address asks for, with their kinds: ``[("int", "pk"), …]``."""
    return re.findall(r"<(\w+):(\w+)>", address)


def address_of(name, words, values):
    arguments = {word: value for (_kind, word), value in zip(words, values, strict=True)}
    return reverse(f"loyalty-dashboard:{name}", kwargs=arguments)


def addresses(name, address, keys):
    """Yield the keys, and the address, of a page with each of these keys in the place of each."""
    words = words_of(address)
    choices = [keys[kind] if kind in keys else WORDS.get(word, VERBS) for kind, word in words]
    for values in itertools.product(*choices):
        yield values, address_of(name, words, values)


def strange(name, address, keys, opens):
    """Yield the addresses of a page with one foreign key each; beside it stands what ``opens`` the page, if known."""
    words = words_of(address)
    places = [place for place, (kind, _word) in enumerate(words) if kind in keys]
    if len(places) == 1 or opens is None:
        # Where nothing opens it, all keys are foreign together, each with its like.
        for values in zip(*[keys[words[place][0]] for place in places], strict=False):
            for texts in itertools.product(*[WORDS.get(word, VERBS) for kind, word in words if kind not in keys]):
                both = [iter(values), iter(texts)]
                yield address_of(name, words, [next(both[kind not in keys]) for kind, _word in words])
        return
    for place in places:
        for key in keys[words[place][0]]:
            yield address_of(name, words, [*opens[:place], key, *opens[place + 1 :]])


def keys_of(far, above):
    """Return the keys of all rows above ``far``, or of the others."""
    numbers, uuids = set(), set()
    for model in ours():
        rows = model._base_manager.filter(pk__gt=far) if above else model._base_manager.filter(pk__lte=far)
        names = {field.name for field in model._meta.concrete_fields}
        numbers |= set(rows.values_list("pk", flat=True)[:12])
        if "uuid" in names:
            uuids |= set(rows.values_list("uuid", flat=True))
    return {"int": sorted(numbers), "uuid": sorted(uuids)}


def drafted(url):
    """Whether the last key of an address is that of a change in some draft."""
    key = int(re.findall(r"\d+", url)[-1])
    return get_model("loyalty_earning", "DraftItem").objects.filter(pk=key).exists()


def text_of(response):
    content = b"".join(response.streaming_content) if response.streaming else response.content
    # The choice names all programmes.
    return re.sub(r"<form[^>]*loyalty-switcher.*?</form>", "", content.decode("utf-8", "replace"), flags=re.DOTALL)


def test_no_list_shows_anything_of_another(full, boss):
    for house, other in (full, full[::-1]):
        client = house.client(boss)
        told, seen = [], 0
        for address, _module, _view, name in PAGES:
            asked = words_of(address)
            if name in SHARED or any(kind != "str" or word != "format" for kind, word in asked):
                continue
            response = client.get(reverse(f"loyalty-dashboard:{name}", args=["csv"] if asked else []))
            if response.status_code != 200:
                assert response.status_code in (302, 405), (name, response.status_code)
                continue
            text = text_of(response)
            seen += house.name.lower() in text.lower().replace(house.site.domain, "")
            found = re.search(rf".{{0,60}}{other.name}.{{0,60}}", text, re.IGNORECASE)
            if found:
                told.append(f"{name}: {found.group()}")
        assert not told, "\n".join(told)
        # The walk sees something, so that silence means something.
        assert seen > 15


def test_no_address_opens_with_anothers_key(full, boss):
    client = full[0].client(boss)
    # What is the first shop's own opens; else the walk would prove nothing.
    own, foreign = [keys_of(full[1].far, above) for above in (False, True)]
    assert not set(own["int"]) & set(foreign["int"])
    open_ones, told = set(), []
    for address, _module, _view, name in PAGES:
        if name in SHARED or not any(kind in ("int", "uuid") for kind, _word in words_of(address)):
            continue
        opens = next((keys for keys, url in addresses(name, address, own) if client.get(url).status_code != 404), None)
        if opens is not None:
            open_ones.add(name)
        for url in strange(name, address, foreign, opens):
            for ask in (client.get, client.post):
                response = ask(url)
                # What no draft has was taken out by an earlier click; what another's draft has is refused.
                gone = name == "loyalty-draft-item-drop" and not drafted(url) and response.status_code == 302
                if response.status_code not in (404, 405) and not gone:
                    told.append(f"{ask.__name__} {url}: {response.status_code}")
    assert not told, "\n".join(told)
    assert {"loyalty-member", "loyalty-rule", "loyalty-tier", "loyalty-giftcard", "loyalty-payment"} <= open_ones
    assert {"loyalty-adjustment", "loyalty-goal", "loyalty-giftcard-batch", "loyalty-giftcard-activate"} <= open_ones


def test_no_page_of_the_account_says_anything_of_another(full, user):
    from oscar_loyalty.account.apps import AccountConfig

    names = [pattern.name for pattern in AccountConfig.create("oscar_loyalty.account").get_urls()]
    for house, other in (full, full[::-1]):
        person = get_model("loyalty_members", "Member").objects.get(email=f"{house.name.lower()}0@example.com").user
        members.join(programme=other.programme, user=person)
        client, told = house.client(person), []
        for name in names:
            try:
                url = reverse(f"loyalty-account:{name}")
            except Exception:  # noqa: S112  (it needs a key)
                continue
            response = client.get(url)
            found = re.search(rf".{{0,60}}{other.name}.{{0,60}}", text_of(response), re.IGNORECASE)
            if response.status_code == 200 and found:
                told.append(f"{name}: {found.group()}")
        assert not told, "\n".join(told)
