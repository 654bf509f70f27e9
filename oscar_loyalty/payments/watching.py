"""What the owner sees of payments: which there are, what happened to each, and which need somebody to look."""

from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.core.mail import mail_admins
from django.db.models import Count, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money
from oscar_loyalty.payments import services, tenders

#: How long before a provider lets an authorisation go somebody is told.
ALERT = timedelta(hours=24)
#: After how long an open payment needs somebody to look.
STUCK = timedelta(hours=3)
#: For how long the light shows what failed.
SHOWN = timedelta(days=30)
#: Tenders of which less was taken than they are.
SHORT = Q(short=True)
#: Kind of the due rows that tell somebody.
TELL = "payments.alert"


def _model(name: str) -> Any:
    return get_model("loyalty_payments", name)


@dataclass(frozen=True)
class Light:
    """How many payments need somebody: ``late`` to be taken within a day, ``failed`` at the capture, ``short`` of what
    the order costs, ``owed`` by the shop's own payment, ``stuck`` without an answer; and Stripe's ``events`` that could
    not be handled."""

    late: int
    failed: int
    short: int
    owed: int
    stuck: int
    events: int

    @property
    def colour(self) -> str:
        """Return "red" or "green"."""
        return "red" if any(astuple(self)) else "green"


def late() -> QuerySet[Any]:
    """Return the authorised tenders of placed orders that must be taken within a day."""
    soon = clock.now() + ALERT
    rows = _model("Tender").objects.filter(state="authorised", capture_before__lte=soon, attempt__state="placed")
    return rows.select_related("attempt__order")


def _needing() -> dict[str, list[Q]]:
    """Return the conditions for attempts that need somebody to look, each of which an index answers."""
    now, found = clock.now(), _model("Tender").objects.filter
    return {
        "late": [
            Q(
                state="placed",
                pk__in=found(state="authorised", capture_before__lte=now + ALERT).values("attempt"),
            )
        ],
        # What failed in the last month; the order's own page keeps it for ever.
        "failed": [Q(state="placed", closed_at__gt=now - SHOWN, pk__in=found(state="failed").values("attempt"))],
        "short": [Q(state="placed", pk__in=found(SHORT).values("attempt"))],
        "owed": [Q(state="cancelled", pk__in=found(kind="shop", state="failed").values("attempt"))],
        "stuck": [
            Q(state="open", created_at__lt=now - STUCK),
            Q(closed_at__lt=now - STUCK, pk__in=found(state="authorised").values("attempt")),
        ],
    }


def light(site: Any = None) -> Light:
    """Return the light of the payments of ``site`` (default: of all), in six queries, none of which reads more than
    what needs somebody."""
    attempts = _of(_model("PaymentAttempt").objects.all(), site)
    needing = _needing()
    counts = {what: sum(attempts.filter(q).count() for q in needing[what]) for what in ("late", "owed", "stuck")}
    rows = _model("Tender").objects.filter(Q(state="failed") | SHORT, attempt__state="placed")
    if site is not None:
        rows = rows.filter(attempt__site=site.pk)
    counts |= rows.aggregate(
        failed=Count("attempt", distinct=True, filter=Q(state="failed", attempt__closed_at__gt=clock.now() - SHOWN)),
        short=Count("attempt", distinct=True, filter=SHORT),
    )
    return Light(**counts, events=events(state="failed", site=site).count())


def _of(rows: QuerySet[Any], site: Any) -> QuerySet[Any]:
    return rows if site is None else rows.filter(site=site.pk)


def search(*, state: str = "", words: str = "", site: Any = None) -> QuerySet[Any]:
    """Return the attempts of ``site`` (default: all), newest first; ``state`` is one of theirs, or "look" for those
    that need somebody."""
    rows = _of(_model("PaymentAttempt").objects.select_related("user", "order"), site)
    if state == "look":
        rows = rows.filter(reduce(or_, (condition for each in _needing().values() for condition in each)))
    elif state:
        rows = rows.filter(state=state)
    for word in words.split():
        rows = rows.filter(
            Q(order_number__icontains=word)
            | Q(user__email__icontains=word)
            | Q(snapshot__guest_email__icontains=word)
            | Q(tenders__reference=word)
        ).distinct()
    return rows.prefetch_related("tenders").order_by("-created_at", "-pk")


def events(*, state: str = "", site: Any = None) -> QuerySet[Any]:
    """Return Stripe's events, newest first: those about payments of ``site``, and about none that is known."""
    rows = _model("StripeEvent").objects.select_related("attempt").defer("payload")
    if site is not None:
        rows = rows.filter(Q(attempt__site=site.pk) | Q(attempt__isnull=True))
    return rows.filter(state=state) if state else rows


