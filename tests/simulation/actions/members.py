"""What members do with their membership, their points and their friends."""

from oscar_loyalty.earning import actions as earning_actions
from oscar_loyalty.earning import claims, occasions, profiles
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.members import consents, giving, households, leaving, services
from oscar_loyalty.wallet import services as wallet
from tests.simulation.actions import action, asked, rows


def whose(world, pk):
    """Most often the customer whose account it is, if it is anybody's, and sometimes another, who is to be refused."""
    own = next((each for each in world.customers if each.user.pk == pk), None)
    return own if own is not None and world.random.random() < 0.8 else world.pick(world.customers)


@action("a customer", 4)
def gives_points_away(world):
    giver, other = world.random.sample(world.customers, 2)
    units = world.random.choice([1, 50, 400, 5000, -3, 0])
    to = other.user.email if world.random.random() < 0.8 else "stranger@example.com"
    return asked(world, giving.give, source=world.member(giver), to=to, units=units, key=world.key())


@action("a customer", 4)
def answers_a_gift(world):
    transfer = world.pick(rows("members", "Transfer"))
    if transfer is None:
        return "none there"
    customer = whose(world, transfer.target.user_id if transfer.target else None)
    service = world.random.choice([giving.accept, giving.accept, giving.decline, giving.call_off])
    return asked(world, service, transfer=transfer, member=world.member(customer))


@action("a customer", 2)
def shares_a_household(world):
    one, other = world.random.sample(world.customers, 2)
    waiting = world.pick(rows("members", "HouseholdInvitation"))
    if waiting is not None and world.random.random() < 0.6:
        service = world.random.choice([households.accept, households.accept, households.decline])
        target = whose(world, waiting.member.user_id if waiting.member else None)
        return asked(world, service, invitation=waiting, member=world.member(target))
    if world.random.random() < 0.3:
        return asked(world, households.leave, member=world.member(one))
    return asked(world, households.invite, member=world.member(one), to=other.user.email, key=world.key())


@action("a newcomer", 4)
def joins(world):
    newcomer = world.pick(each for each in world.customers if world.membership(each) is None)
    if newcomer is None:
        return "everybody is a member"
    member = services.join(programme=world.programme, user=newcomer.user, source="page")
    invitation = world.pick(rows("earning", "Invitation"))
    if invitation is not None and world.random.random() < 0.7:
        referrals.accept(code=invitation.code, friend=member)
        world.line += f", by member {invitation.member_id}"
    world.line += f": {newcomer.name}"
    return "done"


@action("a member", 2)
def invites_a_friend(world):
    referrals.invitation_of(member=world.member(world.pick(world.customers)))
    return "done"


@action("a member", 2)
def leaves(world):
    customer = world.pick(world.customers)
    return asked(world, leaving.leave, member=world.member(customer), key=world.key())


@action("a member", 2)
def comes_back(world):
    departure = world.pick(rows("members", "Departure"))
    return asked(world, leaving.undo, departure=departure) if departure else "nobody has left"


@action("a member", 1)
def says_what_may_be_sent(world):
    member = world.member(world.pick(world.customers))
    given = {kind.code: world.random.random() < 0.5 for kind in consents.kinds()}
    return asked(world, consents.answer, member=member, given=given, source="test") if given else "nothing to say"


@action("a member", 1)
def tells_a_birthday(world):
    member, day = world.member(world.pick(world.customers)), world.now
    return asked(world, profiles.set_birthday, member=member, day=min(day.day, 28), month=day.month)


@action("a member", 2)
def scans_a_product(world):
    member = world.member(world.pick(world.customers))
    return asked(world, occasions.scan, member=member, product=world.shampoo)


@action("a member", 2)
def does_something_that_counts(world):
    member = world.member(world.pick(world.customers))
    reference = f"quiz:{world.random.randrange(3)}"
    if world.random.random() < 0.25:
        return asked(world, earning_actions.undo, member=member, action="quiz", reference=reference)
    return asked(world, earning_actions.perform, member=member, action="quiz", reference=reference)


@action("a member", 2)
def keeps_the_card_on_a_phone(world):
    member = world.member(world.pick(world.customers))
    row, _contents = wallet.pass_of(member=member)
    if world.random.random() < 0.7:
        wallet.register(wallet_pass=row, device=f"phone-{member.pk}", push_token=f"token-{member.pk}")
    else:
        wallet.unregister(wallet_pass=row, device=f"phone-{member.pk}")
    return "done"


@action("a member", 3)
def takes_guest_orders_over(world):
    link, luck = world.pick(rows("earning", "GuestLink")), world.random.random()
    if link is None or luck < 0.2:
        return asked(world, claims.ask, user=world.pick(world.customers).user, programme=world.programme)
    if luck < 0.8:
        reads = next((each.user.pk for each in world.customers if each.user.email == link.email), None)
        return asked(world, claims.claim, link=link, user=whose(world, reads).user)
    return asked(world, claims.claim_proven, user=world.pick(world.customers).user, programme=world.programme)
