"""Telling Apple that a pass has changed, so that the phone comes and fetches it.

The message is empty: what changed is read from the web service. Apple's push service speaks HTTP/2 only and knows
the shop by the very certificate that signs its passes.
"""

import ssl
from typing import Any

from oscar_loyalty.defaults import conf
from oscar_loyalty.wallet import apple
from oscar_loyalty.wallet.exceptions import Unregistered, WalletOff

TIMEOUT = 10.0


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_cert_chain(conf.WALLET_APPLE_CERTIFICATE, password=conf.WALLET_APPLE_PASSWORD or None)
    return context


def tell(*, push_token: str) -> None:
    """Tell the device with ``push_token`` to fetch its passes.

    Raises :exc:`Unregistered` when Apple says that the device is gone, :exc:`WalletOff` without a certificate, and
    ``httpx.HTTPError`` when it could not be told for now.
    """
    if not apple.is_on():
        raise WalletOff("No certificate for Apple's passes has been named.")
    import httpx

    headers = {"apns-topic": conf.WALLET_APPLE_TYPE, "apns-push-type": "background", "apns-priority": "5"}
    with httpx.Client(http2=True, verify=_context(), timeout=TIMEOUT) as client:
        answer = client.post(f"{conf.WALLET_APPLE_PUSH}/3/device/{push_token}", json={}, headers=headers)
    if answer.status_code == 410 or (answer.status_code == 400 and _reason(answer) == "BadDeviceToken"):
        raise Unregistered
    answer.raise_for_status()


def _reason(answer: Any) -> str:
    try:
        return str(answer.json().get("reason", ""))
    except ValueError:
        return ""
