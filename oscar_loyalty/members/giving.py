"""Points given from one member to another: offered, set aside, and moved once they are accepted.

The giver never learns whether an e-mail or a card number belongs to a member: what names nobody waits like any other
gift, and comes back when its time is over.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import NOBODY, InsufficientUnits, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors, sharing
from oscar_loyalty.members.exceptions import SharingRefused
from oscar_loyalty.members.locking import lock_members
from oscar_loyalty.members.services import language_of

#: Kinds of the rows left for whoever tells both, and for the end of what nobody answered.
TELL, END = "members.gift", "members.gift_ends"
#: Gifts of one member that wait for an answer at a time, and gifts within a day: each writes to somebody.
MOST_OPEN, MOST_DAILY = 5, 20


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@transaction.atomic
def save_policy(*, programme: Any, **fields: Any) -> Any:
    """Change the terms for what is given from now on, and return them.

    :raises ValidationError: for terms that cannot be.
    """
    # The first terms saved in two windows at once are one row.
    get_model("loyalty_members", "Programme").objects.select_for_update(no_key=True).get(pk=programme.pk)
    policy = sharing.policy_of(programme)
    for name, value in fields.items():
        setattr(policy, name, value)
    policy.full_clean(exclude=["programme"])
    policy.save()
    return policy


def check(*, source: Any, to: str, units: int) -> Any:
    """Return the terms, or say why :func:`give` would refuse; nothing is written.

    :raises SharingRefused: as :func:`give`.
    """
    target = sharing.whom(to, source.programme)
    if target is not None and target.pk == source.pk:
        raise SharingRefused(_("That is you."), field="to")
    policy = sharing.policy_of(source.programme)
    at_once = sharing.together(source, target)
    _check(source, policy, at_once, units)
    _may_get(target, at_once)
    usable = ledger.usable(source.account)
    if usable < units:
        raise _too_few(source, units - usable)
    return policy


@transaction.atomic
def give(*, source: Any, to: str, units: int, key: str, actor: Ref = NOBODY) -> Any:
    """Offer ``units`` points of ``source`` to whom ``to`` names, an e-mail or a card number; return the transfer.

    The points are set aside until they are accepted, declined or called off, or their time is over: with the last of
    the days of the terms, or on the last day of the first of them. Within a household they move at once. The same
    ``key`` again returns the same transfer.

    :raises SharingRefused: with why, for the giver. It never says whether ``to`` names a member.
    """
    to = to.strip()
    target = sharing.whom(to, source.programme)
    if target is not None and target.pk == source.pk:
        raise SharingRefused(_("That is you."), field="to")
    people = lock_members([source.pk, *([target.pk] if target is not None else [])])
    source, target = people[source.pk], people.get(target.pk) if target is not None else None
    before = _model("Transfer").objects.filter(key=key).first()
    if before is not None:
        return before
    policy = sharing.policy_of(source.programme)
    at_once = sharing.together(source, target)
    _check(source, policy, at_once, units)
    _may_get(target, at_once)
    now = clock.now()
    until = times.end_of_term(now, policy.answer_days)
    try:
        hold = books.hold(
            account=source.account,
            units=units,
            key=f"gift:{key}"[:200],
            until=until,
            within_life=True,
            source=Ref("gift", key[:64]),
        )
    except InsufficientUnits as error:
        raise _too_few(source, error.missing) from error
    try:
        with transaction.atomic():
            row = _model("Transfer").objects.create(
                key=key,
                programme=source.programme,
                source=source,
                target=target,
                # In a household they know each other.
                to=sharing.name_for_others(target) if at_once else to[:254],
                units=units,
                at_once=at_once,
                hold=hold,
                actor_type=actor.type,
                actor_id=actor.id,
                created_at=now,
                until=hold.until,
            )
    except IntegrityError:
        return _model("Transfer").objects.get(key=key)
    if at_once:
        return _move(row, source, target, actor)
    due.leave(kind=END, key=str(row.pk), payload={"transfer": row.pk}, at=row.until)
    _tell(row)
    return row


def _too_few(source: Any, missing: int) -> SharingRefused:
    label = source.programme.points_label(missing)
    return SharingRefused(_("You have too few: %(missing)s are missing.") % {"missing": label}, field="units")


def _may_get(target: Any, at_once: bool) -> None:
    """Within a household one may know; nobody else is told how it stands with somebody."""
    if at_once and target.status != "active":
        raise SharingRefused(_("This membership is on hold or closed and can get no points at the moment."), field="to")


def _check(source: Any, policy: Any, at_once: bool, units: int) -> None:
    programme = source.programme
    label = programme.points_label
    if not policy.is_active:
        raise SharingRefused(_("Points cannot be given at the moment."))
    if not selectors.may_spend(source):
        raise SharingRefused(_("Your membership is on hold, so you can give nothing at the moment. Please ask us."))
    if policy.household_only and not at_once:
        raise SharingRefused(_("Points can be given within your household only."), field="to")
    if units < policy.minimum:
        raise SharingRefused(_("At least %(points)s.") % {"points": label(policy.minimum)}, field="units")
    if policy.maximum is not None and units > policy.maximum:
        raise SharingRefused(_("At most %(points)s at a time.") % {"points": label(policy.maximum)}, field="units")
    now = clock.now()
    for limit, span, text in (
        (policy.per_day, sharing.DAY, _("You can give %(left)s more today.")),
        (policy.per_month, sharing.MONTH, _("You can give %(left)s more these 30 days.")),
    ):
        if limit is not None:
            left = limit - sharing.given_since(source, now - span)
            if units > left:
                raise SharingRefused(text % {"left": label(max(0, left))}, field="units")
    if not at_once and sharing.open_gifts(source=source).count() >= MOST_OPEN:
        text = ngettext(
            "%(number)s gift of yours waits for its answer. Call it off, or wait for it.",
            "%(number)s gifts of yours wait for their answer. Call one off, or wait for one.",
            MOST_OPEN,
        )
        raise SharingRefused(text % {"number": MOST_OPEN})
    if _model("Transfer").objects.filter(source=source, created_at__gt=now - sharing.DAY).count() >= MOST_DAILY:
        raise SharingRefused(_("That is enough for one day. Please go on tomorrow."))


@transaction.atomic
def accept(*, transfer: Any, member: Any, actor: Ref = NOBODY) -> Any:
    """Let ``member``, to whom they were offered, have the points; return the transfer. Pressed twice, they come once.

    :raises SharingRefused: when the gift is not there any more, or one of both is on hold.
    """
    people = lock_members([transfer.source_id, member.pk])
    row = _locked(transfer)
    if row.target_id != member.pk:
        raise SharingRefused(_("This gift is for somebody else."))
    if row.state == "done":
        return row
    if not row.is_open:
        raise SharingRefused(_("This gift is not there any more."))
    source, target = people[row.source_id], people[member.pk]
    if target.status != "active" or not target.programme.is_active:
        raise SharingRefused(_("Your membership is on hold, so no points can come to it. Please ask us."))
    if source.status != "active":
        raise SharingRefused(_("This gift cannot be accepted at the moment. Please ask us."))
    return _move(row, source, target, actor)


def _move(row: Any, source: Any, target: Any, actor: Ref) -> Any:
    out, into = books.hand_over(
        hold=row.hold,
        target=target.account,
        key=f"gift:{row.pk}",
        explanation={"why": "given", "transfer": row.pk},
        actor=actor,
        notes=(
            # In the language of whoever reads it, as far as it is known.
            _note_of_giver(row, source),
            _note_for(target, source),
        ),
    )
    row.entry_out, row.entry_in = out, into
    return _close(row, "done")


def _note_of_giver(row: Any, source: Any) -> str:
    with language_of(source):
        return _("To %(name)s") % {"name": row.whom}


def _note_for(target: Any, source: Any) -> str:
    with language_of(target):
        return _("From %(name)s") % {"name": sharing.name_for_others(source)}


@transaction.atomic
def decline(*, transfer: Any, member: Any, actor: Ref = NOBODY) -> Any:
    """Say no for ``member``: the points are the giver's again. Return the transfer.

    :raises SharingRefused: when it was accepted before, or is for somebody else.
    """
    lock_members([transfer.source_id, member.pk])
    row = _locked(transfer)
    if row.target_id != member.pk:
        raise SharingRefused(_("This gift is for somebody else."))
    return _give_back(row, "declined", actor)


@transaction.atomic
def call_off(*, transfer: Any, member: Any = None, actor: Ref = NOBODY, reason: str = "") -> Any:
    """Take back what nobody has accepted yet: by its giver, ``member``, or by the shop. Return the transfer.

    :raises SharingRefused: when it was accepted before, or is somebody else's.
    """
    row = _lock_of_giver(transfer)
    if member is not None and row.source_id != member.pk:
        raise SharingRefused(_("This gift is somebody else's."))
    row.reason = reason[:255]
    return _give_back(row, "cancelled", actor)


def _give_back(row: Any, state: str, actor: Ref) -> Any:
    if row.state == "done":
        raise SharingRefused(_("These points have been accepted already."))
    if row.state != "open":
        return row
    books.release(hold=row.hold)
    if actor != NOBODY:
        row.actor_type, row.actor_id = actor.type, actor.id
    return _close(row, state)


def _close(row: Any, state: str) -> Any:
    row.state, row.closed_at = state, clock.now()
    row.save()
    _tell(row)
    return row


def _tell(row: Any) -> None:
    due.leave(kind=TELL, key=f"{row.pk}:{row.state}", payload={"transfer": row.pk, "state": row.state})


@handler(END)
def end_due(row: Any) -> None:
    """Give back what nobody has answered in time."""
    transfer = _model("Transfer").objects.filter(pk=row.payload["transfer"]).first()
    if transfer is not None:
        expire(transfer=transfer)


@transaction.atomic
def expire(*, transfer: Any) -> Any:
    """End a gift whose time is over; return it. Before that, and again, nothing changes."""
    row = _lock_of_giver(transfer)
    if row.state != "open" or row.until > clock.now():
        return row
    return _give_back(row, "expired", NOBODY)


def _lock_of_giver(transfer: Any) -> Any:
    lock_members([transfer.source_id])
    return _locked(transfer)


def _locked(transfer: Any) -> Any:
    rows = _model("Transfer").objects.select_for_update(of=("self",))
    return rows.select_related("programme", "hold").get(pk=transfer.pk)
