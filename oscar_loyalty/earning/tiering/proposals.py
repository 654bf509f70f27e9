"""Other rules for the tiers: proposed, looked at, and then saved exactly as they were looked at.

A proposal holds all that would be saved, and what it was made from. It lives for some days, so that a page which shows
it can be opened again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from oscar_loyalty.earning.tiering import review, selectors, standings
from oscar_loyalty.earning.tiering.ladder import Ladder
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members

#: What of a ``TierScheme`` is proposed.
FIELDS = selectors.FIELDS
#: What is counted in whole numbers.
WHOLE = ("points", "orders", "visits")


class Outdated(Exception):
    """Somebody else has changed the tiers since the proposal was made."""


@dataclass(frozen=True)
class Proposal:
    """Rules that are not in force yet: fields of the scheme, thresholds by the tiers' primary keys."""

    programme: Any
    fields: Mapping[str, Any]
    thresholds: Mapping[int, Decimal | None]
    was: Mapping[str, Any]

    @property
    def scheme(self) -> Any:
        return get_model("loyalty_members", "TierScheme")(programme=self.programme, **self.fields)

    def tiers(self) -> list[Any]:
        """Return the tiers with the thresholds that are proposed."""
        found = list(members.tiers(self.programme))
        for tier in found:
            tier.threshold = self.thresholds.get(tier.pk)
        return found

    def ladder(self) -> Ladder:
        return selectors.ladder_from(self.scheme, self.tiers())

    @property
    def is_done(self) -> bool:
        """Whether the rules in force are these."""
        return selectors.rules_of(self.programme) == selectors.plain(self.fields, self.thresholds)


def check(*, metric: str, tiers: list[Any], thresholds: Mapping[int, Decimal | None]) -> None:
    """Find what is wrong with thresholds, by the tiers' keys; the lowest of ``tiers`` is everybody's and has none.

    :raises ValidationError: with a dict of sentences by ``threshold_<tier>``, or ``metric``.
    """
    errors: dict[str, Any] = {}
    before: Any = None
    for tier in tiers[1:]:
        threshold = thresholds.get(tier.pk)
        if threshold is None:
            continue
        if metric in WHOLE and threshold != int(threshold):
            errors[f"threshold_{tier.pk}"] = _("This is counted in whole numbers.")
        elif before is not None and threshold <= before[1]:
            errors[f"threshold_{tier.pk}"] = _("This must be more than for “%(tier)s”.") % {"tier": before[0].name}
        before = (tier, threshold)
    if metric != "hand" and before is None:
        errors["metric"] = _("Say at least for one tier from what on it is reached.")
    if errors:
        raise ValidationError(errors)


def check_all(
    *, programme: Any, fields: Mapping[str, Any], thresholds: Mapping[int, Decimal | None]
) -> dict[int, Decimal | None]:
    """Check what would be proposed, as :func:`check` does; return the thresholds of all tiers."""
    tiers = list(members.tiers(programme))
    steps = {tier.pk: thresholds.get(tier.pk) if tier is not tiers[0] else None for tier in tiers}
    check(metric=fields["metric"], tiers=tiers, thresholds=steps)
    return steps


@transaction.atomic
def make(*, programme: Any, fields: Mapping[str, Any], thresholds: Mapping[int, Decimal | None]) -> Any:
    """Store a proposal and return its row. Nobody has been looked at yet: see
    :func:`oscar_loyalty.earning.tiering.preview.ask`.

    :raises ValidationError: see :func:`check`.
    """
    steps = check_all(programme=programme, fields=fields, thresholds=thresholds)
    return get_model("loyalty_members", "TierProposal").objects.create(
        programme=programme,
        key=get_random_string(32),
        rules=selectors.plain(fields, steps),
        was=selectors.rules_of(programme),
        total=standings.members(programme.pk, 0, None).count(),
    )


def of(row: Any) -> Proposal:
    """Return what a stored proposal says."""
    steps = {int(pk): Decimal(each) if each is not None else None for pk, each in row.rules["steps"].items()}
    return Proposal(row.programme, row.rules["fields"], steps, row.was)


def find(key: str, *, programme: Any) -> Any:
    """Return the stored proposal with this key, or ``None``: of another programme, or too old to be looked at."""
    row = get_model("loyalty_members", "TierProposal").objects.filter(key=key, programme=programme).first()
    if row is None or row.is_over:
        return None
    row.programme = programme
    return row


@transaction.atomic
def apply(*, proposal: Proposal, quiet: bool = False) -> Any:
    """Put a proposal in force, and begin a review of all members by it; return the review.

    Pressed twice, done once: ``None`` then.

    :raises Outdated: when the rules are not any more those that it was made from.
    """
    programme = proposal.programme
    get_model("loyalty_members", "Programme").objects.select_for_update(no_key=True).get(pk=programme.pk)
    if proposal.is_done:
        return None
    if selectors.rules_of(programme) != proposal.was:
        raise Outdated
    scheme = selectors.scheme_of(programme)
    for name in FIELDS:
        setattr(scheme, name, proposal.fields[name])
    scheme.full_clean(exclude=["programme"])
    scheme.save()
    for tier in members.tiers(programme):
        if tier.threshold != proposal.thresholds.get(tier.pk):
            tier.threshold = proposal.thresholds.get(tier.pk)
            tier.save(update_fields=["threshold"])
    return review.begin(programme=programme, quiet=quiet)
