"""The audit: proves that balances, lots, cards, awards, tenders and orders agree, and names the rows that do not.

Each check is one query, or a few, over the whole of a table; none trusts a figure that another row could prove.
The ledger proves itself first (:mod:`oscar_loyalty.ledger.audit`); the checks here compare the rooms with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from oscar_loyalty import clock
from oscar_loyalty.earning import allowance
from oscar_loyalty.ledger import audit as ledger_audit
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import exponent
from oscar_loyalty.sql import Database

#: SQLite sums decimals as floats: less than this is no difference.
HAIR = Decimal("0.001")
#: How many findings a stored run keeps; the command prints them all.
KEPT = 200


@dataclass(frozen=True)
class Finding:
    """One row that disagrees: the check that found it, the row, and what is wrong with it."""

    check: str
    row: str
    detail: str


@dataclass(frozen=True)
class Report:
    """All findings of a run, and how many rows each table held."""

    findings: list[Finding]
    checked: dict[str, int]

    @property
    def clean(self) -> bool:
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        return {
            "clean": self.clean,
            "checked": self.checked,
            "findings": [asdict(finding) for finding in self.findings],
        }


_checks: list[Callable[[], Iterator[Finding]]] = []


def check(function: Callable[[], Iterator[Finding]]) -> Callable[[], Iterator[Finding]]:
    """Register ``function`` as one of the audit's checks; a shop's own app may add to them."""
    _checks.append(function)
    return function


def _total(queryset: QuerySet[Any], group: str, field: str) -> Coalesce:
    """The sum of ``field`` over the rows of ``queryset`` that belong to the outer row, 0 where there is none."""
    rows = queryset.order_by().values(group).annotate(_sum=Sum(field)).values("_sum")
    return Coalesce(Subquery(rows), queryset.model._meta.get_field(field).to_python(0))


def _near(field: str) -> tuple[Any, Any]:
    """The range in which a sum equals ``field``."""
    return F(field) - HAIR, F(field) + HAIR


@check
def ledger() -> Iterator[Finding]:
    """Balances, lots, uses and holds, recomputed from the entries."""
    for finding in ledger_audit.audit():
        yield Finding(f"ledger.{finding.check}", f"account {finding.account_id}", finding.detail)


@check
def award_entries() -> Iterator[Finding]:
    """An award's points are those of its entry in the ledger, and what was clawed back is what its entries took."""
    Award, Entry = get_model("loyalty_earning", "Award"), get_model("loyalty_ledger", "Entry")
    wrong = Award.objects.filter(entry__isnull=False).exclude(entry__units=F("points"))
    for award in wrong.select_related("entry").iterator():
        yield Finding(
            "awards.points", f"award {award.reference}", f"{award.points} points, entry has {award.entry.units}"
        )
    for award in Award.objects.filter(entry__isnull=True, points__gt=0).iterator():
        yield Finding("awards.entry", f"award {award.reference}", f"{award.points} points without an entry")
    taken = Entry.objects.filter(reverses=OuterRef("entry"))
    clawed = Award.objects.filter(entry__isnull=False).annotate(taken=-_total(taken, "reverses", "units"))
    # A write-off leaves less in the ledger than was asked for; more can never be right.
    for award in clawed.filter(taken__gt=F("clawed_back")).iterator():
        yield Finding(
            "awards.clawback",
            f"award {award.reference}",
            f"{award.clawed_back} taken back, its entries say {award.taken}",
        )


@check
def award_lines() -> Iterator[Finding]:
    """The shares of an award's lines sum to its points, and so do their whole points."""
    Award = get_model("loyalty_earning", "Award")
    rows = Award.objects.annotate(
        shares=Sum("lines__share"), wholes=Sum("lines__points"), number=Count("lines")
    ).filter(number__gt=0)
    for award in rows.exclude(shares=F("points"), wholes=F("points")).iterator():
        if abs(award.shares - award.points) >= HAIR:
            yield Finding(
                "awards.shares", f"award {award.reference}", f"shares sum to {award.shares}, not to {award.points}"
            )
        if award.wholes != award.points:
            yield Finding(
                "awards.lines", f"award {award.reference}", f"lines sum to {award.wholes}, not to {award.points}"
            )


