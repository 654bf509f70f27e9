"""What the review of one order must know, in three statements: its review, its buyer, and all the rest at once.

Each statement's text is made once. What is seldom there (a refund, a booking, a guest's claim, a tier that was another
then) is asked for by a column; whoever finds it there reads it as usual.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from oscar_loyalty import clock
from oscar_loyalty.earning import facts
from oscar_loyalty.earning.awarding import key_of_order, reference_of_order, tiers_of
from oscar_loyalty.ledger import pages, rows
from oscar_loyalty.loading import get_model
from oscar_loyalty.locks import as_locked
from oscar_loyalty.members.sites import site_id_of
from oscar_loyalty.payments.planning import NOT_MONEY


class Unusual(Exception):
    """Memberships that were merged, or bookings of what was ordered: more must be locked, and in another order."""


@cache
def _model(name: str) -> Any:
    room, _, model = name.rpartition(".")
    return get_model(room if room in ("order", "catalogue") else f"loyalty_{room}", model)


def _vendor() -> str:
    return str(rows.database(_model("earning.Award")).vendor)


def _text(model: str, text: str, vendor: str) -> str:
    return rows.fill(text, _model(model), vendor)


# The review


@lru_cache
def _opening(vendor: str, values: int) -> str:
    """Return an INSERT that writes a row where the site has a programme and the order has no review yet."""
    Review = _model("earning.OrderReview")
    quote = rows.database(Review).ops.quote_name
    columns = ", ".join(quote(written.column) for written in rows.insertable(Review) or [])
    source = _text("members.Programme", "FROM $programme_ WHERE $site = %s", vendor)
    return (
        f"INSERT INTO {quote(Review._meta.db_table)} ({columns}) SELECT {rows.marks(values)} {source}"  # nosec B608
        f" ON CONFLICT DO NOTHING RETURNING {quote(Review._meta.pk.column)}"
    )


def open_review(order: Any) -> Any:
    """Return the review of an order that nobody has looked at yet, as if all was done; ``None``: there is one already,
    or nothing to be reviewed for.

    It is new, so nobody else can hold it, and the order has no award.
    """
    Review = _model("earning.OrderReview")
    connection, fields = rows.database(Review), rows.insertable(Review)
    if fields is None:
        return None
    review = Review(order_id=order.pk, status=order.status or "", cancelled_lines=0, reviewed_at=clock.now())
    values = rows.prepared(fields, review, connection, new=True)
    with connection.cursor() as cursor:
        made = rows.execute(cursor, _opening(connection.vendor, len(values)), [*values, site_id_of(order)])
    if not made:
        return None
    review.pk = made[0][0]
    review._state.adding, review._state.db = False, connection.alias
    return review


# The buyer


@lru_cache
def _buying(vendor: str, locking: bool) -> str:
    member, programme, account, tier = (
        rows.names(_model(name), vendor)
        for name in ("members.Member", "members.Programme", "ledger.Account", "members.Tier")
    )
    # Members before accounts, as everybody takes them.
    lock = f" FOR NO KEY UPDATE OF {member['member_']}, {account['account_']}" if locking else ""
    return (
        f"FROM {member['member_']}"
        f" JOIN {programme['programme_']} ON {programme['id']} = {member['programme']}"
        f" JOIN {account['account_']} ON {account['id']} = {member['account']}"
        f" LEFT JOIN {tier['tier_']} ON {tier['id']} = {member['tier']}"
        f" WHERE {programme['site']} = %s AND {member['user']} = %s{lock}"
    )


def lock_buyer(order: Any, programme: Any = None) -> Any:
    """Lock the membership of the order's customer, and then its account; return it with programme, account and tier,
    as they are now, or ``None``.

    :raises Unusual: where it was merged into another.
    """
    models = [_model(name) for name in ("members.Member", "members.Programme", "ledger.Account", "members.Tier")]
    connection = rows.database(models[0])
    text = _buying(connection.vendor, connection.features.has_select_for_update)
    with connection.cursor() as cursor:
        found = rows.load(cursor, models, text, [site_id_of(order), order.user_id])
    if not found:
        return None
    member, own, account, tier = found[0]
    if member.merged_into_id is not None or account.merged_into_id is not None:
        raise Unusual
    member.programme, member.account = programme or own, account
    if tier is not None:
        tier.programme = member.programme
        member._state.fields_cache["tier"] = tier
        as_locked(member)
    return member


# The rest


def _exists(model: str, condition: str, joined: str = "") -> tuple[str, str]:
    table = f"${model.rpartition('.')[2].lower()}_"
    return model, f"EXISTS(SELECT 1 FROM {table} {joined}WHERE {condition})"  # noqa: S608  # nosec B608


def _last(model: str, value: str) -> tuple[str, str]:
    """Return a column: what the last change until the order was placed has made of somebody."""
    table = f"${model.rpartition('.')[2].lower()}_"
    return model, (
        f"(SELECT {value} FROM {table} WHERE $member = (SELECT member FROM this)"  # noqa: S608  # nosec B608
        " AND $happened_at <= (SELECT placed FROM this) ORDER BY $happened_at DESC, $id DESC LIMIT 1)"
    )


_ORDER = "(SELECT id FROM this)"
_MEMBER = "(SELECT member FROM this)"


@lru_cache
def _of_order(vendor: str) -> str:
    attempt, line = rows.names(_model("payments.PaymentAttempt"), vendor), rows.names(_model("order.Line"), vendor)
    tender, booking = rows.names(_model("payments.Tender"), vendor), rows.names(_model("earning.Booking"), vendor)
    kinds = ", ".join(f"'{kind}'" for kind in NOT_MONEY)
    paid = f"JOIN {attempt['paymentattempt_']} ON {attempt['id']} = {tender['attempt']} "
    lines = f"JOIN {line['line_']} ON {line['id']} = {booking['order_line']} "
    columns = [
        _exists("payments.PaymentAttempt", "$basket = (SELECT basket FROM this) AND $state = 'open'"),
        _exists("payments.Refund", f"$order = {_ORDER}"),
        _exists("earning.Award", "$reference = (SELECT reference FROM this)"),
        _exists("earning.GuestClaim", f"$order = {_ORDER}"),
        _exists("payments.Tender", f"{attempt['order']} = {_ORDER} AND $kind IN ({kinds})", paid),
        _exists("earning.Booking", f"{line['order']} = {_ORDER}", lines),
        _exists("order.OrderStatusChange", f"$order = {_ORDER}"),
    ]
    return ", ".join(_text(model, text, vendor) for model, text in columns)


@lru_cache
def _of_member(vendor: str) -> str:
    line, booking = rows.names(_model("order.Line"), vendor), rows.names(_model("earning.Booking"), vendor)
    lines = f"JOIN {line['line_']} ON {line['product']} = {booking['product']} AND {line['order']} = {_ORDER} "
    free = f"$member = {_MEMBER} AND $order_line IS NULL AND $state <> 'cancelled'"
    columns = [
        _last("members.StatusChange", "$after"),
        _last("members.TierChange", "$after"),
        _exists("members.TierChange", f"$member = {_MEMBER}"),
        _exists("earning.Booking", free, lines),
    ]
    texts = [_text(model, text, vendor) for model, text in columns]
    return ", ".join([*texts, pages.looks(1, 1, "Entry", vendor)])


@lru_cache
def _this(vendor: str) -> str:
    text = "SELECT $id AS id, $basket AS basket, $date_placed AS placed FROM $order_ WHERE $id = %s"
    inner = _text("order.Order", text, vendor)
    return (
        "WITH this AS (SELECT CAST(%s AS varchar(200)) AS reference, CAST(%s AS bigint) AS member, placed_order.*"  # noqa: S608  # nosec B608
        f" FROM ({inner}) placed_order)"
    )


#: What an order's row is read with, in the order of the columns; of products and their classes, also the parents'.
_READ = (
    ("earning.EarningPolicy", ""),
    ("order.Order", ""),
    ("order.Line", ""),
    ("catalogue.Product", ""),
    ("catalogue.ProductClass", ""),
    ("catalogue.Product", "parent_product"),
    ("catalogue.ProductClass", "parent_class"),
)


@lru_cache
def _looking(vendor: str, by_member: bool) -> str:
    policy, order, line, product, kind = (rows.names(_model(name), vendor) for name, alias in _READ if not alias)
    parent = rows.names(_model("catalogue.Product"), vendor, "parent_product")
    parent_kind = rows.names(_model("catalogue.ProductClass"), vendor, "parent_class")
    within = rows.names(_model("catalogue.ProductCategory"), vendor)
    category = rows.names(_model("catalogue.Category"), vendor)
    gathered = {"postgresql": "string_agg"}.get(vendor, "group_concat")
    selected = [
        _of_order(vendor),
        *([_of_member(vendor)] if by_member else []),
        f"(SELECT {gathered}({category['path']}, ' ') FROM {within['productcategory_']}"  # noqa: S608  # nosec B608
        f" JOIN {category['category_']} ON {category['id']} = {within['category']}"
        f" WHERE {within['product']} IN ({product['id']}, {product['parent']}))",
        *(rows.columns(_model(name), vendor, alias) for name, alias in _READ),
    ]
    return (
        f"{_this(vendor)} SELECT {', '.join(selected)} FROM {order['order_']}"  # noqa: S608  # nosec B608
        f" LEFT JOIN {policy['earningpolicy_']} ON {policy['programme']} = %s"
        f" LEFT JOIN {line['line_']} ON {line['order']} = {order['id']}"
        f" LEFT JOIN {product['product_']} ON {product['id']} = {line['product']}"
        f" LEFT JOIN {kind['productclass_']} ON {kind['id']} = {product['product_class']}"
        f" LEFT JOIN {product['product_']} parent_product ON {parent['id']} = {product['parent']}"
        f" LEFT JOIN {kind['productclass_']} parent_class ON {parent_kind['id']} = {parent['product_class']}"
        f" WHERE {order['id']} = %s ORDER BY {line['id']}"
    )


@dataclass(frozen=True)
class Standing:
    """A buyer under lock, and how they stood when the order was placed."""

    member: Any
    was_resting: bool
    tier_at: Callable[[Any, datetime], Any]
    opened: pages.Opened | None

    @property
    def buyers(self) -> dict[int, Any]:
        """The member by user, where they can earn."""
        return {self.member.user_id: self.member} if self.member.can_earn else {}

    def rested(self, _member: Any, _moment: datetime) -> bool:
        """Answer as :func:`~oscar_loyalty.members.selectors.rests` does, about the one order."""
        return self.was_resting


@dataclass(frozen=True)
class Scene:
    """An order with its lines, and what there is about it: whether a payment is under way, and whether anything was
    refunded, awarded, claimed by a guest, or booked."""

    order: Any
    paying: bool
    refunded: bool
    awarded: bool
    claimed: bool
    linked: bool
    bought: facts.Bought = field(repr=False)
    standing: Standing | None = None


def look(order: int, programme: Any, member: Any = None) -> Scene:
    """Return what there is about an order whose review is locked, and about the ``member`` who has bought, locked.

    :raises Unusual: where the member has bookings of what was ordered.
    """
    connection = rows.database(_model("order.Order"))
    now = clock.now()
    params = [*_this_params(order, member), *(_look_params(order, member, now, connection) if member else [])]
    with connection.cursor() as cursor:
        found = rows.execute(cursor, _looking(connection.vendor, member is not None), [*params, programme.pk, order])
    if not found:
        raise _model("order.Order").DoesNotExist(f"There is no order {order}.")
    said = iter(found[0])
    paying, refunded, awarded, claimed, otherwise, linked, moved = (bool(next(said)) for _number in range(7))
    standing = _standing(member, order, now, [next(said) for _number in range(7)]) if member else None
    row, lines, paths = _objects(connection, found, 14 if member else 7, programme)
    row._prefetched_objects_cache = {"lines": _known(row.lines, lines)}
    if not moved:
        row._prefetched_objects_cache["status_changes"] = _known(row.status_changes, [])
    bought = facts.Bought({row.pk: lines}, paths, otherwise)
    return Scene(row, paying, refunded, awarded, claimed, linked, bought, standing)


def stand(order: int, member: Any) -> Standing:
    """Return how ``member``, locked, stood when an order was placed; as :func:`look` does."""
    connection = rows.database(_model("members.Member"))
    now = clock.now()
    text = f"{_this(connection.vendor)} SELECT {_of_member(connection.vendor)}"
    params = [*_this_params(order, member), *_look_params(order, member, now, connection)]
    with connection.cursor() as cursor:
        [found] = rows.execute(cursor, text, params)
    return _standing(member, order, now, found)


def _this_params(order: int, member: Any) -> list[Any]:
    return [reference_of_order(order), member.pk if member else None, order]


def _look_params(order: int, member: Any, now: datetime, connection: Any) -> list[Any]:
    moment = connection.ops.adapt_datetimefield_value(now)
    return [key_of_order(order), member.account_id, moment, member.account_id, moment]


def _standing(member: Any, order: int, now: datetime, found: Sequence[Any]) -> Standing:
    status, tier, moved, booked, *due = found
    if booked:
        raise Unusual
    then = tiers_of([member]) if moved and tier != member.tier_id else _as_now
    opened = None if any(due) else pages.Opened(member.account, key_of_order(order), now)
    return Standing(member, status not in (None, member.ACTIVE), then, opened)


def _as_now(member: Any, _moment: datetime) -> Any:
    return member.tier


def _known(manager: Any, found: list[Any]) -> Any:
    """Return what a prefetch would have left behind."""
    rows_of = manager.get_queryset()
    rows_of._result_cache, rows_of._prefetch_done = found, True
    return rows_of


def _objects(
    connection: Any, found: Sequence[Sequence[Any]], start: int, programme: Any
) -> tuple[Any, list[Any], dict[int, list[str]]]:
    """Return the order, its lines with their products, and the categories' paths of each product."""
    order, policy, lines = None, None, []
    paths: dict[int, list[str]] = {}
    known: dict[tuple[Any, Any], Any] = {}

    def read(name: str, cells: Sequence[Any], at: int) -> tuple[Any, int]:
        model = _model(name)
        primary = cells[at + rows.position_of_key(model, connection.vendor)]
        if primary is None or (model, primary) in known:
            return known.get((model, primary)), at + len(model._meta.concrete_fields)
        made, end = rows.made(model, connection, cells, at)
        known[model, primary] = made
        return made, end

    for cells in found:
        at, of_row = start + 1, []
        for name, _alias in _READ:
            made, at = read(name, cells, at)
            of_row.append(made)
        policy, order, line, product, kind, parent, parent_kind = of_row
        if line is None:
            continue
        line.order, line.product = order, product
        lines.append(line)
        if product is None:
            continue
        product.product_class, product.parent = kind, parent
        if parent is not None:
            parent.product_class = parent_kind
        paths[product.pk] = cells[start].split() if cells[start] else []
    facts.know_limits(programme, policy)
    return order, lines, paths
