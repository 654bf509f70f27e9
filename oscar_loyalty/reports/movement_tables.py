"""Movements as tables to take away."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import times
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.reports.exports import CHUNK, Column, newest_first
from oscar_loyalty.reports.movements import kind_label, service_name


def columns(look: str) -> list[Column]:
    """Return the columns of the movements one by one ("all"), by "service" or by "member"."""
    return {"all": _one_by_one, "service": _by_service, "member": _by_member}[look]()


def rows(look: str, found: QuerySet[Any], programme: Any) -> Iterator[Any]:
    """Yield what the columns are about, read in chunks."""
    if look != "all":
        yield from found.iterator(chunk_size=CHUNK)
        return
    for part in newest_first(found, "effective_at"):
        yield from earning.describe(part, programme, staff=True)


def _one_by_one() -> list[Column]:
    def member(movement: Any) -> Any:
        return movement.entry.account.member

    return [
        Column(_("Date"), lambda movement: movement.entry.effective_at, 18),
        Column(_("Card number"), lambda movement: member(movement).number, 16),
        Column(_("Customer"), lambda movement: member(movement).full_name, 22),
        Column(_("E-mail"), lambda movement: member(movement).email, 28),
        Column(_("Kind"), lambda movement: kind_label(movement.entry.kind), 16),
        Column(_("About"), lambda movement: movement.title, 28),
        Column(_("Points"), lambda movement: movement.entry.units, 10),
        Column(_("Balance after"), lambda movement: movement.entry.balance_after, 14),
        Column(_("Why"), lambda movement: "; ".join(movement.sentences), 50),
        Column(_("Note"), lambda movement: movement.note, 30),
        Column(_("Usable from"), lambda movement: movement.usable_from, 18),
        Column(_("Expires"), lambda movement: times.last_day(movement.expires_at), 12),
    ]


def _by_service() -> list[Column]:
    return [
        Column(_("Service or product"), service_name, 36),
        Column(_("Pieces"), lambda row: row["pieces"]),
        Column(_("Purchases and visits"), lambda row: row["awards"], 20),
        Column(_("Customers"), lambda row: row["members"]),
        Column(_("Points"), lambda row: row["total"]),
        Column(_("Last time"), lambda row: row["last"], 18),
    ]


def _by_member() -> list[Column]:
    return [
        Column(_("Card number"), lambda row: row["number"], 16),
        Column(_("First name"), lambda row: row["first_name"], 18),
        Column(_("Last name"), lambda row: row["last_name"], 18),
        Column(_("E-mail"), lambda row: row["email"], 28),
        Column(_("Movements"), lambda row: row["movements"]),
        Column(_("Points gained"), lambda row: row["gained"]),
        Column(_("Points gone"), lambda row: row["taken"]),
        Column(_("Last time"), lambda row: row["last"], 18),
    ]
