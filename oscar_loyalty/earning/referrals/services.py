"""All writes of referrals: terms, codes, who came by whom, what both get and give back."""

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import gifts, prizes
from oscar_loyalty.earning.exceptions import NotAllowed
from oscar_loyalty.earning.referrals import guards, selectors
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.locking import lock_heirs
from oscar_loyalty.members.selectors import is_own

#: Without letters and digits that look like others.
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
GIVE, GIVEN = "earning.referral_give", "earning.referral_given"
SIDES = selectors.SIDES


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


@transaction.atomic
def save_scheme(*, programme: Any, **fields: Any) -> Any:
    """Change the terms for friends who join from now on, and return them.

    :raises ValidationError: for terms that cannot be.
    """
    scheme = selectors.scheme_of(programme)
    for name, value in fields.items():
        setattr(scheme, name, value)
    _check_rewards(scheme)
    scheme.full_clean(exclude=["programme"])
    scheme.save()
    return scheme


def _check_rewards(scheme: Any) -> None:
    chosen = {side: getattr(scheme, f"{side}_reward") for side in SIDES}
    known = prizes.rewards_of(scheme.programme) if any(chosen.values()) else {}
    for side, reward in chosen.items():
        if reward and getattr(scheme, f"{side}_points"):
            raise ValidationError({f"{side}_points": _("Points, or a reward?")})
        if reward and reward not in known:
            raise ValidationError({f"{side}_reward": _("There is no such reward.")})


def invitation_of(*, member: Any) -> Any:
    """Return the member's invitation, made when it is first asked for."""
    Invitation = _model("Invitation")
    found = Invitation.objects.filter(member=member).first()
    while found is None:
        code = "".join(secrets.choice(LETTERS) for _letter in range(8))
        try:
            with transaction.atomic():
                found = Invitation.objects.create(member=member, code=code, created_at=clock.now())
        except IntegrityError:
            # The code is taken, or another window of the member was faster.
            found = Invitation.objects.filter(member=member).first()
    return found


@transaction.atomic
def accept(*, code: str, friend: Any) -> Any:
    """Note that ``friend`` came by the member with ``code``, and return the referral; ``None``: it counts for nothing.

    A friend has one referral for life: whoever has one keeps it. What the guards say against it is kept with it, and
    the shop decides. Oneself is turned away without a trace.
    """
    invitation = selectors.invitation(code, friend.programme)
    if invitation is None or not selectors.may_be_invited(friend):
        return None
    scheme, referrer = selectors.scheme_of(friend.programme), invitation.member
    if not scheme.is_active or not referrer.can_earn or referrer.pk == friend.pk:
        return None
    both = lock_heirs([referrer.pk, friend.pk])
    referrer, friend = both[referrer.pk], both[friend.pk]
    if not referrer.can_earn or referrer.pk == friend.pk:
        return None
    Referral = _model("Referral")
    before = Referral.objects.filter(friend=friend).first()
    if before is not None:
        return before
    reasons = guards.on_joining(referrer=referrer, friend=friend, scheme=scheme)
    now = clock.now()
    return Referral.objects.create(
        programme=friend.programme,
        referrer=referrer,
        friend=friend,
        code=invitation.code,
        state="refused" if reasons else "joined",
        reasons=reasons,
        refused_at=now if reasons else None,
        terms=selectors.terms(scheme),
        created_at=now,
    )


@transaction.atomic
def settle(*, referral: Any) -> Any:
    """Bring a referral in line with the friend's orders as they stand now, and return it. Safe to run again.

    An order that stands gets its place and a due row; one that was cancelled or refunded leaves it, and what it had
    brought is taken back from both.
    """
    row = _locked(referral)
    rewards = list(row.rewards.select_related("source", "referrer_award__member", "friend_award__member"))
    for reward in rewards:
        if reward.state in ("waiting", "given") and not selectors.counts(reward.source, row):
            _lose(row, reward)
    limit = int(row.terms.get("orders", 1))
    known = {reward.source_id for reward in rewards}
    taken = {reward.number for reward in rewards if reward.state in ("waiting", "given")}
    for award in selectors.orders_of(row) if len(taken) < limit else ():
        if award.pk in known or not selectors.counts(award, row):
            continue
        number = next(number for number in range(1, limit + 1) if number not in taken)
        due_at = award.usable_from or award.happened_at
        reward = _model("ReferralReward").objects.create(referral=row, source=award, number=number, due_at=due_at)
        due.again(kind=GIVE, key=str(reward.pk), payload={"reward": reward.pk}, at=due_at)
        taken.add(number)
        if len(taken) == limit:
            break
    _note_state(row)
    return row


@transaction.atomic
def give(*, reward: Any) -> Any:
    """Give both what they were promised, if the order still stands and no guard objects; return the reward's row."""
    referral = _locked(reward.referral)
    row = _model("ReferralReward").objects.select_related("source").get(pk=reward.pk)
    if row.state != "waiting" or row.due_at > clock.now():
        return row
    if not selectors.counts(row.source, referral):
        settle(referral=referral)
        row.refresh_from_db()
        return row
    if not referral.allowed:
        found = guards.traces(referrer=referral.referrer, friend=referral.friend)
        if found or referral.state == "refused":
            _refuse(referral, [*referral.reasons, *found])
            return row
    lock_heirs([referral.referrer_id, referral.friend_id], accounts=True)
    for side in SIDES:
        _give_to(referral, row, side)
    row.state, row.given_at = "given", clock.now()
    row.save()
    _note_state(referral)
    due.leave(kind=GIVEN, key=str(row.pk), payload={"reward": row.pk})
    return row


