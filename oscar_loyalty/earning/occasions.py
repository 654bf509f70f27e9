"""Actions that nobody has to tell us of: days of the calendar, joining, reviews of products, scans."""

import logging
from datetime import date, datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from oscar_loyalty import clock
from oscar_loyalty.due import rounds
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.earning import actions, profiles
from oscar_loyalty.loading import get_model
from oscar_loyalty.times import day_of, end_of, start_of

log = logging.getLogger("oscar_loyalty")

#: So many days a sweep may come late for a birthday, an anniversary or a new member.
LATE = 7
#: Members in one sweep.
SLICE = 500
#: Nobody who was made a member in bulk gets points for joining.
QUIET_SOURCES = ("bulk", "import", "backfill", "demo")
SALT = "oscar_loyalty.scan"


def day_in(year: int, month: int, day: int) -> date:
    """Return a yearly day in ``year``: who was born on 29 February celebrates on the 28th in other years."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)


def _rewarding(action: str) -> Any:
    """Return the open programmes in which ``action`` brings something."""
    rules = {"action_rules__action": action, "action_rules__valid_to__isnull": True, "action_rules__points__gt": 0}
    return get_model("loyalty_members", "Programme").objects.filter(is_active=True, **rules)


def _candidates(programme: Any, action: str, since: datetime) -> Any:
    """Return the members who earn and got nothing for ``action`` since ``since``."""
    had = get_model("loyalty_earning", "Award").objects.filter(
        member=OuterRef("pk"), source_type=actions.SOURCE, source_id=action, happened_at__gt=since
    )
    rows = get_model("loyalty_members", "Member").objects.filter(programme=programme, status="active")
    return rows.filter(~Exists(had)).select_related("programme", "tier").order_by("pk")


def _days(programme: Any, action: str) -> list[date]:
    """Return the last days, today first, on which ``action`` brought something."""
    versions = list(programme.action_rules.filter(action=action))
    today = day_of(clock.now())
    days = [today - timedelta(days=late) for late in range(LATE)]
    found = {day: actions.rule_on(day=day, versions=versions) for day in days}
    return [day for day, rule in found.items() if rule is not None and rule.points]


@sweeper("earning.birthdays")
def birthdays() -> int:
    """Give what a birthday brings, on the shop's calendar; never twice within twelve months, whatever was edited."""
    done = 0
    for programme in _rewarding("birthday"):
        for today in _days(programme, "birthday"):
            born = Q(birth_month=today.month, birth_day=today.day)
            if day_in(today.year, 2, 29) == today:
                born |= Q(birth_month=2, birth_day=29)
            told = Q(profile__isnull=True) | Q(profile__birthday_told_at__lt=end_of(today))
            year_ago = start_of(day_in(today.year - 1, today.month, today.day))
            # Who was born on 29 February got it on the 28th last year, or the other way round: a day of grace.
            rows = _candidates(programme, "birthday", year_ago + timedelta(days=1 if today.month == 2 else 0))
            for member in rows.filter(born).filter(told, joined_at__lt=end_of(today))[:SLICE]:
                done += _give(member, "birthday", str(today.year), start_of(today))
    return done


@sweeper("earning.anniversaries")
def anniversaries() -> int:
    """Give what an anniversary of joining brings, each year on the day."""
    done = 0
    for programme in _rewarding("anniversary"):
        first = programme.members.order_by("joined_at").values_list("joined_at", flat=True).first()
        for today in _days(programme, "anniversary") if first is not None else ():
            joined = Q(pk__in=[])
            for year in range(day_of(first).year, today.year):
                start = day_in(year, today.month, today.day)
                end = start + timedelta(days=1)
                if (today.month, today.day) == (2, 28) and day_in(today.year, 2, 29) == today:
                    end = date(year, 3, 1)
                joined |= Q(joined_at__gte=start_of(start), joined_at__lt=start_of(end))
            rows = _candidates(programme, "anniversary", start_of(today - timedelta(days=30)))
            for member in rows.filter(joined)[:SLICE]:
                done += _give(member, "anniversary", str(today.year), start_of(today))
    return done


@sweeper("earning.welcome")
def welcomes() -> int:
    """Give what joining brings to whoever joined by themselves in the last days, since it brings something."""
    done = 0
    for programme in _rewarding("welcome"):
        begun = programme.action_rules.filter(action="welcome").order_by("number").first().valid_from
        since = max(begun, clock.now() - timedelta(days=LATE))
        rows = _candidates(programme, "welcome", programme.started_at - timedelta(days=36500))
        for member in rows.filter(joined_at__gte=since).exclude(source__in=QUIET_SOURCES)[:SLICE]:
            done += _give(member, "welcome", "joined", None)
    return done


