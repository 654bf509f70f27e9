"""The ledger's proof of itself: every figure that is stored twice is recomputed from the rows below it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    F,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Lag

from oscar_loyalty.ledger import triggers
from oscar_loyalty.loading import get_model


@dataclass(frozen=True)
class Finding:
    """One account that disagrees: the check that found it and what is wrong. ``account_id`` 0: the table itself."""

    check: str
    account_id: int
    detail: str


def _model(name: str) -> Any:
    return get_model("loyalty_ledger", name)


def _sum(rows: Any, group: str, field: Any) -> Coalesce:
    totals = rows.order_by().values(group).annotate(total=Sum(field)).values("total")
    return Coalesce(Subquery(totals, output_field=BigIntegerField()), 0)


def audit() -> Iterator[Finding]:
    """Yield what disagrees; nothing, when the books are right. One query for each check, whatever the history."""
    Account, Entry, Lot = _model("Account"), _model("Entry"), _model("Lot")
    LotUse, Hold, HoldUse = _model("LotUse"), _model("Hold"), _model("HoldUse")

    accounts = Account.objects.annotate(
        booked=_sum(Entry.objects.filter(account=OuterRef("pk")), "account", "units"),
        left=_sum(Lot.objects.filter(account=OuterRef("pk")), "account", "remaining"),
        last=Coalesce(
            Subquery(
                Entry.objects.filter(account=OuterRef("pk"))
                .order_by()
                .values("account")
                .annotate(last=Max("sequence"))
                .values("last")
            ),
            0,
        ),
        number=Coalesce(
            Subquery(
                Entry.objects.filter(account=OuterRef("pk"))
                .order_by()
                .values("account")
                .annotate(number=Count("pk"))
                .values("number")
            ),
            0,
        ),
    )
    wrong = ~Q(booked=F("balance")) | ~Q(balance=F("left") - F("debt")) | ~Q(last=F("sequence")) | ~Q(number=F("last"))
    for account in accounts.filter(wrong).iterator():
        if account.booked != account.balance:
            yield Finding("balance", account.pk, f"entries sum to {account.booked}, balance is {account.balance}")
        if account.balance != account.left - account.debt:
            yield Finding(
                "lots", account.pk, f"lots hold {account.left}, debt {account.debt}, balance {account.balance}"
            )
        if account.last != account.sequence or account.number != account.last:
            yield Finding(
                "sequence",
                account.pk,
                f"{account.number} entries up to {account.last}, account says {account.sequence}",
            )

    owing = Account.objects.filter(debt__gt=0).annotate(
        free=_sum(Lot.objects.filter(account=OuterRef("pk")), "account", F("remaining") - F("held"))
    )
    for account in owing.filter(free__gt=0).iterator():
        yield Finding("debt", account.pk, f"owes {account.debt}, and {account.free} could pay")

    before = Window(Lag("balance_after", default=0), partition_by="account", order_by="sequence")
    chain = Entry.objects.annotate(before=before).exclude(balance_after=F("before") + F("units"))
    for entry in chain.order_by("account", "sequence").iterator():
        yield Finding(
            "balance_after",
            entry.account_id,
            f"entry {entry.sequence} leaves {entry.balance_after} after {entry.before} and {entry.units:+d}",
        )

    lots = Lot.objects.annotate(
        used=_sum(LotUse.objects.filter(lot=OuterRef("pk")), "lot", "units"),
        aside=_sum(HoldUse.objects.filter(lot=OuterRef("pk"), hold__state="open"), "lot", "units"),
    )
    rests = Q(account__paused_at__isnull=False)
    astray = Q(life_left__isnull=False) & ~rests | rests & Q(expires_at__gt=F("account__paused_at"))
    lots = lots.annotate(astray=Case(When(astray, then=True), default=False, output_field=BooleanField()))
    wrong = ~Q(remaining=F("units") - F("used")) | ~Q(held=F("aside")) | Q(astray=True)
    for lot in lots.filter(wrong).iterator():
        if lot.remaining != lot.units - lot.used:
            yield Finding(
                "lot", lot.account_id, f"lot {lot.pk} holds {lot.remaining} of {lot.units}, {lot.used} were used"
            )
        if lot.held != lot.aside:
            yield Finding("held", lot.account_id, f"lot {lot.pk} has {lot.held} held, its holds say {lot.aside}")
        if lot.astray:
            says = "rests, and its account does not" if lot.life_left else "does not rest, as its account does"
            yield Finding("rest", lot.account_id, f"lot {lot.pk} {says}")

    holds = Hold.objects.annotate(parts=_sum(HoldUse.objects.filter(hold=OuterRef("pk")), "hold", "units"))
    for hold in holds.exclude(parts=F("units")).iterator():
        yield Finding("hold", hold.account_id, f"hold {hold.pk} of {hold.units} is made of {hold.parts}")
    captured = Hold.objects.filter(state="captured").exclude(entry__units=-1 * F("units"))
    for hold in captured.iterator():
        yield Finding("capture", hold.account_id, f"hold {hold.pk} of {hold.units} has no entry of that size")

    spends = Entry.objects.filter(kind__in=["spend", "expire"]).annotate(
        used=_sum(LotUse.objects.filter(entry=OuterRef("pk")), "entry", "units")
    )
    for entry in spends.exclude(used=-1 * F("units")).iterator():
        yield Finding(
            "uses", entry.account_id, f"entry {entry.sequence} of {entry.units:+d} took {entry.used} from lots"
        )
    for name in triggers.missing():
        yield Finding("triggers", 0, f"the database no longer refuses changes of entries: {name} is missing")
