"""Who is typing gift-card codes, and whether they have guessed too often.

Counted are the account, the session, the address, and the code itself, so that one card is not tried from a thousand
places.
"""

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
            # Behind a socket there may be none: then all who have none share their tries.
            address=address_of(request) or "unknown",
        )

    def scopes(self) -> list[tuple[str, str]]:
        """Return what is counted, as (scope, fingerprint), always in the same order so that nobody deadlocks."""
        known = [("address", _network(self.address)), ("session", self.session_key), ("user", self.user_id)]
        found = [(scope, _fingerprint(scope, str(value))) for scope, value in known if value]
        if not found:
            raise ValueError("A guard needs an account, a session or an address.")
        return found


def address_of(request: Any) -> str:
    """Return the client's address: the one that the outermost of the shop's own proxies saw.

    Where the header is missing, too short or holds no address there, it is the address that the connection comes
    from, the proxy's own: all such requests then share their tries, so a wrong setting keeps people out rather than
    letting a guesser in.
    """
    remote = str(request.META.get("REMOTE_ADDR", ""))
    trusted = conf.TRUSTED_PROXIES
    if trusted <= 0:
        return remote
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if len(seen) < trusted:
        return remote
    address = _without_port(seen[-trusted])
    return remote if _parsed(address) is None else address


def _without_port(address: str) -> str:
    """Some proxies add the port, which is another one for each connection: "192.0.2.1:4711", "[2001:db8::1]:4711"."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _parsed(address: str) -> Any:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    # The same household, whichever way a proxy writes it.
    return getattr(ip, "ipv4_mapped", None) or ip


def _network(address: str) -> str:
    """A household has a whole /64 of version 6: all its addresses count as one."""
    ip = _parsed(address)
    if ip is None:
        return address
    return str(ipaddress.ip_network((int(ip), 64), strict=False)) if ip.version == 6 else str(ip)


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


def reserve_code(lookup: str, *, known: bool) -> bool:
    """Count one try for a code itself, from wherever it comes, and return whether it has any left.

    ``known``: some card has it, or had it before it got another. Codes that no card ever had share a few rows that
    only keep the work alike, so that no number of guesses fills the table; these always have tries left.
    """
    CodeAttempt = get_model("loyalty_giftcards", "CodeAttempt")
    now, who = clock.now(), _code_row(lookup, known=known)
    rows = CodeAttempt.objects.filter(scope="card", who=who)
    # Three statements each time, whether the row was there or not.
    CodeAttempt.objects.bulk_create([CodeAttempt(scope="card", who=who, since=now)], ignore_conflicts=True)
    rows.filter(since__lte=now - timedelta(minutes=conf.GIFTCARD_ATTEMPTS_WINDOW)).update(tries=0, since=now)
    limit = conf.GIFTCARD_ATTEMPTS if known else 2**30
    return bool(rows.filter(tries__lt=limit).update(tries=F("tries") + 1))


def give_back_code(lookup: str) -> None:
    """The code was right: take its counted try back."""
    rows = get_model("loyalty_giftcards", "CodeAttempt").objects.filter(scope="card", tries__gt=0)
    rows.filter(who=_code_row(lookup, known=True)).update(tries=F("tries") - 1)


def _code_row(lookup: str, *, known: bool) -> str:
    return _fingerprint("card" if known else "unknown", lookup if known else lookup[:2].ljust(len(lookup), "0"))


def forget_old() -> int:
    """Delete what was counted before the window; return how many rows."""
    window = clock.now() - timedelta(minutes=conf.GIFTCARD_ATTEMPTS_WINDOW)
    return int(get_model("loyalty_giftcards", "CodeAttempt").objects.filter(since__lte=window).delete()[0])
