"""All reads of rewards."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, DateTimeField, Exists, F, IntegerField, OuterRef, Q, QuerySet, When
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.rewards import vouchers
from oscar_loyalty.rewards.exceptions import NotEnoughPoints, RewardError

#: Rewards of a catalogue that are looked at.
MOST = 200
#: Claims that wait for their members; a donation waits for the shop, and is made as far as its member is concerned.
TO_USE = Q(state="claimed") & ~Q(reward__kind="donation")


@dataclass(frozen=True)
class Card:
    """A reward as a member sees it: ``reason`` says why not (empty: it can be had), ``missing`` how many points."""

    reward: Any
    reason: str = ""
    missing: int = 0

    @property
    def reachable(self) -> bool:
        return not self.reason


def policy_of(programme: Any) -> Any:
    """Return the programme's policy: what its owner has saved, or what holds until then."""
    RewardPolicy = get_model("loyalty_rewards", "RewardPolicy")
    return RewardPolicy.objects.filter(programme=programme).first() or RewardPolicy(programme=programme)


def codes_left(reward: Any) -> QuerySet[Any]:
    """Return a partner's codes that nobody has got yet, in the order in which they are given."""
    return reward.codes.filter(claim__isnull=True).order_by("pk")


def claims_of(member: Any) -> QuerySet[Any]:
    """Return a member's rewards, newest first; what could not be given is the shop's business."""
    # By the member, so that each claim knows theirs.
    rows = member.reward_claims.exclude(state="owed")
    return _marked(rows.select_related("reward", "voucher", "order"))


def over(at: datetime) -> Q:
    """Return which claims have run out at ``at``, whether or not the sweep has been by; on hold none does."""
    return Q(state="claimed", expires_at__lte=at) & ~Q(member__status="frozen")


def _marked(claims: QuerySet[Any]) -> QuerySet[Any]:
    """Return the claims with ``has_offer``: whether there is an offer behind the voucher."""
    links = get_model("voucher", "Voucher").offers.through.objects.filter(voucher=OuterRef("voucher"))
    return claims.annotate(has_offer=Exists(links))


def waiting_and_taken(member: Any, rewards: Any, at: datetime) -> tuple[int, dict[int, int]]:
    """Return how many rewards wait for ``member`` to use them, and what :func:`taken_by` does; one query for both."""
    waits = TO_USE & ~over(at)
    which = _limits(rewards, at)
    counts = {"waiting": Count("pk", filter=waits)}
    if which is not None:
        counts["taken"] = Count("pk", filter=which & COUNTS)
    claims = get_model("loyalty_rewards", "Claim").objects.filter(member=member).order_by()
    rows = list(claims.values("reward").annotate(**counts))
    return sum(row["waiting"] for row in rows), {row["reward"]: row.get("taken", 0) for row in rows}


def open_claims(member: Any) -> QuerySet[Any]:
    """Return the rewards that wait for a member to use them."""
    return claims_of(member).filter(TO_USE).exclude(over(clock.now()))


