"""A reward is chosen, used in the basket and lowers the order; in both languages, on a desk and on a phone."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model
from playwright.sync_api import expect

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.fields import localized
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.reports import audit
from oscar_loyalty.rewards import services

NAMES = {"en": "5 euros off", "fr": "5 euros de remise"}


@pytest.fixture
def rewards(programme, member):
    books.earn(account=member.account, units=700, key="story", kind="adjust", usable_from=clock.now())

    def reward(**fields):
        return services.save_reward(
            reward=get_loyalty_model("loyalty_rewards", "Reward")(programme=programme, **fields)
        )

    five = reward(kind="amount", value=D("5.00"), points=500, name=localized(**NAMES))
    tea = localized(en="Tea with us", fr="Un thé chez nous")
    reward(kind="experience", points=930, name=tea, text=localized(en="Two cups.", fr="Deux tasses."))
    return five


@pytest.mark.parametrize("language", ["en", "fr"])
def test_chosen_used_and_paid(language, open_page, shop, member, rewards, sign_in, shot):
    page = open_page(locale="fr-FR" if language == "fr" else "en-GB")
    name = f"rewards-{language}"
    sign_in(page, member.user)
    page.goto("/accounts/loyalty/")
    shot(page, f"{name}-overview")
    page.goto("/accounts/loyalty/rewards/")
    expect(page.locator(".loyalty-rewards > li").first).to_contain_text(NAMES[language])
    expect(page.locator(".loyalty-rewards > li").last).to_contain_text("230")
    shot(page, f"{name}-catalogue")
    page.locator(".loyalty-rewards > li .btn-primary").click()
    shot(page, f"{name}-confirm")
    # Two quick clicks choose it once.
    page.locator(".loyalty-reward button[type=submit]").dblclick()
    page.wait_for_url("**/rewards/mine/")
    code = page.locator(".loyalty-secret").inner_text()
    assert ledger.balance(member.account).usable == 200
    shot(page, f"{name}-mine")

    # In the basket it lowers a haircut of 30 euros.
    page.goto(shop.get_absolute_url())
    page.click("#add_to_basket_form [type=submit]")
    page.locator("#messages .alert-success").first.wait_for()
    page.goto("/accounts/loyalty/rewards/mine/")
    page.locator(".loyalty-claim button[type=submit]").click()
    page.locator("#messages .alert-info", has_text=code).wait_for()
    page.goto("/basket/")
    expect(page.locator("#content_inner")).to_contain_text(code)
    shot(page, f"{name}-basket")
    page.goto("/checkout/")
    page.wait_for_url("**/checkout/payment-details/")

    # While it is being paid with, it stays; the order uses it up.
    page.click("#view_preview")
    page.wait_for_url("**/checkout/preview/")
    shot(page, f"{name}-preview")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")
    order = get_model("order", "Order").objects.get()
    assert order.total_incl_tax == D("25.00")
    due.sweep()
    claim = member.reward_claims.get()
    assert (claim.state, claim.order) == ("used", order)
    page.goto("/accounts/loyalty/rewards/mine/")
    expect(page.locator(".loyalty-claim--past")).to_contain_text(order.number)
    shot(page, f"{name}-used")
    assert audit.run(keep=False).clean


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_voucher_that_was_deleted_is_mended(language, open_page, member, rewards, sign_in, shot, django_user_model):
    claim = services.claim(reward=rewards, member=member, key="k")
    claim.voucher.delete()
    locale = "fr-FR" if language == "fr" else "en-GB"
    mine = open_page(locale=locale)
    sign_in(mine, member.user)
    mine.goto("/accounts/loyalty/rewards/mine/")
    expect(mine.locator(".loyalty-claim")).not_to_contain_text(claim.code)
    shot(mine, f"rewards-lost-{language}")

    boss = django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="petale-demo")
    theirs = open_page(locale=locale)
    sign_in(theirs, boss)
    theirs.goto(f"/dashboard/loyalty/rewards/claims/{claim.uuid}/")
    shot(theirs, f"rewards-lost-staff-{language}")
    theirs.locator(".alert-warning button").click()
    theirs.locator(".alert-success").first.wait_for()
    mine.reload()
    expect(mine.locator(".loyalty-secret")).to_have_text(claim.code)
    assert audit.run(keep=False).clean
