"""The review of all members' tiers: once a day, and after the rules have changed.

It goes through the members in slices of their keys. A worker takes the next slice that is free, settles its members in
one transaction, by a few statements for all of them, and notes in that transaction that it is done. So any number of
workers share a review, one that is killed loses and doubles nothing, and whoever comes by goes on.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.earning.tiering import selectors, standings
from oscar_loyalty.earning.tiering.bulk import settle_slice
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database

KIND = "earning.tier_review"
#: Members in one transaction.
SLICE = 20_000
#: Seconds that one due row may take: less than its lease.
MOST = 120.0
#: Workers that are asked to share a review; more of them find nothing to do.
WORKERS = 8
#: When to look again whether another worker has done the slice that it was at.
PATIENCE = timedelta(minutes=1)


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


def begin(*, programme: Any, quiet: bool = False, daily: bool = False, size: int | None = None) -> Any:
    """Begin a review of a programme and return it, or the one that is under way; a ``daily`` one again: ``None`` once
    today's is there. The work is left to the sweep or to workers, ``size`` members at once.

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
                programme=programme, day=day, quiet=quiet, began_at=now, rules=selectors.rules_of(programme)
            )
            review.total = _cut(review, size or SLICE)
            review.save(update_fields=["total"])
            _call(review)
            return review
    except IntegrityError:
        review = Review.objects.filter(programme=programme, finished_at__isnull=True).first()
    if review is not None and not daily:
        with transaction.atomic():
            # The slices first, as those do who are at them.
            review.slices.update(done_at=None)
            row = Review.objects.select_for_update(no_key=True).get(pk=review.pk)
            row.seen, row.finished_at = 0, None
            row.quiet, row.rules = row.quiet and quiet, selectors.rules_of(programme)
            row.save(update_fields=["seen", "finished_at", "quiet", "rules"])
            review = row
    if review is not None:
        with transaction.atomic():
            _call(review)
    return review


def _cut(review: Any, size: int) -> int:
    """Cut the members of a review into slices; return how many they are."""
    members = standings.members(review.programme_id, 0, None)
    db = Database(_model("Member"))
    text, params = db.compiled(members.order_by().values_list("pk"))
    select = """
        WITH mine(id) AS ($mine), numbered(id, number) AS (SELECT id, ROW_NUMBER() OVER (ORDER BY id) FROM mine)
        SELECT id FROM numbered WHERE (number - 1) %% $size = 0 ORDER BY id
    """
    rows = db.rows(select, params, mine=text, size=int(size))
    # Whoever joins later belongs to the last one.
    firsts = [0, *(pk for (pk,) in rows[1:])]
    Slice = _model("TierReviewSlice")
    lasts = [*(first - 1 for first in firsts[1:]), None]
    Slice.objects.bulk_create(
        [Slice(review=review, first=first, last=last) for first, last in zip(firsts, lasts, strict=True)],
        batch_size=500,
    )
    return int(members.count())


def _call(review: Any) -> None:
    """Leave word for as many workers as can share a review."""
    number = min(WORKERS, review.slices.count())
    for worker in range(number):
        due.again(kind=KIND, key=f"{review.pk}:{worker}" if worker else str(review.pk), payload={"review": review.pk})


@transaction.atomic
def step(*, review: Any) -> bool:
    """Settle the next slice; return whether there was one: ``False``, too, while others are at all that is left."""
    slices = _model("TierReviewSlice").objects.filter(review=review.pk)
    rows = slices.select_for_update(skip_locked=True, of=("self",)).select_related("review__programme")
    mine = rows.filter(done_at__isnull=True).order_by("first").first()
    if mine is None:
        return False
    found = settle_slice(programme=mine.review.programme, first=mine.first, last=mine.last, quiet=mine.review.quiet)
    mine.done_at = clock.now()
    mine.save(update_fields=["done_at"])
    names = ("seen", "risen", "fallen", "kept", "warned")
    counts = {name: F(name) + getattr(found, name) for name in names}
    reviews = _model("TierReview").objects.filter(pk=mine.review_id)
    # Until the commit, no other worker ends a slice of this review: the last one sees that all are done.
    reviews.update(**counts)
    if not slices.filter(done_at__isnull=True).exists():
        reviews.update(finished_at=clock.now())
    return True


def run(*, review: Any, most: float | None = None, progress: Callable[[int], None] | None = None) -> Any:
    """Review members until all slices are taken or ``most`` seconds are over; return the review as it is then."""
    began = time.monotonic()
    while step(review=review):
        if progress is not None:
            progress(_model("TierReview").objects.values_list("seen", flat=True).get(pk=review.pk))
        if most is not None and time.monotonic() - began > most:
            break
    return _model("TierReview").objects.select_related("programme").get(pk=review.pk)


@handler(KIND, atomic=False)
def review_due(row: Any) -> None:
    review = _model("TierReview").objects.filter(pk=row.payload["review"], finished_at__isnull=True).first()
    if review is None or run(review=review, most=MOST).finished_at is not None:
        return
    # What is left is for now, or is with another worker, who may have died.
    at = clock.now()
    with transaction.atomic():
        waiting = review.slices.filter(done_at__isnull=True).select_for_update(skip_locked=True)
        if not waiting.values("pk")[:1]:
            at += PATIENCE
    with transaction.atomic():
        due.again(kind=KIND, key=row.key, payload=row.payload, at=at)


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
