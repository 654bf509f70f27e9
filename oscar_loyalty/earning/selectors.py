"""All reads of earning: what one would earn, what one has earned, and why."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet


@dataclass(frozen=True)
class PreviewLine:
    """A line of a preview: what it is, what it would bring, and why, in the reader's language."""

    title: str
    points: int
    sentences: list[str]
    line: Any = None


@dataclass(frozen=True)
class Preview:
    """What a product or a basket would bring now. ``would_join``: to somebody who joins, at the lowest tier.

    ``usable_from`` is ``None`` where it is not known yet (a booking: after the visit).
    """

    points: int
    lines: list[PreviewLine] = field(default_factory=list)
    usable_from: datetime | None = None
    sentences: list[str] = field(default_factory=list)
    would_join: bool = False
    programme: Any = None


@dataclass(frozen=True)
class Movement:
    """An entry of a member's ledger with what it was about and why, in the reader's language.

    ``title`` names it ("Order 100042", "Haircut, 3 March 2026"), ``sentences`` say why, ``note`` is the reason that staff wrote,
    ``usable_from`` and ``expires_at`` are those of the points it brought, ``pending`` whether they still wait.
    """

    entry: Any
    title: str
    sentences: list[str]
    note: str = ""
    usable_from: datetime | None = None
    expires_at: datetime | None = None
    pending: bool = False
    award: Any = None


def preview_product(product: Any, request: Any) -> Preview | None:
    """Return what one piece of ``product`` would bring whoever asks; ``None`` without an open programme."""
    raise NotImplementedError


def preview_basket(basket: Any, request: Any) -> Preview | None:
    """Return what ``basket`` would bring whoever asks; ``None`` without an open programme or lines."""
    raise NotImplementedError


def award_of_order(order: Any) -> Any:
    """Return the award of ``order`` with its lines, or ``None``."""
    raise NotImplementedError


def preview_order(order: Any) -> Preview | None:
    """Return what a placed order brings or will bring (the thank-you page); from its award once there is one."""
    raise NotImplementedError


def history(member: Any, *, page: int = 1, per_page: int = 20) -> Any:
    """Return a page (Django's ``Page``) of :class:`Movement`, newest first; the queries are bounded."""
    raise NotImplementedError


def movements(
    programme: Any,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    member: Any = None,
    product: Any = None,
    kind: str = "",
    words: str = "",
) -> QuerySet[Any]:
    """Return the ledger entries of the programme's members, newest first, with member, note, award and its lines."""
    raise NotImplementedError


def movement(entry: Any) -> Movement:
    """Return an entry of :func:`movements` with its reasons in the reader's language, without a query."""
    raise NotImplementedError


def rules_of(programme: Any, *, ended: bool = False) -> QuerySet[Any]:
    """Return the rules in force (``ended``: all) with targets and versions; ``rule.current`` is the last version."""
    raise NotImplementedError


def own_points(product: Any, programme: Any = None) -> int | None:
    """Return the points set on the product itself, or ``None``."""
    raise NotImplementedError


def adjustments_waiting(programme: Any) -> QuerySet[Any]:
    """Return the adjustments that wait for a second person, oldest first, with their members."""
    raise NotImplementedError