@check
def unexplained_entries() -> Iterator[Finding]:
    """Points earned by an order or a booking have an award that says why; those paid for a reward have its claim."""
    Award, Entry = get_model("loyalty_earning", "Award"), get_model("loyalty_ledger", "Entry")
    earned = Q(kind="earn", source_type__in=["order", "booking"])
    earned &= ~Exists(Award.objects.filter(entry=OuterRef("pk")))
    paid = Q(kind="spend", reward_claim__isnull=True) | Q(kind="return", reward_claim_back__isnull=True)
    for entry in Entry.objects.filter(earned | Q(source_type="reward") & paid).iterator():
        if entry.source_type == "reward":
            yield Finding("rewards.entry", f"entry {entry.pk}", f"{entry.units:+d} for a reward, without a claim")
            continue
        yield Finding("entries.award", f"entry {entry.pk}", f"{entry.units} points for {entry.key} without an award")


@check
def giftcards() -> Iterator[Finding]:
    """A card has an account in its currency; waiting cards hold nothing, active ones never more than they got."""
    GiftCard = get_model("loyalty_giftcards", "GiftCard")
    cards = GiftCard.objects.select_related("account")
    for card in cards.exclude(account__unit=F("currency")).iterator():
        yield Finding("giftcards.currency", f"card {card.pk}", f"{card.currency} card, {card.account.unit} account")
    for card in cards.filter(state="waiting").exclude(account__balance=0).iterator():
        yield Finding("giftcards.waiting", f"card {card.pk}", f"not paid, but holds {card.account.balance}")
    for card in cards.filter(account__balance__lt=0).iterator():
        yield Finding("giftcards.overdrawn", f"card {card.pk}", f"balance {card.account.balance}")
    Entry = get_model("loyalty_ledger", "Entry")
    topped_up = Entry.objects.filter(account=OuterRef("account"), kind="topped_up")
    for currency in GiftCard.objects.order_by().values_list("currency", flat=True).distinct():
        minor = F("value") * 10 ** exponent(currency)
        held = cards.filter(currency=currency, account__balance__gt=minor + HAIR)
        held = held.annotate(added=_total(topped_up, "account", "units"))
        for card in held.filter(account__balance__gt=minor + F("added") + HAIR).iterator():
            yield Finding("giftcards.value", f"card {card.pk}", f"{card.value} card holds {card.account.balance}")


@check
def giftcard_ends() -> Iterator[Finding]:
    """All money on a card ends with the card; only what returned to a card that had ended lives longer."""
    Lot = get_model("loyalty_ledger", "Lot")
    lots = Lot.objects.filter(remaining__gt=0, account__giftcard__state="active").select_related("account__giftcard")
    end = F("account__giftcard__expires_at")
    for lot in lots.filter(expires_at__isnull=True, account__giftcard__expires_at__isnull=False).iterator():
        yield Finding("giftcards.end", f"card {lot.account.giftcard.pk}", "it ends, but money on it does not")
    sooner = Q(expires_at__lt=end) | Q(expires_at__isnull=False, account__giftcard__expires_at__isnull=True)
    for lot in lots.filter(sooner).iterator():
        yield Finding("giftcards.end", f"card {lot.account.giftcard.pk}", f"money on it ends at {lot.expires_at}")


@check
def batches() -> Iterator[Finding]:
    """A batch has as many cards as it says, and all of them once it is finished."""
    Batch = get_model("loyalty_giftcards", "GiftCardBatch")
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(batch=OuterRef("pk")).order_by().values("batch")
    number = Coalesce(Subquery(cards.annotate(number=Count("pk")).values("number")), 0)
    rows = Batch.objects.defer("rows", "refused").annotate(cards_number=number)
    wrong = ~Q(cards_number=F("made")) | (Q(state="done") & ~Q(made=F("number")))
    for batch in rows.filter(wrong).iterator():
        yield Finding(
            "giftcards.batch",
            f"batch {batch.pk}",
            f"{batch.cards_number} cards, it says {batch.made} of {batch.number}",
        )


