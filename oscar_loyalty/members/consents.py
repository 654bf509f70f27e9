"""What members agree to, kind by kind, with when and where: asked, given, withdrawn.

A room registers what it asks for::

    register(Kind("leaderboard", _("Show me on the leaderboard"), _("By your first name and the first letter …")))

and asks :func:`allows` whenever it would use it, so that what is withdrawn ends at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models import Max, QuerySet

from oscar_loyalty import clock
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import signals
from oscar_loyalty.members.locking import lock_members

SALT = "oscar_loyalty.consent"


@dataclass(frozen=True)
class Kind:
    """Something to agree to. ``help`` says what it means, in the member's words.

    ``default`` holds until a member says something: what comes with the membership is on, whatever is more is off. It
    may be a function of the member. ``changed`` is called with the member, locked, and the new answer, in the same
    transaction. ``page`` names the page of the member's area on which something has to be told for it: it is given
    there, and withdrawn anywhere.
    """

    code: str
    title: Any
    help: Any
    default: bool | Callable[[Any], bool] = False
    changed: Callable[[Any, bool], object] | None = None
    page: str = ""


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Add a kind to those on the member's page; the same code again replaces it."""
    _kinds[kind.code] = kind
    return kind


def kinds() -> list[Kind]:
    """Return all kinds in the order in which they were registered."""
    return list(_kinds.values())


@dataclass(frozen=True)
class Standing:
    """What a member's answer to ``kind`` is, and since when; ``at`` is ``None`` where they were never asked."""

    kind: Kind
    given: bool
    at: datetime | None
    source: str


def _rows(member: Any) -> QuerySet[Any]:
    return get_model("loyalty_members", "Consent").objects.filter(member=member)


def _default(kind: Kind, member: Any) -> bool:
    return kind.default(member) if callable(kind.default) else kind.default


def standings(member: Any) -> list[Standing]:
    """Return the member's answers to all kinds, in one query."""
    newest = _rows(member).order_by().values("kind").annotate(last=Max("pk")).values("last")
    rows = {row.kind: row for row in get_model("loyalty_members", "Consent").objects.filter(pk__in=newest)}
    found = []
    for kind in kinds():
        row = rows.get(kind.code)
        given = row.given if row is not None else _default(kind, member)
        found.append(Standing(kind, given, row.happened_at if row else None, row.source if row else ""))
    return found


def history(member: Any) -> QuerySet[Any]:
    """Return every answer that the member gave, newest first."""
    return _rows(member).filter(kind__in=list(_kinds)).order_by("-pk")


def allows(member: Any, kind: str) -> bool:
    """Return whether ``member`` agrees to ``kind`` now; nobody whose membership is closed does. One query.

    :raises LookupError: for a kind that nobody has registered.
    """
    if kind not in _kinds:
        raise LookupError(kind)
    if member.status == "closed":
        return False
    row = _rows(member).filter(kind=kind).order_by("-pk").first()
    return bool(row.given if row is not None else _default(_kinds[kind], member))


def withdrew(member: Any, kind: str) -> bool:
    """Return whether ``member`` has said no to ``kind``, as opposed to nothing at all. One query."""
    last = _rows(member).filter(kind=kind).order_by("-pk").first()
    return last is not None and not last.given


@transaction.atomic
def answer(
    *,
    member: Any,
    given: Mapping[str, bool],
    source: str,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> list[Any]:
    """Write down what ``member`` agrees to (``given``: by kind) and return the rows of what has changed.

    ``source`` says where, such as ``"account"`` or ``"mail"``. Whoever relies on a consent hears of it in the same
    transaction, and :data:`oscar_loyalty.members.signals.consent_changed` is sent after it. The same again: nothing.

    :raises LookupError: for a kind that nobody has registered.
    """
    if unknown := set(given) - set(_kinds):
        raise LookupError(", ".join(sorted(unknown)))
    Consent = get_model("loyalty_members", "Consent")
    row = lock_members([member.pk])[member.pk]
    now = {standing.kind.code: standing for standing in standings(row)}
    written = []
    for code, wanted in given.items():
        if now[code].given == wanted:
            continue
        written.append(
            Consent.objects.create(
                member=row,
                kind=code,
                given=wanted,
                source=source[:32],
                actor_type=actor.type,
                actor_id=actor.id,
                happened_at=happened_at or clock.now(),
            )
        )
        if (changed := _kinds[code].changed) is not None:
            changed(row, wanted)
    for consent in written:
        transaction.on_commit(
            lambda consent=consent: signals.consent_changed.send_robust(
                sender=Consent, member=row, kind=consent.kind, given=consent.given
            ),
            robust=True,
        )
    return written


def token(member: Any, kind: str) -> str:
    """Return the end of the address at which a mail lets ``member`` withdraw ``kind`` without signing in."""
    return signing.dumps([member.pk, kind], salt=SALT)


def read_token(token: str) -> tuple[Any, Kind] | None:
    """Return the member and the kind of a token; ``None`` for one that is wrong. It works as long as the mail is kept.

    A membership that was joined with another answers for that one.
    """
    try:
        pk, code = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    members = get_model("loyalty_members", "Member").objects.select_related("programme__site")
    member = members.filter(pk=pk).first()
    while member is not None and member.merged_into_id is not None:
        member = members.filter(pk=member.merged_into_id).first()
    return (member, _kinds[code]) if member is not None and code in _kinds else None
