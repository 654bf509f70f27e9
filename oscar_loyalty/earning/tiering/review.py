"""The review of all members' tiers: once a day, and after the rules have changed.

It goes through the members by their keys, some thousand in one transaction, with a few queries for all of them, and
notes how far it is in that transaction: stopped anywhere, it goes on there. Two workers do not get in each other's way.
"""

import time
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.earning.tiering.services import settle
from oscar_loyalty.loading import get_model

KIND = "earning.tier_review"
#: Members in one transaction.
SLICE = 2000
#: Seconds that one due row may take: less than its lease.
MOST = 120.0


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


def _members(programme_id: int) -> Any:
    return _model("Member").objects.filter(programme=programme_id, status="active", merged_into__isnull=True)


def begin(*, programme: Any, quiet: bool = False, daily: bool = False) -> Any:
    """Begin a review of a programme and return it, or the one that is under way; a ``daily`` one again: ``None`` once
    today's is there. The work is left to the sweep or a worker.

    A review that is under way looks at the rules as they are: members it has seen already are seen again, unless it is
    daily.
    """
    Review = _model("TierReview")
    now = clock.now()
    day = times.day_of(now) if daily else None
    if daily and Review.objects.filter(programme=programme, day=day).exists():
        return None
    try:
        with transaction.atomic():
            review = Review.objects.create(
                programme=programme, day=day, quiet=quiet, began_at=now, total=_members(programme.pk).count()
            )
            due.leave(kind=KIND, key=str(review.pk), payload={"review": review.pk})
            return review
    except IntegrityError:
        review = Review.objects.filter(programme=programme, finished_at__isnull=True).first()
    if review is not None and not daily:
        with transaction.atomic():
            row = Review.objects.select_for_update(no_key=True).get(pk=review.pk)
            row.cursor, row.seen, row.finished_at = 0, 0, None
            row.quiet = row.quiet and quiet
            row.save(update_fields=["cursor", "seen", "finished_at", "quiet"])
            review = row
    if review is not None:
        with transaction.atomic():
            due.again(kind=KIND, key=str(review.pk), payload={"review": review.pk})
    return review


@transaction.atomic
def step(*, review: Any, size: int | None = None) -> bool:
    """Review the next members; return whether there may be more. ``False``, too, while another worker is at it."""
    rows = _model("TierReview").objects.select_for_update(skip_locked=True, of=("self",))
    row = rows.select_related("programme").filter(pk=review.pk, finished_at__isnull=True).first()
    if row is None:
        return False
    size = size or SLICE
    pks = list(_members(row.programme_id).filter(pk__gt=row.cursor).order_by("pk").values_list("pk", flat=True)[:size])
    if pks:
        outcome = settle(programme=row.programme, members=pks, quiet=row.quiet)
        row.cursor = pks[-1]
        row.seen += len(pks)
        row.risen += outcome.risen
        row.fallen += outcome.fallen
        row.kept += outcome.kept
        row.warned += outcome.warned
    if len(pks) < size:
        row.finished_at = clock.now()
    row.save()
    return bool(row.finished_at is None)


def run(*, review: Any, most: float | None = None, progress: Callable[[int], None] | None = None) -> Any:
    """Review members until all are seen or ``most`` seconds are over; return the review as it is then."""
    began = time.monotonic()
    while step(review=review):
        if progress is not None:
            progress(_model("TierReview").objects.values_list("seen", flat=True).get(pk=review.pk))
        if most is not None and time.monotonic() - began > most:
            break
    return _model("TierReview").objects.select_related("programme").get(pk=review.pk)


@handler(KIND, atomic=False)
def review_due(row: Any) -> None:
    review = _model("TierReview").objects.filter(pk=row.payload["review"]).first()
    if review is not None and run(review=review, most=MOST).finished_at is None:
        with transaction.atomic():
            due.again(kind=KIND, key=row.key, payload=row.payload)


@sweeper("earning.tiers")
def review_daily() -> int:
    """Begin today's review of every open programme in which tiers can change by themselves."""
    done = 0
    by_rule = _model("TierScheme").objects.exclude(metric="hand").values_list("programme", flat=True)
    by_hand = _model("TierTerm").objects.filter(floor_until__lte=clock.now())
    wanted = {*by_rule, *by_hand.values_list("member__programme", flat=True).distinct()}
    for programme in _model("Programme").objects.filter(pk__in=wanted, is_active=True).order_by("pk"):
        done += begin(programme=programme, daily=True) is not None
    return done


def latest(programme: Any) -> Any:
    """Return the last review of a programme, or ``None``."""
    return _model("TierReview").objects.filter(programme=programme).first()
