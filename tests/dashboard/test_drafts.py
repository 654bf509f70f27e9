"""Drafts of rules, as the owner writes, publishes, calls off and throws them away."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.translation import override

from oscar_loyalty import clock
from oscar_loyalty.earning import drafts, rules
from oscar_loyalty.earning.limits import save_limits
from oscar_loyalty.loading import get_model

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def per_euro(programme):
    return rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"}).rule


@pytest.fixture
def draft(programme):
    return drafts.start(programme=programme, name="Christmas", note="Ask Rose")


def body(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def state(draft):
    draft.refresh_from_db()
    return draft.state


def test_an_empty_list_says_what_a_draft_is(owner, url, programme):
    assert "No draft is being written" in body(owner.get(url("drafts")))


@pytest.mark.parametrize(("start", "number"), [("empty", 0), ("rules", 1)])
def test_begun_once_however_often_it_is_pressed(owner, url, per_euro, start, number):
    assert owner.get(url("draft-create")).status_code == 200
    data = {"name": "Christmas", "note": "", "start": start, "token": TOKEN}
    for _click in range(2):
        response = owner.post(url("draft-create"), data)
    made = get_model("loyalty_earning", "Draft").objects.get()
    assert response["Location"] == url("draft", made.pk) and made.items.count() == number
    assert set(owner.post(url("draft-create"), {**data, "name": ""}).context["form"].errors) == {"name"}


def test_each_change_is_a_sentence(owner, url, draft, per_euro, programme):
    extra = rules.publish_rule(programme=programme, kind="order", spec={"points": 5}).rule
    page = owner.get(url("draft-rules", draft.pk))
    assert "1 petal per €1" in body(page) and "5 petals for each order" in body(page)
    assert "1 petal per €1" in body(owner.get(url("draft-rule", draft.pk, per_euro.pk)))
    owner.post(url("draft-rule", draft.pk, per_euro.pk), {"points": "2", "per": "1"})
    owner.post(url("draft-rule-end", draft.pk, extra.pk))
    new = {"kind": "booster", "target": "everything", "times": "2", "weekdays": ["0"], "announce": "3"}
    for _click in range(2):
        assert owner.post(url("draft-rule-create", draft.pk), new).status_code == 302
    kinds = {change.kind: change for change in owner.get(url("draft", draft.pk)).context["changes"]}
    said = {kind: change.sentence.replace("\xa0", " ") for kind, change in kinds.items()}
    assert said == {
        "changed": "1 petal per €1 → 2 petals per €1",
        "ends": "5 petals for each order → nothing",
        "new": "Double petals on Mondays, announced 3 days before",
    }
    assert "There is no rule in force" in body(owner.get(url("draft-rules", draft.pk)))
    # A new one is written anew with what it says filled in, and taken out again.
    item = kinds["new"].item
    form = owner.get(url("draft-item", draft.pk, item.pk)).context["form"]
    assert (form["kind"].value(), form["times"].value(), form["announce"].value()) == ("booster", "2", 3)
    owner.post(url("draft-item", draft.pk, item.pk), {**new, "times": "3"})
    item.refresh_from_db()
    assert item.spec["times"] == "3"
    for _click in range(2):
        assert owner.post(url("draft-item-drop", draft.pk, item.pk)).status_code == 302
    assert draft.items.count() == 2
    per_euro.refresh_from_db()
    assert per_euro.versions.count() == 1 and extra.state == "live"


def test_mistakes_are_said_at_their_fields_and_nothing_typed_is_lost(owner, url, draft):
    data = {"kind": "booster", "target": "everything", "times": "3", "begins": "10:00", "to": "2020-01-01"}
    form = owner.post(url("draft-rule-create", draft.pk), data).context["form"]
    assert set(form.errors) == {"to"} and form["begins"].value() == "10:00"
    assert not draft.items.exists()


def test_published_once_from_now_on(owner, url, draft, per_euro):
    drafts.put(draft=draft, rule=per_euro, spec={"points": 2, "per": "1"})
    page = body(owner.get(url("draft-publish", draft.pk)))
    assert "What will change" in page and "2 petals per €1" in page
    for _click in range(2):
        response = owner.post(url("draft-publish", draft.pk), {"start": "now"})
        assert response["Location"] == url("draft", draft.pk)
    assert per_euro.versions.count() == 2 and state(draft) == "published"
    assert "published by Ada Boss" in body(owner.get(url("draft", draft.pk)))
    # It changes no more.
    assert owner.get(url("draft-edit", draft.pk)).status_code == 302
    assert owner.post(url("draft-discard", draft.pk)).status_code == 302
    assert state(draft) == "published"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"start": "at"}, "day"),
        ({"start": "at", "day": "2020-01-01"}, "day"),
        ({"start": "at", "day": "nonsense"}, "day"),
        ({"start": "at", "day": "2099-01-01", "time": "25:00"}, "time"),
        ({}, "start"),
    ],
)
def test_a_moment_that_is_none_is_said_at_its_field(owner, url, draft, per_euro, data, field):
    drafts.put(draft=draft, rule=per_euro, ends=True)
    assert set(owner.post(url("draft-publish", draft.pk), data).context["form"].errors) == {field}
    assert state(draft) == "draft"


def test_published_for_later_shown_and_called_off(owner, url, draft, per_euro):
    drafts.put(draft=draft, rule=per_euro, spec={"points": 2, "per": "1"})
    owner.post(url("draft-publish", draft.pk), {"start": "at", "day": "2099-12-01", "time": "09:00"})
    assert state(draft) == "published" and draft.valid_from.isoformat() == "2099-12-01T08:00:00+00:00"
    page = body(owner.get(url("draft", draft.pk)))
    assert "Until then it can be called off" in page
    listed = body(owner.get(url("rules")))
    assert "From 12/01/2099 9 a.m. on: 2 petals per €1" in listed and "<strong>1 petal per €1</strong>" in listed
    history = body(owner.get(url("rule", per_euro.pk)))
    assert "to come" in history and url("draft", draft.pk) in history
    # Other numbers from now on are refused in words: they would be overtaken.
    form = owner.post(url("rule", per_euro.pk), {"points": "7", "per": "1"}).context["form"]
    assert "Call them off first" in str(form.errors)
    assert "Call this off?" in body(owner.get(url("draft-call-off", draft.pk)))
    for _click in range(2):
        owner.post(url("draft-call-off", draft.pk))
    assert state(draft) == "draft" and per_euro.versions.get().valid_to is None


def test_too_late_to_call_off(owner, url, draft, per_euro):
    drafts.put(draft=draft, rule=per_euro, spec={"points": 2, "per": "1"})
    drafts.publish(draft=draft)
    text = body(owner.post(url("draft-call-off", draft.pk), follow=True))
    assert "It is in force already" in text and state(draft) == "published"


def test_somebody_was_faster_and_the_way_out(owner, url, draft, per_euro, programme, haircut):
    drafts.put(draft=draft, rule=per_euro, spec={"points": 3, "per": "1"})
    drafts.put(draft=draft, kind="unit", target="product", target_object=haircut, spec={"points": 90})
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": "1"}, rule=per_euro)
    rules.set_product_points(product=haircut, points=80)
    text = body(owner.post(url("draft-publish", draft.pk), {"start": "now"}))
    assert "Nothing has been published" in text and "Somebody has changed this rule since" in text
    assert "This product has been given its points meanwhile" in text and state(draft) == "draft"
    changed, taken = draft.items.order_by("pk")
    assert "2 petals per €1" in body(owner.get(url("draft-item", draft.pk, changed.pk)))
    owner.post(url("draft-item", draft.pk, changed.pk), {"points": "3", "per": "1"})
    owner.post(url("draft-item-drop", draft.pk, taken.pk))
    owner.post(url("draft-publish", draft.pk), {"start": "now"})
    assert state(draft) == "published" and per_euro.versions.count() == 3


def test_copied_and_thrown_away(owner, url, draft, per_euro):
    drafts.put(draft=draft, rule=per_euro, ends=True)
    for _click in range(2):
        response = owner.post(url("draft-copy", draft.pk), {"token": TOKEN})
    copy = get_model("loyalty_earning", "Draft").objects.exclude(pk=draft.pk).get()
    assert response["Location"] == url("draft", copy.pk) and copy.name == "Copy of Christmas"
    assert owner.post(url("draft-copy", draft.pk)).status_code == 400
    assert "Throw this draft away?" in body(owner.get(url("draft-discard", draft.pk)))
    for _click in range(2):
        owner.post(url("draft-discard", draft.pk))
    assert state(draft) == "discarded" and state(copy) == "draft"
    assert "Christmas" in body(owner.get(url("drafts") + "?state=discarded"))
    assert owner.get(url("draft-rule-create", draft.pk)).status_code == 302


def test_name_and_note(owner, url, draft):
    assert "Ask Rose" in body(owner.get(url("draft-edit", draft.pk)))
    owner.post(url("draft-edit", draft.pk), {"name": "Xmas", "note": "Asked"})
    draft.refresh_from_db()
    assert (draft.name, draft.note) == ("Xmas", "Asked")


def test_who_may_only_look(client, url, staff, draft, per_euro, programme):
    item = drafts.put(draft=draft, rule=per_euro, spec={"points": 2, "per": "1"})
    client.force_login(staff("view_loyalty"))
    assert "Christmas" in body(client.get(url("drafts")))
    page = body(client.get(url("draft", draft.pk)))
    assert (
        "2 petals per €1" in page
        and url("draft-publish", draft.pk) not in page
        and "<button" not in page.split("What changes")[1]
    )
    closed = [
        url("draft-create"), url("draft-edit", draft.pk), url("draft-publish", draft.pk), url("draft-rules", draft.pk),
        url("draft-rule-create", draft.pk), url("draft-item", draft.pk, item.pk), url("draft-discard", draft.pk),
        url("draft-call-off", draft.pk), url("preset", "supermarket"),
    ]  # fmt: skip
    assert {client.get(address).status_code for address in closed} == {403}
    posts = [url("draft-copy", draft.pk), url("draft-item-drop", draft.pk, item.pk)]
    posts.append(url("draft-rule-end", draft.pk, per_euro.pk))
    assert {client.post(address).status_code for address in posts} == {403}


def test_another_programmes_draft_is_not_there(owner, url, draft, programme):
    from django.contrib.sites.models import Site

    from oscar_loyalty.members import services

    site = Site.objects.create(domain="other.example", name="Other")
    other = drafts.start(programme=services.create_programme(site=site, name="Other"), name="Theirs")
    assert owner.get(url("draft", other.pk)).status_code == 404


def test_lists_cost_a_bounded_number_of_queries(owner, url, draft, programme, boss, django_assert_max_num_queries):
    from oscar_loyalty.ledger.books import Ref

    for number in range(1, 40):
        rule = rules.publish_rule(programme=programme, kind="order", spec={"points": number}).rule
        drafts.start(programme=programme, name=f"Draft {number}", actor=Ref.of("user", boss.pk))
        if number % 2:
            drafts.put(draft=draft, rule=rule, spec={"points": number + 1})
    with django_assert_max_num_queries(9):
        page = owner.get(url("drafts"))
    assert page.context["paginator"].num_pages == 2
    with django_assert_max_num_queries(12):
        assert len(owner.get(url("draft", draft.pk)).context["changes"]) == 20
    with django_assert_max_num_queries(12):
        owner.get(url("draft-rules", draft.pk))
    with django_assert_max_num_queries(18):
        owner.get(url("draft-publish", draft.pk))


def test_the_simulator_is_offered_where_there_is_one(owner, url, draft, per_euro, monkeypatch):
    from oscar_loyalty.dashboard.drafts import base

    drafts.put(draft=draft, rule=per_euro, spec={"points": 2, "per": "1"})
    monkeypatch.setattr(base, "SIMULATIONS", ("no-such-address",))
    assert "Try it on past purchases" not in body(owner.get(url("draft", draft.pk)))
    monkeypatch.setattr(base, "SIMULATIONS", ("loyalty-dashboard:loyalty-health",))
    assert f'{url("health")}?draft={draft.pk}"' in body(owner.get(url("draft", draft.pk)))


# The margin


def test_beyond_the_margin_it_asks_once_more(owner, url, programme):
    save_limits(programme=programme, margin_limit=3)
    data = {"kind": "amount", "target": "everything", "points": "5", "per": "1"}
    page = owner.post(url("rule-create"), data)
    assert "This may give away 5% of a price. Your limit is 3%." in body(page)
    assert page.context["form"]["points"].value() == "5"
    Rule = get_model("loyalty_earning", "Rule")
    assert not Rule.objects.exists()
    # What was known was less than what it costs now.
    assert "Your limit is 3%" in body(owner.post(url("rule-create"), {**data, "points": "6", "known": "5.0"}))
    assert owner.post(url("rule-create"), {**data, "known": "5.0"}).status_code == 302
    assert Rule.objects.count() == 1
    assert "At worst, your rules give away 5% of a price" in body(owner.get(url("limits")))
    # Within the limit, nobody asks.
    assert owner.post(url("rule", Rule.objects.get().pk), {"points": "2", "per": "1"}).status_code == 302


def test_a_draft_beyond_the_margin_asks_too(owner, url, programme, draft, per_euro):
    save_limits(programme=programme, margin_limit=3)
    new = {"kind": "booster", "target": "everything", "times": "4"}
    assert "Your limit is 3%" in body(owner.post(url("draft-rule-create", draft.pk), new))
    owner.post(url("draft-rule-create", draft.pk), {**new, "known": "4"})
    assert draft.items.count() == 1
    page = body(owner.post(url("draft-publish", draft.pk), {"start": "now"}))
    assert "This may give away 4% of a price" in page and state(draft) == "draft"
    owner.post(url("draft-publish", draft.pk), {"start": "now", "known": "4.0"})
    assert state(draft) == "published"


def test_boosters_that_make_a_hundred_times_are_refused(owner, url, programme, per_euro):
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 20})
    form = owner.post(url("rule-create"), {"kind": "booster", "target": "everything", "times": "6"}).context["form"]
    assert "would be multiplied by 120" in str(form.errors["times"])
    data = {"kind": "booster", "target": "everything", "times": "5"}
    assert owner.post(url("rule-create"), data).status_code == 302


def test_in_french(owner, url, draft, per_euro):
    drafts.put(draft=draft, rule=per_euro, spec={"points": 2, "per": "1"})
    drafts.publish(draft=draft, at=clock.now() + timedelta(days=3))
    with override("fr"):
        assert owner.get(reverse("loyalty-dashboard:loyalty-draft", args=[draft.pk])).status_code == 200


@pytest.fixture
def sent(db):
    """What the form of the haircut sends."""
    category = get_model("catalogue", "Category").add_root(name="All")
    data = {"title": "Haircut", "upc": "haircut", "structure": "standalone", "is_public": "on", "loyalty_points": "80"}
    for prefix in ("productcategory_set", "images", "primary_recommendations", "stockrecords"):
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    data |= {"productcategory_set-TOTAL_FORMS": "1", "productcategory_set-0-category": category.pk}
    return data


def test_a_products_own_points_ask_too(owner, programme, haircut, sent):
    from oscar.test.factories import create_stockrecord

    create_stockrecord(haircut, price=10, num_in_stock=None)
    haircut.stockrecords.update(price_currency=programme.currency)
    save_limits(programme=programme, margin_limit=3)
    data = sent
    address = reverse("dashboard:catalogue-product", args=[haircut.pk])
    page = owner.post(address, data)
    assert "This may give away 8% of a price. Your limit is 3%." in body(page)
    assert 'name="loyalty_known"' in body(page) and not get_model("loyalty_earning", "Rule").objects.exists()
    assert owner.post(address, {**data, "loyalty_known": "8.0"}).status_code == 302
    assert get_model("loyalty_earning", "RuleVersion").objects.get().spec == {"points": "80"}


def test_a_products_points_to_come_are_left_alone(owner, programme, draft, haircut, sent):
    rule = rules.set_product_points(product=haircut, points=80).rule
    drafts.put(draft=draft, rule=rule, spec={"points": 90})
    drafts.publish(draft=draft, at=clock.now() + timedelta(days=3))
    address = reverse("dashboard:catalogue-product", args=[haircut.pk])
    assert owner.get(address).context["form"]["loyalty_points"].value() == 80
    assert owner.post(address, sent).status_code == 302
    form = owner.post(address, {**sent, "productcategory_set-TOTAL_FORMS": "0", "loyalty_points": "0"}).context["form"]
    assert "Call them off first" in str(form.errors["loyalty_points"])
    assert [version.spec["points"] for version in rule.versions.order_by("number")] == ["80", "90"]


def test_the_list_of_rules_has_pages(owner, url, programme, django_assert_max_num_queries):
    for number in range(1, 31):
        rules.publish_rule(programme=programme, kind="order", spec={"points": number})
    with django_assert_max_num_queries(12):
        page = owner.get(url("rules") + "?page=2")
    assert len(page.context["rows"]) == 5 and "Page 2 of 2" in body(page)
