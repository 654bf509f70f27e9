"""Orders of the past, thousands at once: those that need nothing but their points, without an object for each row.

What :func:`oscar_loyalty.earning.orders.award_orders` does for any order is done here for most: who has cancelled,
refunded, booked, paid with points or been away is left to that.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Min

from oscar_loyalty import clock
from oscar_loyalty.earning import facts, orders
from oscar_loyalty.earning.awarding import Grant, reference_of_order
from oscar_loyalty.earning.bulk_awarding import Given, give_many
from oscar_loyalty.earning.deciding import Decider
from oscar_loyalty.earning.engine import Line, Purchase
from oscar_loyalty.loading import get_model
from oscar_loyalty.lookups import among
from oscar_loyalty.members.selectors import tiers
from oscar_loyalty.payments.planning import NOT_MONEY
from oscar_loyalty.sql import Database, Value


class Past(NamedTuple):
    """An order: when it was placed, and since when it stands in the status that gives points."""

    pk: int
    number: str
    user: int
    currency: str
    placed: datetime
    at: datetime
    shipping_incl: Any
    shipping_excl: Any
    total: Any


class Bought(NamedTuple):
    """A line of an order."""

    pk: int
    order: int
    product: int | None
    title: str
    quantity: int
    status: str
    incl: Any
    excl: Any


@transaction.atomic
def award(
    programme: Any, pks: Sequence[int], *, rules_at: datetime | None = None, booked_at: datetime | None = None
) -> list[Given]:
    """Award orders that have none yet, in the order of ``pks``, and return the awards; see
    :func:`oscar_loyalty.earning.orders.award_orders`, which does what is not plain.
    """
    now = clock.now()
    pks, open_reviews = _review(pks, now)
    past = _orders(programme, pks)
    lines = _lines(pks)
    members = _members(programme, {order.user for order in past.values()})
    others = _others(programme, past, lines, members) | {past[pk].user for pk in open_reviews if pk in past}
    plain = [past[pk] for pk in pks if pk in past and past[pk].user not in others]
    given = give_many(_grants(programme, plain, lines, members, rules_at=rules_at, booked_at=booked_at))
    rest = [pk for pk in pks if pk not in past or past[pk].user in others]
    if rest:
        # What was noted of them as reviewed is noted once they are.
        reviews = get_model("loyalty_earning", "OrderReview").objects
        reviews.filter(order__in=rest, reviewed_at=now).update(reviewed_at=None)
        Order = get_model("order", "Order")
        made = orders.award_orders(
            programme=programme,
            orders=[Order(pk=pk) for pk in rest],
            rules_at=rules_at,
            joined=False,
            booked_at=booked_at,
        )
        given += [Given(one.pk, one.member_id, one.points) for one in made]
    return given


def _review(pks: Sequence[int], now: datetime) -> tuple[list[int], set[int]]:
    """Lock the reviews of these orders, made, as of now, where there are none; return the orders without an award, and
    those whose review was begun before and is still open.
    """
    Review, Order, Award = (
        get_model("loyalty_earning", "OrderReview"),
        get_model("order", "Order"),
        get_model("loyalty_earning", "Award"),
    )
    db = Database(Review)
    reviews = Review.objects.filter(among("order_id", pks))
    before = set(reviews.values_list("order", flat=True))
    new = sorted(set(pks) - before)
    made = 0
    if new:
        columns = {"order_id": "mine.pk", "status": "COALESCE(mine.status, '')", "reviewed_at": Value(db.moment(now))}
        mine, params = db.compiled(Order.objects.filter(among("pk", new)).order_by("pk").values("pk", "status"))
        source = "FROM ($mine) mine WHERE true ON CONFLICT DO NOTHING"
        made = db.insert(Review, columns, source, params, mine=mine)
    still_open: set[int] = set()
    if before or made < len(new):
        # Ours are locked, since nobody else sees them. Of what others have made meanwhile, they may be at some.
        locked = reviews.select_for_update(of=("self",)).order_by("pk")
        still_open = {pk for pk, at in locked.values_list("order", "reviewed_at") if at is None}
    done = Award.objects.filter(among("reference", [reference_of_order(pk) for pk in pks]))
    known = set(done.values_list("reference", flat=True))
    return [pk for pk in pks if reference_of_order(pk) not in known], still_open


def _orders(programme: Any, pks: Sequence[int]) -> dict[int, Past]:
    """Return the orders that may bring points, by primary key."""
    Change, now = get_model("order", "OrderStatusChange"), clock.now()
    rows = get_model("order", "Order").objects.filter(among("pk", pks), user__isnull=False)
    fields = ["pk", "number", "user", "currency", "date_placed", "status"]
    fields += ["shipping_incl_tax", "shipping_excl_tax", "total_incl_tax"]
    wanted, reached = programme.award_on_status, {}
    if wanted:
        changes = Change.objects.filter(among("order_id", pks), new_status=wanted).order_by()
        reached = dict(changes.values_list("order").annotate(first=Min("date_created")))
    found = {}
    for pk, number, user, currency, placed, status, *costs in rows.values_list(*fields):
        # As orders.reached_at says of the past.
        at = placed if not wanted or status == wanted else None
        at = min(reached[pk], now) if pk in reached else at
        if at is not None and status not in programme.cancelled_order_statuses:
            found[pk] = Past(pk, number, user, currency, placed, at, *costs)
    return found


def _lines(pks: Sequence[int]) -> dict[int, list[Bought]]:
    """Return the lines of each order."""
    found: dict[int, list[Bought]] = defaultdict(list)
    rows = get_model("order", "Line").objects.filter(among("order_id", pks)).order_by("pk")
    fields = ("pk", "order", "product", "title", "quantity", "status", "line_price_incl_tax", "line_price_excl_tax")
    for row in rows.values_list(*fields):
        found[row[1]].append(Bought(*row))
    return found


def _members(programme: Any, users: set[int]) -> dict[int, Any]:
    """Lock the members who earn for themselves, and return them by user."""
    rows = get_model("loyalty_members", "Member").objects.select_for_update(of=("self",), no_key=True)
    rows = rows.filter(
        among("user_id", users), programme=programme, status="active", merged_into__isnull=True
    ).order_by("pk")
    by_pk = {tier.pk: tier for tier in tiers(programme)}
    found = {}
    for member in rows:
        member.programme = programme
        member.tier = by_pk.get(member.tier_id)
        found[member.user_id] = member
    return found


def _others(
    programme: Any, past: Mapping[int, Past], lines: Mapping[int, Sequence[Bought]], members: Mapping[int, Any]
) -> set[int]:
    """Return the users with anything that is more than an order and its points."""
    all_lines = [line for pk in past for line in lines[pk]]
    mine = {member.pk: user for user, member in members.items()}
    cancelled = {line.order for line in all_lines if line.status in programme.cancelled_line_statuses}
    refunded = get_model("loyalty_payments", "Refund").objects.filter(among("order_id", past))
    paid = get_model("loyalty_payments", "Tender").objects.filter(among("attempt__order_id", past), kind__in=NOT_MONEY)
    claimed = get_model("loyalty_earning", "GuestClaim").objects.filter(among("order_id", past))
    products = {line.product for line in all_lines} - {None}
    Booking = get_model("loyalty_earning", "Booking")
    booking = Booking.objects.filter(among("member_id", mine), product__in=products)
    tied = Booking.objects.filter(among("order_line_id", [line.pk for line in all_lines])).values_list(
        "order_line__order", flat=True
    )
    away = get_model("loyalty_members", "StatusChange").objects.filter(among("member_id", mine))
    of_orders = {
        *cancelled,
        *refunded.values_list("order", flat=True),
        *paid.values_list("attempt__order", flat=True),
        *claimed.values_list("order", flat=True),
        *tied,
    }
    of_members = {*booking.values_list("member", flat=True), *away.values_list("member", flat=True)}
    return {
        *(past[pk].user for pk in of_orders if pk in past),
        *(mine[pk] for pk in of_members),
        *({order.user for order in past.values()} - members.keys()),
    }


def _grants(
    programme: Any,
    past: Sequence[Past],
    lines: Mapping[int, Sequence[Bought]],
    members: Mapping[int, Any],
    *,
    rules_at: datetime | None,
    booked_at: datetime | None,
) -> list[Grant]:
    """Let the engine decide about the orders, in their order."""
    if not past:
        return []
    decider = Decider(
        programme,
        {members[order.user] for order in past},
        placed=[order.placed for order in past],
        given=[booked_at or order.at for order in past],
        rules_at=rules_at,
    )
    products = _described(past, lines, decider.book)
    return [
        decider.grant(
            _purchase(order, lines[order.pk], products, counts=order.currency == programme.currency),
            member=members[order.user],
            order=order.pk,
            number=order.number,
            placed=order.placed,
            at=booked_at or order.at,
            left_out={},
            said={},
        )
        for order in past
    ]


def _described(
    past: Sequence[Past], lines: Mapping[int, Sequence[Bought]], book: facts.RuleBook
) -> dict[int | None, Line]:
    """Return what the rules may ask about each product."""
    pks = {line.product for order in past for line in lines[order.pk]} - {None}
    rows = get_model("catalogue", "Product").objects.filter(pk__in=pks).select_related(*facts.PRODUCT_RELATED)
    return {None: facts.NOTHING, **facts.describe(rows, book)}


def _purchase(order: Past, lines: Sequence[Bought], products: Mapping[int | None, Line], *, counts: bool) -> Purchase:
    """Return the purchase, as :func:`oscar_loyalty.earning.facts.order_purchases` does."""
    found = []
    shipping = (order.shipping_incl, order.shipping_excl)
    paid, shipping = facts.paid_of([(row.incl, row.excl) for row in lines], shipping, order.total, order.currency)
    for row, (incl, excl) in zip(lines, paid, strict=True):
        if row.quantity <= 0:
            continue
        line = products.get(row.product, facts.NOTHING)
        amounts = {"amount_incl": incl, "amount_excl": excl} if counts else {}
        found.append(line.sold(key=str(row.pk), quantity=row.quantity, title=row.title, **amounts))
    return Purchase(
        lines=tuple(found),
        shipping_incl=shipping[0] if counts else facts.ZERO,
        shipping_excl=shipping[1] if counts else facts.ZERO,
    )
