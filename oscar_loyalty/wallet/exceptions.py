class WalletError(Exception):
    """Something about a pass is not possible."""


class WalletOff(WalletError):
    """This kind of pass cannot be made: the shop has no certificate or key for it, or it cannot be read."""


class Unregistered(WalletError):
    """The device no longer wants to hear of its pass."""


class NotTold(WalletError):
    """Apple could not be reached, or would not pass the message on for now: it is worth another try."""