def _give_to(referral: Any, row: Any, side: str) -> None:
    """Give one of both what was promised, and note it in ``row``; who is on hold gets nothing."""
    member, why = getattr(referral, side), "referral" if side == "referrer" else "referred"
    if not member.can_earn or not referral.programme.is_active:
        return
    prize, points = referral.promised_reward(side), referral.promised(side)
    if prize:
        setattr(row, f"{side}_prize", prize)
        prizes.leave_reward(reward=prize, member=member, reference=row.reference(side), why=why)
    elif points:
        award = gifts.give_points(
            member=member, points=points, reference=row.reference(side), why=why, source=Ref.of(why, row.pk)
        )
        setattr(row, f"{side}_award", award)


def _lose(referral: Any, reward: Any) -> None:
    """Take back what ``reward`` gave, or let go what it was about to give."""
    given = reward.state == "given"
    reward.state, reward.back_at = "back" if given else "lost", clock.now()
    reward.save(update_fields=["state", "back_at"])
    if not given:
        return
    lock_heirs([referral.referrer_id, referral.friend_id], accounts=True)
    for side in SIDES:
        award, prize = getattr(reward, f"{side}_award"), getattr(reward, f"{side}_prize")
        if award is not None:
            gifts.take_points(award=award)
        if prize is not None:
            prizes.leave_taking(reward=prize, member=getattr(referral, side), reference=reward.reference(side))


def _refuse(referral: Any, reasons: list[str]) -> None:
    referral.state, referral.reasons = "refused", list(dict.fromkeys(reasons))
    referral.refused_at = referral.refused_at or clock.now()
    referral.save(update_fields=["state", "reasons", "refused_at"])


@transaction.atomic
def allow(*, referral: Any, user: Any) -> Any:
    """Let a refused referral count all the same; what has waited for it is given. Pressed twice, it is done once.

    :raises NotAllowed: without the permission to approve points, or for one's own membership.
    """
    _may(referral, user)
    row = _locked(referral)
    if row.allowed or row.state != "refused":
        return row
    row.allowed, row.state, row.decided_at, row.decided_by = True, "joined", clock.now(), user
    row.save(update_fields=["allowed", "state", "decided_at", "decided_by"])
    row = settle(referral=row)
    for reward in row.rewards.filter(state="waiting"):
        due.again(kind=GIVE, key=str(reward.pk), payload={"reward": reward.pk}, at=max(reward.due_at, clock.now()))
    return row


@transaction.atomic
def refuse(*, referral: Any, user: Any) -> Any:
    """Refuse a referral by hand as long as it has brought nothing.

    :raises NotAllowed: as :func:`allow`.
    """
    _may(referral, user)
    row = _locked(referral)
    if row.state in ("joined", "ordered"):
        row.allowed, row.decided_at, row.decided_by = False, clock.now(), user
        row.save(update_fields=["allowed", "decided_at", "decided_by"])
        _refuse(row, row.reasons)
    return row


@transaction.atomic
def refuse_for(*, referral: Any, reason: str) -> Any:
    """Refuse a referral that has brought nothing yet, for a reason that has come out; return it."""
    row = _locked(referral)
    if row.state in ("joined", "ordered"):
        _refuse(row, [*row.reasons, reason])
    return row


def _may(referral: Any, user: Any) -> None:
    if user is None or not user.has_perm("loyalty_members.approve_points"):
        raise NotAllowed
    if is_own(referral.referrer, user) or is_own(referral.friend, user):
        raise NotAllowed


def _locked(referral: Any) -> Any:
    """Return a referral under its lock: all that both get goes through it, one order after the other."""
    rows = _model("Referral").objects.select_for_update(of=("self",)).select_related("programme")
    row = rows.get(pk=referral.pk)
    # Not joined above: a merge may change who they are while this waits.
    people = get_model("loyalty_members", "Member").objects.select_related("programme", "tier")
    found = people.in_bulk([row.referrer_id, row.friend_id])
    row.referrer, row.friend = found[row.referrer_id], found[row.friend_id]
    return row


def _note_state(row: Any) -> None:
    if row.state == "refused":
        return
    states = set(row.rewards.values_list("state", flat=True))
    state = next((name for found, name in (("given", "rewarded"), ("waiting", "ordered"), ("back", "back"))
                  if found in states), "joined")  # fmt: skip
    if row.state != state:
        row.state = state
        row.save(update_fields=["state"])


def see_device(*, member: Any, number: str) -> None:
    """Keep, as a keyed hash, that ``member`` was seen with a device; whoever calls has the visitor's consent."""
    _model("ReferralDevice").objects.update_or_create(
        member=member, digest=guards.device_digest(number), defaults={"seen_at": clock.now()}
    )
