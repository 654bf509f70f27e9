"""A Stripe of our own, for tests and the demo shop: stateful, strict, and able to go wrong on demand.

It is spoken to over HTTP by Stripe's own client, knows neither Django nor the shop, and needs only the standard
library. ``CONTRACT.md`` says which of Stripe's behaviours it promises.
"""

from .client import Control, ControlError, Running, running
from .desk import API_VERSION
from .server import ACCOUNT, LIVE_KEY, OTHER_ACCOUNT, OTHER_KEY, TEST_KEY, WEBHOOK_SECRET, Server

__all__ = [
    "ACCOUNT",
    "API_VERSION",
    "LIVE_KEY",
    "OTHER_ACCOUNT",
    "OTHER_KEY",
    "TEST_KEY",
    "WEBHOOK_SECRET",
    "Control",
    "ControlError",
    "Running",
    "Server",
    "running",
]
