"""Telling Apple that a pass has changed, so that the phone comes and fetches it.

The message is empty: what changed is read from the web service. Apple's push service speaks HTTP/2 only and knows
the shop by the very certificate that signs its passes.
"""

import logging
import ssl
from typing import Any

from oscar_loyalty.defaults import conf
from oscar_loyalty.wallet import apple
from oscar_loyalty.wallet.exceptions import NotTold, Unregistered, WalletOff

TIMEOUT = 10.0
#: Reasons with a 400 that no second try will change: the token is none of a pass of this shop.
GONE = ("BadDeviceToken", "DeviceTokenNotForTopic")


class _Discreet(logging.Filter):
    """Keeps the addresses of Apple's push service out of the log of requests: they hold the tokens of phones."""

    def filter(self, record: logging.LogRecord) -> bool:
        args = record.args if isinstance(record.args, tuple) else ()
        return not any("/3/device/" in str(arg) for arg in args)


logging.getLogger("httpx").addFilter(_Discreet())


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_cert_chain(conf.WALLET_APPLE_CERTIFICATE, password=conf.WALLET_APPLE_PASSWORD or None)
    return context


def tell(*, push_token: str) -> None:
    """Tell the device with ``push_token`` to fetch its passes.

    Raises :exc:`Unregistered` when Apple says that the device is gone, :exc:`WalletOff` without a certificate, and
    :exc:`NotTold` when it could not be told for now.
    """
    if not apple.is_on():
        raise WalletOff("No certificate for Apple's passes has been named.")
    import httpx

    headers = {"apns-topic": conf.WALLET_APPLE_TYPE, "apns-push-type": "background", "apns-priority": "5"}
    try:
        with httpx.Client(http2=True, verify=_context(), timeout=TIMEOUT) as client:
            answer = client.post(f"{conf.WALLET_APPLE_PUSH}/3/device/{push_token}", json={}, headers=headers)
    except httpx.HTTPError as error:
        # What is kept of the error must not hold the token, and httpx writes addresses into its messages.
        raise NotTold(type(error).__name__) from None
    reason = _reason(answer)
    if answer.status_code == 410 or (answer.status_code == 400 and reason in GONE):
        raise Unregistered
    if answer.is_error:
        raise NotTold(f"{answer.status_code} {reason}".strip())


def _reason(answer: Any) -> str:
    try:
        return str(answer.json().get("reason", ""))[:100]
    except (ValueError, AttributeError):
        return ""
