"""Stripe's own client, set up once, and its errors in our words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from oscar_loyalty.defaults import conf
from oscar_loyalty.payments.exceptions import ProviderDown, ProviderRefused

#: The version of the API that this code was written and tested against; Stripe keeps answering in it.
API_VERSION = "2026-10-28.endive"
#: Seconds to connect, and to wait for an answer.
TIMEOUT = (5.0, 20.0)
#: Of the client itself, with the same idempotency key. More than these are the sweep's.
RETRIES = 1


def is_set_up() -> bool:
    """Return whether the shop has a key, so that people can pay by card."""
    return bool(conf.STRIPE_SECRET_KEY)


def is_live() -> bool:
    """Return whether the shop's key moves real money."""
    return "_live_" in conf.STRIPE_SECRET_KEY


def client() -> Any:
    """Return the ``stripe.StripeClient`` of the shop's key.

    :raises ProviderDown: when the shop has no key.
    """
    if not is_set_up():
        raise ProviderDown(_("Paying by card is not set up in this shop."))
    return _client(conf.STRIPE_SECRET_KEY, conf.STRIPE_API_BASE, conf.STRIPE_ACCOUNT)


@lru_cache(maxsize=8)
def _client(key: str, base: str, account: str) -> Any:
    import stripe

    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        stripe_account=account or None,
        base_addresses={"api": base} if base else None,
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
    )


if hasattr(os, "register_at_fork"):
    # A forked worker must not answer on the connections of its parent.
    os.register_at_fork(after_in_child=_client.cache_clear)


@contextmanager
def asking() -> Iterator[Any]:
    """Yield the client's services, and raise what goes wrong as a problem of ours.

    :raises ProviderDown: no answer, or one that says nothing of the payment; ask again.
    :raises ProviderRefused: the answer is no.
    :raises RuntimeError: within a transaction, whose locks would be held while Stripe thinks.
    """
    blocks = connection.atomic_blocks
    if blocks and not blocks[-1]._from_testcase:  # type: ignore[attr-defined]
        raise RuntimeError("Stripe must not be asked within a transaction: its locks would wait for the network.")
    import stripe

    try:
        yield client().v1
    except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as error:
        raise ProviderRefused(_said(error), code=getattr(error, "code", "") or "") from error
    except stripe.StripeError as error:
        raise ProviderDown(_said(error)) from error


def _said(error: Any) -> str:
    """Return what Stripe said, without the addresses and keys that its texts may quote."""
    words = [type(error).__name__, str(getattr(error, "http_status", None) or ""), getattr(error, "code", None) or ""]
    return " ".join(word for word in words if word)
