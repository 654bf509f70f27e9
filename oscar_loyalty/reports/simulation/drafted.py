"""Drafts of rules, as rules that can be tried."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock, keys
from oscar_loyalty.earning.drafts import DraftBook
from oscar_loyalty.earning.facts import RuleBook
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.simulation.sources import NoRules, Rules, source

#: How many drafts are offered, the last changed first.
OFFERED = 100


def offers(programme: Any) -> list[tuple[str, Any]]:
    Draft = get_model("loyalty_earning", "Draft")
    rows = Draft.objects.filter(programme=programme, state=Draft.DRAFT).order_by("-updated_at", "-pk")[:OFFERED]
    return [(f"draft:{row.pk}", _("Draft: %(name)s") % {"name": row.name}) for row in rows]


@source("draft", offers=offers)
def drafted(programme: Any, rest: str, since: datetime, until: datetime) -> Rules:
    """The rules of today with a draft's changes laid over them; of one that was published, those from then on."""
    pk = keys.number(rest)
    draft = get_model("loyalty_earning", "Draft").objects.filter(programme=programme, pk=pk).first() if pk else None
    if draft is None:
        raise NoRules(f"draft:{rest}")
    if draft.state == draft.PUBLISHED:
        # Its changes are rules by now, and must not count twice.
        return Rules(RuleBook(programme, since=draft.valid_from), draft.valid_from)
    now = clock.now()
    return Rules(DraftBook(draft, since=now), now)
