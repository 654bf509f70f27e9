"""What the audit proves of tiers: each member has the one that the rules, a hand and the history say.

A member's tier is the higher of what the rules gave at the last review and what was given by hand; its history leads
from change to change without a gap, up to the tier of now; and the groups are those of the tiers up to it.
"""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import Coalesce, Lag, RowNumber

from oscar_loyalty.earning import followers
from oscar_loyalty.earning.tiering import selectors
from oscar_loyalty.earning.tiering.ladder import Ladder, judge
from oscar_loyalty.earning.tiering.standings import Situation, Standings
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.groups import Belonging
from oscar_loyalty.reports.audit import Finding, check

MEMBER = {"person": "user", "card": "number", "state": "status", "own": "tier__rank"}


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@check
def tier_groups() -> Iterator[Finding]:
    """A member is in the groups of every tier up to the own one, and in no other tier's."""
    belonging = Belonging()
    user = belonging.user
    # By annotations, so that one join is asked: each tier with each member of its programme.
    ones = {name: F(f"programme__members__{field}") for name, field in MEMBER.items()}
    inside = belonging.objects.filter(group=OuterRef("group"), **{user: OuterRef("person")})
    entitled = _model("Tier").objects.annotate(**ones).filter(state="active", person__isnull=False, own__gte=F("rank"))
    for code, number in entitled.exclude(Exists(inside)).order_by().values_list("code", "card").iterator():
        yield Finding("tiers.missing", f"member {number}", f"not in the group of {code}")
    members = _model("Member").objects.filter(user=OuterRef(user), programme=OuterRef("group__loyalty_tier__programme"))
    mine = members.filter(status="active", tier__rank__gte=OuterRef("group__loyalty_tier__rank"))
    groups = belonging.objects.filter(group__loyalty_tier__isnull=False, group__loyalty_tier__removed_at=None)
    for code, pk in groups.exclude(Exists(mine)).values_list("group__loyalty_tier__code", user).iterator():
        yield Finding("tiers.extra", f"user {pk}", f"in the group of {code} without that tier")


@check
def tiers_given() -> Iterator[Finding]:
    """A member's tier is one of the programme's, and the higher of what was earned and what was given by hand."""
    members = _model("Member").objects.filter(tier__isnull=False)
    for member in members.exclude(tier__programme=F("programme"), tier__removed_at=None).iterator():
        yield Finding("tiers.programme", f"member {member.number}", f"tier {member.tier_id} is none of the programme")
    terms = _model("TierTerm").objects.select_related("member", "member__tier")
    by_hand = Q(floor__rank__gt=Coalesce("earned__rank", -1))
    by_rule = Q(floor=None) | Q(floor__rank__lte=F("earned__rank"))
    right = by_hand & Q(member__tier=F("floor")) | by_rule & Q(member__tier=F("earned"))
    # Nothing is known yet of what was earned: whatever they have.
    right |= Q(earned=None, floor=None) | Q(earned=None, floor__rank__lte=F("member__tier__rank"))
    right_one = _model("TierTerm").objects.filter(right, pk=OuterRef("pk"))
    for term in terms.exclude(Exists(right_one)).iterator():
        yield Finding(
            "tiers.given",
            f"member {term.member.number}",
            f"has tier {term.member.tier_id}; earned {term.earned_id}, by hand {term.floor_id}",
        )


@check
def tier_history() -> Iterator[Finding]:
    """Each change of a member's tier begins where the one before has ended, and the last is the tier of now."""
    # The histories of memberships that were joined have been laid side by side: they lead to one tier all the same.
    # Whoever has none is equal to whoever has none, which a database does not say.
    by = {"partition_by": "member", "order_by": ["happened_at", "pk"]}
    changes = (
        _model("TierChange")
        .objects.order_by()
        .annotate(previous=Window(Lag("after"), **by), number=Window(RowNumber(), **by))
    )
    broken = changes.filter(number__gt=1, member__merged__isnull=True, member__merged_into__isnull=True)
    for change in broken.exclude(previous=F("before")).select_related("member"):
        if change.previous == change.before_id:
            continue
        yield Finding(
            "tiers.history",
            f"member {change.member.number}",
            f"change {change.pk} is from {change.before_id}; the one before led to {change.previous}",
        )
    last = _model("TierChange").objects.filter(member=OuterRef("pk")).order_by("-happened_at", "-pk")
    members = _model("Member").objects.filter(tier_changes__isnull=False, merged_into__isnull=True)
    members = members.annotate(last=Subquery(last.values("after")[:1])).distinct()
    for member in members.exclude(last=F("tier")).iterator():
        if member.last == member.tier_id:
            continue
        yield Finding(
            "tiers.history",
            f"member {member.number}",
            f"has tier {member.tier_id}, the last change is to {member.last}",
        )


@check
def tiers_reviewed() -> Iterator[Finding]:
    """By the last review, nobody had reached more than they had, and nobody had kept what had come to its end.

    It is asked where the rules are those of that review, of members who have not been changed since.
    """
    latest = _model("TierReview").objects.order_by().filter(programme=OuterRef("pk")).order_by("-began_at", "-pk")
    programmes = _model("Programme").objects.exclude(tier_scheme=None).exclude(tier_scheme__metric="hand")
    for programme in programmes.filter(is_active=True).annotate(review=Subquery(latest.values("pk")[:1])):
        review = _model("TierReview").objects.filter(pk=programme.review).first()
        if review is None or review.finished_at is None or review.rules != selectors.rules_of(programme):
            continue
        yield from _reviewed(programme, selectors.ladder_of(programme), review)


def _reviewed(programme: Any, rules: Ladder, review: Any) -> Iterator[Finding]:
    with transaction.atomic():
        stood = Standings(programme.pk, rules, review.began_at, 0, None, until=review.began_at)
        wrong = {each.pk: why for each in stood.situations() if (why := _wrong(rules, each, review.began_at))}
        found = dict(stood.members_in(wrong)) if wrong else {}
    later = Q(tier_changes__happened_at__gte=review.began_at) | Q(status_changes__happened_at__gte=review.began_at)
    members = _model("Member").objects.filter(pk__in=found, joined_at__lt=review.began_at)
    members = members.exclude(Exists(_model("Member").objects.filter(later, pk=OuterRef("pk"))))
    if found:
        members = members.exclude(pk__in=_untold())
    for member in members.order_by("pk").iterator():
        yield Finding("tiers.reviewed", f"member {member.number}", wrong[found[member.pk]])


def _wrong(rules: Ladder, stood: Situation, now: Any) -> str:
    """Return what the review should have done, or nothing."""
    verdict = judge(rules, stood.term, now, rules.total_for(stood.up), rules.total_for(stood.again))
    if verdict.tier != stood.tier:
        return f"has tier {stood.tier}; by the last review it should be {verdict.tier}"
    return ""


def _untold() -> set[int]:
    """Return the members of awards that the tiers have not been told of yet."""
    waiting = get_model("loyalty_due", "Due").objects.filter(kind=followers.KIND).exclude(state="done")
    awards = {pk for payload in waiting.values_list("payload", flat=True) for pk in payload["awards"]}
    return set(get_model("loyalty_earning", "Award").objects.filter(pk__in=awards).values_list("member", flat=True))
