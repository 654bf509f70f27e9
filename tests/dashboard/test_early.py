"""The owner's pages of early access and guest passes."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from oscar.test.factories import create_product

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import early_passes, passes, services
from tests.attacks.pages import forms


@pytest.fixture
def soap(db):
    return create_product(title="Soap", price=Decimal("20.00"), num_in_stock=100)


@pytest.fixture
def tiers(programme):
    return {tier.code: tier for tier in members.tiers(programme)}


@pytest.fixture
def window(programme, tiers, soap, time):
    return services.create(
        programme=programme, tier=tiers["gold"], target=soap, ends_at=time() + timedelta(days=10), key="w", passes=2
    )


@pytest.fixture
def fields(soap, tiers):
    return {
        "token": "a" * 32,
        "target": "product",
        "product": soap.pk,
        "tier": tiers["gold"].pk,
        "ends_day": "2026-03-12",
        "ends_time": "09:00",
        "closed_before": "on",
        "others": "priceless",
        "words_0": "Soon for you",
        "passes": 3,
        "pass_days": 5,
    }


@pytest.fixture
def boss(client, staff):
    user = staff("view_loyalty", "manage_programme", username="boss")
    client.force_login(user)
    return client


def text_of(response):
    return response.content.decode().replace("\xa0", " ")


def test_made_once_and_said_in_a_sentence(time, boss, url, fields, soap):
    assert boss.get(url("early-create") + f"?product={soap.pk}").context["form"].initial["product"] == soap.pk
    for _time in range(2):
        assert boss.post(url("early-create"), fields).url == url("early")
    row = get_model("loyalty_privileges", "EarlyAccess").objects.get()
    assert (row.target, row.passes, str(row.words)) == (soap, 3, "Soon for you")
    text = text_of(boss.get(url("early")))
    assert "Soap: Gold members only until March 12, 9 a.m.; others see it without a price" in text
    # This shop has wired nothing: the owner hears of it.
    assert "only the checkout refuses it" in text


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"product": ""}, "product", "Which one?"),
        ({"ends_day": ""}, "ends_day", "This field is required."),
        ({"ends_day": "2026-03-01"}, "ends_day", "It ends before it begins."),
        ({"opens_day": "2026-03-15"}, "ends_day", "It ends before it begins."),
        ({"opens_time": "10:00"}, "opens_day", "Which day?"),
        ({"passes": 51}, "passes", "Ensure this value is less than or equal to 50."),
        ({"tier": "99999"}, "tier", "Select a valid choice. That choice is not one of the available choices."),
        ({"target": "offer"}, "target", "Select a valid choice. offer is not one of the available choices."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(time, boss, url, fields, change, field, message):
    response = boss.post(url("early-create"), fields | change)
    assert response.status_code == 200
    assert response.context["form"].errors[field] == [message]
    assert not get_model("loyalty_privileges", "EarlyAccess").objects.exists()


def test_changed_what_was_not_touched_stays_to_the_second(time, boss, url, window):
    form = boss.get(url("early-window", window.pk)).context["form"]
    data = {name: "" if form[name].value() is None else form[name].value() for name in form.fields if name != "words"}
    data = {**data, "tier": window.tier_id, "product": window.product_id, "closed_before": "on", "passes": 1}
    for name in ("range", "offer"):
        data.pop(name, None)
    assert boss.post(url("early-window", window.pk), data).url == url("early")
    after = get_model("loyalty_privileges", "EarlyAccess").objects.get()
    assert (after.opens_at, after.ends_at, after.passes) == (window.opens_at, window.ends_at, 1)


def test_ended_and_taken_back(time, boss, url, window):
    text = text_of(boss.get(url("early-end", window.pk)))
    assert "Soap: Gold members only until March 12, 1 p.m." in text
    boss.post(url("early-end", window.pk))
    assert boss.get(url("early-window", window.pk)).url == url("early")
    assert "Soap: Gold members first, until March 2, 1 p.m.; for everybody since" in text_of(
        boss.get(url("early") + "?ended")
    )
    boss.post(url("early-go-on", window.pk))
    assert "Soap: Gold members only" in text_of(boss.get(url("early")))


def test_the_passes_and_what_became_of_them(time, boss, url, window, programme, tiers, django_user_model):
    user = django_user_model.objects.create_user("rose", "rose@example.com", first_name="Rose", last_name="Martin")
    friend = django_user_model.objects.create_user("lina", "lina@example.com", first_name="Lina", last_name="Blanc")
    member = joining.join(programme=programme, user=user, source="test")
    joining.set_tier(member=member, tier=tiers["gold"], key="up")
    row = passes.give(member=member, subject=early_passes.subject(window), key="p", friend="my sister")
    passes.open_pass(row=row, user=friend)
    text = text_of(boss.get(url("passes")))
    for words in ("Rose Martin", "for my sister", "Lina Blanc", "opened"):
        assert words in text
    assert "No guest pass matches." in text_of(boss.get(url("passes") + "?q=nobody"))
    assert "Rose Martin" in text_of(boss.get(url("passes") + "?q=lina&state=open"))
    assert "given: 1, opened: 1" in text_of(boss.get(url("early")))
    for language, sure in (("fr", "ne pourra plus voir « Soap »"), ("en", "can then no longer see “Soap”")):
        boss.cookies["django_language"] = language
        page = boss.get(url("passes"))
        # The button is behind a second look, as for the member.
        before, _, form = text_of(page).partition('<details class="loyalty-sure">')
        form = form.partition("</form>")[0]
        assert re.search(rf"</summary>.*{sure}.*<button type=.submit.", form)
        assert f'action="{url("pass-back", row.uuid)}"' in before and form.count('sr-only"> Soap<') == 2
    [form] = [form for form in forms(page) if form.action == url("pass-back", row.uuid)]
    boss.post(form.action, form.filled())
    row.refresh_from_db()
    assert row.state == "back"
    assert "taken back · Boss" in text_of(boss.get(url("passes")))


def test_the_lists_cost_the_same_with_many(time, boss, url, window, programme, tiers, django_assert_max_num_queries):
    for number in range(20):
        services.create(
            programme=programme,
            tier=tiers["gold"],
            target=create_product(title=f"P{number}", price=3),
            ends_at=time() + timedelta(days=10),
            key=f"many:{number}",
        )
    with django_assert_max_num_queries(26):
        boss.get(url("early"))
    with django_assert_max_num_queries(26):
        boss.get(url("passes"))


def test_who_may_only_look_changes_nothing(time, client, staff, url, window, fields):
    client.force_login(staff("view_loyalty", username="looker"))
    text = text_of(client.get(url("early")))
    assert "Soap: Gold members only" in text
    assert "End now" not in text
    for name in ("early-window", "early-end", "early-go-on"):
        assert client.post(url(name, window.pk), fields).status_code in (302, 403)
    assert client.post(url("early-create"), fields).status_code in (302, 403)
    window.refresh_from_db()
    assert window.ended_at is None
    assert get_model("loyalty_privileges", "EarlyAccess").objects.count() == 1


def test_another_programmes_windows_are_not_there(time, boss, url, window):
    from django.contrib.sites.models import Site

    site = Site.objects.create(domain="other.example.com", name="Other")
    other = joining.create_programme(name="Other", site=site)
    get_model("loyalty_privileges", "EarlyAccess").objects.filter(pk=window.pk).update(programme=other)
    assert "Soap" not in text_of(boss.get(url("early")))
    assert boss.get(url("early-window", window.pk)).status_code == 404
    assert boss.post(url("early-end", window.pk)).status_code == 404


def test_the_products_own_page_leads_there(time, boss, staff, client, window, soap):
    boss_too = staff("view_loyalty", "manage_programme", username="both", is_superuser=True)
    client.force_login(boss_too)
    address = f"/dashboard/catalogue/products/{soap.pk}/"
    text = text_of(client.get(address))
    assert "Soap: Gold members only until March 12, 1 p.m." in text
    assert f"/early-access/new/?product={soap.pk}" in text
    services.end(window=window)
    assert "It is for everybody." in text_of(client.get(address))
