"""All writes of programmes, tiers and members."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from stdnum import luhn

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.fields import localized
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import benefits, selectors, signals
from oscar_loyalty.members.exceptions import AlreadyMember, ProgrammeClosed
from oscar_loyalty.members.groups import Belonging, rebuild_groups, set_groups
from oscar_loyalty.members.locking import lock_members
from oscar_loyalty.members.sites import default_site
from oscar_loyalty.members.statuses import set_status
from oscar_loyalty.members.terms import note_tier

#: The tiers a new programme starts with: code, name, colour.
FIRST_TIERS = [("bronze", _("Bronze"), "#8c5a2b"), ("silver", _("Silver"), "#5f6b76"), ("gold", _("Gold"), "#8a6a00")]


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@transaction.atomic
def create_programme(*, site: Any = None, name: str, tiers: bool = True, **fields: Any) -> Any:
    """Make the programme of ``site`` (default: the default one), with three tiers to start from."""
    Programme = _model("Programme")
    site = site or default_site()
    fields.setdefault("currency", getattr(settings, "OSCAR_DEFAULT_CURRENCY", "EUR"))
    fields.setdefault("points_name_one", localized(_("point")))
    fields.setdefault("points_name_many", localized(_("points")))
    fields.setdefault("started_at", clock.now())
    programme = Programme(site=site, name=name, **fields)
    programme.full_clean(exclude=["site"])
    programme.save()
    if tiers:
        for rank, (code, label, colour) in enumerate(FIRST_TIERS, start=1):
            save_tier(programme=programme, code=code, name=localized(label), rank=rank, colour=colour)
    return programme


@transaction.atomic
def save_programme(*, programme: Any, actor: Ref = NOBODY, **fields: Any) -> Any:
    """Change the programme's settings. What was earned before keeps the terms it was earned under."""
    for name, value in fields.items():
        setattr(programme, name, value)
    programme.full_clean(exclude=["site"])
    programme.save()
    return programme


@transaction.atomic
def save_tier(*, programme: Any, code: str, name: Any, rank: int, **fields: Any) -> Any:
    """Make or change a tier, with the group of its members and what it brings in the basket."""
    Tier = _model("Tier")
    tier = Tier.objects.filter(programme=programme, code=code).first()
    if tier is None:
        tier = Tier(programme=programme, code=code)
        tier.group = _tier_group(programme, code)
    moved = tier.pk is not None and tier.rank != rank
    tier.name, tier.rank = name, rank
    for field, value in fields.items():
        setattr(tier, field, value)
    tier.full_clean(exclude=["programme"])
    tier.save()
    if moved or fields.pop("rebuild", False):
        rebuild_groups(programme)
    benefits.sync(tier=tier)
    return tier


def _tier_group(programme: Any, code: str) -> Group:
    name = f"Loyalty {programme.pk}: {code}"[:150]
    return Group.objects.get_or_create(name=name)[0]


@transaction.atomic
def join(
    *,
    programme: Any,
    user: Any = None,
    email: str = "",
    first_name: str = "",
    last_name: str = "",
    source: str = "",
    language: str = "",
    happened_at: datetime | None = None,
) -> Any:
    """Make ``user``, or whoever has ``email``, a member and return the membership; joining again returns the same.

    A user whose e-mail joined before without an account takes that membership over, once the e-mail is known to be
    theirs: see :func:`attach_user`.

    :raises ProgrammeClosed: while the programme is not open.
    :raises ValueError: with neither a user nor an e-mail.
    """
    if not programme.is_active:
        raise ProgrammeClosed(programme.name)
    if user is not None and not user.pk:
        raise ValueError("An anonymous user cannot join.")
    if user is None and not email:
        raise ValueError("Somebody who joins has an account or an e-mail.")
    before = selectors.member_for(user, programme) if user else selectors.by_email(email, programme)
    if before is not None:
        return before
    at = happened_at or clock.now()
    fields = {
        "programme": programme,
        "user": user,
        "email": (user.email if user else email).strip().lower(),
        "first_name": user.first_name if user else first_name,
        "last_name": user.last_name if user else last_name,
        "language": language or get_language() or settings.LANGUAGE_CODE,
        "source": source,
        "joined_at": at,
        "tier": selectors.tiers(programme).first(),
    }
    try:
        with transaction.atomic():
            member = _create_member(fields)
    except IntegrityError:
        # Somebody else was faster: two clicks, two windows.
        found = selectors.member_for(user, programme) if user else selectors.by_email(email, programme)
        if found is None:
            raise
        return found
    set_groups(member)
    due.leave(kind="members.joined", key=str(member.pk), payload={"member": member.pk})
    transaction.on_commit(
        lambda: signals.member_joined.send_robust(sender=type(member), member=member, user=user), robust=True
    )
    return member


