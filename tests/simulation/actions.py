"""What people, programs and thieves do. Each returns a word on what came of it: "refused" must have changed nothing."""

import json
from datetime import timedelta
from decimal import Decimal as D

from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse
from oscar.core.loading import get_class, get_model

from oscar_loyalty.checkout import going_on
from oscar_loyalty.earning.gifts import give_points
from oscar_loyalty.giftcards import disabling
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.exceptions import LedgerError
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import giving, households, merging, statuses
from oscar_loyalty.members.exceptions import MemberError
from oscar_loyalty.payments import refunds
from oscar_loyalty.payments.exceptions import PaymentProblem
from oscar_loyalty.rewards import services as rewards
from oscar_loyalty.rewards.exceptions import RewardError

PREVIEW = "/checkout/preview/"
CARDS = ("4242424242424242",) * 4 + ("4000000000000002", "4000000000009995")
#: What somebody is told who asks for what cannot be.
REFUSALS = (GiftCardError, LedgerError, MemberError, PaymentProblem, RewardError, ValidationError, ValueError)
ACTIONS = []


def action(who, weight):
    def register(function):
        function.who, function.weight = who, weight
        ACTIONS.append(function)
        return function

    return register


def asked(world, service, **named):
    """Ask a service, and sometimes, as an impatient hand or a lost answer does, once more for the very same."""
    try:
        service(**named)
    except REFUSALS as error:
        world.line += f" ({error})"
        return "refused"
    if "key" in named and world.random.random() < 0.4:
        before = world.scales.weigh()
        service(**named)
        again = world.scales.weigh()
        assert again == before, f"asked twice, {service.__name__} did something twice"
        world.line += ", twice"
    return "done"


def rows(app, name, **where):
    return get_loyalty_model(f"loyalty_{app}", name).objects.filter(**where).order_by("pk")


def basket_of(world, customer):
    baskets = get_model("basket", "Basket").open
    if baskets.filter(owner=customer.user).count() > 1:
        # One came back from a checkout that was given up: Oscar joins them at the next page.
        customer.client.get("/basket/")
    basket = baskets.get_or_create(owner=customer.user)[0]
    basket.strategy = get_class("partner.strategy", "Selector")().strategy(user=customer.user)
    return basket


# Customers


@action("a customer", 14)
def puts_something_into_the_basket(world):
    customer, product = world.pick(world.customers), world.pick([world.haircut, world.shampoo, world.card_product])
    options = []
    if giftcards.is_giftcard(product):
        options = giftcards.options_for(pay_with_points=world.random.random() < 0.7)
    with transaction.atomic():
        basket = basket_of(world, customer)
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
    customer.client.post("/checkout/payment-details/", {"loyalty_choose_money": "1", "loyalty_money": money})
    world.line += f": {customer.name}, {money}"
    return "done"


@action("a customer", 16)
def places_the_order(world):
    filled = set(get_model("basket", "Basket").open.filter(lines__isnull=False).values_list("owner", flat=True))
    customer = world.pick(each for each in world.customers if each.user.pk in filled)
    if customer is None:
        return "no basket is filled"
    customer.client.get("/checkout/shipping-method/")
    response = customer.client.post(PREVIEW, {"action": "place_order"})
    world.line += f": {customer.name}, {response.status_code} {getattr(response, 'url', '')[:28]}"
    if world.random.random() < 0.25:
        before = get_model("order", "Order").objects.count()
        customer.client.post(PREVIEW, {"action": "place_order"})
        made = get_model("order", "Order").objects.count() - before
        # The second click may finish what the first could not, but never orders twice.
        assert made <= 1, "a double click made several orders"
        world.line += ", clicked twice"
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


@action("a customer", 5)
def claims_a_reward(world):
    customer, reward = world.pick(world.customers), world.pick(rows("rewards", "Reward"))
    return asked(world, rewards.claim, reward=reward, member=world.member(customer), key=world.key())


@action("a customer", 2)
def gives_a_reward_back(world):
    claim = world.pick(rows("rewards", "Claim"))
    return asked(world, rewards.give_back, claim=claim, user=world.boss) if claim else "none there"


@action("a customer", 4)
def gives_points_away(world):
    giver, other = world.random.sample(world.customers, 2)
    units = world.random.choice([1, 50, 400, 5000, -3, 0])
    to = other.user.email if world.random.random() < 0.8 else "stranger@example.com"
    return asked(world, giving.give, source=world.member(giver), to=to, units=units, key=world.key())


@action("a customer", 4)
def answers_a_gift(world):
    transfer, customer = world.pick(rows("members", "Transfer")), world.pick(world.customers)
    if transfer is None:
        return "none there"
    service = world.random.choice([giving.accept, giving.accept, giving.decline, giving.call_off])
    return asked(world, service, transfer=transfer, member=world.member(customer))


@action("a customer", 2)
def shares_a_household(world):
    one, other = world.random.sample(world.customers, 2)
    waiting = world.pick(rows("members", "HouseholdInvitation"))
    if waiting is not None and world.random.random() < 0.6:
        service = world.random.choice([households.accept, households.accept, households.decline])
        return asked(world, service, invitation=waiting, member=world.member(other))
    if world.random.random() < 0.3:
        return asked(world, households.leave, member=world.member(one))
    return asked(world, households.invite, member=world.member(one), to=other.user.email, key=world.key())


# Staff


