"""Points for the past: awards orders that were placed before the programme, or brought in from elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from oscar_loyalty import clock
from oscar_loyalty.due import slices
from oscar_loyalty.earning import past_orders
from oscar_loyalty.loading import get_model
from oscar_loyalty.lookups import among
from oscar_loyalty.members.selectors import orders_of
from oscar_loyalty.sql import Database

KIND = "earning.backfill"
#: Orders handled in one transaction.
SLICE = 5000


@dataclass
class Outcome:
    """What a backfill did, or would do: orders it went through, those that brought points, and to how many members."""

    orders: int = 0
    awards: int = 0
    points: int = 0
    members: int = 0

    def add(self, counts: Mapping[str, int]) -> None:
        """Add what a slice has counted."""
        for name, number in counts.items():
            setattr(self, name, getattr(self, name) + number)


def waiting(programme: Any, *, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Any]:
    """Return the orders of members, in a period, that may bring points and were never awarded."""
    Award, Review = get_model("loyalty_earning", "Award"), get_model("loyalty_earning", "OrderReview")
    awards = Award.objects.filter(source_type="order", source_id=Cast(OuterRef("pk"), CharField()))
    reviewed = Review.objects.filter(order=OuterRef("pk"), reviewed_at__isnull=False, status=OuterRef("status"))
    found = _placed(programme, since=since, until=until).filter(~Exists(awards))
    return found.exclude(Exists(reviewed) & ~Exists(_late(programme)))


def _placed(
    programme: Any,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    users: tuple[int, int | None] = (0, None),
) -> QuerySet[Any]:
    """Return the orders of members, in a period, that may bring points, awarded or not."""
    Member = get_model("loyalty_members", "Member")
    # Of both, or whoever does a slice reads all members each time.
    within = {"user__gte": users[0], **({"user__lte": users[1]} if users[1] is not None else {})}
    found = orders_of(programme).filter(currency=programme.currency, **within)
    found = found.exclude(status__in=programme.cancelled_order_statuses)
    if since:
        found = found.filter(date_placed__gte=since)
    if until:
        found = found.filter(date_placed__lt=until)
    if wanted := programme.award_on_status:
        reached = get_model("order", "OrderStatusChange").objects.filter(order=OuterRef("pk"), new_status=wanted)
        found = found.filter(Q(status=wanted) | Exists(reached))
    member = Member.objects.filter(programme=programme, user=OuterRef("user"), status="active", **within)
    return found.filter(Exists(member))


def _late(programme: Any) -> QuerySet[Any]:
    """Return who has joined after they placed an order.

    What was reviewed and brought nothing is not asked again, unless it was placed before its customer joined: that is
    what a backfill is for.
    """
    Member = get_model("loyalty_members", "Member")
    members = Member.objects.filter(programme=programme, user=OuterRef("user"), status="active")
    return members.filter(joined_at__gt=OuterRef("date_placed"))


def _still_waiting(programme: Any, pks: list[int]) -> list[int]:
    """Return which of these orders nobody has reviewed. As :func:`waiting` says, but the time does not grow with all
    that was ever reviewed.
    """
    Order, Review = get_model("order", "Order"), get_model("loyalty_earning", "OrderReview")
    reviews = Review.objects.filter(among("order_id", pks), reviewed_at__isnull=False, status=F("order__status"))
    if not (reviewed := set(reviews.values_list("order", flat=True))):
        return pks
    late = Order.objects.filter(among("pk", reviewed), Exists(_late(programme)))
    reviewed -= set(late.values_list("pk", flat=True))
    return [pk for pk in pks if pk not in reviewed]


def begin(
    *,
    programme: Any,
    since: datetime | None = None,
    until: datetime | None = None,
    rules_now: bool = True,
    from_today: bool = False,
) -> Any:
    """Begin a backfill and return its run, or the one with the same options that is under way; ``None`` when there is
    nothing to do. See :func:`run`.
    """
    now = clock.now()
    told = [_text(since), _text(until), "now" if rules_now else "then", "today" if from_today else "order"]
    end = min(until, now) if until else now
    payload = {
        "programme": programme.pk,
        "since": _text(since),
        "until": _text(end),
        "rules_at": _text(now) if rules_now else "",
        "booked_at": _text(now) if from_today else "",
    }
    return slices.begin(
        kind=KIND,
        key=":".join([str(programme.pk), *told]),
        payload=payload,
        parts=lambda: _cut(waiting(programme, since=since, until=end)),
    )


def _cut(found: QuerySet[Any]) -> list[slices.Part]:
    db = Database(get_model("order", "Order"))
    # Whole customers, so that whoever does a slice has each one's orders in the order of time.
    source, params = db.compiled(found.order_by().values_list("user").annotate(number=Count("pk")))
    return slices.cut(db, source, params, size=SLICE)


@slices.worker(KIND)
def award_slice(run: Any, first: int, last: int | None) -> dict[str, int]:
    """Award the orders of the users from one key to another."""
    told = run.payload
    programme = get_model("loyalty_members", "Programme").objects.get(pk=told["programme"])
    found = _placed(programme, since=_moment(told["since"]), until=_moment(told["until"]), users=(first, last))
    pks = list(found.order_by("user_id", "date_placed", "pk").values_list("pk", flat=True))
    rules_at, booked_at = _moment(told["rules_at"]), _moment(told["booked_at"])
    given: list[Any] = []
    for start in range(0, len(pks), SLICE):
        mine = _still_waiting(programme, pks[start : start + SLICE])
        given += past_orders.award(programme, mine, rules_at=rules_at, booked_at=booked_at)
    with_points = [award for award in given if award.points > 0]
    return {
        "orders": len(given),
        "awards": len(with_points),
        "points": sum(award.points for award in with_points),
        "members": len({award.member_id for award in with_points}),
    }


def run(
    *,
    programme: Any,
    since: datetime | None = None,
    until: datetime | None = None,
    rules_now: bool = True,
    from_today: bool = False,
    dry_run: bool = False,
    share: bool = False,
    progress: Callable[[int, int], Any] | None = None,
) -> Outcome:
    """Award the orders of :func:`waiting` and return what that brought.

    With ``rules_now`` by the rules of today, since there were none then; else by those of each order's own time. With
    ``from_today`` the points wait and expire as if earned now. ``progress`` is told how many orders are done, and how
    many there are. ``share`` lets workers help; whoever else calls this with the same options helps, too.

    Each customer's orders come in the order of time. It goes slice by slice, each a transaction of its own, so a run
    can be stopped at any moment, and the next call goes on with it; orders placed meanwhile are left to the usual way.
    """
    options = {"since": since, "until": until, "rules_now": rules_now, "from_today": from_today}
    if dry_run:
        return _try(programme, options, progress)
    outcome, now = Outcome(), clock.now()
    while (begun := begin(programme=programme, **options)) is not None:
        if share:
            slices.share(begun)
        done = slices.work(begun, progress=progress and (lambda row: progress(row.done, row.total)))
        outcome.add(done.counts)
        if done.run.finished_at is None or begun.began_at >= now:
            # The rest is with others. One that was under way had left out what came after it.
            break
    return outcome


def _try(programme: Any, options: dict[str, Any], progress: Callable[[int, int], Any] | None) -> Outcome:
    """Do it all, and undo it slice by slice."""
    outcome = Outcome()
    with transaction.atomic():
        begun = begin(programme=programme, **options)
        parts = list(begun.slices.order_by("first")) if begun is not None else []
        transaction.set_rollback(True)
    done = 0
    for part in parts:
        with transaction.atomic():
            outcome.add(award_slice(begun, part.first, part.last))
            transaction.set_rollback(True)
        done += part.number
        if progress is not None:
            progress(done, begun.total)
    return outcome


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
