"""The part of the audit that is about orders: none is forgotten between its payment and its points."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.earning import awaited
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import default_site
from oscar_loyalty.reports.audit import Finding, check

#: Orders that one statement asks about.
SLICE = 500


@check
def orders_looked_at() -> Iterator[Finding]:
    """An order of somebody with an account was looked at for its points, or a due row says that it will be."""
    Order, Due = get_model("order", "Order"), get_model("loyalty_due", "Due")
    # What has just been placed may be with a worker at this moment.
    before = clock.now() - timedelta(minutes=conf.SWEEP_LATE_MINUTES)
    never = Q(loyalty_review__isnull=True) | Q(loyalty_review__reviewed_at__isnull=True)
    # While somebody pays for the same basket, what pays for which line is not written yet.
    paying = get_model("loyalty_payments", "PaymentAttempt").objects.filter(basket=OuterRef("basket"), state="open")
    site = Coalesce(OuterRef("site"), default_site().pk)
    begun = get_model("loyalty_members", "Programme").objects.filter(site=site, started_at__lte=OuterRef("date_placed"))
    rows = Order.objects.filter(never, Exists(begun), date_placed__lt=before, user__isnull=False)
    forgotten = list(rows.exclude(Exists(paying)).order_by("pk").values_list("pk", "number"))
    for start in range(0, len(forgotten), SLICE):
        some = dict(forgotten[start : start + SLICE])
        waiting = Due.objects.filter(kind=awaited.REVIEW, key__in=[str(pk) for pk in some]).exclude(state="done")
        known = set(waiting.values_list("key", flat=True))
        for pk, number in some.items():
            if str(pk) not in known:
                yield Finding("orders.forgotten", f"order {number}", "nobody looked at it, and no due row says so")