@check
def tenders() -> Iterator[Finding]:
    """A placed attempt's tenders sum to its total, and to its order's; nothing is returned that was not given."""
    Attempt = get_model("loyalty_payments", "PaymentAttempt")
    Tender = get_model("loyalty_payments", "Tender")
    placed = Attempt.objects.filter(state="placed").annotate(paid=Coalesce(Sum("tenders__amount"), F("total") * 0))
    for attempt in placed.exclude(paid__range=_near("total")).iterator():
        yield Finding("payments.sum", f"attempt {attempt.pk}", f"tenders sum to {attempt.paid}, total {attempt.total}")
    orders = placed.filter(order__isnull=False).exclude(order__total_incl_tax=F("total"))
    for attempt in orders.select_related("order").iterator():
        # SQLite keeps digits of a total that nobody ever reads.
        if attempt.total != attempt.order.total_incl_tax:
            yield Finding(
                "payments.order",
                f"attempt {attempt.pk}",
                f"paid {attempt.total}, order {attempt.order.number} is {attempt.order.total_incl_tax}",
            )
    captured = Tender.objects.filter(attempt__state="placed", units__gt=0, state="captured").exclude(
        entry__units=-F("units")
    )
    for tender in captured.iterator():
        yield Finding("payments.capture", f"tender {tender.pk}", f"{tender.units} units have no entry of that size")
    left_open = Tender.objects.filter(attempt__state__in=["placed", "cancelled"], hold__state="open")
    for tender in left_open.iterator():
        yield Finding("payments.hold", f"tender {tender.pk}", "the checkout has ended, its hold is still open")


@check
def allotments() -> Iterator[Finding]:
    """A tender's allotments sum to it, and returns never pass them."""
    Allotment = get_model("loyalty_payments", "Allotment")
    Tender = get_model("loyalty_payments", "Tender")
    rows = Tender.objects.filter(attempt__state="placed", allotments__isnull=False).annotate(
        allotted=Sum("allotments__amount")
    )
    for tender in rows.exclude(allotted__range=_near("amount")).iterator():
        yield Finding("payments.allotted", f"tender {tender.pk}", f"{tender.amount} allotted as {tender.allotted}")
    returned = get_model("loyalty_payments", "TenderReturn").objects.filter(allotment=OuterRef("pk"))
    told = Allotment.objects.annotate(told=_total(returned, "allotment", "units"))
    for allotment in told.exclude(told=F("returned_units")).iterator():
        yield Finding(
            "payments.returns",
            f"allotment {allotment.pk}",
            f"{allotment.returned_units} units returned, its returns say {allotment.told}",
        )
    over = Q(returned_amount__gt=F("amount")) | Q(returned_units__gt=F("units"))
    for allotment in Allotment.objects.filter(over).iterator():
        yield Finding("payments.returned", f"allotment {allotment.pk}", "more was returned than was paid")


@check
def guest_claims() -> Iterator[Finding]:
    """A guest order that a member has taken is in that member's account, as long as there is one."""
    claims = get_model("loyalty_earning", "GuestClaim").objects.filter(member__user__isnull=False)
    for claim in claims.filter(order__user__isnull=True).select_related("order", "member").iterator():
        yield Finding("claims.order", f"order {claim.order.number}", f"taken by {claim.member.number}, but nobody's")


@check
def goal_cards() -> Iterator[Finding]:
    """What a member's cards of a goal hold is what its stamps count; a card holds no more than its size."""
    Card, Stamp = get_model("loyalty_earning", "GoalCard"), get_model("loyalty_earning", "Stamp")
    held = {
        (row["goal"], row["member"]): row["held"]
        for row in Card.objects.order_by().values("goal", "member").annotate(held=Sum(F("count") - F("head_start")))
    }
    stamped = {
        (row["goal"], row["member"]): row["stamped"]
        for row in Stamp.objects.order_by().values("goal", "member").annotate(stamped=Sum("counted"))
    }
    for goal, member in sorted({*held, *stamped}):
        holds, counts = held.get((goal, member), 0), stamped.get((goal, member), 0)
        if holds != counts:
            yield Finding("goals.stamps", f"goal {goal}, member {member}", f"cards hold {holds}, stamps count {counts}")
    full = Q(state="full") & ~Q(count=F("goal__size")) | Q(count__gt=F("goal__size"))
    for card in Card.objects.filter(full | (~Q(state="full") & Q(count=F("goal__size")))).iterator():
        yield Finding("goals.card", f"card {card.pk}", f"{card.state} with {card.count}")


