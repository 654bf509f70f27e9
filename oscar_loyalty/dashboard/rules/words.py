"""Rules in plain words."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty.earning import explain


def brings(rule: Any, spec: dict[str, Any], programme: Any) -> str:
    """Say what a version of a rule brings: "2 petals per €1, above €5"."""
    if rule.kind == "exclude":
        return _("Nothing: these bring no points")
    if rule.kind == "booster" and spec.get("times"):
        return _("× %(times)s on what these bring") % {"times": explain.number(spec["times"])}
    if rule.kind == "booster":
        return _("%(points)s more, once for each purchase") % {"points": explain.points(spec["plus"], programme)}
    currency = programme.currency
    threshold = Decimal(str(spec.get("threshold", 0) or 0))
    values = {
        "points": explain.points(spec.get("points", 0), programme),
        "per": explain.money(spec.get("per", 1), currency),
        "threshold": explain.money(threshold, currency),
    }
    if rule.kind == "unit":
        return _("%(points)s for each piece") % values
    if rule.kind == "amount":
        if threshold:
            return _("%(points)s per %(per)s, on what is above %(threshold)s") % values
        return _("%(points)s per %(per)s") % values
    if rule.kind == "order":
        if threshold:
            return _("%(points)s for each order of %(threshold)s or more") % values
        return _("%(points)s for each order") % values
    if threshold:
        return _("%(points)s for each visit of %(threshold)s or more") % values
    return _("%(points)s for each visit") % values


def applies_to(rule: Any) -> str:
    """Say what a rule is about: "Category: Hair care"."""
    if rule.target == "everything":
        return _("Everything in the shop")
    target = rule.target_object
    if target is None:
        return _("Something that has been deleted")
    if rule.target in ("product", "variant"):
        name = target.get_title()
    elif rule.target == "category":
        name = target.full_name
    else:
        name = target.name
    said = {
        "class": _("Product type: %(name)s"),
        "category": _("Category: %(name)s"),
        "range": _("Range: %(name)s"),
        "product": _("Product: %(name)s"),
        "variant": _("Variant: %(name)s"),
    }
    return said[rule.target] % {"name": name}
