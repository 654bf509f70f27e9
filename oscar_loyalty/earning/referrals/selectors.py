"""All reads of referrals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.earning import prizes
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.selectors import survivor

#: Who gets something: the member who invites, and the friend who comes.
SIDES = ("referrer", "friend")


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


def scheme_of(programme: Any) -> Any:
    """Return the programme's terms; before the owner has saved any, nobody can be invited."""
    return members.terms_of(programme, "referral_scheme")


def terms(scheme: Any) -> dict[str, Any]:
    """Return the terms as a referral keeps them."""
    return {
        "referrer": scheme.referrer_points,
        "friend": scheme.friend_points,
        "orders": scheme.orders,
        "minimum": str(scheme.minimum),
        **{f"{side}_reward": pk for side in SIDES if (pk := getattr(scheme, f"{side}_reward"))},
    }


@dataclass(frozen=True)
class Brings:
    """What both get, in the reader's language; "" for nothing."""

    referrer: str
    friend: str


def brings(terms: Mapping[str, Any], programme: Any, rewards: Mapping[int, str] | None = None) -> Brings:
    """Say what ``terms`` promise: points, or a reward by its name (one query, where ``rewards`` are not known)."""
    promised = {side: terms.get(f"{side}_reward") for side in SIDES}
    if rewards is None:
        rewards = prizes.rewards_of(programme) if any(promised.values()) else {}

    def said(side: str) -> str:
        if promised[side]:
            return _("“%(name)s”") % {"name": rewards.get(promised[side]) or _("a reward")}
        points = int(terms.get(side, 0))
        return str(programme.points_label(points)) if points else ""

    return Brings(*(said(side) for side in SIDES))


def clean_code(typed: str) -> str:
    """Return a code as it is stored, however it was typed."""
    return "".join(sign for sign in typed.upper() if sign.isalnum())[:16]


def invitation(code: str, programme: Any) -> Any:
    """Return the invitation with a code, if its member can still invite, or ``None``.

    Its member is the one that goes on, where two memberships were joined.
    """
    rows = _model("Invitation").objects.filter(code=clean_code(code), member__programme=programme)
    found = rows.select_related("member__programme", "member__merged_into").first()
    if found is not None:
        found.member = survivor(found.member)
    return found if found is not None and found.member.status == "active" else None


def may_be_invited(member: Any) -> bool:
    """Whether ``member`` is new enough to say who brought them."""
    return bool(member.joined_at > clock.now() - timedelta(days=conf.REFERRAL_DAYS))


def counts(award: Any, referral: Any) -> bool:
    """Whether an order's award counts for a referral, as it stands now: neither cancelled nor refunded below the least
    amount."""
    least = Decimal(str(referral.terms.get("minimum", "0")))
    return not award.void and (not least or award.spent - award.spent_back >= least)


def orders_of(referral: Any) -> list[Any]:
    """Return the awards of the friend's paid orders since they came, the oldest first.

    An order has its place in one referral: those of a membership that was merged into the friend's may be in another.
    """
    rows = _model("Award").objects.filter(member=referral.friend_id, source_type="order", void=False)
    rows = rows.filter(Q(referral_reward=None) | Q(referral_reward__referral=referral.pk))
    found = list(rows.filter(happened_at__gte=referral.created_at).order_by("happened_at", "pk")[:200])
    orders = get_model("order", "Order").objects.filter(pk__in=[award.source_id for award in found])
    paid = {str(pk) for pk in orders.filter(total_incl_tax__gt=0).values_list("pk", flat=True)}
    return [award for award in found if award.source_id in paid]


def friends_of(member: Any) -> Any:
    """Return the referrals of ``member``, the newest first, with the friends."""
    return _model("Referral").objects.filter(referrer=member).select_related("friend")


def short_name(member: Any) -> str:
    """Return a first name, or the initial of what is known; never more."""
    return member.first_name or (f"{member.email[:1].upper()}." if member.email else "–")


def search(programme: Any, *, words: str = "", state: str = "") -> Any:
    """Return the programme's referrals for staff, the newest first."""
    rows = _model("Referral").objects.filter(programme=programme)
    for word in words.split():
        match = Q()
        for side in ("referrer", "friend"):
            for field in ("first_name", "last_name", "email", "number"):
                match |= Q(**{f"{side}__{field}__icontains": word})
        rows = rows.filter(match)
    if state:
        rows = rows.filter(state=state)
    return rows.select_related("referrer", "friend", "decided_by", "programme")


def may_type(member: Any) -> bool:
    """Whether ``member`` can still say who brought them: new, and nobody is noted yet."""
    return may_be_invited(member) and not _model("Referral").objects.filter(friend=member).exists()
