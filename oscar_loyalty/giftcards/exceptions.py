class GiftCardError(Exception):
    """A gift card cannot do this; nothing has been written."""


class NotAllowed(GiftCardError):
    """Somebody may not do this, or not so much of it; ``str()`` says why."""


class CodeRefused(GiftCardError):
    """The code is unknown, not paid yet, disabled, ended, empty or of another currency; which of these is not told."""


class TooManyTries(GiftCardError):
    """Too many wrong codes came from this account, session or address; right ones are refused too for a while."""


class AmountRefused(GiftCardError):
    """No card of this amount is on sale; the message is for the buyer."""


class TooLate(GiftCardError):
    """The card has been handed over to be sent: where and when can no longer be changed."""
