"""What staff do with orders, cards, members and claims."""

from decimal import Decimal as D

from oscar_loyalty.earning import adjustments
from oscar_loyalty.earning.gifts import give_points
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.giftcards import disabling
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.giftcards import staff as giftcard_staff
from oscar_loyalty.ledger import books
from oscar_loyalty.members import merging, statuses
from oscar_loyalty.payments import refunds
from oscar_loyalty.rewards import services as rewards
from tests.simulation.actions import action, asked, customers, orders, rows


@action("somebody at the till", 6)
def gives_points(world):
    member = world.member(world.pick(world.customers))
    points = world.random.choice([200, 900, 0])
    return asked(world, give_points, member=member, points=points, reference=world.key(), why="gift")


@action("staff", 5)
def changes_an_order(world):
    order = world.pick(orders())
    if order is None or not order.available_statuses():
        return "nothing to change"
    status = world.random.choice(list(order.available_statuses()))
    order.set_status(status)
    world.line += f": {order.number} is {status}"
    return "done"


@action("staff", 5)
def refunds_an_order(world):
    order = world.pick(orders())
    if order is None:
        return "nothing to refund"
    named = {"amount": D(world.random.choice(["1.00", "7.35", "30.00", "500.00"]))}
    if world.random.random() < 0.4:
        line = world.pick(order.lines.all())
        named = {"lines": {line.pk: 1}}
    if world.random.random() < 0.2:
        named["force"] = True
    return asked(world, refunds.refund, order=order, key=world.key(), **named)


@action("staff", 8)
def gives_money_back_to_a_card(world):
    """Of what a customer has paid at Stripe, who does so now if nobody has."""
    placed = rows("payments", "Tender", kind="stripe", attempt__state="placed")
    tender = world.pick(placed.exclude(state="failed")) if world.random.random() < 0.85 else None
    bought = tender is None
    if bought:
        tender = customers.buys_by_card(world)
    if tender is None or tender.attempt.order is None:
        return "tried" if bought else "nothing paid"
    named = {"amount": D(world.random.choice(["1.00", "7.35", "10.00"]))}
    if world.random.random() < 0.4:
        named = {"lines": {line.pk: 1 for line in tender.attempt.order.lines.all()}}
    outcome = asked(world, refunds.refund, order=tender.attempt.order, key=world.key(), **named)
    return "tried" if bought and outcome == "refused" else outcome


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


@action("staff", 2)
def presents_a_reward(world):
    member, reward = world.member(world.pick(world.customers)), world.pick(rows("rewards", "Reward"))
    return asked(world, rewards.present, reward=reward, member=member, key=world.key(), user=world.boss)


@action("staff", 2)
def asks_for_an_adjustment(world):
    some = [world.membership(each) for each in world.random.sample(world.customers, 2)]
    return asked(
        world,
        adjustments.request_adjustment,
        programme=world.programme,
        members=[each for each in some if each is not None],
        units=world.random.choice([50, 4000, -30, -5000]),
        reason="A mistake at the till",
        key=world.key(),
        user=world.boss,
    )


@action("staff", 2)
def decides_on_an_adjustment(world):
    waiting = world.pick(rows("earning", "Adjustment"))
    if waiting is None:
        return "none there"
    service = world.random.choice([adjustments.approve, adjustments.approve, adjustments.refuse])
    return asked(world, service, adjustment=waiting, user=world.deputy)


@action("somebody at the till", 2)
def tops_a_card_up(world):
    card = world.pick(rows("giftcards", "GiftCard"))
    if card is None:
        return "none there"
    amount = D(world.random.choice(["5.00", "40.00"]))
    named = {"card": card, "amount": amount, "reason": "At the till", "key": world.key()}
    return asked(world, giftcard_staff.top_up, user=world.boss, **named)


@action("staff", 2)
def decides_on_a_friend(world):
    referral = world.pick(rows("earning", "Referral"))
    if referral is None:
        return "none there"
    service = world.random.choice([referrals.allow, referrals.refuse])
    return asked(world, service, referral=referral, user=world.boss)
