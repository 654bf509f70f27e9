"""Sections 6 and 7 of the tutorial in a browser. Whatever is clicked stands on the page in bold letters."""

from tests.tutorial.project import PASSWORD, TUTORIAL

OWNER, CUSTOMER = "owner@example.com", "rose@example.com"
CUSTOMER_PASSWORD = "a long petale-demo"
says = TUTORIAL.says


def text(locator):
    """What it says, with plain spaces."""
    return locator.inner_text().replace("\xa0", " ")


def log_in(page, email=CUSTOMER, password=CUSTOMER_PASSWORD, form="/accounts/login/"):
    page.goto(form)
    page.fill("[name$=username]", email)
    page.fill("[name$=password]", password)
    page.locator("form", has=page.locator("[name$=username]")).locator("[type=submit]").click()
    page.wait_for_url(lambda url: "login" not in url)


def log_in_owner(page):
    log_in(page, OWNER, PASSWORD, "/dashboard/")


def make_programme(page):
    """6: the owner makes the programme, and publishes the draft that a preset makes."""
    log_in_owner(page)
    menu, entry = says("Loyalty → Overview").split(" → ")
    page.locator(".dropdown-toggle", has_text=menu).click()
    page.locator(".dropdown-menu:visible a", has_text=entry).click()
    page.get_by_role("link", name=says("Make your programme")).click()
    page.fill("#id_name", "Pétales")
    page.get_by_role("button", name=says("Make the programme")).click()
    preset = page.locator(".loyalty-presets > li", has_text=says("Supermarket"))
    preset.get_by_role("link", name=says("Start with this")).click()
    page.get_by_role("button", name=says("Go on")).click()
    page.get_by_role("link", name=says("Publish")).click()
    page.get_by_role("button", name=says("Publish")).click()
    page.get_by_text("Published: in force from now on.").wait_for()


def set_points(page, product, points):
    """6: a product that brings points of its own."""
    page.goto("/dashboard/catalogue/")
    page.get_by_role("link", name=product).first.click()
    page.get_by_label(says("Points"), exact=True).fill(str(points))
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.get_by_text("Updated product").wait_for()


def join(page):
    """7: a customer registers, and joins."""
    page.goto("/accounts/login/")
    page.fill("#id_registration-email", CUSTOMER)
    page.fill("#id_registration-password1", CUSTOMER_PASSWORD)
    page.fill("#id_registration-password2", CUSTOMER_PASSWORD)
    page.click("[name=registration_submit]")
    open_account(page)
    page.get_by_role("button", name=says("Join")).click()
    page.get_by_text("Welcome to Pétales!").wait_for()


def open_account(page):
    page.goto("/")
    account, loyalty = says("Account → Loyalty").split(" → ")
    page.get_by_role("link", name=account).first.click()
    page.get_by_role("link", name=loyalty, exact=True).first.click()


def fill_basket(page, product, points):
    """7: what it will earn stands on the product's page and in the basket."""
    promise = f"{says('You will earn')} {points}."
    page.goto("/")
    page.fill("[name=q]", product)
    page.press("[name=q]", "Enter")
    page.get_by_role("link", name=product).first.click()
    page.get_by_text(promise).wait_for()
    page.click("#add_to_basket_form [type=submit]")
    page.goto("/basket/")
    page.get_by_text(promise).wait_for()


def check_out(page):
    """7: the order is placed."""
    page.get_by_role("link", name=says("Proceed to checkout")).first.click()
    page.click("#view_preview")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")


def sell_gift_card(page, value, points):
    """The owner offers a card for money or points."""
    page.goto("/dashboard/loyalty/gift-cards/values/new/")
    page.fill("[name=value]", value)
    page.fill("[name=points_price]", points)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(lambda url: "/new/" not in url)
