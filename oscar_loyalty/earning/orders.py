"""From an order to its points, and back when it is cancelled."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils.translation import get_language

from oscar_loyalty import clock
from oscar_loyalty.due import rounds
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import clawback, facts, linking, scene
from oscar_loyalty.earning.awarding import reference_of_order, write
from oscar_loyalty.earning.clawback import cancelled_quantities
from oscar_loyalty.earning.deciding import Decider
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.locking import lock_heirs
from oscar_loyalty.members.selectors import orders_of, programme_of_order, rests

#: How long after it was placed a guest order is news to its customer; what lies further back is history.
NEWS = timedelta(days=7)
#: Orders of a programme that one sweep reviews, for each of the two reasons to.
MOST = 1000


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


def locked_review(order_pk: int) -> Any:
    """Return the review of an order under its lock: whoever changes what an order brings takes it first."""
    review, _made = _model("OrderReview").objects.get_or_create(order_id=order_pk)
    return _model("OrderReview").objects.select_for_update().get(pk=review.pk)


def locked_reviews(order_pks: Sequence[int]) -> list[Any]:
    """Return the reviews of many orders, as :func:`locked_review` does one, in one order always."""
    Review = _model("OrderReview")
    Review.objects.bulk_create([Review(order_id=pk) for pk in sorted(order_pks)], ignore_conflicts=True)
    return list(Review.objects.select_for_update().filter(order__in=order_pks).order_by("pk"))


def review_order(*, order: Any) -> Any:
    """Bring the points of ``order`` in line with its state, and return its award (``None``: none).

    A function of the stored state, safe to run again and side by side: it awards once the order has reached the
    programme's status, and takes back, once, for what was cancelled or refunded and for what a booking earns instead.
    """
    try:
        return _review(order, plainly=True)
    except scene.Unusual:
        return _review(order, plainly=False)


@transaction.atomic
def _review(order: Any, *, plainly: bool) -> Any:
    """Review an order; ``plainly``, where nobody has yet, with its buyer and account locked at once."""
    review = scene.open_review(order) if plainly else None
    new = review is not None
    buyer = scene.lock_buyer(order) if new and order.user_id is not None else None
    programme = buyer.programme if buyer else programme_of_order(order)
    if programme is None:
        return None
    review = review or locked_review(order.pk)
    seen = scene.look(order.pk, programme, buyer)
    if buyer is not None and seen.order.user_id != order.user_id:
        # It was given to somebody else since it was read.
        raise scene.Unusual
    order = seen.order
    if seen.paying:
        # What pays for which line is not written yet; the sweep comes back, since the review stays open.
        if new:
            _model("OrderReview").objects.filter(pk=review.pk).update(reviewed_at=None)
        return None
    if order.user_id is None and seen.claimed:
        _keep_claimed(order)
    cancelled = cancelled_quantities(order, programme)
    whole = order.status in programme.cancelled_order_statuses
    refunded = clawback.refunded([order.pk]).get(order.pk, {}) if seen.refunded else {}
    award = made = clawback.award_of(order) if seen.awarded else None
    if order.user_id is None and award is None and not whole:
        _invite_guest(programme, order)
    if award is None and not whole and programme.is_active:
        made = _award_one(programme, order, clawback.left_out(cancelled, refunded), seen, plainly=plainly)
        # What was refunded without a piece coming back is in the award, and is taken off it again.
        award = clawback.award_of(order) if refunded and made is not None else None
    elif award is not None and not whole:
        linking.link_lines(member=award.member, orders=[order])
    if award is not None:
        clawback.claw_back(award, order, cancelled, refunded, whole)
    if cancelled:
        _return_tenders(order, cancelled, whole)
    _note(review, new, order, programme)
    return award or made


def _note(review: Any, new: bool, order: Any, programme: Any) -> None:
    """Note how the order looks now; a new review says so already, unless something is cancelled or has moved."""
    found = (order.status or "", _lines_cancelled(order, programme))
    if new and found == (review.status, review.cancelled_lines):
        return
    review.status, review.cancelled_lines = found
    review.reviewed_at = clock.now()
    review.save()


def _keep_claimed(order: Any) -> None:
    """Oscar saves a whole order: one that was read before its guest claimed it would be written back without user."""
    claim = _model("GuestClaim").objects.filter(order=order.pk, member__user__isnull=False).select_related("member")
    for found in claim:
        get_model("order", "Order").objects.filter(pk=order.pk, user__isnull=True).update(user=found.member.user_id)
        order.user_id = found.member.user_id


def _invite_guest(programme: Any, order: Any) -> None:
    """Leave word that somebody without an account has bought something, while that is news."""
    since = max(programme.started_at, clock.now() - NEWS)
    if programme.is_active and order.guest_email and order.date_placed >= since:
        payload = {"order": order.pk, "language": get_language() or settings.LANGUAGE_CODE}
        due.leave(kind="earning.guest_order", key=str(order.pk), payload=payload)


def _lines_cancelled(order: Any, programme: Any) -> int:
    return sum(line.status in programme.cancelled_line_statuses for line in order.lines.all())


def _award_one(programme: Any, order: Any, cancelled: Mapping[int, int], seen: scene.Scene, *, plainly: bool) -> Any:
    if order.user_id is None or order.date_placed < programme.started_at:
        return None
    at = reached_at(order, programme)
    if at is None:
        return None
    if plainly and seen.standing is None:
        buyer = scene.lock_buyer(order, programme)
        if buyer is None:
            return None
        seen = replace(seen, standing=scene.stand(order.pk, buyer))
    awards = _award(programme, [(order, at)], cancelled, rules_at=None, joined=True, seen=seen)
    return awards[0] if awards else None


def reached_at(order: Any, programme: Any, *, past: bool = False) -> datetime | None:
    """Return when ``order`` reached the status at which the programme gives points, or ``None``.

    An order in that status without a record of how it got there was just moved, or (``past``) has been there since it
    was placed.
    """
    wanted = programme.award_on_status
    if not wanted:
        return order.date_placed
    changes = [change.date_created for change in order.status_changes.all() if change.new_status == wanted]
    now = clock.now()
    if changes:
        return min(min(changes), now)
    if order.status != wanted:
        return None
    first = getattr(settings, "OSCAR_INITIAL_ORDER_STATUS", None) == wanted
    return order.date_placed if past or first else now


@transaction.atomic
def award_orders(
    *,
    programme: Any,
    orders: Sequence[Any],
    rules_at: datetime | None = None,
    joined: bool = True,
    booked_at: datetime | None = None,
) -> list[Any]:
    """Award many orders that have none yet, in one transaction with bulk writes; return the new awards.

    For imports and backfills. ``rules_at`` takes the rules of that moment for all of them (default: of each order's
    own), ``joined`` leaves out orders from before their customer joined, ``booked_at`` is the moment from which days
    and months are counted (default: when each order reached its status). Orders without a member, or cancelled, bring
    nothing.
    """
    pks = sorted(order.pk for order in orders)
    reviews = [(review.pk, review.order_id, review.reviewed_at) for review in locked_reviews(pks)]
    rows = get_model("order", "Order").objects.filter(pk__in=pks).order_by("date_placed", "pk")
    found = list(rows.prefetch_related("lines", "status_changes"))
    done = _model("Award").objects.filter(reference__in=[reference_of_order(pk) for pk in pks])
    known = set(done.values_list("reference", flat=True))
    refunds = clawback.refunded(pks)
    cancelled: dict[int, int] = {}
    wanted = []
    for order in found:
        at = reached_at(order, programme, past=True)
        cancelled |= clawback.left_out(cancelled_quantities(order, programme), refunds.get(order.pk, {}))
        whole = order.status in programme.cancelled_order_statuses
        if at is not None and not whole and reference_of_order(order.pk) not in known and order.user_id is not None:
            wanted.append((order, booked_at or at))
    awards = _award(programme, wanted, cancelled, rules_at=rules_at, joined=joined)
    by_order = {order.pk: order for order in found}
    for award in awards:
        pk = int(award.source_id)
        if pk in refunds:
            own = cancelled_quantities(by_order[pk], programme)
            clawback.claw_back(award, by_order[pk], own, refunds[pk], whole=False)
    _mark_reviewed(programme, {order.pk: order for order in found}, reviews)
    return awards


def _mark_reviewed(programme: Any, orders: Mapping[int, Any], reviews: Sequence[tuple[Any, ...]]) -> None:
    """Note how the orders look now; those reviewed before are left to the sweep, which may have more to do."""
    alike = defaultdict(list)
    for review, order_pk, reviewed_at in reviews:
        if reviewed_at is None:
            order = orders[order_pk]
            alike[order.status or "", _lines_cancelled(order, programme)].append(review)
    for (status, number), pks in alike.items():
        rows = _model("OrderReview").objects.filter(pk__in=pks)
        rows.update(status=status, cancelled_lines=number, reviewed_at=clock.now())


def _award(
    programme: Any,
    orders: Sequence[tuple[Any, datetime]],
    cancelled: Mapping[int, int],
    *,
    rules_at: datetime | None,
    joined: bool,
    seen: scene.Scene | None = None,
) -> list[Any]:
    """Award orders, each as of its moment; who may earn is decided here. ``seen``: what was read of the one order."""
    standing = seen.standing if seen is not None else None
    members = _members(programme, {order.user_id for order, _at in orders}) if standing is None else standing.buyers
    orders = [(order, at) for order, at in orders if order.user_id in members]
    late = [order.pk for order, _at in orders if joined and members[order.user_id].joined_at > order.date_placed]
    rested = rests(members.values()) if standing is None else standing.rested
    # Nothing is earned for what was bought while the membership was on hold.
    orders = [(order, at) for order, at in orders if not rested(members[order.user_id], order.date_placed)]
    claims = _claims([order.pk for order, _at in orders]) if seen is None or seen.claimed else {}
    orders = [(order, at) for order, at in orders if order.pk not in late or order.pk in claims]
    if not orders:
        return []
    plain = [order for order, _at in orders]
    if seen is None or standing is None:
        booked = linking.link_lines(member=None, orders=plain, members=members)
    else:
        # None of the buyer's bookings is free.
        booked = linking.linked_quantities([line.pk for line in plain[0].lines.all()]) if seen.linked else {}
    without = {pk: cancelled.get(pk, 0) + booked.get(pk, 0) for pk in {*cancelled, *booked}}
    decider = Decider(
        programme,
        {members[order.user_id] for order in plain},
        placed=[order.date_placed for order in plain],
        given=[at for _order, at in orders],
        rules_at=rules_at,
        tier_at=standing.tier_at if standing is not None else None,
        locked=standing is not None,
    )
    bought = seen.bought if seen is not None else None
    purchases = facts.order_purchases(plain, decider.book, without=without, bought=bought)
    grants = [
        decider.grant(
            purchases[order.pk],
            member=members[order.user_id],
            order=order.pk,
            number=order.number,
            placed=order.date_placed,
            at=at,
            said={"claimed": claims[order.pk].isoformat()} if order.pk in claims else {},
            left_out={str(line.pk): without[line.pk] for line in order.lines.all() if line.pk in without},
        )
        for order, at in orders
    ]
    return write(grants, opened=standing.opened if standing is not None else None)


def _claims(orders: Sequence[int]) -> dict[int, datetime]:
    """Return when those of the orders were claimed that were placed by a guest: their customer joined afterwards."""
    return dict(_model("GuestClaim").objects.filter(order__in=orders).values_list("order", "claimed_at"))


def _members(programme: Any, users: set[int]) -> dict[int, Any]:
    """Return who earns, by user: for an account whose membership was merged, the one that goes on."""
    rows = get_model("loyalty_members", "Member").objects.filter(programme=programme, user__in=users)
    owners = dict(rows.filter(Q(status="active") | Q(merged_into__isnull=False)).values_list("pk", "user_id"))
    # Under their lock, so that nobody is put on hold, or joined with another, while this is awarded.
    heirs = lock_heirs(owners)
    return {user: heirs[pk] for pk, user in owners.items() if heirs[pk].status == "active"}


def _return_tenders(order: Any, cancelled: Mapping[int, int], whole: bool) -> None:
    """Let the payments return what paid for the lines, and disable the cards bought with them."""
    lines = {str(pk): quantity for pk, quantity in sorted(cancelled.items())}
    state = hashlib.sha256(repr((sorted(lines.items()), whole)).encode()).hexdigest()[:16]
    # Again: more can be returned once a card that was bought gets back what it had paid or set aside.
    due.again(
        kind="payments.return_lines",
        key=f"{order.pk}:{state}",
        payload={"order": order.pk, "lines": lines, "whole": whole},
    )


def unreviewed(part: rounds.Part = rounds.ALL) -> list[Any]:
    """Return orders that were never reviewed, or do not look as they did then; two queries for each programme.

    An order from before the programme is looked at only once something was given for it. ``part``: only these orders.
    """
    Line = get_model("order", "Line")
    found: dict[int, Any] = {}
    for programme in get_model("loyalty_members", "Programme").objects.all():
        mine = orders_of(programme).filter(part.where())
        new = Q(loyalty_review__reviewed_at__isnull=True, date_placed__gte=programme.started_at)
        moved = Q(loyalty_review__isnull=False) & ~Q(status=F("loyalty_review__status"))
        rows = list(mine.filter(new | moved).order_by("pk")[:MOST])
        gone = Line.objects.filter(status__in=programme.cancelled_line_statuses, order__loyalty_review__isnull=False)
        gone = gone.filter(part.where("order"))
        counted = gone.order_by().values("order", "order__loyalty_review__cancelled_lines").annotate(number=Count("pk"))
        differs = counted.exclude(number=F("order__loyalty_review__cancelled_lines")).values_list("order")
        rows += mine.filter(pk__in=[pk for (pk,) in differs[:MOST]])
        found |= {order.pk: order for order in rows}
    return list(found.values())
