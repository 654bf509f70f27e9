"""What the audit proves of a shop with several Sites: nothing of one is in the books of another."""

from collections.abc import Iterator
from typing import Any

from django.contrib.sites.models import Site
from django.db.models import F, QuerySet

from oscar_loyalty.defaults import conf
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.audit import Finding, check


def _strangers(app: str, name: str, here: str, there: str) -> QuerySet[Any]:
    """Return the rows whose Site ``here`` is another than ``there``, with both as ``one`` and ``other``."""
    # By annotations, so that one join is compared: an award has many lines, some of which are of no order line.
    rows = get_model(app, name).objects.annotate(one=F(here), other=F(there))
    rows = rows.filter(one__isnull=False, other__isnull=False).exclude(one=F("other"))
    return rows.order_by().values_list("pk", "one", "other")


@check
def sites() -> Iterator[Finding]:
    """Awards, payments and gift cards are of the Site of their order or attempt; of a single Site all are."""
    if not Site.objects.all()[1:].exists():
        return
    found = [
        ("award", "loyalty_earning", "Award", "programme__site", "lines__order_line__order__site"),
        ("tender", "loyalty_payments", "Tender", "attempt__member__programme__site", "attempt__site"),
        ("gift card", "loyalty_giftcards", "GiftCard", "site", "order__site"),
    ]
    for label, app, name, here, there in found:
        for pk, one, other in _strangers(app, name, here, there).distinct().iterator():
            yield Finding("sites", f"{label} {pk}", f"is of site {one}, and should be of site {other}")
    if not conf.GIFTCARDS_SHARED:
        for pk, one, other in _strangers("loyalty_payments", "Tender", "card__site", "attempt__site").iterator():
            yield Finding("sites", f"tender {pk}", f"is a gift card of site {one}, paid at site {other}")