def broken(claims: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the claims that wait to be used, but whose voucher, or its offer, was deleted in the shop."""
    kinds = get_model("loyalty_rewards", "Reward").VOUCHERS
    return _marked(claims).filter(state="claimed", reward__kind__in=kinds, has_offer=False)


def is_broken(claim: Any) -> bool:
    """Return whether there is no working voucher behind a claim of a kind that is one; it was deleted in the shop."""
    if not claim.reward.is_voucher or claim.state not in ("claimed", "used"):
        return False
    if hasattr(claim, "has_offer"):
        return not claim.has_offer
    return claim.voucher is None or not claim.voucher.offers.exists()


def card(reward: Any, member: Any, at: datetime) -> Card:
    """Return one reward as ``member`` sees it."""
    usable = ledger.usable(member.account, at)
    return _card(reward, member, taken_by(member, [reward], at).get(reward.pk, 0), usable, at)


def _card(reward: Any, member: Any, taken: int, usable: int, at: datetime) -> Card:
    missing = max(0, reward.points - usable)
    try:
        on_offer(reward, at)
        if member is not None:
            may_have(member)
            for_points(reward, member, taken)
            if missing:
                label = member.programme.points_label(missing)
                raise NotEnoughPoints(_("%(points)s to go") % {"points": label}, missing)
    except RewardError as error:
        return Card(reward, str(error), missing if error.code == "points" else 0)
    return Card(reward)


def own_claims(member: Any) -> QuerySet[Any]:
    """Return a member's rewards: what waits to be used first, what ends first before the others, then the past."""
    past = Case(When(over(clock.now()), then=1), When(state="claimed", then=0), default=1, output_field=IntegerField())
    rows = claims_of(member).annotate(past=past)
    ends = Case(When(state="claimed", then=F("expires_at")), default=None, output_field=DateTimeField())
    rows = rows.annotate(ends=ends).order_by("past", F("ends").asc(nulls_last=True), "-claimed_at", "-pk")
    return rows.select_related("reward__programme")


def catalogue(programme: Any, at: datetime | None = None) -> QuerySet[Any]:
    """Return what can be had for points, cheapest first; what has sold out is among it."""
    at = at or clock.now()
    rows = get_model("loyalty_rewards", "Reward").objects.filter(programme=programme, is_active=True, points__gt=0)
    rows = rows.filter(Q(starts_at__isnull=True) | Q(starts_at__lte=at), Q(ends_at__isnull=True) | Q(ends_at__gt=at))
    return rows.select_related("tier", "product", "range").order_by("points", "pk")


def shown_to(member: Any, at: datetime) -> QuerySet[Any]:
    """Return the rewards for points that ``member`` may read about: what is or was on offer, and what they have had.

    What is still being prepared is nobody's business. What was taken off was on offer if somebody had it for points.
    """
    Reward, Claim = get_model("loyalty_rewards", "Reward"), get_model("loyalty_rewards", "Claim")
    had = Claim.objects.filter(Q(points__gt=0) | Q(member=member), reward=OuterRef("pk")).exclude(state="owed")
    offered = Q(is_active=True) & (Q(starts_at__isnull=True) | Q(starts_at__lte=at))
    rows = Reward.objects.filter(offered | Exists(had), programme=member.programme_id, points__gt=0)
    return rows.select_related("tier", "product", "range")


def on_offer(reward: Any, at: datetime) -> None:
    """Say why a reward can be had by nobody at ``at``.

    :raises RewardError: when it can not.
    """
    ended = reward.ends_at is not None and reward.ends_at <= at
    if not reward.is_active or ended:
        raise RewardError(_("This reward has ended."), code="ended")
    if reward.starts_at is not None and reward.starts_at > at:
        raise RewardError(_("This reward has not begun yet."), code="early")
    in_stock(reward)


def in_stock(reward: Any) -> None:
    """Say why there is none of a reward.

    :raises RewardError: when there is none.
    """
    if reward.left == 0:
        raise RewardError(_("There is none left."), code="sold_out")
    if reward.is_voucher and vouchers.scope_gone(reward):
        raise RewardError(_("This reward has ended."), code="no_product")


def may_give_back(claim: Any) -> bool:
    """Return whether a claim's member may cancel it: unused, paid for, and no code of a partner, which was seen."""
    return can_come_back(claim) and policy_of(claim.reward.programme).own_cancel


def can_come_back(claim: Any) -> bool:
    return bool(claim.is_open and claim.points > 0 and claim.reward.kind != "partner")


def why_not(reward: Any, at: datetime) -> str:
    """Return why nobody can have a reward at ``at``, or nothing."""
    try:
        on_offer(reward, at)
    except RewardError as error:
        return str(error)
    return ""


def kinds() -> list[tuple[str, Any, str]]:
    """Return the kinds with their names and a sentence on each."""
    said = {
        "amount": _("So much off the next order."),
        "percent": _("A part of the next order's price."),
        "product": _("One piece costs nothing."),
        "shipping": _("The next order is sent for nothing."),
        "experience": _("Something to live through with you: a tasting, an evening, an hour of your time."),
        "donation": _("You give to a good cause; a list tells you what is to be paid."),
        "partner": _("A neighbour's gift: you paste the codes, each goes to one member."),
    }
    return [(kind, name, said[kind]) for kind, name in get_model("loyalty_rewards", "Reward").KINDS]


def all_rewards(programme: Any) -> QuerySet[Any]:
    """Return the rewards of a programme for its owner, what is on offer first."""
    rows = get_model("loyalty_rewards", "Reward").objects.filter(programme=programme)
    rows = rows.annotate(used=Count("claims", filter=Q(claims__state="used")))
    return rows.select_related("tier", "product").order_by("-is_active", "points", "pk")


def may_have(member: Any) -> None:
    """Say why a member can have nothing at the moment.

    :raises RewardError: when so.
    """
    if not member.programme.is_active:
        raise RewardError(_("The programme is closed for the moment."), code="closed")
    if not member.can_earn:
        raise RewardError(_("The membership is on hold."), code="member")


def for_points(reward: Any, member: Any, taken: int) -> None:
    """Say why a member cannot have a reward for points; ``taken`` is how many that member has within its limit.

    :raises RewardError: when so.
    """
    if not reward.points:
        raise RewardError(_("This reward cannot be had for points."), code="not_for_points")
    if reward.tier is not None and (member.tier is None or member.tier.rank < reward.tier.rank):
        raise RewardError(_("From %(tier)s") % {"tier": reward.tier.name}, code="tier")
    if reward.limit is not None and taken >= reward.limit:
        raise RewardError(_("You have had it as often as you can."), code="limit")


def taken_by(member: Any, rewards: Any, at: datetime) -> dict[int, int]:
    """Return how many of each reward count towards its limit for ``member``, in one query for all limits."""
    which = _limits(rewards, at)
    if which is None:
        return {}
    claims = get_model("loyalty_rewards", "Claim").objects.filter(which, COUNTS, member=member).order_by()
    return dict(claims.values_list("reward").annotate(number=Count("pk")))


#: What counts towards the limit of a reward.
COUNTS = Q(points__gt=0) & ~Q(state__in=["cancelled", "owed"])


def _limits(rewards: Any, at: datetime) -> Q | None:
    """Return which claims are within the limits of these rewards; ``None`` where none is limited."""
    limited = [reward for reward in rewards if reward.limit is not None]
    which = Q()
    for reward in limited:
        one = Q(reward=reward.pk)
        if reward.limit_days is not None:
            one &= Q(claimed_at__gt=at - timedelta(days=reward.limit_days))
        which |= one
    return which if limited else None


def cards(programme: Any, member: Any = None, at: datetime | None = None, *, usable: int | None = None) -> list[Card]:
    """Return the catalogue for ``member``, or for a visitor, in a bounded number of queries.

    ``usable``: the points that the member can spend, where they are known.

    What can be had comes first, then what points are missing for, the nearest first.
    """
    at = at or clock.now()
    rewards = list(catalogue(programme, at)[:MOST])
    taken = taken_by(member, rewards, at) if member is not None else {}
    if usable is None:
        usable = ledger.usable(member.account, at) if member is not None else 0
    return _sorted(rewards, member, taken, usable, at)


def own_cards(member: Any, *, usable: int) -> tuple[list[Card], int]:
    """Return what :func:`cards` does, and how many rewards wait for ``member`` to use them; in two queries."""
    at = clock.now()
    rewards = list(catalogue(member.programme, at)[:MOST])
    waiting, taken = waiting_and_taken(member, rewards, at)
    return _sorted(rewards, member, taken, usable, at), waiting


def _sorted(rewards: Any, member: Any, taken: dict[int, int], usable: int, at: datetime) -> list[Card]:
    found = [_card(reward, member, taken.get(reward.pk, 0), usable, at) for reward in rewards]
    return sorted(found, key=lambda card: (not card.reachable, not card.missing, card.missing))


def how(reward: Any) -> str:
    """Say how a claimed reward is used."""
    if reward.kind == "product":
        return _("Put it into your basket and type the code there: it costs nothing then.")
    if reward.is_voucher:
        return _("Type the code in your basket. It works in your own account only, and once.")
    if reward.kind == "donation":
        return (
            _("We pass it on to %(name)s.") % {"name": reward.beneficiary}
            if reward.beneficiary
            else _("We pass it on.")
        )
    if reward.kind == "partner":
        return _("The code is our partner's: use it there.")
    return _("Show this code when you come.")


def shelf(programme: Any) -> dict[int, str]:
    """Return the rewards that may be a prize, by primary key, with their names."""
    rows = get_model("loyalty_rewards", "Reward").objects.filter(programme=programme)
    return {reward.pk: str(reward.name) for reward in rows.only("pk", "name").order_by("points", "pk")}


def search(programme: Any, *, words: str = "", state: str = "", reward: Any = None, kind: str = "") -> QuerySet[Any]:
    """Return the claims that match: words in a member's name, e-mail or number, or the start of a code; newest first.

    ``state`` "todo" is what the shop has to do something for: donations to make, and prizes that could not be given.
    """
    rows = get_model("loyalty_rewards", "Claim").objects.filter(reward__programme=programme)
    for word in words.split():
        fields = ("member__first_name", "member__last_name", "member__email")
        match = Q(code__istartswith=word)
        for field in fields:
            match |= Q(**{f"{field}__icontains": word})
        if digits := "".join(filter(str.isdecimal, word)):
            match |= Q(member__number__contains=digits) if digits == word.replace("-", "") else Q()
        rows = rows.filter(match)
    if state == "todo":
        rows = rows.filter(Q(state="owed") | Q(state="claimed", reward__kind="donation"))
    elif state in ("claimed", "expired"):
        late = over(clock.now())
        rows = rows.filter(Q(state="expired") | late) if state == "expired" else rows.filter(state=state).exclude(late)
    elif state:
        rows = rows.filter(state=state)
    if reward is not None:
        rows = rows.filter(reward=reward)
    if kind:
        rows = rows.filter(reward__kind=kind)
    return rows.select_related("reward", "member", "order").order_by("-claimed_at", "-pk")