@dataclass(frozen=True)
class Moment:
    """One thing that happened to an attempt, in the reader's language; an actor where somebody did it."""

    at: datetime
    what: str
    more: str = ""
    bad: bool = False
    actor_type: str = ""
    actor_id: str = ""


def moments(attempt: Any) -> list[Moment]:
    """Return what happened to an attempt, oldest first, in four queries."""
    found = [Moment(attempt.created_at, _("“Place order” was pressed; points and gift cards were set aside"))]
    if attempt.snapshot.get("redirected"):
        found.append(_at(attempt.snapshot["redirected"], _("The customer was sent to the payment page")))
    for tender in attempt.tenders.all():
        if tender.detail.get("authorised_at"):
            found.append(_at(tender.detail["authorised_at"], _("The money was set aside on the card"), _card(tender)))
        if tender.detail.get("captured_at"):
            found.append(_at(tender.detail["captured_at"], _("The card was charged")))
        if tender.detail.get("settled_at"):
            what, who = _("The shop noted that it has seen to the rest"), tender.detail["settled_by"]
            found.append(_at(tender.detail["settled_at"], what, "", *who))
        if tender.detail.get("returned_at"):
            what, who = _("The shop noted that it has given the money back"), tender.detail["returned_by"]
            found.append(_at(tender.detail["returned_at"], what, "", *who))
    if attempt.closed_at:
        placed = attempt.state == "placed"
        what = _("The order was placed") if placed else _("The attempt was undone; nothing is set aside any more")
        found.append(Moment(attempt.closed_at, what, "" if placed else attempt.why))
    for event in attempt.events.order_by("received_at", "pk").defer("payload")[:100]:
        found.append(
            Moment(
                event.received_at,
                _("Stripe told us: %(kind)s") % {"kind": event.kind},
                f"{event.get_state_display()}{': ' if event.note else ''}{event.note}",
                event.state == "failed",
            )
        )
    rows = get_model("loyalty_due", "Due").objects.filter(kind=services.SETTLE, key=str(attempt.pk))
    for row in rows:
        if row.last_error:
            found.append(Moment(row.due_at, _("The next try is due"), row.last_error[:300], True))
    return sorted((moment for moment in found if moment.at), key=lambda moment: moment.at)


def _at(text: str, what: str, more: str = "", *actor: str) -> Moment:
    return Moment(parse_datetime(text) or clock.now(), what, more, False, *actor)


def _card(tender: Any) -> str:
    """Return how a card is known: "Visa 4242"."""
    detail = tender.detail
    return " ".join(word for word in (detail.get("brand", "").title(), detail.get("last4", "")) if word)


def problem(tender: Any, currency: str) -> str:
    """Return what is wrong with a tender of an attempt in ``currency``, in the reader's language; "" for nothing."""
    if tender.short:
        words = {"taken": Money(Decimal(tender.detail["taken"]), currency), "amount": Money(tender.amount, currency)}
        return _("Only %(taken)s of %(amount)s was charged.") % words
    return str(tender.error)


def tell_late() -> int:
    """Leave a row that tells the shop's administrators of each payment that must be taken within a day; once each."""
    rows = list(late().values_list("pk", flat=True)[:200])
    for pk in rows:
        due.leave(kind=TELL, key=str(pk), payload={"tender": pk})
    return len(rows)


def tell(*, pk: int) -> None:
    """Write to ``settings.ADMINS`` that a payment has not been taken yet, or not all of it."""
    tender = _model("Tender").objects.select_related("attempt__order").get(pk=pk)
    if not (tender.short or tender.state == "authorised") or not settings.ADMINS:
        return
    attempt = tender.attempt
    values = {
        "order": attempt.order_number,
        "amount": Money(tender.amount, attempt.currency),
        "until": f"{tender.capture_before:%Y-%m-%d %H:%M} UTC" if tender.capture_before else "?",
        "error": problem(tender, attempt.currency) or "-",
        "provider": tenders.of(tender.kind).source,
    }
    if tender.short:
        mail_admins(
            _("Order %(order)s: less was charged than it costs") % values,
            _(
                "%(error)s Somebody took less at %(provider)s by hand, and the rest was let go. Gift cards bought with "
                "order %(order)s wait. Get the rest in another way, or cancel the order and give back at %(provider)s "
                "what was charged; then say so in the dashboard, at this payment."
            )
            % values,
        )
        return
    mail_admins(
        _("Order %(order)s: the card has not been charged yet") % values,
        _(
            "%(amount)s of order %(order)s are set aside at %(provider)s until %(until)s, and could not be taken so "
            "far (%(error)s). After that the money is lost. Charge it at %(provider)s by hand if it does not work here."
        )
        % values,
    )