def _create_member(fields: dict[str, Any]) -> Any:
    Member = _model("Member")
    number = _free_number()
    account = books.open_account(unit=fields["programme"].unit, owner=Ref("member", number))
    return Member.objects.create(number=number, account=account, **fields)


def _free_number() -> str:
    while True:
        body = "".join(str(secrets.randbelow(10)) for _digit in range(11))
        number = body + luhn.calc_check_digit(body)
        if not _model("Member").objects.filter(number=number).exists():
            return number


@transaction.atomic
def join_many(
    *,
    programme: Any,
    people: Iterable[tuple[Any, datetime]],
    source: str,
    languages: Mapping[int, str] | None = None,
) -> list[Any]:
    """Make many users members, each as of a moment, with bulk writes and without a welcome mail; return all of them.

    For imports. Who is a member already stays as they are. ``languages`` are by the users' primary keys.
    """
    Member, Account = _model("Member"), get_model("loyalty_ledger", "Account")
    wanted = {user.pk: (user, at) for user, at in people}
    before = list(Member.objects.filter(programme=programme, user__in=list(wanted)).select_related("account"))
    for member in before:
        del wanted[member.user_id]
    tier = selectors.tiers(programme).first()
    numbers = _free_numbers(len(wanted))
    accounts = Account.objects.bulk_create(
        [
            Account(unit=programme.unit, owner_type="member", owner_id=number, opened_at=at)
            for number, (_user, at) in zip(numbers, wanted.values(), strict=True)
        ],
        batch_size=500,
    )
    members = Member.objects.bulk_create(
        [
            Member(
                programme=programme,
                user=user,
                number=number,
                account=account,
                email=(user.email or "").lower(),
                first_name=user.first_name,
                last_name=user.last_name,
                language=(languages or {}).get(user.pk) or settings.LANGUAGE_CODE,
                source=source,
                joined_at=at,
                tier=tier,
            )
            for number, account, (user, at) in zip(numbers, accounts, wanted.values(), strict=True)
        ],
        batch_size=500,
    )
    if tier is not None and members:
        # The lowest tier's group only: nobody begins higher.
        Belonging().put((pk, tier.group_id) for pk in wanted)
    return [*before, *members]


def _free_numbers(how_many: int) -> list[str]:
    found: set[str] = set()
    while len(found) < how_many:
        bodies = ("".join(str(secrets.randbelow(10)) for _digit in range(11)) for _n in range(how_many - len(found)))
        numbers = {body + luhn.calc_check_digit(body) for body in bodies}
        found |= numbers
        taken = list(found)
        for start in range(0, len(taken), 500):
            used = _model("Member").objects.filter(number__in=taken[start : start + 500])
            found -= set(used.values_list("number", flat=True))
    return list(found)


def enrol_users(
    *, programme: Any, users: Iterable[Any], source: str = "bulk", progress: Callable[[int], None] | None = None
) -> int:
    """Make many users members; return how many are new. Staff-made and existing members are left alone."""
    made = 0
    for user in users:
        if not user.is_active or user.get_username() == getattr(settings, "ANONYMOUS_USER_NAME", "AnonymousUser"):
            continue
        had = _model("Member").objects.filter(programme=programme, user=user).exists()
        if not had:
            join(programme=programme, user=user, source=source, happened_at=user.date_joined)
            made += 1
        if progress is not None:
            progress(1)
    return made


