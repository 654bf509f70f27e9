"""Points added or taken by hand, with a reason that the member sees."""

from collections.abc import Sequence
from typing import Any


def request_adjustment(
    *, programme: Any, members: Sequence[Any], units: int, reason: str, key: str, user: Any, notify: bool = True
) -> Any:
    """Add (``units`` above zero) or take (below) points for each of ``members`` and return the adjustment.

    Done at once up to the programme's limit (all members together); above, it waits for a second person: its ``state``
    is "waiting". The same ``key`` returns the same adjustment.

    :raises NotAllowed: without the permission ``loyalty_members.adjust_points``.
    :raises OwnAccount: when the user is one of the members.
    :raises NotEnough: when a member has fewer points than are to be taken; nobody's are taken then.
    :raises ValueError: without members, units or a reason.
    """
    raise NotImplementedError


def approve(*, adjustment: Any, user: Any) -> Any:
    """Do an adjustment that waits; return it.

    :raises NotAllowed: without the permission ``loyalty_members.approve_points``.
    :raises SamePerson: when the user asked for it.
    :raises OwnAccount: when the user is one of its members.
    :raises AlreadyDecided: when it was refused.
    :raises NotEnough: as :func:`request_adjustment`.
    """
    raise NotImplementedError


def refuse(*, adjustment: Any, user: Any) -> Any:
    """Refuse an adjustment that waits; its requester may do so too. Return it.

    :raises NotAllowed: without the permission.
    :raises AlreadyDecided: when it was done.
    """
    raise NotImplementedError
