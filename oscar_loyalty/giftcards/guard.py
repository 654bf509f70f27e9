"""Who is typing gift-card codes, and whether they have guessed too often."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.giftcards.exceptions import TooManyTries
from oscar_loyalty.loading import get_model


@dataclass(frozen=True)
class Guard:
    """Who types a code: the account, the session and the address, as far as they are known."""

    user_id: int | None = None
    session_key: str = ""
    address: str = ""

    @classmethod
    def of_request(cls, request: Any) -> "Guard":
        """Return the guard of a request."""
        user = getattr(request, "user", None)
        session = getattr(request, "session", None)
        return cls(
            user_id=user.pk if user is not None and user.is_authenticated else None,
            session_key=(session.session_key if session is not None else "") or "",
            address=address_of(request),
        )

    def scopes(self) -> list[tuple[str, str]]:
        """Return what is counted, as (scope, fingerprint), always in the same order so that nobody deadlocks."""
        known = [("address", _network(self.address)), ("session", self.session_key), ("user", self.user_id)]
        found = [(scope, _fingerprint(scope, str(value))) for scope, value in known if value]
        if not found:
            raise ValueError("A guard needs an account, a session or an address.")
        return found


def address_of(request: Any) -> str:
    """Return the client's address: the one that the outermost of the shop's own proxies saw."""
    remote = request.META.get("REMOTE_ADDR", "")
    trusted = conf.TRUSTED_PROXIES
    if not trusted:
        return remote
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    return seen[-trusted] if len(seen) >= trusted else remote


def _network(address: str) -> str:
    """A household has a whole /64 of version 6: all its addresses count as one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 6 and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def _fingerprint(scope: str, value: str) -> str:
    return salted_hmac(f"oscar_loyalty.giftcards.guard.{scope}", value, algorithm="sha256").hexdigest()


@transaction.atomic
def reserve(who: Guard) -> None:
    """Count one try for each of ``who``'s scopes, before the code is looked at: so parallel guesses are all counted.

    :raises TooManyTries: when one scope has none left; nothing is counted then.
    """
    CodeAttempt = get_model("loyalty_giftcards", "CodeAttempt")
    now = clock.now()
    window = now - timedelta(minutes=conf.GIFTCARD_ATTEMPTS_WINDOW)
    for scope, fingerprint in who.scopes():
        CodeAttempt.objects.get_or_create(scope=scope, who=fingerprint, defaults={"since": now})
        row = CodeAttempt.objects.filter(scope=scope, who=fingerprint)
        # Each update takes the row's lock and decides under it.
        if row.filter(since__lte=window).update(tries=1, since=now):
            continue
        if not row.filter(tries__lt=conf.GIFTCARD_ATTEMPTS).update(tries=F("tries") + 1):
            raise TooManyTries


def give_back(who: Guard) -> None:
    """The code was right: take the counted try back."""
    CodeAttempt = get_model("loyalty_giftcards", "CodeAttempt")
    for scope, fingerprint in who.scopes():
        CodeAttempt.objects.filter(scope=scope, who=fingerprint, tries__gt=0).update(tries=F("tries") - 1)


def forget_old() -> int:
    """Delete what was counted before the window; return how many rows."""
    window = clock.now() - timedelta(minutes=conf.GIFTCARD_ATTEMPTS_WINDOW)
    return int(get_model("loyalty_giftcards", "CodeAttempt").objects.filter(since__lte=window).delete()[0])