@transaction.atomic
def attach_user(*, member: Any, user: Any) -> Any:
    """Give a membership that had only an e-mail to ``user``, who has proved that the e-mail is theirs.

    If the user is a member already, all of it moves to that membership. Return the membership that goes on.

    :raises AlreadyMember: when another user has this membership.
    :raises CannotMerge: when the user is a member already, and the two cannot be joined now; it says why.
    """
    own = selectors.member_for(user, member.programme)
    if own is not None and own.pk != member.pk:
        from oscar_loyalty.members.merging import take_over

        return take_over(source=member, target=own)
    member = lock_members([member.pk])[member.pk]
    if member.user_id == user.pk:
        return member
    if member.user_id is not None or member.merged_into_id is not None:
        raise AlreadyMember(member.number)
    member.user = user
    member.first_name = member.first_name or user.first_name
    member.last_name = member.last_name or user.last_name
    member.save(update_fields=["user", "first_name", "last_name"])
    set_groups(member)
    return member


@transaction.atomic
def set_tier(
    *,
    member: Any,
    tier: Any,
    key: str,
    actor: Ref = NOBODY,
    reason: str = "",
    cause: str = "",
    happened_at: datetime | None = None,
) -> Any:
    """Move ``member`` to ``tier``, with the groups, and return the recorded change (``None`` if nothing changes).

    ``cause`` is one of ``TierChange.CAUSES``, or nothing. After a merge the term has followed by itself; any other move
    begins it anew.

    :raises ValueError: when the tier belongs to another programme.
    """
    Member, TierChange = _model("Member"), _model("TierChange")
    if tier is not None and tier.programme_id != member.programme_id:
        raise ValueError("The tier belongs to another programme.")
    done = TierChange.objects.filter(key=key).first()
    if done is not None:
        return done
    row = lock_members([member.pk])[member.pk]
    before = row.tier
    if before == tier:
        return None
    row.tier = tier
    row.save(update_fields=["tier"])
    member.tier = tier
    change = TierChange.objects.create(
        member=row,
        key=key,
        before=before,
        after=tier,
        cause=cause,
        reason=reason,
        actor_type=actor.type,
        actor_id=actor.id,
        happened_at=happened_at or clock.now(),
    )
    if cause != TierChange.MERGED:
        note_tier(member=row, before=before, tier=tier)
    set_groups(row)
    due.leave(kind="members.tier_changed", key=str(change.pk), payload={"change": change.pk})
    transaction.on_commit(
        lambda: signals.tier_changed.send_robust(sender=Member, member=row, before=before, after=tier), robust=True
    )
    return change


def update_details(*, member: Any, **fields: Any) -> Any:
    """Keep name, e-mail and language of a membership in step with the user's."""
    changed = [name for name, value in fields.items() if getattr(member, name) != value]
    for name in changed:
        setattr(member, name, fields[name])
    if changed:
        member.save(update_fields=changed)
    return member


@transaction.atomic
def let_go_of_user(*, member: Any) -> Any:
    """Let a membership go on without its user, by e-mail alone; without that as well, where another has it already."""
    row = lock_members([member.pk])[member.pk]
    taken = bool(row.email) and selectors.by_email(row.email, row.programme) is not None
    # Not left to the key's SET_NULL, which comes later: of two that are deleted together, one has the e-mail.
    return update_details(member=row, user=None, **({"email": ""} if taken else {}))


def language_of(member: Any) -> Any:
    """Return a context in which texts are in the member's language."""
    return override(member.language or settings.LANGUAGE_CODE)


#: What a point is worth in the programme's currency.
def point_value(programme: Any) -> Decimal:
    return Decimal(programme.redemption_amount) / Decimal(programme.redemption_points)


__all__ = [
    "attach_user",
    "create_programme",
    "enrol_users",
    "join",
    "join_many",
    "language_of",
    "let_go_of_user",
    "point_value",
    "save_programme",
    "save_tier",
    "set_status",
    "set_tier",
    "update_details",
]
