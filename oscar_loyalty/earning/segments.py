"""Groups of members that rules may ask about. Other apps add theirs."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model

#: Which of these members are in the segment at a moment: their primary keys. It is asked inside an award's transaction.
Segment = Callable[[Sequence[Any], datetime], set[int]]

NEW = timedelta(days=30)
DORMANT = timedelta(days=180)

segments: dict[str, tuple[Any, Segment]] = {}


def segment(code: str, *, name: Any) -> Callable[[Segment], Segment]:
    """Register a segment that rules can name by ``code``; ``name`` is lazy text, such as "New members"."""

    def register(function: Segment) -> Segment:
        segments[code] = (name, function)
        return function

    return register


def of_member(member: Any, at: datetime, asked: Sequence[str]) -> frozenset[str]:
    """Return which of the segments ``asked`` for ``member`` is in at a moment."""
    return frozenset(code for code in asked if code in segments and member.pk in segments[code][1]([member], at))


@segment("new", name=_("New members (first 30 days)"))
def new(members: Sequence[Any], at: datetime) -> set[int]:
    return {member.pk for member in members if member.joined_at <= at < member.joined_at + NEW}


@segment("dormant", name=_("Members who were away for six months"))
def dormant(members: Sequence[Any], at: datetime) -> set[int]:
    Award = get_model("loyalty_earning", "Award")
    past = Award.objects.filter(member__in=list(members), source_type__in=["order", "booking"], happened_at__lt=at)
    last = dict(past.order_by().values_list("member").annotate(last=Max("happened_at")))
    return {pk for pk, moment in last.items() if moment < at - DORMANT}