def _give(member: Any, action: str, reference: str, at: datetime | None) -> int:
    try:
        return int(actions.perform(member=member, action=action, reference=reference, happened_at=at) is not None)
    except Exception:
        log.exception("Member %s got nothing for %s", member.number, action)
        return 0


@handler("earning.profile")
def follow_profile(row: Any) -> None:
    """An address or a name was told or changed: the user's profiles may be complete now."""
    found = get_model("loyalty_members", "Member").objects.filter(user=row.payload["user"], status="active")
    for member in found.select_related("programme", "tier", "user"):
        profiles.review(member=member)


@handler("earning.product_review")
def follow_review(row: Any) -> None:
    settle_review(row.payload["review"], row.payload["user"])


def settle_review(pk: int, user: int | None) -> None:
    """Give for a review that is approved; take back for one that is not, or is gone."""
    review = get_model("reviews", "ProductReview").objects.filter(pk=pk).first()
    approved = review is not None and review.status == review.APPROVED
    found = get_model("loyalty_members", "Member").objects.filter(user=user, user__isnull=False)
    for member in found.select_related("programme", "tier"):
        act = actions.perform if approved else actions.undo
        act(member=member, action="review", reference=f"review:{pk}")


@sweeper("earning.product_reviews")
def product_reviews() -> int:
    """Settle the reviews that changed without a word: approved ones without points, points without a review."""
    Review, Award = get_model("reviews", "ProductReview"), get_model("loyalty_earning", "Award")
    done, unsettled, since = 0, False, clock.now() - timedelta(days=LATE)
    part = rounds.part("earning.product_reviews", Review)
    for programme in _rewarding("review"):
        begun = programme.action_rules.filter(action="review").order_by("number").first().valid_from
        fresh = part.where() & Q(status=Review.APPROVED, date_created__gte=max(begun, since))
        told = Award.objects.filter(
            member__user=OuterRef("user"),
            source_type=actions.SOURCE,
            source_id="review",
            void=False,
        )
        ends = Concat(Value(":review:"), Cast(OuterRef("pk"), CharField()))
        told = told.filter(Q(reference__endswith=ends) | Q(reference__contains=Concat(ends, Value("~"))))
        # Of a membership that was merged, the points are another's: whoever settles one review finds them there.
        own = {"user__loyalty_memberships__programme": programme, "user__loyalty_memberships__merged_into": None}
        mine = Review.objects.filter(fresh, **own)
        found = list(mine.filter(~Exists(told))[:SLICE])
        unsettled |= len(found) == SLICE
        for review in found:
            settle_review(review.pk, review.user_id)
        done += len(found)
    if not unsettled:
        part.over()
    return done + _take_back()


def _take_back() -> int:
    """Take back what the last reviews brought that do not stand any more; return of how many."""
    Review, Award = get_model("reviews", "ProductReview"), get_model("loyalty_earning", "Award")
    given = Award.objects.filter(
        source_type=actions.SOURCE, source_id="review", void=False, happened_at__gte=clock.now() - timedelta(days=90)
    )
    awards = {
        int(reference.rpartition("review:")[2].partition("~")[0]): award
        for award, reference in given.values_list("pk", "reference")[:5000]
    }
    stands = set(Review.objects.filter(pk__in=list(awards), status=Review.APPROVED).values_list("pk", flat=True))
    gone = {award: pk for pk, award in awards.items() if pk not in stands}
    for award in Award.objects.filter(pk__in=gone).select_related("member"):
        actions.undo(member=award.member, action="review", reference=f"review:{gone[award.pk]}")
    return len(gone)


def scan_token(product: Any, programme: Any) -> str:
    """Return the end of the address that is printed for ``product``: signed, for as long as the shop's key."""
    return signing.Signer(salt=SALT).sign(f"{product.pk}-{programme.pk}")


def read_scan(token: str, programme: Any) -> Any:
    """Return the product of a printed address, or ``None`` where it is none of ours or was printed for another
    programme, or the product is gone."""
    try:
        pk, _mark, owner = signing.Signer(salt=SALT).unsign(token).partition("-")
    except signing.BadSignature:
        return None
    if programme is None or owner != str(programme.pk):
        return None
    return get_model("catalogue", "Product").objects.filter(pk=pk, is_public=True).first()


def scan(*, member: Any, product: Any) -> Any:
    """Give what scanning brings, once for each product and day of the shop; return the award or ``None``."""
    today = day_of(clock.now())
    return actions.perform(member=member, action="scan", reference=f"{product.pk}:{today.isoformat()}")


def scanned_today(*, member: Any, product: Any) -> bool:
    today = day_of(clock.now())
    return bool(actions.rounds_of(member, "scan", f"{product.pk}:{today.isoformat()}"))
