"""How the rest of an order is paid in our own checkout: what is offered, and what this customer chose."""

from typing import Any

from oscar_loyalty.defaults import conf
from oscar_loyalty.payments.stripe.client import is_set_up

#: Where the session keeps the choice.
KEY = "loyalty_money"


def offered() -> list[str]:
    """Return the kinds of tender that take money here, the one proposed first."""
    return [kind for kind in conf.MONEY if kind != "stripe" or is_set_up()] or ["on_site"]


def chosen(request: Any) -> str:
    """Return the kind that this customer pays the rest with."""
    kinds = offered()
    kind = request.session.get(KEY)
    return str(kind) if kind in kinds else kinds[0]


def choose(request: Any, kind: str) -> bool:
    """Remember a choice; return whether it is one."""
    if kind not in offered():
        return False
    request.session[KEY] = kind
    return True
