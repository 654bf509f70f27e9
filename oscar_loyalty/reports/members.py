"""The list of members as a table."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.reports.exports import CHUNK, Column, newest_first


def columns() -> list[Column]:
    """Return what is said of each member."""
    return [
        Column(_("Card number"), lambda member: member.number, 16),
        Column(_("First name"), lambda member: member.first_name, 18),
        Column(_("Last name"), lambda member: member.last_name, 18),
        Column(_("E-mail"), lambda member: member.email, 30),
        Column(_("Status"), lambda member: member.get_status_display(), 12),
        Column(_("Tier"), lambda member: str(member.tier or ""), 12),
        Column(_("Joined at"), lambda member: member.joined_at, 18),
        Column(_("Joined by"), lambda member: member.source, 12),
        Column(_("Usable points"), lambda member: member.balance.usable),
        Column(_("Points to come"), lambda member: member.balance.pending),
        Column(_("Debt"), lambda member: member.balance.debt),
    ]


def rows(members: QuerySet[Any]) -> Iterator[Any]:
    """Yield the members with their ``balance``, a chunk at a time, who joined last first."""
    for chunk in newest_first(members, "joined_at", CHUNK):
        balances = ledger.balances([member.account for member in chunk])
        for member in chunk:
            member.balance = balances[member.account_id]
            yield member
