"""The review of all members' tiers: once a day, and after the rules have changed.

It goes through the members in slices of their keys (:mod:`oscar_loyalty.due.slices`), each settled in one transaction
by a few statements for all of them, so that any number of workers share a review.
"""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from oscar_loyalty import clock, times
from oscar_loyalty.due import slices
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.earning.tiering import selectors, standings
from oscar_loyalty.earning.tiering.bulk import settle_slice
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database

KIND = "earning.tier_review"
#: Members in one transaction.
SLICE = 20_000


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
            review.run = slices.begin(kind=KIND, key=str(review.pk), parts=lambda: _cut(review, size or SLICE))
            review.total = review.run.total
            review.save(update_fields=["run", "total"])
            slices.share(review.run)
            return review
    except IntegrityError:
        review = Review.objects.filter(programme=programme, finished_at__isnull=True).first()
    if review is not None and not daily:
        with transaction.atomic():
            # The slices first, as those do who are at them.
            slices.begin_again(review.run)
            row = Review.objects.select_for_update(no_key=True).get(pk=review.pk)
            row.seen, row.finished_at = 0, None
            row.quiet, row.rules = row.quiet and quiet, selectors.rules_of(programme)
            row.save(update_fields=["seen", "finished_at", "quiet", "rules"])
            review = row
    if review is not None:
        slices.share(review.run)
    return review


def _cut(review: Any, size: int) -> list[slices.Part]:
    """Cut the members of a review into slices."""
    members = standings.members(review.programme_id, 0, None)
    db = Database(_model("Member"))
    text, params = db.compiled(members.order_by().values_list("pk"))
    # Whoever joins later belongs to the last one.
    parts = slices.cut(db, "SELECT mine.pk, 1 FROM ($mine) mine", params, size=size, mine=text)
    return parts or [slices.Part(0, None, 0)]


def _finish(run: Any) -> None:
    _model("TierReview").objects.filter(run=run.pk).update(finished_at=clock.now())


@slices.worker(KIND, finish=_finish)
def settle(run: Any, first: int, last: int | None) -> dict[str, int]:
    """Settle the members from one key to another."""
    reviews = _model("TierReview").objects
    review = reviews.select_related("programme").get(run=run.pk)
    found = settle_slice(programme=review.programme, first=first, last=last, quiet=review.quiet)
    counts = {name: getattr(found, name) for name in ("seen", "risen", "fallen", "kept", "warned")}
    reviews.filter(pk=review.pk).update(**{name: F(name) + number for name, number in counts.items()})
    return counts


def step(*, review: Any) -> bool:
    """Settle the next slice; return whether there was one: ``False``, too, while others are at all that is left."""
    return slices.step(review.run) is not None


def run(*, review: Any, progress: Callable[[int], None] | None = None) -> Any:
    """Review members until all slices are taken; return the review as it is then."""

    def tell(_run: Any) -> None:
        if progress is not None:
            progress(_model("TierReview").objects.values_list("seen", flat=True).get(pk=review.pk))

    slices.work(review.run, progress=tell)
    return _model("TierReview").objects.select_related("programme").get(pk=review.pk)


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
