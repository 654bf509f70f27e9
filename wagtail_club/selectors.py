"""What a club page needs to know of the person who reads it."""

from dataclasses import dataclass, field
from typing import Any

from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import selectors as members


@dataclass(frozen=True)
class Visitor:
    """The reader of a club page.

    ``programme`` and ``member`` are ``None`` where there is none; ``balance`` is the member's
    :class:`oscar_loyalty.ledger.selectors.Balance` in whole points; ``tiers`` run from the lowest to the highest.
    """

    programme: Any = None
    member: Any = None
    balance: Any = None
    tiers: list[Any] = field(default_factory=list)


def visitor(request) -> Visitor:
    """Return the visitor behind ``request``, in at most four queries."""
    programme = members.programme_for(request=request)
    if programme is None:
        return Visitor()
    user = getattr(request, "user", None)
    member = members.member_for(user=user, programme=programme) if user and user.is_authenticated else None
    return Visitor(
        programme=programme,
        member=member,
        balance=ledger.balance(member.account) if member else None,
        tiers=list(members.tiers(programme)),
    )
