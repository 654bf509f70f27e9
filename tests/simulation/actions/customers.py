"""What customers do in the shop: baskets, checkouts, cards, rewards."""

import json
from types import SimpleNamespace

from django.db import transaction
from django.test import Client
from oscar.core.loading import get_model

from oscar_loyalty.checkout import going_on
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.rewards import services as rewards
from tests.simulation.actions import action, asked, basket_of, orders, rows

PREVIEW = "/checkout/preview/"
CARDS = ("4242424242424242",) * 4 + ("4000000000000002", "4000000000009995")
GUESTS = ("nina@example.com", "max@example.com")


def choose(customer, money):
    customer.client.post("/checkout/payment-details/", {"loyalty_choose_money": "1", "loyalty_money": money})


@action("a customer", 14)
def puts_something_into_the_basket(world):
    customer, product = world.pick(world.customers), world.pick([world.haircut, world.shampoo, world.card_product])
    options = []
    if giftcards.is_giftcard(product):
        options = giftcards.options_for(pay_with_points=world.random.random() < 0.5)
    with transaction.atomic():
        basket = basket_of(customer)
        allowed, _why = basket.is_quantity_allowed(1)
        if not allowed or not basket.get_stock_info(product, options).availability.is_purchase_permitted(1)[0]:
            return "not on sale"
        basket.add_product(product, 1, options=options)
    world.line += f": {customer.name}, {product.title}"
    return "done"


@action("a customer", 3)
def enters_a_gift_card(world):
    customer, card = world.pick(world.customers), world.pick(rows("giftcards", "GiftCard"))
    if card is None:
        return "none there"
    code = giftcard_services.code_of(card) if card.state == "active" else "AAAA-BBBB-CCCC-DDDD-EEEE"
    customer.client.post(PREVIEW, {"loyalty_add_card": "1", "code": code})
    world.line += f": {customer.name}, card {card.pk}"
    return "done"


@action("a customer", 4)
def wishes_to_pay_with_points(world):
    customer, points = world.pick(world.customers), world.random.choice([100, 300, 700, 100_000])
    customer.client.post(PREVIEW, {"loyalty_points_do": "use", "points": str(points)})
    world.line += f": {customer.name}, {points}"
    return "done"


@action("a customer", 4)
def chooses_how_to_pay(world):
    customer, money = world.pick(world.customers), world.pick(["on_site", "stripe"])
    choose(customer, money)
    world.line += f": {customer.name}, {money}"
    return "done"


@action("a customer", 16)
def places_the_order(world):
    filled = set(get_model("basket", "Basket").open.filter(lines__isnull=False).values_list("owner", flat=True))
    customer = world.pick(each for each in world.customers if each.user.pk in filled)
    if customer is None:
        return "no basket is filled"
    customer.client.get("/checkout/shipping-method/")
    if world.random.random() < 0.5:
        choose(customer, "on_site")
    response = customer.client.post(PREVIEW, {"action": "place_order"})
    world.line += f": {customer.name}, {response.status_code} {getattr(response, 'url', '')[:28]}"
    if world.random.random() < 0.25:
        with world.process.alone():
            before = orders().count()
            customer.client.post(PREVIEW, {"action": "place_order"})
            made = orders().count() - before
        # The second click may finish what the first could not, but never orders twice.
        assert made <= 1, "a double click made several orders"
        world.line += ", clicked twice"
    return "done"


@action("a guest", 4)
def orders_as_a_guest(world):
    guest, email = Client(), world.pick(GUESTS)
    product = world.pick([world.haircut, world.shampoo])
    guest.post(f"/basket/add/{product.pk}/", {"quantity": "1"})
    guest.post("/checkout/", {"username": email, "options": "anonymous"})
    guest.get("/checkout/shipping-method/")
    choose(SimpleNamespace(client=guest), "on_site")
    response = guest.post(PREVIEW, {"action": "place_order"})
    world.line += f": {email}, {product.title}, {response.status_code} {getattr(response, 'url', '')[:28]}"
    return "done"


@action("a customer", 8)
def pays_at_stripe(world):
    tender = world.pick(rows("payments", "Tender", kind="stripe", attempt__state="open").exclude(session=""))
    if tender is None:
        return "nothing to pay"
    card = world.random.choice(CARDS)
    status, _body = world.bank.control.call("pay", {}, json.dumps({"session": tender.session, "card": card}))
    world.line += f": attempt {tender.attempt_id}, {status}"
    return "done"


@action("a customer", 7)
def comes_back_from_stripe(world):
    attempt = world.pick(rows("payments", "PaymentAttempt", tenders__kind="stripe"))
    if attempt is None:
        return "nobody there"
    page = world.random.choice(["paid", "paid", "back"])
    owner = next((each for each in world.customers if each.user.pk == attempt.user_id), world.customers[0])
    response = owner.client.get(going_on.address(attempt, page))
    world.line += f": attempt {attempt.pk} by {page!r}, {response.status_code}"
    return "done"


def buys_by_card(world):
    """Somebody buys something, pays for it at Stripe and comes back; return the payment, or ``None``."""
    customer, product = world.pick(world.customers), world.pick([world.haircut, world.card_product])
    options = giftcards.options_for(pay_with_points=False) if product == world.card_product else []
    basket_of(customer).add_product(product, 1, options=options)
    customer.client.get("/checkout/shipping-method/")
    choose(customer, "stripe")
    customer.client.post(PREVIEW, {"action": "place_order"})
    waiting = rows("payments", "Tender", kind="stripe", attempt__state="open", attempt__user=customer.user)
    tender = waiting.exclude(session="").last()
    if tender is None:
        return None
    world.bank.control.call("pay", {}, json.dumps({"session": tender.session, "card": CARDS[0]}))
    customer.client.get(going_on.address(tender.attempt, "paid"))
    tender.attempt.refresh_from_db()
    return tender


@action("a customer", 5)
def claims_a_reward(world):
    customer, reward = world.pick(world.customers), world.pick(rows("rewards", "Reward"))
    return asked(world, rewards.claim, reward=reward, member=world.member(customer), key=world.key())


@action("a customer", 2)
def gives_a_reward_back(world):
    claim = world.pick(rows("rewards", "Claim"))
    return asked(world, rewards.give_back, claim=claim, user=world.boss) if claim else "none there"
