"""Every page opens, for whom it should, in so many queries."""

from decimal import Decimal

import pytest

from oscar_loyalty.dashboard.apps import PAGES
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import rules
from oscar_loyalty.giftcards import bulk
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit

#: Pages that show something (the others only do something), with the most queries each may take. Oscar's own menu,
#: user and session are in them.
SHOWN = {
    "overview": 25,
    "programme": 12,
    "tier-create": 12,
    "tier": 12,
    "rules": 12,
    "rule-create": 16,
    "rule": 14,
    "rule-end": 12,
    "members": 16,
    "members-enrol": 14,
    "member": 30,
    "adjustments": 16,
    "adjustment": 14,
    "movements": 18,
    "guest-orders": 16,
    "giftcards": 16,
    "giftcard": 30,
    "giftcards-till": 10,
    "giftcard-activate": 12,
    "giftcard-batches": 14,
    "giftcard-batch-create": 10,
    "giftcard-batch": 22,
    "giftcards-import": 10,
    "giftcards-policy": 12,
    "giftcards-liability": 14,
    "denominations": 12,
    "denomination-create": 10,
    "denomination": 14,
    "custom-amount": 12,
    "health": 20,
}


@pytest.fixture
def arguments(member, visit, card, big_adjustment, programme):
    """What the address of each page needs."""
    visit(member, "v1")
    rule = get_model("loyalty_earning", "Rule").objects.first()
    denomination = get_model("loyalty_giftcards", "Denomination").objects.first()
    batch = bulk.ask(name="Counter", number=30, value=Decimal(20), key="pages", at_till=True)
    audit.run()
    due.sweep()
    return {
        "tier": [programme.tiers.first().pk],
        "rule": [rule.pk],
        "rule-end": [rule.pk],
        "member": [member.pk],
        "adjustment": [big_adjustment.pk],
        "giftcard": [card.uuid],
        "denomination": [denomination.pk],
        "giftcard-batch": [batch.pk],
        "giftcard-activate": [batch.cards.first().uuid],
    }


@pytest.mark.parametrize("name", SHOWN)
def test_shows(name, owner, url, arguments, django_assert_max_num_queries):
    with django_assert_max_num_queries(SHOWN[name]):
        response = owner.get(url(name, *arguments.get(name, [])))
    assert response.status_code == 200
    text = response.content.decode()
    assert "breadcrumb" in text
    assert "oscar_loyalty/dashboard.css" in text


@pytest.mark.parametrize("look", ["all", "service", "member"])
def test_movements_look_three_ways(look, owner, url, arguments, member, django_assert_max_num_queries):
    with django_assert_max_num_queries(SHOWN["movements"]):
        response = owner.get(url("movements"), {"by": look})
    text = response.content.decode()
    assert ("Haircut" in text) is (look != "member")
    assert ("Rose" in text) is (look != "service")


@pytest.mark.parametrize("page", ["members", "movements", "giftcards"])
def test_rows_cost_no_queries(page, owner, url, many, visit, programme, django_assert_max_num_queries):
    for index, member in enumerate(many(12)):
        visit(member, f"v{index}")
    with django_assert_max_num_queries(SHOWN[page]):
        assert owner.get(url(page)).status_code == 200


def test_a_long_ledger_costs_no_more(owner, url, member, give, django_assert_max_num_queries):
    for _time in range(30):
        give(5)
    with django_assert_max_num_queries(SHOWN["member"]):
        response = owner.get(url("member", member.pk))
    assert "Page 1 of 2" in response.content.decode()


def test_nobody_else_comes_in(client, url, user, programme, arguments):
    wanted = [(name.removeprefix("loyalty-"), address) for address, _module, _view, name in PAGES if "<" not in address]
    for name, _address in wanted:
        response = client.get(url(name))
        assert response.status_code == 302 and "/dashboard/login" in response["Location"]
    client.force_login(user)
    for name, _address in wanted:
        assert client.get(url(name)).status_code == 403


def test_each_permission_opens_its_pages(client, url, staff, programme, member, card):
    pages = {
        "view_loyalty": ["overview", "members", "movements", "guest-orders", "adjustments", "health"],
        "manage_cards": [
            "giftcards",
            "denominations",
            "giftcards-till",
            "giftcard-batches",
            "giftcard-batch-create",
            "giftcards-import",
            "giftcards-policy",
            "giftcards-liability",
        ],
        "export_codes": [],
        "manage_programme": ["programme", "rules"],
        "approve_points": ["adjustments"],
        "adjust_points": [],
    }
    everything = {page for names in pages.values() for page in names}
    for permission, open_pages in pages.items():
        client.force_login(staff(permission, username=permission))
        for page in everything:
            assert client.get(url(page)).status_code == (200 if page in open_pages else 403), (permission, page)
    # The owner has them all; a colleague without any none.
    client.force_login(staff(username="nothing"))
    assert client.get(url("overview")).status_code == 403


def test_the_menu_shows_what_one_may_open(client, url, staff, boss, programme):
    def entries():
        text = client.get("/dashboard/").content.decode()
        names = ["overview", "members", "adjustments", "movements", "giftcards", "programme", "rules", "health"]
        return [name for name in names if f'href="{url(name)}"' in text]

    client.force_login(boss)
    assert len(entries()) == 8
    cards = staff("manage_cards")
    cards.user_permissions.add(*boss_permissions())
    client.force_login(cards)
    assert entries() == ["giftcards"]


def boss_permissions():
    """What a colleague needs to see Oscar's own first page."""
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(content_type__app_label="order")


def test_actions_need_their_permission(client, url, staff, member, card, big_adjustment, programme):
    client.force_login(staff("view_loyalty", username="looker"))
    rule = rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": 1}).rule
    for address in [
        url("member-adjust", member.pk),
        url("members-adjust"),
        url("member-tier", member.pk),
        url("member-status", member.pk, "frozen"),
        url("member-welcome", member.pk),
        url("members-enrol"),
        url("adjustment-decide", big_adjustment.pk, "approve"),
        url("giftcard-action", card.uuid, "disable"),
        url("giftcard-action", card.uuid, "top-up"),
        url("giftcard-activate", card.uuid),
        url("giftcard-batch-start", 1),
        url("giftcard-batch-codes", 1, "csv"),
        url("rule-end", rule.pk),
        url("tier-create"),
    ]:
        assert client.post(address).status_code == 403, address


def test_without_a_programme_there_is_one_thing_to_do(owner, client, url, staff, boss):
    assert "Make your programme" in owner.get(url("overview")).content.decode()
    assert owner.get(url("members"))["Location"] == url("programme")
    client.force_login(staff("view_loyalty"))
    assert "Ask whoever manages the shop" in client.get(url("members")).content.decode()


def test_a_product_without_its_rule_is_still_shown(owner, url, visit, member, haircut):
    visit(member, "v1")
    haircut.delete()
    assert "Something that has been deleted" in owner.get(url("rules")).content.decode()
    assert owner.get(url("movements"), {"by": "service"}).status_code == 200
