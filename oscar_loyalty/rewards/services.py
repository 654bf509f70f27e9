"""All writes of rewards: claimed for points, given by the shop, used, cancelled, run out.

Locks are taken in one order (:mod:`oscar_loyalty.members.locking`): member, reward, claim, voucher, account.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from oscar.apps.voucher.utils import get_unused_code

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.fields import data_of
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.ledger.exceptions import InsufficientUnits
from oscar_loyalty.loading import get_model
from oscar_loyalty.locks import as_locked
from oscar_loyalty.members.locking import lock_heirs, lock_members
from oscar_loyalty.members.selectors import is_own
from oscar_loyalty.rewards import selectors, vouchers
from oscar_loyalty.rewards.exceptions import NotEnoughPoints, RewardError

log = logging.getLogger("oscar_loyalty")

#: How long a claim that should end waits for a checkout that counts on its voucher.
WAIT = timedelta(minutes=15)


def _model(name: str) -> Any:
    return get_model("loyalty_rewards", name)


def _lock(reward: int) -> Any:
    rows = _model("Reward").objects.select_for_update(of=("self",))
    return as_locked(rows.select_related("programme", "tier", "product", "range", "offer").get(pk=reward))


def lock_claim(claim: Any) -> tuple[Any, Any]:
    """Return the claim as it stands, under the locks of its member, its reward and its own, and its voucher likewise
    (or ``None``)."""
    # As it is stored: it may have followed its member into another.
    owner = _model("Claim").objects.values_list("member", flat=True).get(pk=claim.pk)
    heirs = lock_heirs([owner])
    reward = _lock(claim.reward_id)
    row = _model("Claim").objects.select_for_update(of=("self",)).select_related("entry").get(pk=claim.pk)
    row.reward, row.member = reward, heirs[row.member_id]
    return row, vouchers.locked(row)


@transaction.atomic
def claim(*, reward: Any, member: Any, key: str, price: int | None = None, actor: Ref = NOBODY) -> Any:
    """Let ``member`` have ``reward`` for its points and return the claim; the same ``key`` again returns the first.

    ``price`` is what the member was told, in points: nobody pays another one.

    :raises RewardError: when the member cannot have it; ``NotEnoughPoints`` when points are missing.
    """
    # Whoever asks does so for themselves: the account of a membership that was joined with another has nothing here.
    member = lock_members([member.pk])[member.pk]
    row = _lock(reward.pk)
    before = _model("Claim").objects.filter(key=key).first()
    if before is not None:
        if (before.reward_id, before.member_id) != (row.pk, member.pk):
            raise RewardError(_("This form was sent for something else."), code="key")
        return before
    now = clock.now()
    if row.programme_id != member.programme_id:
        raise RewardError(_("This reward has ended."), code="ended")
    selectors.on_offer(row, now)
    selectors.may_have(member)
    if price is not None and price != row.points:
        label = member.programme.points_label(row.points)
        raise RewardError(_("It costs %(points)s now. Please look once more.") % {"points": label}, code="price")
    selectors.for_points(row, member, selectors.taken_by(member, [row], now).get(row.pk, 0))
    made = _make(row, member, key=key, points=row.points, actor=actor)
    try:
        made.entry = books.spend(
            account=member.account,
            units=row.points,
            key=f"reward:{made.uuid}",
            explanation={"why": "reward", "source": "reward", "name": data_of(row.name)},
            source=Ref.of("reward", made.pk),
            actor=actor,
        )
    except InsufficientUnits as error:
        label = member.programme.points_label(error.missing)
        raise NotEnoughPoints(_("%(points)s to go") % {"points": label}, error.missing) from error
    made.save(update_fields=["entry"])
    return made


@transaction.atomic
def give(
    *, reward: Any, member: Any, key: str, why: str = "", name: Any = "", actor: Ref = NOBODY, say: str = ""
) -> Any:
    """Give ``reward`` for nothing and return the claim; the same ``key`` again returns the first.

    What was promised is given, whether or not the reward is still on offer, and whatever the tier. Where that cannot be
    (none left, on hold), the claim is ``owed``, says why, and the sweep gives it as soon as it can.
    """
    found, member, row = _asked(reward, member, key)
    if found is not None and found.state != "owed":
        return found
    try:
        selectors.may_have(member)
        selectors.in_stock(row)
    except RewardError as error:
        if found is None:
            found = _model("Claim")(reward=row, member=member, key=key, claimed_at=clock.now(), state="owed")
            found.given_why, found.given_name = why, name
            found.actor_type, found.actor_id = actor.type, actor.id
        found.why = str(error)[:255]
        found.save()
        return found
    return _make(row, member, key=key, found=found, why=why, name=name, actor=actor, say=say)


def _asked(reward: Any, member: Any, key: str) -> tuple[Any, Any, Any]:
    """Return what there is under ``key`` (or ``None``), whose it is, and the reward, both locked."""
    owner = _model("Claim").objects.filter(key=key).values_list("member", flat=True).first() or member.pk
    heir = lock_heirs([owner])[owner]
    row = _lock(reward.pk)
    return _model("Claim").objects.filter(key=key).first(), heir, row


@transaction.atomic
def present(*, reward: Any, member: Any, key: str, user: Any, say: str = "") -> Any:
    """Give ``reward`` to ``member`` as a present of ``user``, who works in the shop, and return the claim.

    Unlike :func:`give`, it promises nothing: what cannot be given is refused. The same ``key`` again returns the first.

    :raises RewardError: when it cannot be given, or ``member`` is the user.
    """
    not_own(member, user)
    found, member, row = _asked(reward, member, key)
    if found is not None:
        return found
    selectors.may_have(member)
    selectors.in_stock(row)
    return _make(row, member, key=key, why="hand", actor=Ref.of("user", user.pk), say=say)


@transaction.atomic
def withdraw(*, claim: Any, user: Any, why: str) -> Any:
    """Cancel a claim for the shop, as :func:`cancel` does, by ``user``, who works there.

    :raises RewardError: as :func:`cancel`, or when it is the user's own: it brings points.
    """
    not_own(claim.member, user)
    return cancel(claim=claim, why=why, actor=Ref.of("user", user.pk))


def not_own(member: Any, user: Any) -> None:
    """Nobody gives oneself rewards, or points for them.

    :raises RewardError: with the code "own".
    """
    if is_own(member, user):
        raise RewardError(_("This is your own membership: ask a colleague."), code="own")


def _make(
    reward: Any,
    member: Any,
    *,
    key: str,
    points: int = 0,
    found: Any = None,
    why: str = "",
    name: Any = "",
    actor: Ref = NOBODY,
    say: str = "",
) -> Any:
    now = clock.now()
    made = found or _model("Claim")(key=key, given_why=why, given_name=name, actor_type=actor.type, actor_id=actor.id)
    made.reward, made.member, made.state, made.why = reward, member, "claimed", say[:255]
    made.points, made.value, made.cost, made.claimed_at = points, reward.value, reward.cost, now
    if reward.kind != "donation":
        last = times.day_of(now) + timedelta(days=reward.validity_days)
        made.expires_at = times.end_of(last)
    made.save()
    if reward.is_voucher:
        made.voucher = vouchers.make(made)
        made.code = made.voucher.code
    elif reward.kind == "partner":
        code = selectors.codes_left(reward).first()
        if code is None:
            raise RewardError(_("There is none left."), code="sold_out")
        code.claim, made.code = made, code.code
        code.save(update_fields=["claim"])
    elif reward.kind == "experience":
        made.code = get_unused_code(12)
    made.save(update_fields=["voucher", "code"])
    reward.taken += 1
    _model("Reward").objects.filter(pk=reward.pk).update(taken=F("taken") + 1)
    due.leave(kind="rewards.claimed", key=str(made.uuid), payload={"claim": made.pk})
    plan_end(made)
    return made


def plan_end(claim: Any) -> None:
    """Leave the rows that end a claim in time, and remind of it before."""
    if claim.expires_at is None:
        return
    payload = {"claim": claim.pk}
    due.again(kind="rewards.expire", key=str(claim.uuid), payload=payload, at=claim.expires_at)
    days = selectors.policy_of(claim.reward.programme).remind_days
    remind = claim.expires_at - timedelta(days=days)
    if days and remind > clock.now():
        due.again(kind="rewards.remind", key=str(claim.uuid), payload=payload, at=remind)


@transaction.atomic
def use(*, claim: Any, actor: Ref = NOBODY, say: str = "") -> Any:
    """Mark a claim as used: by hand, at the till, once the donation was made. Again: nothing more.

    :raises RewardError: when it is not there to be used, or a checkout counts on its voucher.
    """
    row, voucher = lock_claim(claim)
    if row.state == "used":
        return row
    _not_over(row)
    _open(row, voucher)
    vouchers.close(voucher)
    row.state, row.used_at, row.closed_at, row.why = "used", clock.now(), clock.now(), say[:255]
    row.actor_type, row.actor_id = actor.type, actor.id
    row.save()
    return row


def _not_over(row: Any) -> None:
    """A late sweep changes no answer: what is over is over."""
    if row.state_now == "expired":
        raise RewardError(_("This reward has run out."), code="expired")


def _open(row: Any, voucher: Any) -> None:
    # An order may have used it that nobody has looked at yet.
    if row.state != "claimed" or vouchers.in_order(voucher):
        raise RewardError(_("This reward is not there to be used any more."), code="closed")
    if vouchers.in_checkout(voucher, row.member):
        raise RewardError(_("An order that is being paid counts on this voucher."), code="paying")


@transaction.atomic
def give_back(*, claim: Any, user: Any) -> Any:
    """Cancel an unused claim as its member wants it, the points going back to where they came from.

    :raises RewardError: when that is not allowed.
    """
    row, _voucher = lock_claim(claim)
    if row.state == "cancelled":
        return row
    if not selectors.may_give_back(row):
        raise RewardError(_("This reward cannot be given back."), code="not_allowed")
    return cancel(claim=row, why="", actor=Ref.of("user", user.pk))


@transaction.atomic
def cancel(*, claim: Any, why: str, actor: Ref = NOBODY) -> Any:
    """Cancel a claim, used ones too if the shop so wishes, and return its points to their lots. Again: nothing more.

    :raises RewardError: when it has run out, or a checkout counts on its voucher.
    """
    row, voucher = lock_claim(claim)
    if row.state == "cancelled":
        return row
    _not_over(row)
    if row.state == "claimed":
        _open(row, voucher)
        vouchers.close(voucher)
    return _end(row, "cancelled", why=why, actor=actor, back=True)


@transaction.atomic
def take(*, reward: Any, member: Any, key: str) -> Any:
    """Take a given reward back, unless it was used or has run out; where it was not given yet, it never will be.

    :raises RewardError: while a checkout counts on its voucher; then it is tried again.
    """
    found, member, row = _asked(reward, member, key)
    if found is None:
        now = clock.now()
        fields = {"claimed_at": now, "closed_at": now, "state": "cancelled"}
        return _model("Claim").objects.create(reward=row, member=member, key=key, **fields)
    if found.state_now in ("used", "expired", "cancelled"):
        return found
    return cancel(claim=found, why=_("What it was given for is no more."))


@transaction.atomic
def renew(*, claim: Any) -> Any:
    """Give a claim, whose voucher or offer was deleted in the shop, another; one that works stays. Return the claim.

    It promises what was claimed, under the same code where nobody else has it now.

    :raises RewardError: when it is not there to be used, or what it was for is gone too.
    """
    row, voucher = lock_claim(claim)
    _not_over(row)
    if row.state == "claimed" and selectors.is_broken(row):
        mend(row, voucher)
    return row


def mend(row: Any, voucher: Any) -> Any:
    """As :func:`renew`, for a claim that the caller has locked (:func:`lock_claim`); return its voucher."""
    if vouchers.scope_gone(row.reward):
        raise RewardError(_("What this voucher was for is not there any more: cancel it."), code="ended")
    row.voucher = vouchers.mend(row, voucher)
    row.code = row.voucher.code
    row.save(update_fields=["voucher", "code"])
    return row.voucher


@transaction.atomic
def expire(*, claim: Any) -> Any:
    """End a claim whose last day is over. Earlier, on hold, or again: nothing, but it is looked at again in time."""
    row, voucher = lock_claim(claim)
    if row.state != "claimed" or row.expires_at is None:
        return row
    if row.expires_at > clock.now():
        due.again(kind="rewards.expire", key=str(row.uuid), payload={"claim": row.pk}, at=row.expires_at)
        return row
    if row.rests or vouchers.in_checkout(voucher, row.member) or vouchers.in_order(voucher):
        due.again(kind="rewards.expire", key=str(row.uuid), payload={"claim": row.pk}, at=clock.now() + WAIT)
        return row
    vouchers.close(voucher)
    # A partner's code was seen, and may have been used where we do not see it.
    back = selectors.policy_of(row.member.programme).expired == "back" and row.reward.kind != "partner"
    return _end(row, "expired", why="", actor=NOBODY, back=back)


def _end(row: Any, state: str, *, why: str, actor: Ref, back: bool) -> Any:
    was, programme = row.state, row.member.programme
    if back and row.entry is not None and row.back_id is None:
        row.back = books.reverse(
            entry=row.entry,
            key=f"reward-back:{row.uuid}",
            grace=timedelta(days=programme.grace_days),
            explanation={"why": "reward_back", "source": "reward", "name": data_of(row.reward.name)},
            source=Ref.of("reward", row.pk),
            actor=actor,
        )
    row.state, row.closed_at, row.why = state, clock.now(), why[:255]
    row.actor_type, row.actor_id = actor.type, actor.id
    row.save()
    if state == "cancelled" and was != "owed" and row.reward.kind != "partner":
        _model("Reward").objects.filter(pk=row.reward_id).update(taken=F("taken") - 1)
    return row


@transaction.atomic
def add_codes(*, reward: Any, codes: Iterable[str]) -> int:
    """Add a partner's codes to the stock and return how many were new; those that are there stay as they are.

    :raises RewardError: for a reward that has no codes, or a code that is too long.
    """
    row = _lock(reward.pk)
    if row.kind != "partner":
        raise RewardError(_("Only a partner's gift has codes."), code="kind")
    wanted = dict.fromkeys(code.strip() for code in codes if code.strip())
    for code in wanted:
        if len(code) > 32:
            raise RewardError(_("“%(code)s” is longer than 32 characters.") % {"code": code[:40]}, code="long")
    Code, now = _model("RewardCode"), clock.now()
    known = set(row.codes.values_list("code", flat=True))
    fresh = [Code(reward=row, code=code, added_at=now) for code in wanted if code not in known]
    Code.objects.bulk_create(fresh, batch_size=500)
    _model("Reward").objects.filter(pk=row.pk).update(stock=row.codes.count())
    return len(fresh)


@transaction.atomic
def remove_codes(*, reward: Any, codes: Iterable[int], actor: Ref = NOBODY) -> int:
    """Take a partner's codes, named by primary key, out of the stock and return how many those were.

    What somebody has got stays, and so does whatever is no code of ``reward``.
    """
    row = _lock(reward.pk)
    gone, _by_model = selectors.codes_left(row).filter(pk__in=list(codes)).delete()
    _model("Reward").objects.filter(pk=row.pk).update(stock=row.codes.count())
    if gone:
        log.info("%s codes of reward %s were removed by %s %s", gone, row.pk, actor.type, actor.id)
    return gone


@transaction.atomic
def save_reward(*, reward: Any, key: str = "") -> Any:
    """Save a reward as a form has filled it in, checked against what was claimed meanwhile; a new one once a ``key``.

    :raises RewardError: with the code "stock", when there would be fewer than were claimed.
    """
    if reward.pk is None:
        before = _model("Reward").objects.filter(key=key).first() if key else None
        if before is not None:
            return before
        reward.key = key or None
        reward.created_at = clock.now()
        reward.stock = 0 if reward.kind == "partner" else reward.stock
    else:
        row = _lock(reward.pk)
        reward.taken, reward.offer, reward.terms, reward.created_at = row.taken, row.offer, row.terms, row.created_at
        reward.kind, reward.key = row.kind, row.key
        if reward.range_id is None and reward.terms.get("range"):
            # The owner has seen that it is for everything now.
            reward.offer, reward.terms = None, {}
        if row.kind == "partner":
            reward.stock = row.codes.count()
    if reward.stock is not None and reward.stock < reward.taken:
        number = {"number": reward.taken}
        raise RewardError(_("%(number)s have been claimed already.") % number, code="stock")
    reward.save()
    return reward


def lose_range(*, range_: Any) -> int:
    """Take the rewards that are for ``range_``, which is being deleted, off the offer; return how many those are.

    Without it, they would be for everything.
    """
    return int(_model("Reward").objects.filter(range=range_.pk, is_active=True).update(is_active=False))


@transaction.atomic
def save_policy(*, programme: Any, **fields: Any) -> Any:
    """Change what becomes of claims that come to nothing; it counts from now on."""
    policy = selectors.policy_of(programme)
    for name, value in fields.items():
        setattr(policy, name, value)
    policy.save()
    return policy
