"""The story that the programme is for, played in a browser."""

from decimal import Decimal as D

from oscar.core.loading import get_model
from playwright.sync_api import expect

from oscar_loyalty import clock
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import audit, books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model


def add_to_basket(page):
    page.click("#add_to_basket_form [type=submit]")
    page.locator("#messages .alert-success").first.wait_for()
    page.goto("/basket/")


def test_join_buy_a_card_with_points_and_pay_with_it(page, shop, programme, shot):
    # Somebody registers and ticks "join".
    page.goto("/accounts/login/")
    shot(page, "register")
    page.fill("#id_registration-email", "new@example.com")
    page.fill("#id_registration-password1", "a long petale-demo")
    page.fill("#id_registration-password2", "a long petale-demo")
    page.check("#id_loyalty_join")
    page.click("[name=registration_submit]")
    page.wait_for_url(lambda url: "login" not in url)
    member = get_loyalty_model("loyalty_members", "Member").objects.get()
    assert member.email == "new@example.com"

    # With nothing, the buttons say what is missing.
    page.goto("/gift-cards/")
    button = page.get_by_role("button", name="Pay with points: 1,000 petals")
    expect(button).to_be_disabled()
    expect(page.get_by_text("You are missing 1,000 petals.")).to_be_visible()
    shot(page, "giftcards-poor")

    # With 1,240 petals, a card of 10 euros is bought as a present and paid with points at checkout.
    books.earn(account=member.account, units=1240, key="story", kind="adjust", usable_from=clock.now())
    page.reload()
    page.get_by_label("A present").check()
    page.fill("#id_recipient_name", "Zoé")
    page.fill("#id_recipient_email", "zoe@example")
    page.fill("#id_message", "Happy birthday!")
    shot(page, "giftcards-present")
    page.get_by_role("button", name="Pay with points: 1,000 petals").click()
    # What was typed is kept, and the field to mend has the focus.
    expect(page.get_by_text("Enter a valid email address.")).to_be_visible()
    expect(page.locator("#id_recipient_email")).to_be_focused()
    expect(page.locator("#id_message")).to_have_value("Happy birthday!")
    shot(page, "giftcards-error")
    page.fill("#id_recipient_email", "zoe@example.com")
    page.get_by_role("button", name="Pay with points: 1,000 petals").click()
    page.wait_for_url("**/basket/")
    expect(page.get_by_text("Paid with 1,000 petals").first).to_be_visible()

    # A haircut goes into the same basket: it is paid with money, and brings points.
    page.goto(shop.get_absolute_url())
    expect(page.get_by_text("You will earn 80 petals.")).to_be_visible()
    shot(page, "product")
    add_to_basket(page)
    shot(page, "basket")
    expect(page.get_by_text("You will earn 80 petals.")).to_be_visible()
    assert "Pay with points = " not in page.content()
    page.get_by_role("button", name="Pay €10.00 instead").click()
    page.get_by_text("Paid with money: €10.00").wait_for()
    page.get_by_role("button", name="Pay with points: 1,000 petals").click()
    page.get_by_text("Paid with 1,000 petals").first.wait_for()

    page.click("text=Proceed to checkout")
    page.wait_for_url("**/checkout/payment-details/")
    shot(page, "payment")
    page.click("#view_preview")
    page.wait_for_url("**/checkout/preview/")
    shot(page, "preview")
    expect(page.get_by_text("To pay at the salon")).to_be_visible()
    # Two quick clicks place one order.
    page.locator("#place-order").dblclick()
    page.wait_for_url("**/thank-you/")
    code = page.locator(".loyalty-secret").inner_text()
    shot(page, "thanks")
    page.reload()
    expect(page.get_by_text("Its code was shown before.")).to_be_visible()
    expect(page.locator(".loyalty-secret")).to_have_count(0)
    order = get_model("order", "Order").objects.get()
    assert order.total_incl_tax == D("40.00")
    assert ledger.balance(member.account).usable == 240

    # The code pays for a part of a second order.
    page.goto(shop.get_absolute_url())
    add_to_basket(page)
    page.click("text=Proceed to checkout")
    page.fill("#id_code", "no such code")
    page.click("text=Add the card")
    expect(page.get_by_text("This code does not work.")).to_be_visible()
    shot(page, "payment-wrong-code")
    page.fill("#id_code", code.lower())
    page.click("text=Add the card")
    page.get_by_text("The gift card has been added.").wait_for()
    shot(page, "payment-card")
    page.click("#view_preview")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")
    expect(page.get_by_text("€20.00").first).to_be_visible()
    shot(page, "thanks-card")
    card = giftcards.cards_of_order(order).get()
    assert giftcards.balance(card).amount == 0

    # Used up, the card still tells what became of it.
    page.goto("/gift-cards/balance/")
    page.fill("#id_code", code)
    page.click("text=Show the balance")
    expect(page.get_by_text("This card is used up.")).to_be_visible()
    shot(page, "balance")
    page.fill("#id_code", "WRNG-WRNG")
    page.click("text=Show the balance")
    expect(page.get_by_text("This code does not work.")).to_be_visible()
    shot(page, "balance-wrong")

    # And all of it is on the member pages.
    page.goto("/accounts/loyalty/")
    expect(page.get_by_text("240 petals").first).to_be_visible()
    shot(page, "account")
    for name in ("history", "gift-cards", "earn"):
        page.goto(f"/accounts/loyalty/{name}/")
        shot(page, f"account-{name}")
    page.goto(f"/accounts/orders/{order.number}/")
    shot(page, "order")
    assert list(audit.audit()) == []


def test_what_others_see(page, shop, programme, user, sign_in, shot):
    page.goto("/gift-cards/")
    expect(page.get_by_role("link", name="Create an account")).to_be_visible()
    shot(page, "giftcards-stranger")
    page.goto(shop.get_absolute_url())
    expect(page.get_by_text("Members earn 80 petals")).to_be_visible()
    shot(page, "product-stranger")
    sign_in(page, user)
    page.goto("/accounts/loyalty/")
    shot(page, "account-no-member")
    # The keyboard alone is enough to join.
    page.get_by_role("button", name="Join Pétales").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Welcome to Pétales!").wait_for()
    shot(page, "account-empty")
    page.goto("/accounts/loyalty/gift-cards/")
    shot(page, "account-gift-cards-empty")
    # Enter in a field of the gift-card form buys nothing.
    page.goto("/gift-cards/")
    page.get_by_label("A present").check()
    page.focus("#id_recipient_name")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert not get_model("basket", "Line").objects.exists()
