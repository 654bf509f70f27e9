"""Links that prove an e-mail: who opens one has read the mail it was sent in."""

from typing import Any

from django.core import signing

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.selectors import survivor

SALT = "oscar_loyalty.members.claim"
#: Seconds that a link works.
MAX_AGE = 7 * 24 * 3600


def make(member: Any) -> str:
    """Return the token with which a user can take over ``member``, a membership by e-mail alone."""
    return signing.dumps({"member": member.pk, "email": member.email}, salt=SALT)


def read(token: str, programme: Any) -> Any:
    """Return the member of a token, or ``None`` when it is wrong, too old, another programme's, or was used."""
    found, email = _named(token, programme)
    if found is None or found.user_id is not None or found.merged_into_id is not None:
        return None
    # The mailbox that was proven is still that of the membership.
    return found if found.email == email else None


def is_used_by(user: Any, token: str, programme: Any) -> bool:
    """Whether ``user`` has taken the membership of a token over already."""
    found, _email = _named(token, programme)
    return found is not None and survivor(found).user_id == user.pk


def _named(token: str, programme: Any) -> tuple[Any, str]:
    """Return the member that a token names (or ``None``), and the e-mail that it proves."""
    try:
        data = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except signing.BadSignature:
        return None, ""
    rows = get_model("loyalty_members", "Member").objects.filter(programme=programme, pk=data["member"])
    return rows.select_related("programme", "account").first(), data["email"]
