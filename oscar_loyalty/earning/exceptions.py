from django.core.exceptions import PermissionDenied


class EarningError(Exception):
    """Earning refuses; nothing has been written."""


class WrongRule(EarningError):
    """The rule cannot be: a target without an object, points below zero, an amount of nothing.

    ``field`` names the part of its spec that is wrong ("points", "when.to", "caps.day"), or is empty.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class TooLate(WrongRule):
    """What was to be called off has begun, or has ended."""


class DraftClosed(EarningError):
    """The draft was published or thrown away: it does not change any more."""


class DraftConflict(EarningError):
    """Changes that do not go any more; ``clashes`` has each with its reason (:func:`.drafts.conflicts`)."""

    def __init__(self, clashes: list) -> None:
        super().__init__(f"{len(clashes)} changes do not go with what was published meanwhile.")
        self.clashes = clashes


class NotAllowed(EarningError, PermissionDenied):
    """The user may not do this; in a view it is a 403."""


class OwnAccount(NotAllowed):
    """Nobody adjusts the own account."""


class SamePerson(NotAllowed):
    """Whoever asked for an adjustment cannot approve it."""


class AlreadyDecided(EarningError):
    """The adjustment was approved or refused before."""


class NotEnough(EarningError):
    """A member has too few points for what is to be taken; ``member`` and ``missing`` say who and how many."""

    def __init__(self, member, missing: int) -> None:
        super().__init__(f"{missing} points are missing on {member.number}.")
        self.member, self.missing = member, missing


class OrderTaken(EarningError):
    """Somebody else has taken this guest order, or the link for it."""


class NotProven(EarningError):
    """Nobody has shown that this address is theirs lately."""


class AskedAlready(EarningError):
    """A link to this address was asked for a moment ago, or too often today."""


class MembershipRests(EarningError):
    """The membership is on hold or closed: nothing can be earned with it."""


class WrongGoal(ValueError):
    """A goal that makes no sense; ``field`` is where, and the text may be shown to staff."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class PublishedVersion(Exception):
    """A version of a rule that was published was to be changed."""
