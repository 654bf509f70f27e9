"""The owner's story, in the salon of the sandbox, in a browser, in both languages: from a programme without rules by a
preset and its draft to rules in force, and an order that earns by them."""

import pytest
from django.contrib.auth import get_user_model
from oscar.core.loading import get_model

from oscar_loyalty.due import services as due
from oscar_loyalty.fields import localized
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import services as members
from oscar_loyalty.reports import audit
from sandbox.shop.data.people import OWNER, PASSWORD
from sandbox.shop.load import load_catalogue
from tests.browser.conftest import open_page, shot  # noqa: F401  (fixtures)
from tests.sandbox.test_story import product, reads, sign_in

WORDS = {
    "en": {
        "prefix": "",
        "empty": "Your programme has no rules yet",
        "rule": "2 petals per €1",
        "in_force": "In force since",
        "try": "Try it on an order",
        "earn": "You will earn",
        "runs": "Your programme runs.",
    },
    "fr": {
        "prefix": "/fr",
        "empty": "Votre programme n’a pas encore de règles",
        "rule": "2 pétales pour 1 €",
        "in_force": "En vigueur depuis",
        "try": "Essayez-le sur une commande",
        "earn": "Vous allez gagner",
        "runs": "Votre programme est en marche.",
    },
}


@pytest.fixture
def rose(transactional_db, wagtail_pages):
    """A member of a programme without rules."""
    load_catalogue()
    programme = members.create_programme(
        name="Pétales",
        currency="EUR",
        points_name_one=localized(en="petal", fr="pétale"),
        points_name_many=localized(en="petals", fr="pétales"),
    )
    user = get_user_model().objects.create_user(
        "rose", "rose@example.com", PASSWORD, first_name="Rose", last_name="Martin"
    )
    return members.join(programme=programme, user=user, source="test")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_from_no_rules_to_an_order_that_earns(language, rose, open_page, shot):  # noqa: F811
    words, name = WORDS[language], f"owner-{language}"
    prefix = words["prefix"]
    locale = "fr-FR" if language == "fr" else "en-GB"

    # The overview leads to the first steps, and a preset to a draft.
    desk = open_page(locale=locale)
    sign_in(desk, prefix, OWNER.email)
    desk.goto(f"{prefix}/dashboard/loyalty/")
    reads(desk, words["empty"])
    shot(desk, f"{name}-overview")
    desk.locator("[aria-labelledby=first-steps] a.btn").click()
    shot(desk, f"{name}-start")
    desk.locator("a[href$='/start/supermarket/']").click()
    desk.fill("#id_percent", "2")
    shot(desk, f"{name}-preset")
    desk.locator("main form [type=submit], form.loyalty-form [type=submit]").first.click()
    desk.wait_for_url("**/drafts/*/")
    reads(desk, words["rule"])
    shot(desk, f"{name}-draft")
    assert not get_loyalty_model("loyalty_earning", "Rule").objects.exists()

    # It is looked over, more is put into it, and it is published after a question.
    desk.locator("a[href$='/rules/new/']").click()
    desk.check("input[name=kind][value=order]")
    desk.fill("#id_points", "5")
    shot(desk, f"{name}-rule")
    desk.locator("form[data-rule-form] [type=submit]").click()
    desk.wait_for_url("**/drafts/*/")
    desk.locator("a[href$='/publish/']").click()
    reads(desk, words["rule"])
    assert not desk.is_visible("#id_day")
    shot(desk, f"{name}-publish")
    desk.locator("form[data-publish-form] [type=submit]").click()
    desk.wait_for_url("**/drafts/*/")
    reads(desk, words["in_force"])
    shot(desk, f"{name}-published")
    desk.goto(f"{prefix}/dashboard/loyalty/start/")
    reads(desk, words["try"])

    # A customer sees what a shampoo brings, and buys it.
    page = open_page(locale=locale)
    sign_in(page, prefix, "rose@example.com")
    shampoo = product("MP-101")
    page.goto(f"{prefix}/catalogue/{shampoo.slug}_{shampoo.pk}/")
    reads(page, words["earn"])
    page.click("#add_to_basket_form [type=submit]")
    page.goto(f"{prefix}/checkout/")
    if "shipping-address" in page.url:
        page.select_option("[name=country]", "FR") if page.locator("select[name=country]").count() else None
        address = {"first_name": "Rose", "last_name": "Martin", "line1": "12 rue des Lilas"}
        for field, text in (address | {"line4": "Lyon", "postcode": "69004"}).items():
            page.fill(f"[name={field}]", text)
        page.locator("form:has([name=line1]) [type=submit]").click()
    page.click("#view_preview")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")
    due.sweep()
    order = get_model("order", "Order").objects.get()
    award = get_loyalty_model("loyalty_earning", "Award").objects.get()
    goods = order.lines.get().line_price_incl_tax
    assert award.points == int(goods * 2 + 5) and award.reference == f"order:{order.pk}"

    # The last step has ticked itself off.
    desk.goto(f"{prefix}/dashboard/loyalty/start/")
    reads(desk, words["runs"])
    shot(desk, f"{name}-runs")
    assert audit.run(keep=False).clean
