"""Until when members have their tiers, and what was given to them by hand."""

from typing import Any

from oscar_loyalty.loading import get_model


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


def term_of(member: Any) -> Any:
    """Return the term of a member's tier, not yet stored where there is none."""
    Term = _model("TierTerm")
    related = Term.objects.select_related("earned", "floor")
    return related.filter(member=member.pk).first() or Term(member_id=member.pk, earned=member.tier)


def note_tier(*, member: Any, before: Any, tier: Any) -> None:
    """Keep a member's term in step with a tier that was set without it, as by a merge. In the caller's transaction.

    Its time begins anew; what was given by hand stays, unless it is more than the new tier.
    """
    term = _model("TierTerm").objects.select_related("floor").filter(member=member.pk).first()
    if term is None:
        return
    rising = before is None or (tier is not None and tier.rank > before.rank)
    if rising and term.floor is not None and tier is not None and term.floor.rank >= tier.rank:
        return
    if term.floor is not None and (tier is None or term.floor.rank > tier.rank):
        term.floor, term.floor_until, term.floor_reason = None, None, ""
    term.earned, term.ends_at, term.warned_for = tier, None, None
    term.save()
