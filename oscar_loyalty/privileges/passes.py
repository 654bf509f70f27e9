"""Guest passes: a member brings one friend to one thing. Who gives how many, who holds them, who takes them back.

What passes are for is said by a :class:`Subjects` of each kind, which another room may register::

    @kind("page")
    class Pages(Subjects): ...

A pass lets its holder into that one thing and nothing else, until it ends, is taken back, or its giver may not be there
any more: whoever asks (:func:`held`) looks at that himself, since only he knows what his things ask for.
"""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.locking import lock_members
from oscar_loyalty.privileges.exceptions import NoMorePasses, PassRefused

SALT = "oscar_loyalty.privileges.pass"
#: The cookie by which the browser that opened a pass is known again, signed; it says nothing but a random number.
COOKIE = "loyalty_pass"


@dataclass(frozen=True)
class Subject:
    """What passes are given to: how many by each member, and for how many days, at the longest until ``ends_at``.

    ``accounts_only``: it can be used only by somebody who is signed in.
    """

    kind: str
    pk: str
    name: str
    url: str
    per_member: int
    days: int
    ends_at: datetime | None = None
    accounts_only: bool = False


class Subjects:
    """A kind of things that passes are given to."""

    def find(self, pk: str) -> Subject | None:
        """Return the thing as it is now; ``None`` when it is gone, over, or has no passes (any more)."""
        raise NotImplementedError

    def may_bring(self, subject: Subject, member: Any) -> bool:
        """Whether ``member`` may be there by themselves, not as somebody's guest."""
        raise NotImplementedError

    def offered(self, member: Any) -> list[Subject]:
        """Return what ``member`` may bring friends to, in a bounded number of queries."""
        raise NotImplementedError

    def anything(self) -> list[QuerySet[Any]]:
        """Return the rows of which one is enough for friends to be brought to something, by whomever."""
        return []


_kinds: dict[str, Subjects] = {}


def kind(name: str) -> Callable[[type[Subjects]], type[Subjects]]:
    """Register the class of a kind of subjects."""

    def register(cls: type[Subjects]) -> type[Subjects]:
        _kinds[name] = cls()
        return cls

    return register


def _model(name: str) -> Any:
    return get_model("loyalty_privileges", name)


# Reading


def subject_of(row: Any) -> Subject | None:
    """Return what a pass is for, as it is now, or ``None``."""
    handler = _kinds.get(row.kind)
    return handler.find(row.subject) if handler is not None else None


def find(kind: str, pk: str) -> Subject | None:
    handler = _kinds.get(kind)
    return handler.find(pk) if handler is not None else None


def offered(member: Any) -> list[Subject]:
    """Return all that ``member`` may bring friends to."""
    if member is None or member.status != "active" or not member.programme.is_active:
        return []
    return [subject for handler in _kinds.values() for subject in handler.offered(member)]


def anything() -> list[QuerySet[Any]]:
    """Return the rows of which one is enough for passes to be worth a page; they are not asked for here."""
    return [rows for handler in _kinds.values() for rows in handler.anything()]


def of_member(member: Any) -> QuerySet[Any]:
    """Return the passes that ``member`` has given, newest first."""
    return _model("GuestPass").objects.filter(member=member).select_related("user")