@action("somebody at the till", 6)
def gives_points(world):
    member = world.member(world.pick(world.customers))
    points = world.random.choice([200, 900, 0])
    try:
        give_points(member=member, points=points, reference=(key := world.key()), why="gift")
        before = world.scales.weigh()
        give_points(member=member, points=points, reference=key, why="gift")
    except ValueError:
        return "refused"
    assert world.scales.weigh() == before, "a gift asked for twice was given twice"
    return "done"


@action("staff", 5)
def changes_an_order(world):
    order = world.pick(get_model("order", "Order").objects.order_by("pk"))
    if order is None or not order.available_statuses():
        return "nothing to change"
    status = world.random.choice(list(order.available_statuses()))
    order.set_status(status)
    world.line += f": {order.number} is {status}"
    return "done"


@action("staff", 5)
def refunds_an_order(world):
    order = world.pick(get_model("order", "Order").objects.order_by("pk"))
    if order is None:
        return "nothing to refund"
    named = {"amount": D(world.random.choice(["1.00", "7.35", "30.00", "500.00"]))}
    if world.random.random() < 0.4:
        line = world.pick(order.lines.all())
        named = {"lines": {line.pk: 1}}
    if world.random.random() < 0.2:
        named["force"] = True
    return asked(world, refunds.refund, order=order, key=world.key(), **named)


@action("staff", 2)
def takes_a_card_out_of_use(world):
    card = world.pick(rows("giftcards", "GiftCard"))
    if card is None:
        return "none there"
    service = world.random.choice([disabling.disable, disabling.enable, giftcard_services.reissue])
    return asked(world, service, card=card)


@action("staff", 2)
def issues_a_gift_card(world):
    value = D(world.random.choice(["5.00", "25.00"]))
    return asked(world, giftcard_services.issue, value=value, key=world.key(), recipient_email="friend@example.com")


@action("staff", 3)
def changes_a_membership(world):
    member = world.member(world.pick(world.customers))
    status = world.random.choice(["frozen", "active", "active", "closed"])
    return asked(world, statuses.set_status, member=member, status=status, key=world.key())


@action("staff", 1)
def joins_two_memberships(world):
    one, other = (world.member(each) for each in world.random.sample(world.customers, 2))
    return asked(world, merging.merge, source=one, target=other, key=world.key())


@action("staff", 3)
def looks_after_claims(world):
    claim = world.pick(rows("rewards", "Claim"))
    if claim is None:
        return "none there"
    if world.random.random() < 0.5:
        return asked(world, rewards.use, claim=claim)
    return asked(world, rewards.cancel, claim=claim, why="A mistake")


@action("staff", 3)
def corrects_points(world):
    member = world.member(world.pick(world.customers))
    units = world.random.choice([150, -80, -100_000])
    return asked(world, books.adjust, account=member.account, units=units, key=world.key(), usable_from=world.now)


# Programs


def sweep(world):
    call_command("loyalty_run", verbosity=0)


@action("the background work", 12)
def comes_by(world):
    sweep(world)
    return "done"


@action("the background work", 2)
def comes_by_twice(world):
    sweep(world)
    sweep(world)
    return "done"


@action("time", 14)
def goes_by(world):
    delta = world.random.choice([{"minutes": 3}, {"minutes": 20}, {"hours": 6}, {"days": 2}, {"days": 20}])
    world.later(**delta)
    world.line += f": {timedelta(**delta)}"
    return "done"


def deliver(world, delivery, event, *, forget=True):
    payload, signature = world.bank.letter(event)
    response = world.customers[0].client.post(
        "/stripe/webhook/", payload, content_type="application/json", headers={"stripe-signature": signature}
    )
    if forget and response.status_code == 200:
        world.bank.delivered(delivery)


@action("Stripe", 8)
def tells_something(world):
    letter = world.pick(world.bank.letters())
    if letter is None:
        return "no news"
    deliver(world, *letter, forget=world.random.random() < 0.7)
    return "done"


# Thieves


@action("a thief", 2)
def guesses_a_code(world):
    thief = world.pick(world.customers)
    code = "".join(world.random.choice("ABCDEFGHJKMNPQRSTUVWXYZ23456789") for _ in range(20))
    thief.client.post(PREVIEW, {"loyalty_add_card": "1", "code": code})
    return "refused"


@action("a thief", 2)
def forges_a_webhook(world):
    event = {"id": "evt_forged", "object": "event", "type": "checkout.session.completed", "data": {"object": {}}}
    response = world.customers[0].client.post(
        "/stripe/webhook/",
        json.dumps(event),
        content_type="application/json",
        headers={"stripe-signature": "t=1,v1=00"},
    )
    assert response.status_code == 400, "a forged webhook was believed"
    return "refused"


@action("a thief", 2)
def takes_what_is_not_theirs(world):
    thief = world.pick(world.customers)
    claim = world.pick(rows("rewards", "Claim").exclude(member__user=thief.user))
    transfer = world.pick(rows("members", "Transfer").exclude(target__user=thief.user).exclude(source__user=thief.user))
    if transfer is not None and world.random.random() < 0.5:
        try:
            giving.accept(transfer=transfer, member=world.member(thief))
        except REFUSALS:
            return "refused"
        raise AssertionError("somebody accepted a gift of points that was not for them")
    if claim is None:
        return "none there"
    address = reverse("loyalty-account:reward-back", args=[claim.uuid])
    response = thief.client.post(address)
    assert response.status_code in (403, 404, 405), f"{address} answered {response.status_code} to somebody else"
    return "refused"
