class MemberError(Exception):
    """The programme refuses; nothing has been written."""


class AlreadyMember(MemberError):
    """Somebody else is a member with this e-mail; it must be proved to be one's own first."""


class ProgrammeClosed(MemberError):
    """The programme is not open."""


class Merged(MemberError):
    """The membership was joined with another, for good."""


class CannotMerge(MemberError):
    """These two memberships cannot be joined; the message says why, in words for the staff."""


class SharingRefused(MemberError):
    """Points cannot be given, or a household not be joined; the message says why, in words for the member.

    ``field`` names what was wrong: "to", "units", or "" for all of it.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class CannotLeave(Exception):
    """It is too late to undo this: nothing of the person is left."""