@check
def goal_prizes() -> Iterator[Finding]:
    """Each step that a card has reached has its prize, given or owed, and no other; given points have their award."""
    Card, Step = get_model("loyalty_earning", "GoalCard"), get_model("loyalty_earning", "GoalStep")
    Prize = get_model("loyalty_earning", "GoalPrize")
    standing = Prize.objects.filter(state__in=["given", "owed"])
    for prize in standing.filter(step__after__gt=F("card__count"), ahead=False).iterator():
        yield Finding("goals.prize", f"prize {prize.pk}", "given, but the card has not reached it")
    steps = Step.objects.filter(goal=OuterRef("goal"), after__lte=OuterRef("count")).order_by().values("goal")
    mine = standing.filter(card=OuterRef("pk")).order_by().values("card")
    rows = Card.objects.annotate(
        reached=Coalesce(Subquery(steps.annotate(number=Count("pk")).values("number")), 0),
        prized=Coalesce(Subquery(mine.annotate(number=Count("pk")).values("number")), 0),
    )
    for card in rows.filter(prized__lt=F("reached")).iterator():
        yield Finding("goals.prizes", f"card {card.pk}", f"{card.reached} steps reached, {card.prized} prizes")
    lost = Q(award__isnull=True) | Q(award__void=True)
    for prize in Prize.objects.filter(lost, state="given", step__points__isnull=False).iterator():
        yield Finding("goals.points", f"prize {prize.pk}", "given, but its points are not there")


@check
def refunds() -> Iterator[Finding]:
    """What a refund gave back is what it says; no line, and no tender, gives back more than was paid."""
    Refund, RefundLine = get_model("loyalty_payments", "Refund"), get_model("loyalty_payments", "RefundLine")
    parts = get_model("loyalty_payments", "TenderReturn").objects
    lines = RefundLine.objects.filter(refund=OuterRef("pk"))
    for refund in Refund.objects.annotate(lined=_total(lines, "refund", "amount")).iterator():
        if abs(refund.lined + refund.shipping - refund.amount) > HAIR:
            yield Finding(
                "refunds.lines", f"refund {refund.pk}", f"{refund.amount}, its lines and shipping are {refund.lined}"
            )
    given = _total(parts.filter(refund=OuterRef("pk")), "refund", "amount")
    tracked = Refund.objects.filter(order__payment_attempt__isnull=False).annotate(given=given)
    for refund in tracked.exclude(given__range=_near("amount")).iterator():
        yield Finding("refunds.parts", f"refund {refund.pk}", f"{refund.amount} refunded, {refund.given} went back")
    Line = get_model("order", "Line")
    mine = RefundLine.objects.filter(order_line=OuterRef("pk"))
    rows = Line.objects.filter(loyalty_refund_lines__isnull=False).distinct()
    rows = rows.annotate(back=_total(mine, "order_line", "amount"), pieces=_total(mine, "order_line", "quantity"))
    for line in rows.filter(Q(back__gt=F("line_price_incl_tax") + HAIR) | Q(pieces__gt=F("quantity"))).iterator():
        yield Finding(
            "refunds.line", f"order line {line.pk}", f"{line.pieces} pieces, {line.back} refunded: more than was sold"
        )
    Allotment = get_model("loyalty_payments", "Allotment")
    told = parts.filter(allotment=OuterRef("pk"))
    rows = Allotment.objects.annotate(told=_total(told, "allotment", "amount"))
    for allotment in rows.exclude(told__range=_near("returned_amount")).iterator():
        yield Finding(
            "refunds.returned",
            f"allotment {allotment.pk}",
            f"{allotment.returned_amount} returned, its returns say {allotment.told}",
        )


