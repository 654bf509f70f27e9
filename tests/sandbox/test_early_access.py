"""Early access in a shop that has wired all of it: every surface of the salon, for everybody who may look."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from oscar.core.loading import get_class, get_model
from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import checks, early_passes, passes, services

SECRET = "Moonflower"
#: Who may have what is for Silver first.
LOOKERS = {
    "anonymous": False,
    "customer": False,
    "low": False,
    "exact": True,
    "higher": True,
    "guest": True,
    "browser": True,
    "taken": False,
    "former": False,
}


@pytest.fixture
def tiers(programme):
    return {tier.code: tier for tier in members.tiers(programme)}


@pytest.fixture
def category(db):
    return get_model("catalogue", "Category").add_root(name="Hair")


@pytest.fixture
def secret(category):
    product = create_product(title=f"{SECRET} oil", price=Decimal("19.00"), num_in_stock=50)
    product.categories.add(category)
    return product


@pytest.fixture
def plain(category, secret):
    """A product for everybody, which recommends the secret one."""
    product = create_product(title="Oat soap", price=Decimal("5.00"), num_in_stock=50)
    product.categories.add(category)
    get_model("catalogue", "ProductRecommendation").objects.create(primary=product, recommendation=secret)
    return product


@pytest.fixture
def index(settings, tmp_path, plain):
    """A search index as shops have it; the simple one of most tests leaves the catalogue empty."""
    from django.core.management import call_command
    from haystack import connections

    before = settings.HAYSTACK_CONNECTIONS
    engine = "haystack.backends.whoosh_backend.WhooshEngine"
    settings.HAYSTACK_CONNECTIONS = {"default": {"ENGINE": engine, "PATH": str(tmp_path / "index")}}
    connections.connections_info = settings.HAYSTACK_CONNECTIONS
    connections.reload("default")
    call_command("rebuild_index", interactive=False, verbosity=0)
    yield
    settings.HAYSTACK_CONNECTIONS = connections.connections_info = before
    connections.reload("default")


@pytest.fixture
def window(programme, tiers, secret):
    def window(target=None, tier="silver", **fields):
        now = clock.now()
        return services.create(
            programme=programme,
            tier=tiers[tier],
            target=target or secret,
            opens_at=now,
            ends_at=now + timedelta(days=10),
            key=f"{fields}{target}",
            passes=5,
            **fields,
        )

    return window


@pytest.fixture
def looker(programme, tiers):
    """Return the client of each kind of visitor to what is for members first."""

    def person(name, tier=None):
        user = get_user_model().objects.create_user(name, f"{name}@example.com", "petale-demo")
        if tier:
            member = joining.join(programme=programme, user=user, source="test")
            joining.set_tier(member=member, tier=tiers[tier], key=f"test:{name}")
        return user

    def looker(name, *windows):
        client = Client()
        tier = {"low": "bronze", "exact": "silver", "higher": "gold", "former": "gold"}.get(name)
        user = person(name, tier) if name not in ("anonymous", "browser") else None
        if name == "former":
            joining.set_status(member=members.member_for(user, programme), status="closed")
        if user is not None:
            client.force_login(user)
        if name in ("guest", "browser", "taken"):
            giver = members.member_for(person("giver", "gold"), programme)
            for number, row in enumerate(windows):
                subject = early_passes.subject(row)
                made = passes.give(member=giver, subject=subject, key=f"{name}:{number}")
                response = client.post(f"/loyalty/pass/{passes.token_of(made)}/")
                assert response.status_code == 302
                if name == "taken":
                    passes.take_back(row=made)
        return client, user

    return looker


def page_of(product):
    return f"/catalogue/{product.slug}_{product.pk}/"


def surfaces(client, plain, secret, category, user):
    """Everything that a visitor can look at, by name."""
    client.cookies["oscar_history"] = json.dumps([secret.pk, plain.pk])
    found = {
        "catalogue": client.get("/catalogue/"),
        "category": client.get(f"/catalogue/category/{category.slug}_{category.pk}/"),
        "search": client.get("/search/?q=Moon"),
        "recommended and viewed": client.get(page_of(plain)),
        "page": client.get(page_of(secret)),
        "page by another address": client.get(f"/catalogue/x_{secret.pk}/", follow=True),
        "reviews": client.get(f"{page_of(secret)}reviews/", follow=True),
        "alert": client.get(f"/accounts/alerts/create/{secret.pk}/", follow=True),
        "home": client.get("/"),
    }
    if user is not None:
        wish_list = get_model("wishlists", "WishList").objects.create(owner=user)
        wish_list.add(secret)
        found["wish list"] = client.get(f"/accounts/wishlists/{wish_list.key}/")
        found["to a wish list"] = client.get(f"/accounts/wishlists/add/{secret.pk}/", follow=True)
    return {name: response.content.decode() for name, response in found.items()}


@pytest.mark.parametrize("others", ["hidden", "teased"])
@pytest.mark.parametrize("name", LOOKERS)
def test_nothing_leaks(name, others, window, looker, plain, secret, category, index, wagtail_pages):
    row = window(others=others, words="Something for the hair")
    client, user = looker(name, row)
    pages = surfaces(client, plain, secret, category, user)
    leaks = {surface for surface, text in pages.items() if SECRET in text}
    if not LOOKERS[name]:
        assert leaks == set()
        response = client.get(page_of(secret))
        assert response.status_code == (404 if others == "hidden" else 403)
        if others == "teased":
            assert "Something for the hair" in response.content.decode()
            assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    else:
        assert {"catalogue", "category", "recommended and viewed", "page"} <= leaks
        response = client.get(page_of(secret))
        assert response.status_code == 200
        assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
        assert "Cookie" in response["Vary"]


@pytest.mark.parametrize("name", LOOKERS)
@pytest.mark.parametrize("others", ["hidden", "priceless", "shown"])
def test_only_who_may_puts_it_into_the_basket(name, others, window, looker, secret):
    row = window(others=others)
    client, _user = looker(name, row)
    response = client.post(f"/basket/add/{secret.pk}/", {"quantity": 1}, follow=True)
    lines = get_model("basket", "Line").objects.filter(product=secret).count()
    assert lines == (1 if LOOKERS[name] else 0)
    if not LOOKERS[name] and others == "shown":
        assert "for everybody from" in response.content.decode()


def test_what_is_shown_has_its_price_and_no_button(window, looker, secret):
    window(others="shown")
    text = looker("anonymous")[0].get(page_of(secret)).content.decode()
    assert "19.00" in text
    assert "add_to_basket_form" not in text or 'type="submit" class="btn btn-lg' not in text
    assert "Now for members from Silver on" in text


def test_what_is_priceless_has_none_in_lists_either(window, looker, secret, index):
    window(others="priceless")
    client, _user = looker("anonymous")
    for address in ("/catalogue/", page_of(secret)):
        text = client.get(address).content.decode()
        assert SECRET in text
        assert "19.00" not in text


def test_a_basket_filled_before_loses_nothing_and_is_refused_at_the_checkout(window, looker, secret, plain, programme):
    row = window(others="hidden")
    client, user = looker("exact", row)
    for product in (secret, plain):
        client.post(f"/basket/add/{product.pk}/", {"quantity": 1})
    joining.set_status(member=members.member_for(user, programme), status="frozen")
    response = client.get("/checkout/shipping-address/", follow=True)
    assert response.redirect_chain[-1][0] == "/basket/"
    text = response.content.decode()
    assert "Now for members from Silver on" in text
    assert "24.00" in text
    assert get_model("basket", "Line").objects.filter(basket__owner=user).count() == 2


def test_a_basket_of_a_browser_that_is_merged_at_login_is_asked_again(window, looker, secret):
    row = window(others="priceless")
    client, _nobody = looker("browser", row)
    client.post(f"/basket/add/{secret.pk}/", {"quantity": 1})
    assert client.get("/checkout/", follow=True).status_code == 200
    other = get_user_model().objects.create_user("low", "low@example.com", "petale-demo")
    browser = client.cookies.pop(passes.COOKIE)
    client.force_login(other)
    response = client.get("/checkout/shipping-address/", follow=True)
    assert response.redirect_chain[-1][0] == "/basket/"
    # The same friend signed in, with the browser that opened the invitation, goes on.
    client.cookies[passes.COOKIE] = browser.value
    assert client.get("/checkout/shipping-address/").status_code == 200


def test_an_offer_is_for_members_first(window, looker, plain, programme, django_user_model):
    Range = get_model("offer", "Range")
    everything = Range.objects.create(name="All", includes_all_products=True)
    offer = get_model("offer", "ConditionalOffer").objects.create(
        name=f"{SECRET} sale",
        offer_type="Site",
        condition=get_model("offer", "Condition").objects.create(type="Count", value=1, range=everything),
        benefit=get_model("offer", "Benefit").objects.create(type="Percentage", value=20, range=everything),
    )
    row = window(target=offer)
    for name, has in LOOKERS.items():
        if name in ("browser", "taken"):
            continue
        client, _user = looker(name, row)
        client.post(f"/basket/add/{plain.pk}/", {"quantity": 1})
        text = client.get("/basket/").content.decode()
        assert (SECRET in text) is has, name
        assert (SECRET in client.get("/offers/").content.decode()) is has, name
        assert client.get(f"/offers/{offer.slug}/").status_code == (200 if has else 404), name


def test_without_a_request_the_user_decides(window, looker, secret):
    row = window(others="hidden")
    Selector = get_class("partner.strategy", "Selector")
    Product = get_model("catalogue", "Product")
    for name in ("anonymous", "low", "exact", "guest"):
        _client, user = looker(name, row)
        info = Selector().strategy(user=user).fetch_for_product(secret)
        assert info.availability.is_available_to_buy is LOOKERS[name]
        assert Product.objects.browsable().visible_to(user).filter(pk=secret.pk).exists() is LOOKERS[name]


def test_the_pages_cost_the_same_with_many_products_in_a_range(window, looker, category):
    """The whole list is asked about at once."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    some = get_model("offer", "Range").objects.create(name="Some")
    for number in range(4):
        product = create_product(title=f"Brush {number}", price=5, num_in_stock=3)
        product.categories.add(category)
        some.add_product(product)
    window(target=some, others="shown")
    client, _user = looker("low")
    client.get("/catalogue/")

    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/catalogue/").status_code == 200
        return [each["sql"] for each in asked if "early" in each["sql"] or "offer_range" in each["sql"]]

    few = len(queries())
    for number in range(4, 16):
        product = create_product(title=f"Brush {number}", price=5, num_in_stock=3)
        product.categories.add(category)
        some.add_product(product)
    assert len(queries()) == few
    assert few <= 9


