"""Google's pass: a link that the shop signs, and that saves the card to the phone of whoever opens it.

The card is described within the link itself (a "skinny" class and object of Google's Wallet API), so nobody
has to ask Google anything beforehand. It shows the balance of the moment it was saved. Whoever has the link can read
it: it holds the number of the card, points and tier, and not whose they are.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.members.services import language_of
from oscar_loyalty.wallet.contents import Contents
from oscar_loyalty.wallet.exceptions import WalletOff

SAVE = "https://pay.google.com/gp/v/save/"


def is_on() -> bool:
    """Whether the shop has named all that a link needs."""
    return bool(conf.WALLET_GOOGLE_ISSUER and conf.WALLET_GOOGLE_KEY)


def account() -> dict[str, str]:
    """Return the service account that signs: its ``client_email`` and ``private_key``.

    Raises :exc:`WalletOff` with what is wrong when its file is missing or cannot be read.
    """
    if not is_on():
        raise WalletOff("No service account for Google's passes has been named.")
    file = Path(conf.WALLET_GOOGLE_KEY)
    try:
        return _account(file, file.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError) as error:
        raise WalletOff(f"The service account of Google's passes cannot be read: {error}") from error


@lru_cache(maxsize=4)
def _account(file: Path, changed: int) -> dict[str, str]:
    data = json.loads(file.read_text(encoding="utf-8"))
    return {"client_email": data["client_email"], "private_key": data["private_key"]}


def save_link(*, contents: Contents, serial: Any, programme: Any, root: str, logo: str) -> str:
    """Return the address that saves the card. ``root`` is the shop's address, ``logo`` a public picture's.

    Raises :exc:`WalletOff` without a service account.
    """
    signs = account()
    try:
        import jwt
    except ImportError as error:
        raise WalletOff("Install django-oscar-loyalty[wallet] to make passes.") from error
    issuer = conf.WALLET_GOOGLE_ISSUER
    kind = f"{issuer}.programme-{programme.pk}"
    with language_of(contents):
        labels = {"tier": _("Tier"), "notice": _("Please note")}
    card = {
        "id": f"{issuer}.{serial}",
        "classId": kind,
        "state": "INACTIVE" if contents.void else "ACTIVE",
        "accountId": contents.number,
        "barcode": {"type": "QR_CODE", "value": contents.number, "alternateText": contents.number},
        "loyaltyPoints": {"label": contents.points_name, "balance": {"int": contents.points}},
        **(
            {"secondaryLoyaltyPoints": {"label": labels["tier"], "balance": {"string": contents.tier}}}
            if contents.tier
            else {}
        ),
        **(
            {"textModulesData": [{"id": "notice", "header": labels["notice"], "body": contents.notice}]}
            if contents.notice
            else {}
        ),
    }
    of = {
        "id": kind,
        "issuerName": contents.programme,
        "programName": contents.programme,
        "programLogo": {"sourceUri": {"uri": logo}},
        "hexBackgroundColor": contents.colour,
        "reviewStatus": "UNDER_REVIEW",
    }
    claims = {
        "iss": signs["client_email"],
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(clock.now().timestamp()),
        "origins": [root],
        "payload": {"loyaltyClasses": [of], "loyaltyObjects": [card]},
    }
    try:
        return SAVE + jwt.encode(claims, signs["private_key"], algorithm="RS256")
    except (ValueError, TypeError, jwt.exceptions.PyJWTError) as error:
        raise WalletOff(f"The key of Google's passes cannot sign: {error}") from error
