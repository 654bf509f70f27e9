"""Making sure that it is the member who sits there, before something that cannot be taken back."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.giftcards import guard
from oscar_loyalty.giftcards.exceptions import TooManyTries

#: Who has signed in, or typed the password, within this time is believed.
FRESH = timedelta(minutes=15)
#: The session's name of the moment at which the password was typed.
PROVED = "loyalty_proved"


class PasswordGuard(guard.Guard):
    """Counts wrong passwords apart from wrong gift-card codes."""

    def scopes(self) -> list[tuple[str, str]]:
        return [(f"own-{scope}", who) for scope, who in super().scopes()]


def is_fresh(request: Any) -> bool:
    """Whether it was the member a moment ago: they have signed in, or typed the password, in this session."""
    since = clock.now() - FRESH
    try:
        proved = datetime.fromisoformat(request.session.get(PROVED, ""))
    except ValueError:
        proved = None
    signed_in = request.user.last_login
    return any(at is not None and at > since for at in (proved, signed_in))


def note_proved(request: Any) -> None:
    """Remember that the password was right, so that it is not asked for at the next step again."""
    request.session[PROVED] = clock.now().isoformat()


def problem(request: Any, password: str) -> tuple[str | None, str] | None:
    """Say at which field what is wrong when it may not be the member who sits there; or ``None``.

    Without a password of their own, a member has to have signed in just now. Wrong ones are counted.
    """
    user = request.user
    if not user.has_usable_password():
        if is_fresh(request):
            return None
        return (None, _("Please sign out and in again first, so that we know that it is you."))
    who = PasswordGuard.of_request(request)
    try:
        guard.reserve(who)
    except TooManyTries:
        return ("password", _("Too many tries. Please wait an hour, or ask us."))
    if not user.check_password(password):
        return ("password", _("This is not your password."))
    guard.give_back(who)
    return None
