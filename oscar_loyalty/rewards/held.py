"""What this room holds on a person: rewards. What was not used ends when they leave."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import Person, hold
from oscar_loyalty.rewards import selectors, services


def _claims(person: Person) -> Any:
    return get_model("loyalty_rewards", "Claim").objects.filter(member__in=person.members)


def _end(person: Person) -> None:
    """A voucher that nobody can use any more is not left lying about; its points go the way of the others.

    A donation was made when it was claimed: the good cause gets it all the same.
    """
    for claim in _claims(person).filter(Q(state="owed") | selectors.TO_USE):
        services.cancel(claim=claim, why="")


hold(
    "rewards",
    _("Rewards"),
    _claims,
    names=["reward__name", "order__number"],
    without=["uuid"],
    columns=["loyalty_rewards.Claim.member"],
    erase=_end,
    order=10,
)