@check
def budgets() -> Iterator[Finding]:
    """What a budget says was used is what was given within its dates."""
    for limits in get_model("loyalty_earning", "EarningPolicy").objects.filter(budget__isnull=False):
        given = allowance.used(limits)
        if given != limits.budget_used:
            yield Finding(
                "budget", f"EarningPolicy {limits.pk}", f"says {limits.budget_used} were used; {given} were given"
            )


@check
def gifts_of_points() -> Iterator[Finding]:
    """Points on their way are set aside, and nothing else is; what was given went from one account to the other."""
    units = F("transfer__units")
    aside = Q(state="open", units=units, account=F("transfer__source__account"), transfer__state="open")
    moved = Q(state="captured", transfer__entry_out__units=-units, transfer__entry_in__units=units)
    moved &= Q(transfer__entry_out__account=F("account")) & ~Q(transfer__entry_in__account=F("account"))
    right = aside | moved & Q(transfer__state="done")
    right |= Q(state="released") & (~Q(transfer__state__in=["open", "done"]) | Q(transfer__until__lte=clock.now()))
    right |= Q(transfer__isnull=True) & ~Q(state="open")
    holds = get_model("loyalty_ledger", "Hold").objects
    mine = holds.filter(Q(source_type="gift") | Q(transfer__isnull=False))
    for hold in mine.exclude(Exists(holds.filter(right, pk=OuterRef("pk")))).select_related("transfer").iterator():
        row = getattr(hold, "transfer", None)
        if row is None:
            yield Finding("gifts.hold", f"hold {hold.pk}", f"{hold.units} points are set aside for no gift")
        elif row.state == "done":
            yield Finding("gifts.given", f"gift {row.pk}", f"{row.units} points are not what the entries say")
        else:
            yield Finding("gifts.open", f"gift {row.pk}", f"it is {row.state}, its hold is {hold.state}")


@check
def resting_members() -> Iterator[Finding]:
    """The points of a member on hold rest, and nobody else's. The account of a membership that was joined with another
    leads to that one's, and holds nothing."""
    merged = Q(account__merged_into=F("merged_into__account"), account__balance=0, account__debt=0)
    right = Q(merged_into__isnull=True) | merged
    rests = Q(status="frozen", account__paused_at__isnull=False)
    rests |= ~Q(status="frozen") & Q(account__paused_at__isnull=True)
    rows = get_model("loyalty_members", "Member").objects
    right_one = rows.filter(right, rests, pk=OuterRef("pk"))
    for member in rows.exclude(Exists(right_one)).select_related("account").iterator():
        if (member.status == "frozen") != (member.account.paused_at is not None):
            yield Finding("members.hold", f"member {member.pk}", f"it is {member.status}, its points are not")
        else:
            yield Finding("members.merged", f"member {member.pk}", "the account does not lead to that of the other")


#: What the owner is told the number of.
_COUNTED = (
    ("loyalty_ledger", "Account"),
    ("loyalty_ledger", "Entry"),
    ("loyalty_ledger", "Lot"),
    ("loyalty_members", "Member"),
    ("loyalty_earning", "Award"),
    ("loyalty_giftcards", "GiftCard"),
    ("loyalty_payments", "PaymentAttempt"),
)


def _numbers() -> dict[str, int]:
    """Return how many rows there are of each, in one query."""
    db = Database(get_model("loyalty_ledger", "Entry"))
    counts = ", ".join(f"(SELECT COUNT(*) FROM {db.table(get_model(*name))})" for name in _COUNTED)  # noqa: S608  # nosec B608
    [row] = db.rows(f"SELECT {counts}")  # nosec B608
    return {label: number for (_app, label), number in zip(_COUNTED, row, strict=True)}


def run(*, keep: bool = True, progress: Callable[[], None] = lambda: None) -> Report:
    """Run every check and, unless ``keep`` is false, store the outcome for the dashboard's light.

    ``progress`` is called before each check.
    """
    started = clock.now()
    findings: list[Finding] = []
    for function in _checks:
        progress()
        findings += function()
    checked = _numbers()
    report = Report(findings, checked)
    if keep:
        get_model("loyalty_reports", "AuditRun").objects.create(
            started_at=started,
            finished_at=clock.now(),
            findings=len(findings),
            details=[asdict(finding) for finding in findings[:KEPT]],
            checked=checked,
        )
    return report
