"""What of the club needs a tier: whoever would take the tier away is told, for it would be nobody's from then on."""

from collections.abc import Iterator
from typing import Any

from django.db.models import IntegerField, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Page

from oscar_loyalty.members import tiers
from wagtail_club import access, uses

#: Pages that are named; of more, their number is told.
NAMED = 20


@tiers.use
def pages(tier: Any) -> Iterator[str]:
    """What is published for the tier: pages, pages with a part for it, and other things that have one.

    Drafts can do without: they go live for nobody until an editor chooses another tier. An alias has its source's.
    """
    parts = uses.of(type(tier)).filter(uses.for_tiers(), to_object_id=str(tier.pk))
    found = Q(pk__in=parts.filter(uses.on_pages()).annotate(_page=Cast("object_id", IntegerField())).values("_page"))
    for model in access.club_models():
        found |= Q(pk__in=model.objects.filter(audience=model.TIER, minimum_tier=tier.pk).order_by().values("pk"))
    rows = Page.objects.live().filter(found, alias_of__isnull=True).order_by("path")
    for title in rows.values_list("title", flat=True)[:NAMED]:
        yield _("the page “%(title)s” of the club") % {"title": title}
    if (rest := rows.count() - NAMED) > 0:
        yield ngettext("%(number)s more page of the club", "%(number)s more pages of the club", rest) % {"number": rest}
    for thing, _parts in parts.filter(~uses.on_pages(), ~uses.drafts()).group_by_source_object():
        yield _("“%(name)s” (%(kind)s)") % {"name": thing, "kind": thing._meta.verbose_name}
