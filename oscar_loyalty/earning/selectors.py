"""All reads of earning: what one would earn, what one has earned, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Value, prefetch_related_objects
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Lower, NullIf

from oscar_loyalty import clock, times
from oscar_loyalty.earning import engine, explain, facts, specs
from oscar_loyalty.earning.allowance import Allowance
from oscar_loyalty.earning.awarding import reference_of_order
from oscar_loyalty.earning.circumstances import Circumstances
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members


@dataclass(frozen=True)
class PreviewLine:
    """A line of a preview: what it is, what it would bring, and why, in the reader's language.

    ``key`` is the primary key of the basket line, order line or product, as text; empty for what is for the whole
    order.
    """

    title: str
    points: int
    sentences: list[str]
    key: str = ""


@dataclass(frozen=True)
class Preview:
    """What a product or a basket would bring now. ``would_join``: to somebody who joins, at the lowest tier.

    ``usable_from`` is ``None`` where it is not known yet (until the order reaches the programme's status).
    """

    points: int
    lines: list[PreviewLine] = field(default_factory=list)
    usable_from: datetime | None = None
    sentences: list[str] = field(default_factory=list)
    would_join: bool = False
    programme: Any = None

    def of_line(self, key: Any) -> int:
        """Return what the line with this key would bring."""
        return sum(line.points for line in self.lines if line.key == str(key))


@dataclass(frozen=True)
class Movement:
    """An entry of a member's ledger with what it was about and why, in the reader's language.

    ``title`` names it ("Order 100042", "Visit: Haircut"), ``sentences`` say why, ``note`` is the reason that staff
    wrote, ``usable_from`` and ``expires_at`` are those of the points it brought, ``pending`` whether they still wait.
    """

    entry: Any
    title: str
    sentences: list[str]
    note: str = ""
    usable_from: datetime | None = None
    expires_at: datetime | None = None
    pending: bool = False
    award: Any = None


@dataclass
class _Asker:
    """Who asks, with what is looked up once for each request."""

    programme: Any
    member: Any
    tier: Any
    book: facts.RuleBook
    policy: engine.Policy
    now: datetime
    lines: dict[int, engine.Line] = field(default_factory=dict)
    order: int | None = None
    at: datetime | None = None
    asked: tuple[int, engine.Purchase, engine.Room] | None = None

    @property
    def would_join(self) -> bool:
        return self.member is None

    def bare(self, channel: str = "order") -> tuple[engine.Purchase, engine.Room]:
        """Return what rules ask beside the lines, and what may still be given; looked up once for the rules known."""
        known = len(self.book.known())
        if self.asked is None or self.asked[0] != known:
            members = [] if self.member is None else [self.member]
            circumstances = Circumstances(self.book, members)
            room = Allowance(self.book, members=members, moments=[self.now], lock=False).room(self.member, self.now)
            bare = circumstances.of(
                engine.Purchase(lines=(), channel=channel),
                member=self.member,
                tier=self.tier,
                at=self.at or self.now,
                order=self.order,
            )
            self.asked = (known, bare, room)
        return self.asked[1:]

    def evaluate(self, purchase: engine.Purchase) -> engine.Outcome:
        bare, room = self.bare(purchase.channel)
        completed = replace(
            bare,
            lines=purchase.lines,
            channel=purchase.channel,
            shipping_incl=purchase.shipping_incl,
            shipping_excl=purchase.shipping_excl,
            shipping_paid_otherwise=purchase.shipping_paid_otherwise,
        )
        return engine.evaluate(self.policy, self.book.at(self.now, purchase.lines), completed, room)

    def usable_from(self) -> datetime | None:
        if self.programme.award_on_status:
            return None
        return times.days_later(self.now, self.programme.pending_days)


def asker_of(request: Any) -> _Asker | None:
    """Return who asks; ``None`` without an open programme, and for a member who cannot earn."""
    known = getattr(request, "_loyalty_asker", None)
    if known is not None and known.member == members.member_of_request(request):
        return known
    programme = members.programme_for(request=request)
    member = members.member_of_request(request) if programme is not None else None
    if programme is None or (member is not None and not member.can_earn):
        return None
    now = clock.now()
    tier = member.tier if member is not None else facts.lowest_tier(programme)
    # What is announced before it begins is among them; nothing counts before its time.
    book = facts.RuleBook(programme, since=now, until=now + timedelta(days=specs.MOST_AHEAD))
    request._loyalty_asker = _Asker(programme, member, tier, book, facts.policy_of(programme), now)
    return request._loyalty_asker


def _preview(asker: _Asker, purchase: engine.Purchase) -> Preview:
    outcome = asker.evaluate(purchase)
    return Preview(
        points=outcome.points,
        lines=[
            PreviewLine(
                title=line.title,
                points=line.points,
                sentences=explain.line_sentences(line.explanation, asker.programme, title=line.title),
                key=line.key,
            )
            for line in outcome.lines
        ],
        usable_from=asker.usable_from(),
        sentences=explain.award_sentences(
            outcome.explanation, [(line.title, line.explanation) for line in outcome.lines], asker.programme
        ),
        would_join=asker.would_join,
        programme=asker.programme,
    )


def preview_product(product: Any, request: Any) -> Preview | None:
    """Return what one piece of ``product`` would bring whoever asks; ``None`` without an open programme.

    A page with many products calls :func:`preview_products` once; then this costs no query.
    """
    return preview_products([product], request).get(product.pk)


def preview_products(products: Iterable[Any], request: Any) -> dict[int, Preview]:
    """Return the preview of each product by its primary key, in a few queries for all of them (beside their prices)."""
    asker = asker_of(request)
    products = list(products)
    if asker is None or not products:
        return {}
    new = [product for product in products if product.pk not in asker.lines]
    asker.lines |= facts.describe(new, asker.book)
    strategy = _strategy(request)
    result = {}
    for product in products:
        fetch = strategy.fetch_for_parent if product.is_parent else strategy.fetch_for_product
        price = fetch(product).price
        purchase = facts.product_purchase(product, asker.lines[product.pk], price, asker.programme)
        result[product.pk] = _preview(asker, purchase)
    return result


def _strategy(request: Any) -> Any:
    strategy = getattr(request, "strategy", None)
    if strategy is None:
        from oscar.core.loading import get_class

        strategy = get_class("partner.strategy", "Selector")().strategy(
            request=request, user=getattr(request, "user", None)
        )
    return strategy


def preview_basket(
    basket: Any,
    request: Any,
    *,
    shipping: Any = None,
    total: Decimal | None = None,
    paid: Mapping[int, Decimal] | None = None,
) -> Preview | None:
    """Return what ``basket`` would bring whoever asks; ``None`` without an open programme or lines.

    ``shipping`` is the charge (Oscar's price) once it is known, ``total`` what the order costs, with tax, ``paid`` what
    points and gift cards pay, by basket line.
    """
    asker = asker_of(request)
    if asker is None or basket is None or basket.is_empty:
        return None
    return _preview(asker, facts.basket_purchase(basket, asker.book, shipping=shipping, total=total, paid=paid))


def award_of_order(order: Any) -> Any:
    """Return the award of ``order`` with its lines, or ``None``."""
    awards = get_model("loyalty_earning", "Award").objects.filter(reference=reference_of_order(order.pk))
    return (
        awards.select_related("member", "programme", "tier", "entry").prefetch_related("lines__product__parent").first()
    )


def preview_order(order: Any) -> Preview | None:
    """Return what a placed order brings or will bring (the thank-you page); from its award once there is one."""
    programme = members.programme_for(site=order.site)
    if programme is None:
        return None
    award = award_of_order(order)
    if award is not None:
        return _of_award(award)
    member = members.member_for(order.user, programme) if order.user_id else None
    if member is not None and not member.can_earn:
        return None
    if member is not None and member.joined_at > order.date_placed and not hasattr(order, "loyalty_claim"):
        return None
    if member is None and order.user_id is None and order.status in programme.cancelled_order_statuses:
        return None
    book = facts.RuleBook(programme, since=order.date_placed)
    tier = members.tier_at(member, order.date_placed) if member else facts.lowest_tier(programme)
    policy = facts.policy_of(programme)
    asker = _Asker(programme, member, tier, book, policy, order.date_placed, order=order.pk)
    return _preview(asker, facts.order_purchases([order], book)[order.pk])


def _of_award(award: Any) -> Preview:
    titles = {line.product_id: line.product.get_title() for line in award.lines.all() if line.product}
    lines = [(titles.get(line.product_id) or line.title, line) for line in award.lines.all()]
    return Preview(
        points=award.points,
        lines=[
            PreviewLine(
                title=title,
                points=line.points,
                sentences=explain.line_sentences(line.explanation, award.programme, title=title),
                key=str(line.order_line_id or ""),
            )
            for title, line in lines
        ],
        usable_from=award.usable_from,
        sentences=explain.award_sentences(
            award.explanation, [(title, line.explanation) for title, line in lines], award.programme
        ),
        programme=award.programme,
    )


def history(member: Any, *, page: int | str = 1, per_page: int = 20, staff: bool = False) -> Any:
    """Return a page (Django's ``Page``) of :class:`Movement`, newest first; the queries are bounded.

    What is said of the same visit twice (that its points became usable) is not a movement of its own for the member.
    That points paid what was owed is one, of no units: the debt was counted where it came from.
    """
    found = Paginator(_movements_of(member, staff=staff), per_page).get_page(page)
    found.object_list = describe(list(found.object_list), member.programme, staff=staff)
    return found


def latest(member: Any, number: int) -> list[Movement]:
    """Return the last ``number`` movements of ``member``, as :func:`history` does; nothing is counted."""
    return describe(list(_movements_of(member)[:number]), member.programme)


def _movements_of(member: Any, *, staff: bool = False) -> QuerySet[Any]:
    entries = with_reasons(get_model("loyalty_ledger", "Entry").objects.filter(account=member.account_id))
    if not staff:
        entries = entries.filter(~Q(units=0) | Q(kind="repaid"))
    return entries.order_by("-sequence")


def with_reasons(entries: QuerySet[Any]) -> QuerySet[Any]:
    """Return these entries with all that :func:`movement` tells of each."""
    return entries.select_related("note", "award", "reverses__award").prefetch_related("lots")


def describe(entries: Iterable[Any], programme: Any, *, staff: bool = False) -> list[Movement]:
    """Return entries (fetched by :func:`movements`) with their reasons, in one query for the lines of all awards."""
    entries = list(entries)
    awards = [award for entry in entries for award in _awards_of(entry) if award is not None]
    if awards:
        lines = get_model("loyalty_earning", "AwardLine").objects.select_related("product__parent")
        prefetch_related_objects(awards, Prefetch("lines", queryset=lines))
    return [movement(entry, programme, staff=staff) for entry in entries]


def _awards_of(entry: Any) -> tuple[Any, Any]:
    """Return the award that an entry is of, and the one that it takes back."""
    return getattr(entry, "award", None), getattr(entry.reverses, "award", None)


def movement(entry: Any, programme: Any, *, staff: bool = True) -> Movement:
    """Return an entry of :func:`movements` with its reasons in the reader's language; many by :func:`describe`."""
    # What was spent, taken back or has expired neither waits nor ends any more.
    lots = [lot for lot in entry.lots.all() if entry.units > 0 and lot.remaining > 0]
    starts = [lot.usable_from for lot in lots]
    usable_from = None if None in starts else max(starts, default=None)
    award, undone = _awards_of(entry)
    # What takes an award back is about the same products.
    about = award or undone
    titles = {}
    if about is not None:
        # The product's own title is in the reader's language, where the shop translates them.
        titles = {line.product_id: line.product.get_title() for line in about.lines.all() if line.product}
    note = getattr(entry, "note", None)
    return Movement(
        entry=entry,
        title=explain.entry_title(entry, titles=titles),
        sentences=explain.entry_sentences(entry, programme, staff=staff, titles=titles),
        note=note.text if note is not None else "",
        usable_from=usable_from,
        expires_at=min((lot.expires_at for lot in lots if lot.expires_at), default=None),
        pending=bool(starts) and (usable_from is None or usable_from > clock.now()),
        award=award,
    )


def rules_of(programme: Any, *, ended: bool = False) -> list[Any]:
    """Return the rules in force (``ended``: all) with their targets.

    ``rule.current`` is the version in force (of what has ended, the last one; before the first begins, ``None``),
    ``rule.coming`` those that begin later.
    """
    rules = get_model("loyalty_earning", "Rule").objects.filter(programme=programme)
    return with_versions(rules if ended else rules.filter(state="live"))


def with_versions(rules: QuerySet[Any]) -> list[Any]:
    """Return these rules with their targets and versions, as :func:`rules_of` does."""
    now = clock.now()
    rules = rules.select_related("product__parent", "product_class", "category", "range")
    rows = list(rules.prefetch_related("versions"))
    for rule in rows:
        versions = sorted(rule.versions.all(), key=lambda version: version.number)
        begun = [version for version in versions if version.valid_from <= now]
        rule.current = begun[-1] if begun else None
        rule.coming = [version for version in versions if version.valid_from > now and rule.state == "live"]
    return rows


def product_rules(rules: QuerySet[Any]) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Return those of ``rules`` about one product or variant that bring points now, and those that keep it from any;
    in the order of their titles. Boosters are neither."""
    versions = get_model("loyalty_earning", "RuleVersion").objects
    version = versions.filter(rule=OuterRef("pk"), valid_from__lte=clock.now())
    rows = rules.filter(product__isnull=False).exclude(kind="booster")
    rows = rows.annotate(
        begun=Exists(version),
        brings=Subquery(version.order_by("-number").values(points=KT("spec__points"))[:1]),
        title=Lower(Coalesce(NullIf("product__title", Value("")), "product__parent__title")),
    )
    rows = rows.filter(begun=True).order_by("title", "pk")
    nothing = Q(kind="exclude") | Q(brings="0")
    return rows.exclude(nothing), rows.filter(nothing)


def own_version(product: Any, programme: Any = None) -> Any:
    """Return the version in force of the product's own rule, which says what each piece brings, or ``None``."""
    programme = programme or members.programme_of()
    if programme is None or not product.pk:
        return None
    now = clock.now()
    version = get_model("loyalty_earning", "RuleVersion").objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=now),
        valid_from__lte=now,
        rule__programme=programme,
        rule__kind="unit",
        rule__product=product,
        rule__state="live",
    )
    return version.order_by("-number").first()


def own_points(product: Any, programme: Any = None) -> int | None:
    """Return the points set on the product itself that are in force, or ``None``."""
    version = own_version(product, programme)
    return int(Decimal(version.spec["points"])) if version is not None else None


def adjustments_waiting(programme: Any) -> QuerySet[Any]:
    """Return the adjustments that wait for a second person, oldest first, with their members."""
    rows = get_model("loyalty_earning", "Adjustment").objects.filter(programme=programme, state="waiting")
    return rows.select_related("requested_by").prefetch_related("items__member").order_by("requested_at", "pk")


def bookings_of(member: Any) -> QuerySet[Any]:
    """Return the member's bookings, the latest first."""
    rows = get_model("loyalty_earning", "Booking").objects.filter(member=member)
    return rows.select_related("product", "award").order_by("-starts_at", "-pk")
