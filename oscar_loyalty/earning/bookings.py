"""What a calendar tells us: the contract between a booking app and the programme.

Made gives pending points; attended makes them usable after the programme's delay; missed and cancelled take them back;
corrected sets right what was told wrongly. Every function takes the calendar's own, unique ``reference``; telling the same
thing twice changes nothing. The calls may arrive in any order: what happened later wins.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any


def made(
    *,
    reference: str,
    service: Any,
    starts_at: datetime | None,
    member: Any = None,
    user: Any = None,
    email: str = "",
    price: Decimal | None = None,
    currency: str = "",
    order_line: Any = None,
    source: str = "",
    programme: Any = None,
    happened_at: datetime | None = None,
) -> Any:
    """Record a booking and give its pending points; return the booking.

    ``service`` is a product, or a title where the service is none. Whose it is: ``member``, ``user``, or the member with
    ``email``; nobody's booking is recorded and earns nothing. Without a price, the product's rule per piece still earns.
    """
    raise NotImplementedError


def rescheduled(*, reference: str, starts_at: datetime, happened_at: datetime | None = None) -> Any:
    """Move a booking to another time; return it."""
    raise NotImplementedError


def attended(*, reference: str, happened_at: datetime | None = None, price: Decimal | None = None) -> Any:
    """The customer came (``happened_at``: when the visit was): the points become usable after the delay."""
    raise NotImplementedError


def missed(*, reference: str, happened_at: datetime | None = None) -> Any:
    """The customer did not come: the points are taken back."""
    raise NotImplementedError


def cancelled(*, reference: str, happened_at: datetime | None = None) -> Any:
    """The booking was called off: the points are taken back."""
    raise NotImplementedError


def corrected(*, reference: str, state: str, happened_at: datetime | None = None) -> Any:
    """Set the state right ("made", "attended", "missed", "cancelled"), whatever was told before; return the booking."""
    raise NotImplementedError
