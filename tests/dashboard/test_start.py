"""From an empty programme to a running one."""

import pytest

from oscar_loyalty.earning import drafts
from oscar_loyalty.loading import get_model

TOKEN = "0123456789abcdef0123456789abcdef"


def body(response):
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def test_without_a_programme_the_first_step_is_to_make_it(owner, url, db):
    text = body(owner.get(url("start")))
    assert "Make your programme" in text and 'aria-current="step"' in text


def test_the_overview_leads_there(owner, url, programme):
    text = body(owner.get(url("overview")))
    assert "Your programme has no rules yet" in text and f'href="{url("start")}"' in text


def test_presets_say_what_they_make(owner, url, programme, django_assert_max_num_queries):
    with django_assert_max_num_queries(16):
        text = body(owner.get(url("start")))
    for said in (
        "Start with",
        "Supermarket",
        "1 petal per €1",
        "Coffee card",
        "Salon",
        "50 petals for each visit",
        "Tiers",
    ):
        assert said in text


def test_a_preset_becomes_a_draft_once(owner, url, programme):
    assert "Part that comes back" in body(owner.get(url("preset", "supermarket")))
    for _click in range(2):
        response = owner.post(url("preset", "supermarket"), {"percent": "2", "token": TOKEN})
    draft = get_model("loyalty_earning", "Draft").objects.get()
    assert response["Location"] == url("draft", draft.pk) and draft.items.get().spec["points"] == "2"
    text = body(owner.get(url("start")))
    assert "Look over your draft, and publish it" in text and url("draft", draft.pk) in text
    drafts.publish(draft=draft)
    assert "Try it on an order" in body(owner.get(url("start")))
    assert "One more step" in body(owner.get(url("overview")))


@pytest.mark.parametrize(
    ("code", "data", "fields"),
    [
        ("supermarket", {"percent": "-1"}, {"percent"}),
        ("supermarket", {"percent": ""}, {"percent"}),
        ("coffee", {"size": "1"}, {"product", "size"}),
        ("happy_hours", {"times": "2", "weekday": "0", "begins": "09:00", "ends": "09:00"}, {"ends"}),
    ],
)
def test_mistakes_are_said_at_their_fields(owner, url, programme, code, data, fields):
    form = owner.post(url("preset", code), {"token": TOKEN, **data}).context["form"]
    assert set(form.errors) == fields
    assert not get_model("loyalty_earning", "Draft").objects.exists()


def test_a_second_product_needs_its_points(owner, url, programme, haircut):
    data = {"token": TOKEN, "product": haircut.pk, "points": "50", "product_2": haircut.pk}
    assert set(owner.post(url("preset", "products"), data).context["form"].errors) == {"points_2"}
    assert owner.post(url("preset", "products"), {**data, "product_2": ""}).status_code == 302


def test_a_coffee_card_is_looked_over_in_the_form_of_goals(owner, url, programme, haircut):
    data = {"token": TOKEN, "product": haircut.pk, "size": "10", "head_start": "1"}
    response = owner.post(url("preset", "coffee"), data)
    page = owner.get(response["Location"])
    form = page.context["form"]
    assert (form["kind"].value(), form["size"].value(), form["product"].value()) == ("stamps", 10, haircut.pk)
    assert "Haircut: number 10 is free" in body(page)
    Goal = get_model("loyalty_earning", "Goal")
    assert not Goal.objects.exists()
    sent = {"kind": "stamps", "counts": "pieces", "target": "product", "product": haircut.pk, "size": "10"}
    sent |= {"points": "4500", "name_0": "Haircut card", "head_start": "1", "repeats": "on", "token": TOKEN}
    assert owner.post(response["Location"], sent).status_code == 302
    assert Goal.objects.get().size == 10
    assert owner.get(url("goal-create") + "?preset=coffee&product=nonsense").status_code == 200


def test_a_preset_that_is_not_there(owner, url, programme):
    assert owner.get(url("preset", "nonsense")).status_code == 404
    assert owner.get(url("preset", "tiers")).status_code == 404


def test_who_may_only_look(client, url, staff, programme):
    client.force_login(staff("view_loyalty"))
    text = body(client.get(url("start")))
    assert "Supermarket" in text and "Start with this" not in text
    client.force_login(staff("manage_programme", username="manager"))
    assert "Start with this" in body(client.get(url("start")))
