"""The gift cards that a customer wants to pay with: kept in the session by id, never by code."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.giftcards import exceptions, services
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.loading import get_model

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
    ids = request.session.get(KEY, [])
    if not ids:
        return []
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(pk__in=ids, state="active")
    by_id = {card.pk: card for card in cards.select_related("account")}
    return [Applied(by_id[pk], giftcards.balance(by_id[pk]).amount) for pk in ids if pk in by_id]


def remove(request: Any, card_id: str) -> None:
    """Take a card off this checkout again."""
    request.session[KEY] = [pk for pk in request.session.get(KEY, []) if str(pk) != str(card_id)]


def forget(request: Any) -> None:
    """The order is placed: the next one starts without cards."""
    request.session.pop(KEY, None)
    request.session.pop(SHOWN, None)


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


class CodeForm(forms.Form):
    """Asks for a gift-card code. Every wrong code gets the same answer."""

    code = forms.CharField(
        label=_("Gift-card code"),
        max_length=60,
        strip=True,
        widget=forms.TextInput(
            attrs={
                "class": "form-control",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "placeholder": "XXXX-XXXX-XXXX-XXXX-XXXX",
            }
        ),
    )

    def __init__(self, *args: Any, request: Any = None, basket: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.basket = request, basket
        self.card: Any = None

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        try:
            self.card = services.look_up(code, who=Guard.of_request(self.request))
        except exceptions.TooManyTries as error:
            raise forms.ValidationError(_("Too many wrong codes. Please wait an hour and try again.")) from error
        except exceptions.CodeRefused as error:
            raise forms.ValidationError(
                _("This code does not work. Check it letter by letter; cards that are used up do not work either.")
            ) from error
        if self.card.currency != self.basket.currency:
            raise forms.ValidationError(_("This gift card is in another currency."))
        ids = self.request.session.get(KEY, [])
        if self.card.pk in ids:
            raise forms.ValidationError(_("This gift card has been added already."))
        if len(ids) >= MOST:
            raise forms.ValidationError(_("No more than ten gift cards can pay for one order."))
        return code

    def save(self) -> None:
        self.request.session[KEY] = [*self.request.session.get(KEY, []), self.card.pk]
