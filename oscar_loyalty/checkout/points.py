"""The points at the programme's rate that a customer wants to pay with: kept in the session as a number."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.sites import site_of
from oscar_loyalty.money import format_money
from oscar_loyalty.payments import offering

KEY = "loyalty_points"
#: More digits than this are no number of points.
DIGITS = 12


def chosen(request: Any) -> int:
    """Return how many points the customer wants to use at most."""
    number = request.session.get(KEY, 0)
    return number if isinstance(number, int) else 0


def choose(request: Any, number: int) -> None:
    """Remember how many points the customer wants to use at most."""
    if number > 0:
        request.session[KEY] = number
    else:
        request.session.pop(KEY, None)


def offer_for(request: Any, *, basket: Any, total: Any) -> offering.PointsOffer | None:
    """Return what can be paid with points of this checkout, or ``None`` where the programme does not offer it."""
    member = members.member_of_request(request)
    programme = member.programme if member is not None else members.programme_of(site_of(request))
    return offering.offer(programme=programme, member=member, basket=basket, total=total, chosen=chosen(request))


def why_not(offer: offering.PointsOffer) -> str:
    """Return why no points can be used, for the customer; nothing where they can."""
    words = {"points": offer.programme.points_name_many, "name": offer.programme.name}
    if offer.why == "closed":
        return _("Orders cannot be paid with %(points)s at the moment.") % words
    if offer.why == "member":
        return _("Members of %(name)s can pay with their %(points)s.") % words
    if offer.why == "frozen":
        return _("Your membership is on hold, so your %(points)s cannot be used at the moment. Please ask us.") % words
    if offer.why == "giftcards":
        return _("Gift cards have their own price in %(points)s. You choose it in the basket.") % words
    if offer.why == "small":
        if offer.minimum_cash:
            words["amount"] = format_money(offer.minimum_cash, offer.currency)
            return _("This order is too small: at least %(amount)s must be paid without %(points)s.") % words
        return _("This order is too small to be paid with %(points)s.") % words
    if offer.why == "few":
        return _("Your %(points)s are too few to make a difference yet.") % words
    if offer.why == "none":
        return _("You have no %(points)s to use yet.") % words
    return ""


class PointsField(forms.IntegerField):
    """A number as people write it: "1,000", "1 000"."""

    def to_python(self, value: Any) -> int | None:
        # Only between groups of three: "1.5" is a mistake, not fifteen.
        text = re.sub(r"(?<=\d)[\s\u00a0\u202f'’.,](?=\d{3}(?!\d))", "", str(value or "").strip())
        if len(text.lstrip("+-0")) > DIGITS:
            raise forms.ValidationError(_("That is too large a number."))
        return super().to_python(text)


class PointsForm(forms.Form):
    """Asks how many points are to be used, within what ``offer`` allows."""

    points = PointsField(label=gettext_lazy("How many?"), min_value=0, required=False)

    def __init__(self, *args: Any, offer: offering.PointsOffer, **kwargs: Any) -> None:
        number = min(offer.chosen, offer.most)
        super().__init__(*args, initial={"points": number or None}, **kwargs)
        self.offer = offer
        self.clamped = False
        self.fields["points"].widget.attrs |= {
            "class": "form-control",
            "min": 0,
            "max": offer.most,
            "step": 1,
            "inputmode": "numeric",
            "autocomplete": "off",
            "placeholder": "0",
            # What is wrong with it, or what it pays.
            "aria-describedby": "loyalty-points-note",
        }
        if self.is_bound and self.errors:
            # The field to mend has the focus, for keyboards and screen readers.
            self.fields["points"].widget.attrs["autofocus"] = True

    def clean_points(self) -> int:
        number = int(self.cleaned_data["points"] or 0)
        if not number:
            return 0
        if problem := why_not(self.offer):
            raise forms.ValidationError(problem)
        if number > self.offer.most:
            self.clamped = True
            return self.offer.most
        if number < self.offer.least:
            words = {"points": self.offer.programme.points_label(self.offer.least)}
            raise forms.ValidationError(_("That is worth nothing yet. Use at least %(points)s.") % words)
        return number

    def result(self, typed: str) -> tuple[str, str]:
        """Return what the customer is told once the number is taken, and how: ``info``, ``success``, ``warning``."""
        number, label = self.cleaned_data["points"], self.offer.programme.points_label
        if self.clamped:
            return "warning", _(
                "You asked for %(typed)s. At most %(points)s can be used for this order: that is what we took."
            ) % {
                "typed": typed.strip()[:20],
                "points": label(number),
            }
        if number:
            return "success", _("You pay a part of this order with %(points)s.") % {"points": label(number)}
        names = {"points": self.offer.programme.points_name_many}
        return "info", _("No %(points)s are used for this order.") % names
