from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money
from oscar_loyalty.payments import tenders
from oscar_loyalty.payments.planning import IN_POINTS
from oscar_loyalty.payments.sending import OTHERWISE
from oscar_loyalty.sql import Database


@dataclass(frozen=True)
class Paid:
    """One way in which an order was paid: ``kind``, ``label`` in the reader's language, ``amount``, ``points``, and
    the label of a gift ``card``."""

    kind: str
    label: str
    amount: Decimal
    points: int
    returned: Decimal
    returned_points: int
    card: str = ""


def paid_with(order: Any) -> list[Paid]:
    """Return how ``order`` was paid, in two queries; nothing for an order placed outside an attempt."""
    tenders = get_model("loyalty_payments", "Tender").objects.filter(attempt__order=order, attempt__state="placed")
    result = []
    for tender in tenders.select_related("card").prefetch_related("allotments"):
        parts = list(tender.allotments.all())
        points = tender.units if tender.kind in IN_POINTS else 0
        result.append(
            Paid(
                kind=tender.kind,
                # Whose money it was handed to is a matter of staff.
                label=_("Payment") if tender.kind == "shop" else tender.get_kind_display(),
                amount=tender.amount,
                points=points,
                returned=sum((part.returned_amount for part in parts), Decimal(0)),
                returned_points=sum(part.returned_units for part in parts) if points else 0,
                card=tender.card.label if tender.card is not None else "",
            )
        )
    return result


def live_attempt(basket: Any) -> Any:
    """Return the open attempt of ``basket``, or ``None``."""
    return get_model("loyalty_payments", "PaymentAttempt").objects.filter(basket=basket, state="open").first()


def is_tried(basket: Any) -> tuple[bool, bool]:
    """Return whether there is an open attempt to pay for ``basket``, and whether there is an order of it."""
    Attempt, Order = get_model("loyalty_payments", "PaymentAttempt"), get_model("order", "Order")
    db = Database(Attempt)
    ((tried, placed),) = db.rows(
        "SELECT EXISTS (SELECT 1 FROM $attempts WHERE basket_id = %s AND state = 'open'),"
        " EXISTS (SELECT 1 FROM $orders WHERE basket_id = %s)",
        [basket.pk, basket.pk],
        attempts=db.table(Attempt),
        orders=db.table(Order),
    )
    return bool(tried), bool(placed)


def attempt(uuid: Any) -> Any:
    """Return the attempt of this name, or ``None``."""
    try:
        return get_model("loyalty_payments", "PaymentAttempt").objects.filter(uuid=UUID(str(uuid))).first()
    except ValueError:
        return None


@dataclass
class Back:
    """What went back, or is going to, by one tender: ``state`` is "done", "waiting" or "failed".

    ``parts`` are its ``TenderReturn`` rows; ``points`` is 0 unless they are points, ``card`` the gift card.
    ``otherwise``: the shop has given it in its own way, as whom ``actor_type`` and ``actor_id`` name has said.
    """

    tender: Any
    state: str
    amount: Money
    points: int = 0
    error: str = ""
    parts: list[Any] = field(default_factory=list)
    otherwise: bool = False
    actor_type: str = ""
    actor_id: str = ""

    @property
    def kind(self) -> str:
        return str(self.tender.kind)

    @property
    def card(self) -> Any:
        return self.tender.card

    @property
    def label(self) -> str:
        """The points as the programme calls them."""
        member = self.tender.attempt.member
        return str(member.programme.points_label(self.points)) if member is not None else str(self.points)

    @property
    def provider(self) -> str:
        """Whose money it is: the name that Oscar's payment sources show."""
        return tenders.of(self.tender.kind).source


def backs(parts: Iterable[Any]) -> list[Back]:
    """Gather returns by tender and state, in the order of the tenders; the parts come with tender, attempt and card."""
    found: dict[tuple[int, str], Back] = {}
    for part in parts:
        tender = part.allotment.tender
        currency = tender.attempt.currency
        back = found.setdefault((tender.number, part.state), Back(tender, part.state, Money(Decimal(0), currency)))
        back.amount = Money(back.amount.amount + part.amount, currency)
        back.points += part.units if tender.kind in IN_POINTS else 0
        back.error = back.error or part.error
        back.parts.append(part)
        mark, _colon, who = part.reference.partition(":")
        if mark == OTHERWISE:
            back.otherwise = True
            back.actor_type, _colon, back.actor_id = who.partition(":")
    return [found[key] for key in sorted(found)]


def refunds_of(order: Any) -> QuerySet[Any]:
    """Return the refunds of ``order``, the newest first, with their lines and returns; the queries are few, however
    many refunds there are."""
    rows = get_model("loyalty_payments", "Refund").objects.filter(order=order).order_by("-created_at", "-pk")
    return rows.select_related("order").prefetch_related(
        "lines__order_line",
        "returns__allotment__tender__attempt__member__programme",
        "returns__allotment__tender__card",
    )


def unsettled_returns() -> QuerySet[Any]:
    """Return what a provider refused to give back, or has not given for longer than it should take."""
    late = clock.now() - timedelta(hours=conf.REFUND_LATE_HOURS)
    rows = get_model("loyalty_payments", "TenderReturn").objects.filter(
        Q(state="failed") | Q(state="waiting", happened_at__lt=late)
    )
    return rows.select_related("allotment__tender__attempt", "refund__order").order_by("happened_at", "pk")
