"""All writes of rules. A change makes a new version; what was awarded keeps the one it came from."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from oscar_loyalty.ledger.books import NOBODY, Ref


def publish_rule(
    *,
    programme: Any,
    kind: str,
    spec: dict[str, Any],
    target: str = "everything",
    target_object: Any = None,
    name: Any = "",
    rule: Any = None,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Publish a rule, or, with ``rule``, another version of it, in force from ``happened_at``; return the version.

    ``kind``: "unit", "amount", "order", "visit", "exclude"; ``target``: "product", "variant", "class", "category", "range"
    with its ``target_object``, or "everything". ``spec``: ``{"points": 80}``, per amount
    ``{"points": 2, "per": "1.00", "threshold": "5.00"}``, nothing for "exclude". The same spec again publishes nothing.

    :raises WrongRule: when it makes no sense.
    """
    raise NotImplementedError


def end_rule(*, rule: Any, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """End a rule; ending it again changes nothing. Return it."""
    raise NotImplementedError


def set_product_points(
    *,
    product: Any,
    points: Decimal | int | None,
    programme: Any = None,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Set how many points each piece of ``product`` (or variant) brings; ``None``: as the other rules say.

    0 is a number like others: the product brings nothing. The same value again publishes no new version. Return the version in
    force, or ``None``.
    """
    raise NotImplementedError
