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
