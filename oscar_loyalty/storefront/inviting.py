"""How an invitation gets from a link to the moment of joining, and what a device is known by."""

import secrets
from typing import Any

from django.core import signing
from django.utils.module_loading import import_string

from oscar_loyalty.defaults import conf
from oscar_loyalty.earning.referrals import selectors, services
from oscar_loyalty.members import selectors as members

#: Cookies, signed, only with the visitor's consent; and the session's name for an invitation without it.
INVITATION, DEVICE = "loyalty_invitation", "loyalty_device"
SALT = "oscar_loyalty.invitation"
DAY = 24 * 3600


def consents(request: Any, purpose: str) -> bool:
    """Whether the visitor agreed to a cookie for ``purpose``: only where the shop's consent tool says so."""
    return bool(conf.CONSENT and import_string(conf.CONSENT)(request, purpose))


def remember(request: Any, response: Any, code: str) -> None:
    """Keep an invitation: in a cookie for some weeks with consent, else in the session, signed, until it ends."""
    value = signing.dumps(code, salt=SALT)
    request.session[INVITATION] = value
    if consents(request, "invitation"):
        _set(response, request, INVITATION, value, conf.REFERRAL_DAYS * DAY)
    see_device(request, response)


def code_of(request: Any) -> str:
    """Return the code that the visitor came with; "" without one, or with one that is too old."""
    for value in (request.session.get(INVITATION), request.COOKIES.get(INVITATION)):
        if value:
            try:
                return str(signing.loads(value, salt=SALT, max_age=conf.REFERRAL_DAYS * DAY))
            except signing.BadSignature:
                continue
    return ""


def see_device(request: Any, response: Any) -> None:
    """Give this device a random number, with consent, and keep for a member that it was seen."""
    if not consents(request, "device"):
        return
    number = _number(request)
    if not number:
        number = secrets.token_hex(16)
        if response is not None:
            _set(response, request, DEVICE, signing.dumps(number, salt=DEVICE), conf.REFERRAL_KEEP_DAYS * DAY)
    member = members.member_of_request(request)
    if member is not None:
        services.see_device(member=member, number=number)


def accept(request: Any, member: Any, typed: str = "") -> Any:
    """Note who brought ``member``: by a code that was typed, else by the link; return the referral or ``None``."""
    code = selectors.clean_code(typed) or code_of(request)
    if not code:
        return None
    number = _number(request)
    if number and consents(request, "device"):
        services.see_device(member=member, number=number)
    referral = services.accept(code=code, friend=member)
    if referral is not None:
        request.session.pop(INVITATION, None)
    return referral


def _number(request: Any) -> str:
    try:
        return str(signing.loads(request.COOKIES.get(DEVICE, ""), salt=DEVICE))
    except signing.BadSignature:
        return ""


def _set(response: Any, request: Any, name: str, value: str, age: int) -> None:
    response.set_cookie(name, value, max_age=age, httponly=True, samesite="Lax", secure=request.is_secure())
