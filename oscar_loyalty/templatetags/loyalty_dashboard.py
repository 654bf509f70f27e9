"""How the owner's pages write points, amounts, lights and fields."""

from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from oscar_loyalty.dashboard.navigation import CARDS, REFUND, only_with
from oscar_loyalty.dashboard.navigation import may as _may
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.money import Money
from oscar_loyalty.payments import selectors as payments
from oscar_loyalty.reports.giftcards import TAX_NAMES
from oscar_loyalty.reports.movements import kind_label
from oscar_loyalty.templatetags.loyalty_tags import careful

register = template.Library()

#: Refunds on an order's own page; the page of its refunds has them all.
SHOWN = 5
LIGHTS = {
    "green": ("fas fa-check-circle", "success"),
    "amber": ("fas fa-exclamation-circle", "warning"),
    "red": ("fas fa-times-circle", "danger"),
}


@register.simple_tag
def points(programme: Any, number: int | None) -> str:
    """Write a number of points with their name: "1,000 petals"."""
    return programme.points_label(number or 0)


@register.filter
def signed(number: int) -> str:
    """Write a change of a balance: "+80", "−1,000", "0"."""
    text = number_format(abs(number), force_grouping=True)
    return f"+{text}" if number > 0 else f"\u2212{text}" if number < 0 else text


@register.filter
def grouped(number: int | None) -> str:
    """Write a whole number as the reader's language does."""
    return number_format(number or 0, force_grouping=True)


@register.filter
def kind_name(kind: str) -> str:
    """Name a kind of entry of the ledger."""
    return kind_label(kind)


@register.filter
def person(user: Any) -> str:
    """Name a user; a dash where the account is gone."""
    return (user.get_full_name() or user.email or user.get_username()) if user is not None else "\u2013"


@register.filter
def may(user: Any, permission: str) -> bool:
    """Whether the reader has a permission of the programme: ``{% if user|may:"adjust_points" %}``."""
    return _may(user, f"loyalty_members.{permission}")


@register.inclusion_tag("oscar_loyalty/dashboard/partials/light.html")
def light(colour: str, text: str) -> dict[str, Any]:
    """Show a light that is read as well as seen."""
    icon, style = LIGHTS[colour]
    names = {"green": _("All is well"), "amber": _("Please look"), "red": _("Something is wrong")}
    return {"icon": icon, "style": style, "name": names[colour], "text": text}


@register.inclusion_tag("oscar_loyalty/dashboard/partials/field.html")
def field(bound: Any, **options: Any) -> dict[str, Any]:
    """Show a field with its label, its sentence of help and what is wrong with it."""
    return {"field": bound, "options": options}


@register.inclusion_tag("oscar_loyalty/dashboard/giftcards/order_cards.html", takes_context=True)
def loyalty_order_cards_table(context: Any, order: Any) -> dict[str, Any]:
    """Show the gift cards that an order bought, with how they are taxed, on Oscar's page of the order."""
    cards = list(giftcards.cards_of_order(order))
    for card in cards:
        card.worth, card.tax_name = giftcards.value_of(card), TAX_NAMES[card.tax_kind]
    user = context["request"].user
    return {"cards": cards, "may_open": only_with(CARDS)(user, "loyalty-dashboard:loyalty-giftcards")}


@register.simple_tag(takes_context=True)
def page_query(context: Any, page: int) -> str:
    """Return the query of the present address with another page."""
    query = context["request"].GET.copy()
    query["page"] = page
    return f"?{query.urlencode()}"


@register.simple_tag
def quantity(bound: Any) -> str:
    """A small field for a number of pieces; its label stands elsewhere."""
    attrs = {"class": "form-control", "inputmode": "numeric"}
    if bound.errors:
        attrs |= {"aria-invalid": "true", "aria-describedby": f"{bound.auto_id}_error"}
    return bound.as_widget(attrs=attrs)


@register.simple_tag
def points_taken(taken: Any) -> str:
    """Write the points that a refund takes back."""
    return taken.label(taken.points)


@register.simple_tag
def points_missing(taken: Any) -> str:
    """Write how many of the points that a refund takes back have been spent."""
    return taken.label(taken.missing)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_order_refunds(context: Any, order: Any) -> str:
    """Show on the dashboard's page of an order what was refunded, with the way to refund it."""
    rows = list(payments.refunds_of(order)[: SHOWN + 1])
    for refund in rows:
        refund.money = Money(refund.amount, order.currency)
        refund.backs = payments.backs(refund.returns.all())
    may_refund = _may(context["request"].user, REFUND)
    shown = {"order": order, "refunds": rows[:SHOWN], "more": len(rows) > SHOWN, "may_refund": may_refund}
    page = context.template.engine.get_template("oscar_loyalty/dashboard/refunds/summary.html")
    return page.render(context.new(shown))