def counted(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those that count against the limit: all but what was taken back or ran out before anybody opened it."""
    unused = Q(opened_at__isnull=True) & (Q(taken_back_at__isnull=False) | Q(valid_until__lte=clock.now()))
    return rows.exclude(unused)


def left(subject: Subject, member: Any) -> int:
    """Return how many more friends ``member`` may bring to ``subject``."""
    given = counted(_model("GuestPass").objects.filter(member=member, kind=subject.kind, subject=subject.pk))
    return max(0, subject.per_member - given.count())


def token_of(row: Any) -> str:
    """Return what the link of a pass ends with; it can be made again at any time."""
    return signing.Signer(salt=SALT).sign(row.uuid.hex)


def read(token: str) -> Any:
    """Return the pass of a token, whatever became of it, or ``None`` where it is none of ours."""
    try:
        uuid = signing.Signer(salt=SALT).unsign(token)
    except signing.BadSignature:
        return None
    rows = _model("GuestPass").objects.select_related("member__tier", "member__programme", "user")
    return rows.filter(uuid=uuid).first()


def browser_of(request: Any) -> str:
    """Return the fingerprint of the browser behind ``request``; "" where it never opened a pass."""
    value = getattr(request, "COOKIES", {}).get(COOKIE, "")
    if not value:
        return ""
    try:
        number = signing.Signer(salt=COOKIE).unsign(value)
    except signing.BadSignature:
        return ""
    return fingerprint(number)


def fingerprint(number: str) -> str:
    return salted_hmac(COOKIE, number, algorithm="sha256").hexdigest()


def holds(row: Any, *, user: Any = None, request: Any = None) -> bool:
    """Whether ``row`` belongs to this user, or to this browser."""
    if row.user_id is not None:
        return user is not None and user.is_authenticated and row.user_id == user.pk
    browser = browser_of(request) if request is not None else ""
    return bool(browser) and row.browser == browser


def held(*, kind: str, user: Any = None, request: Any = None, subjects: Collection[str] | None = None) -> list[Any]:
    """Return the passes of a kind that this user or browser holds now, with their givers; at most one query.

    Whether the giver may still be there is for the caller to look at.
    """
    mine = Q()
    if user is not None and user.is_authenticated:
        mine |= Q(user=user.pk)
    browser = browser_of(request) if request is not None else ""
    if browser:
        # Once it is an account's, the browser alone is not enough: it may be a shared one.
        mine |= Q(user__isnull=True, browser=browser)
    if not mine:
        return []
    rows = _model("GuestPass").objects.filter(mine, kind=kind, taken_back_at__isnull=True, opened_at__isnull=False)
    if subjects is not None:
        rows = rows.filter(subject__in=subjects)
    rows = rows.filter(valid_until__gt=clock.now(), member__status="active", member__programme__is_active=True)
    return list(rows.select_related("member__tier", "member__programme"))


def problem(row: Any, subject: Subject | None) -> str:
    """Say why a pass lets nobody in (any more); "" where it does, for its holder."""
    if row.taken_back_at is not None:
        return _("This invitation was taken back.")
    if row.valid_until <= clock.now() or subject is None:
        return _("This invitation has ended.")
    if not _still_gives(row, subject):
        return _("This invitation has ended.")
    return ""


def _still_gives(row: Any, subject: Subject) -> bool:
    member = row.member
    if member.status != "active" or not member.programme.is_active:
        return False
    return _kinds[row.kind].may_bring(subject, member)


# Writing


def _note(row: Any, what: str, actor: Ref) -> None:
    _model("GuestPassEvent").objects.create(
        guest_pass=row, what=what, happened_at=clock.now(), actor_type=actor.type, actor_id=actor.id
    )


@transaction.atomic
def give(*, member: Any, subject: Subject, key: str, friend: str = "", actor: Ref = NOBODY) -> Any:
    """Give a pass to ``subject`` and return it; the same ``key`` again returns the first.

    The member's row is locked: of two at once, only one is the last.

    :raises PassRefused: when the member may not be there, or the subject has no passes any more.
    :raises NoMorePasses: when all have been given.
    """
    giver = lock_members([member.pk])[member.pk]
    before = _model("GuestPass").objects.filter(key=key).first()
    if before is not None:
        if before.member_id != giver.pk:
            raise PassRefused(_("This form was sent for something else."))
        return before
    now = find(subject.kind, subject.pk)
    if now is None:
        raise PassRefused(_("Nobody can be invited to this any more."))
    if giver.status != "active" or not giver.programme.is_active or not _kinds[now.kind].may_bring(now, giver):
        raise PassRefused(_("You can bring friends only to what you may see yourself."))
    if left(now, giver) < 1:
        raise NoMorePasses(_("You have given all your passes to this."))
    moment = clock.now()
    until = moment + timedelta(days=now.days)
    made = _model("GuestPass").objects.create(
        key=key,
        programme=giver.programme,
        member=giver,
        kind=now.kind,
        subject=now.pk,
        subject_name=now.name[:255],
        friend=friend.strip()[:80],
        created_at=moment,
        valid_until=min(until, now.ends_at) if now.ends_at is not None else until,
    )
    _note(made, "given", actor)
    return made


@transaction.atomic
def open_pass(*, row: Any, user: Any = None, browser: str = "") -> Any:
    """Let the first account, or else the first browser, have a pass; opened again by the same, nothing changes.

    One that a browser has opened becomes an account's when that browser comes back signed in.

    :raises PassRefused: when it has ended, is somebody else's, or the giver wants to use it.
    """
    pass_ = _model("GuestPass").objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
    pass_.member = row.member
    subject = subject_of(pass_)
    why = problem(pass_, subject)
    if why:
        raise PassRefused(why)
    known = user is not None and user.is_authenticated
    actor = Ref.of("user", user.pk) if known else NOBODY
    if known and pass_.member.user_id == user.pk:
        raise PassRefused(_("This is your own invitation: send the link to a friend."))
    if subject is not None and subject.accounts_only and not known:
        raise PassRefused(_("Please sign in first: this invitation is used with an account."))
    if not known and not browser:
        raise PassRefused(_("This browser keeps no cookies, so the invitation cannot be kept."))
    if pass_.opened_at is None:
        pass_.opened_at, pass_.user, pass_.browser = clock.now(), user if known else None, browser
        pass_.save(update_fields=["opened_at", "user", "browser"])
        _note(pass_, "opened", actor)
        return pass_
    if pass_.user_id is not None:
        if known and pass_.user_id == user.pk:
            return pass_
    elif browser and pass_.browser == browser:
        if known:
            pass_.user = user
            pass_.save(update_fields=["user"])
            _note(pass_, "account", actor)
        return pass_
    raise PassTaken()


class PassTaken(PassRefused):
    """Somebody else has opened it first."""

    def __init__(self) -> None:
        super().__init__(_("This invitation has been used by somebody else. Ask for one of your own."))


def refused(*, row: Any, user: Any = None) -> None:
    """Note that somebody else has tried to use a pass: its giver may want to know."""
    known = user is not None and user.is_authenticated
    _note(row, "refused", Ref.of("user", user.pk) if known else NOBODY)


@transaction.atomic
def take_back(*, row: Any, actor: Ref = NOBODY) -> Any:
    """End a pass at once; taken back twice, nothing changes. One that nobody has opened may be given again."""
    pass_ = _model("GuestPass").objects.select_for_update(no_key=True).get(pk=row.pk)
    if pass_.taken_back_at is None:
        pass_.taken_back_at = clock.now()
        pass_.save(update_fields=["taken_back_at"])
        _note(pass_, "back", actor)
    return pass_


# The browser


def new_browser() -> str:
    """Return a number by which a browser can be known."""
    return secrets.token_hex(16)


def keep_browser(request: Any, response: Any, number: str, *, until: datetime) -> None:
    """Let the browser keep its number for as long as its newest pass holds, and at least a month."""
    age = max(30 * 24 * 3600, int((until - clock.now()).total_seconds()))
    response.set_cookie(
        COOKIE,
        signing.Signer(salt=COOKIE).sign(number),
        max_age=age,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure() or settings.SESSION_COOKIE_SECURE,
    )


def number_of(request: Any) -> str:
    """Return the number that the browser keeps, or ""."""
    try:
        return signing.Signer(salt=COOKIE).unsign(request.COOKIES.get(COOKIE, ""))
    except signing.BadSignature:
        return ""
