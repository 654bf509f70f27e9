"""The gift cards that a customer wants to pay with: kept in the session by id and generation, never by code.

The generation says which of the card's codes was typed: once the card has another, the old one opens nothing.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.checkout import points
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards.forms import CodeForm as BaseCodeForm
from oscar_loyalty.members.sites import site_of

KEY = "loyalty_giftcards"
SHOWN = "loyalty_plan"
#: More cards than this on one order are a mistake or an attack.
MOST = 10


@dataclass(frozen=True)
class Applied:
    """A card that was added, with what is on it."""

    card: Any
    balance: Decimal


def applied(request: Any) -> list[Applied]:
    """Return the cards added to this checkout, in the order they were added."""
    chosen = [tuple(entry) for entry in request.session.get(KEY, [])]
    if not chosen:
        return []
    cards = giftcards.cards(site_of(request)).filter(pk__in=[pk for pk, _g in chosen], state="active")
    known = {(card.pk, card.generation): card for card in cards.select_related("account")}
    found = [known[entry] for entry in chosen if entry in known]
    balances = giftcards.balances(found)
    return [Applied(card, balances[card.pk].amount) for card in found]


def remove(request: Any, card_id: str) -> None:
    """Take a card off this checkout again."""
    request.session[KEY] = [entry for entry in request.session.get(KEY, []) if str(entry[0]) != str(card_id)]


def forget(request: Any) -> None:
    """The order is placed: the next one starts without cards and points."""
    request.session.pop(KEY, None)
    request.session.pop(SHOWN, None)
    points.choose(request, 0)


def _digest(plan: Any) -> list[list[Any]]:
    return [
        [tender.kind, tender.card, tender.points, str(tender.amount)] for tender in plan.tenders if not tender.money
    ]


def remember_plan(request: Any, plan: Any) -> None:
    """Keep what the customer was shown of points and cards, so that another plan is not carried out in its place."""
    request.session[SHOWN] = _digest(plan)


def is_as_shown(request: Any, plan: Any) -> bool:
    """Return whether ``plan`` takes the points and cards that the customer was shown last."""
    return request.session.get(SHOWN, _digest(plan)) == _digest(plan)


class CodeForm(BaseCodeForm):
    """Adds a gift card to the checkout of ``basket``."""

    def __init__(self, *args: Any, basket: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = basket.currency if basket is not None else ""

    def clean_code(self) -> str:
        code = super().clean_code()
        ids = [entry.card.pk for entry in applied(self.request)]
        if self.card.pk in ids:
            raise forms.ValidationError(_("This gift card has been added already."))
        if len(ids) >= MOST:
            raise forms.ValidationError(_("No more than ten gift cards can pay for one order."))
        return code

    def save(self) -> None:
        cards = [*(entry.card for entry in applied(self.request)), self.card]
        self.request.session[KEY] = [[card.pk, card.generation] for card in cards]
