"""Why a checkout cannot go on. ``str()`` of each is a sentence for the customer."""

from typing import Any


class PaymentProblem(Exception):
    """The order cannot be paid like this; nothing was taken, the basket is as it was."""


class NotEnoughPoints(PaymentProblem):
    """``missing`` points are lacking for the gift cards to be paid with points."""

    def __init__(self, message: str, missing: int) -> None:
        super().__init__(message)
        self.missing = missing


class CardChanged(PaymentProblem):
    """A gift card no longer has what it was going to pay."""


class UnderWay(PaymentProblem):
    """Another request is placing this basket's order at this moment."""

    def __init__(self, message: str, attempt: Any) -> None:
        super().__init__(message)
        self.attempt = attempt


class AlreadyPlaced(PaymentProblem):
    """This basket's order was placed by another request; ``order`` is it."""

    def __init__(self, message: str, order: Any) -> None:
        super().__init__(message)
        self.order = order


class AttemptClosed(PaymentProblem):
    """The attempt was undone meanwhile, so no order can be placed with it."""


class CannotPlace(PaymentProblem):
    """What was agreed upon can no longer be bought: another total, no stock, a voucher that is over."""


class ProviderDown(PaymentProblem):
    """The provider gave no answer: nobody knows whether it did what it was asked; ask again later."""


class ProviderRefused(PaymentProblem):
    """The provider said no, and will say so again; ``code`` is its word for why."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class RefundRefused(PaymentProblem):
    """Nothing was given back; ``field`` names what was asked wrongly: an argument of the refund, or
    ``quantity_<line>`` and ``amount_<line>`` for what was asked of one line."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field
