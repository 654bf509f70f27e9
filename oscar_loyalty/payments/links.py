"""Signed names of attempts, for the addresses of their pages."""

from typing import Any

from django.core import signing

from oscar_loyalty.loading import get_model

SALT = "oscar_loyalty.checkout"
#: How long a link shows the order that it belongs to, in seconds: the page has the codes of gift cards bought.
SHOWN_FOR = 24 * 3600


def make(attempt: Any) -> str:
    """Return the token of an attempt."""
    return signing.dumps(str(attempt.uuid), salt=SALT)


def read(token: str) -> tuple[Any, bool]:
    """Return the attempt of a token (``None``: it is not one of ours), and whether the token is a recent one."""
    recent = True
    try:
        uuid = signing.loads(token, salt=SALT, max_age=SHOWN_FOR)
    except signing.SignatureExpired:
        uuid, recent = signing.loads(token, salt=SALT), False
    except signing.BadSignature:
        return None, False
    attempts = get_model("loyalty_payments", "PaymentAttempt").objects.select_related("basket", "order")
    return attempts.filter(uuid=uuid).first(), recent
