"""The list of gift cards as a table. Codes are in no table: they are stored nowhere."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.giftcards import selectors
from oscar_loyalty.giftcards.taxes import MULTI, SINGLE
from oscar_loyalty.reports.exports import CHUNK, Column

#: How each kind is written where there is little room.
TAX_NAMES = {MULTI: _("multi-purpose"), SINGLE: _("single-purpose")}


def with_balances(cards: Iterable[Any]) -> list[Any]:
    """Return the cards with their ``left`` and ``worth``."""
    found = list(cards)
    balances = selectors.balances(found)
    for card in found:
        card.left, card.worth = balances[card.pk], selectors.value_of(card)
    return found


def columns() -> list[Column]:
    """Return what is said of each card."""
    return [
        Column(_("Card"), lambda card: card.label, 12),
        Column(_("Issued at"), lambda card: card.created_at, 18),
        Column(_("State"), lambda card: card.get_state_display(), 14),
        Column(_("Currency"), lambda card: card.currency, 10),
        Column(_("Value"), lambda card: card.value),
        Column(_("Left on it"), lambda card: card.left.amount),
        Column(_("Expires"), lambda card: card.last_day, 12),
        Column(_("Tax"), lambda card: TAX_NAMES[card.tax_kind], 18),
        Column(_("Order"), lambda card: card.order_number),
        Column(_("Buyer"), lambda card: card.buyer.email if card.buyer else "", 28),
        Column(_("Recipient"), lambda card: card.recipient_name, 22),
        Column(_("Recipient's e-mail"), lambda card: card.recipient_email, 28),
    ]


def code_columns() -> list[Column]:
    """Return what a printer needs of each card: the rows are cards with their codes."""
    return [
        Column(_("Card"), lambda row: row[0].label, 12),
        Column(_("Code"), lambda row: row[1], 28),
        Column(_("Currency"), lambda row: row[0].currency, 10),
        Column(_("Value"), lambda row: row[0].value or None),
        Column(_("Expires"), lambda row: row[0].last_day, 12),
    ]


def rows(cards: QuerySet[Any]) -> Iterator[Any]:
    """Yield the cards with their balance, a chunk at a time."""
    found = cards.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield from with_balances(chunk)
