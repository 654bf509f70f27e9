"""Links that prove an e-mail: who opens one has read the mail it was sent in."""

from typing import Any

from django.core import signing

from oscar_loyalty.loading import get_model

SALT = "oscar_loyalty.members.claim"
#: Seconds that a link works.
MAX_AGE = 7 * 24 * 3600


def make(member: Any) -> str:
    """Return the token with which a user can take over ``member``, a membership by e-mail alone."""
    return signing.dumps({"member": member.pk, "email": member.email}, salt=SALT)


def read(token: str, programme: Any) -> Any:
    """Return the member of a token, or ``None`` when it is wrong, too old, another programme's, or was used."""
    try:
        data = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except signing.BadSignature:
        return None
    rows = get_model("loyalty_members", "Member").objects.filter(programme=programme)
    rows = rows.filter(pk=data["member"], email=data["email"])
    return rows.filter(user__isnull=True, merged_into__isnull=True).select_related("programme", "account").first()
