"""What people, programs and thieves do. Each returns a word on what came of it: "refused" must have changed nothing."""

from django.core.exceptions import ValidationError
from oscar.core.loading import get_class, get_model

from oscar_loyalty.contrib.appointment.exceptions import AppointmentError
from oscar_loyalty.earning.exceptions import EarningError
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.ledger.exceptions import LedgerError
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members.exceptions import CannotLeave, MemberError
from oscar_loyalty.payments.exceptions import PaymentProblem
from oscar_loyalty.privileges.exceptions import WrongWindow
from oscar_loyalty.rewards.exceptions import RewardError
from tests.simulation.scales import difference

#: What somebody is told who asks for what cannot be.
REFUSALS = (
    AppointmentError,
    CannotLeave,
    EarningError,
    GiftCardError,
    LedgerError,
    MemberError,
    PaymentProblem,
    RewardError,
    ValidationError,
    ValueError,
    WrongWindow,
)
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
        world.line += f" ({' '.join(str(error).split())[:80]})"
        return "refused"
    if ("key" in named or "reference" in named) and world.random.random() < 0.4:
        told_again(world, service, **named)
    return "done"


def told_again(world, function, /, **named):
    """What was done is told once more, and nobody comes in between: nothing changes any more."""
    with world.process.alone():
        before = world.scales.weigh()
        function(**named)
        changes = difference(before, world.scales.weigh())
    assert not changes, f"told twice, {world.line} did something twice: {changes}"
    world.line += ", twice"


def rows(app, name, **where):
    return get_loyalty_model(f"loyalty_{app}", name).objects.filter(**where).order_by("pk")


def orders():
    return get_model("order", "Order").objects.order_by("pk")


def basket_of(customer):
    baskets = get_model("basket", "Basket").open
    if baskets.filter(owner=customer.user).count() > 1:
        # One came back from a checkout that was given up: Oscar joins them at the next page.
        customer.client.get("/basket/")
    basket = baskets.get_or_create(owner=customer.user)[0]
    basket.strategy = get_class("partner.strategy", "Selector")().strategy(user=customer.user)
    return basket


# They register themselves, in this order: a seed is the same world each time.
from tests.simulation.actions import bookings, customers, members, owner, programs, staff, thieves  # noqa: E402, F401