def test_what_is_everybodys_is_kept_by_caches_as_ever(looker, plain):
    response = looker("anonymous")[0].get(page_of(plain))
    assert "private" not in response.get("Cache-Control", "")


def test_the_salon_lacks_nothing(db):
    assert list(checks.lacks()) == []


def test_staff_look_and_do_not_buy(window, looker, secret, plain):
    row = window(others="hidden")
    client, user = looker("customer", row)
    get_user_model().objects.filter(pk=user.pk).update(is_staff=True)
    text = client.get(page_of(secret)).content.decode()
    assert SECRET in text
    assert "Now for members from Silver on" in text
    client.post(f"/basket/add/{secret.pk}/", {"quantity": 1})
    assert not get_model("basket", "Line").objects.exists()


def test_the_how_to_says_what_the_salon_does():
    """Every block of the manual runs; what it tells a shop to write is what the sandbox has."""
    import re
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    text = (root / "docs/howto/early-access.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 8
    spaces = {}
    for block in blocks:
        name = re.match(r"# (?:yourshop/)?(\S+)", block)
        if name is None or name[1] != "catalogue/models.py":
            space = spaces[name[1] if name else ""] = {"__name__": "yourshop"}
            exec(compile(block, "early-access.md", "exec"), space)  # noqa: S102
        if name is not None and (root / "sandbox" / name[1]).exists():
            code = (root / "sandbox" / name[1]).read_text()
            for line in re.findall(r"^from oscar_loyalty.privileges.*$", block, re.MULTILINE):
                assert line in code, line
    user = get_user_model()(pk=7)
    assert spaces["partner/strategy.py"]["Selector"]().strategy(user=user).user == user
    for part, name in [("search/views/base.py", "BaseSearchView"), ("offer/applicator.py", "Applicator")]:
        assert spaces[part][name].__mro__[1].__module__ == "oscar_loyalty.privileges.catalogue"


def test_code_of_ones_own(window, looker, secret, rf, django_user_model):
    """As the manual has it."""
    from oscar_loyalty.privileges import access

    window(others="hidden")
    request = rf.get("/")
    request.user = django_user_model.objects.create_user("api")
    assert access.viewer_of(request).gate(secret).others == "hidden"


def test_the_demo_has_some(wagtail_pages, time):
    """A box for Gold, a candle for Silver, a sale, and an evening to which a Gold member brings a friend; made once."""
    from sandbox.demo.early import load_early
    from sandbox.demo.programme import load_programme
    from sandbox.shop.load import load_catalogue
    from sandbox.shop.load_club_pages import load_club_pages
    from wagtail_club.models import ClubOfferPage

    load_catalogue()
    programme = load_programme(started_at=clock.now())
    load_club_pages()
    for _time in range(2):
        load_early(programme, now=clock.now())
    rows = get_model("loyalty_privileges", "EarlyAccess").objects.order_by("pk")
    assert [(row.kind, row.tier.code, row.passes) for row in rows] == [
        ("product", "gold", 3),
        ("product", "silver", 0),
        ("offer", "silver", 0),
    ]
    assert ClubOfferPage.objects.filter(guest_passes=2).exists()
