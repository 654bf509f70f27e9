"""The codes of gift cards.

A code is made, never stored: 100 bits of an HMAC of the card's uuid and generation, under a key that lies in the
settings. The database holds a second HMAC of the code, by which it is found. Whoever steals the database without the
key can neither read a code nor try one.
"""

import hashlib
import hmac
import re
import unicodedata
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from oscar_loyalty.defaults import conf

#: Without 0, O, 1 and I, which look alike.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
SYMBOLS, GROUP = 20, 4
#: What each HMAC is for, so that one can never stand for the other.
CODE, LOOKUP = b"oscar-loyalty/giftcard/code/1\0", b"oscar-loyalty/giftcard/lookup/1\0"
FOREIGN = b"oscar-loyalty/giftcard/foreign/1\0"
#: What a code of another system may look like, once it is normalised.
FOREIGN_FORM = re.compile(r"[A-Z0-9]{6,40}")


def current_key_id() -> str:
    """Return the id of the key for new codes: the first of the ring.

    :raises ImproperlyConfigured: when there is none.
    """
    for key_id in conf.GIFTCARD_KEYS:
        return key_id
    raise ImproperlyConfigured("OSCAR_LOYALTY_GIFTCARD_KEYS is empty: gift cards have no codes without a key.")


def _secret(key_id: str) -> bytes:
    try:
        return str(conf.GIFTCARD_KEYS[key_id]).encode()
    except KeyError:
        raise ImproperlyConfigured(f"OSCAR_LOYALTY_GIFTCARD_KEYS has lost the key {key_id!r}.") from None


def make(*, uuid: Any, generation: int, key_id: str) -> str:
    """Return the code of a card, in groups: ``"ABCD-EFGH-JKLM-NPQR-STUV"``."""
    content = CODE + uuid.bytes + generation.to_bytes(8, "big")
    number = int.from_bytes(hmac.new(_secret(key_id), content, hashlib.sha256).digest(), "big")
    symbols = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(SYMBOLS))
    return "-".join(symbols[start : start + GROUP] for start in range(0, SYMBOLS, GROUP))


def fingerprint(code: str, *, key_id: str) -> str:
    """Return what the database keeps of a code made with ``key_id``."""
    return hmac.new(_secret(key_id), LOOKUP + normalise(code).encode(), hashlib.sha256).hexdigest()


def foreign_fingerprint(code: str, *, key_id: str) -> str:
    """Return what the database keeps of a code that another system gave.

    :raises ValueError: when it cannot be one: those have 6 to 40 letters and digits.
    """
    typed = normalise(code)
    if not FOREIGN_FORM.fullmatch(typed):
        raise ValueError("A code of another system has 6 to 40 letters and digits.")
    return hmac.new(_secret(key_id), FOREIGN + typed.encode(), hashlib.sha256).hexdigest()


def fingerprints(code: str) -> list[str]:
    """Return what the database may hold of a typed code, for each key of the ring; nothing if it cannot be one.

    Codes of other systems count where the shop accepts them (``OSCAR_LOYALTY_GIFTCARD_FOREIGN_CODES``).
    """
    typed = normalise(code)
    found = []
    if len(typed) == SYMBOLS and set(typed) <= set(ALPHABET):
        found += [fingerprint(typed, key_id=key_id) for key_id in conf.GIFTCARD_KEYS]
    if conf.GIFTCARD_FOREIGN_CODES and FOREIGN_FORM.fullmatch(typed):
        found += [foreign_fingerprint(typed, key_id=key_id) for key_id in conf.GIFTCARD_KEYS]
    return found


def normalise(typed: str) -> str:
    """Return a code as typed without case, spaces, dashes and other signs."""
    # An absurdly long text is no code; it is not worth the work of normalising it.
    text = unicodedata.normalize("NFKC", typed[:200]).upper()
    return re.sub(r"[\W_]", "", text)
