"""Programmes to start from: each asks for a few numbers and makes a draft of rules, or suggests a goal.

Another app adds its own in its ``ready()``: ``presets.register(Preset(...))``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.db.models import Min, Q
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.earning import drafts, specs, words
from oscar_loyalty.fields import localized
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.services import point_value

PERCENT, WHOLE, TIMES, PRODUCT, WEEKDAY, HOUR = "percent", "whole", "times", "product", "weekday", "hour"


@dataclass(frozen=True)
class Number:
    """What a preset asks for: a part of a price in ``PERCENT``, a ``WHOLE`` number, a factor (``TIMES``), a
    ``PRODUCT``, a ``WEEKDAY`` (0 is Monday) or an ``HOUR``; ``initial`` is what it suggests."""

    name: str
    label: Any
    kind: str = WHOLE
    initial: Any = None
    least: Any = 1
    most: Any = 100_000
    required: bool = True
    help: Any = ""
    #: The number that cannot be given without this one.
    of: str = ""


#: Makes the changes of a draft, each as :func:`oscar_loyalty.earning.drafts.put` wants it.
Changes = Callable[[Any, Mapping[str, Any]], list[dict[str, Any]]]
#: Suggests a goal, as the fields of its form.
Goal = Callable[[Any, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Preset:
    """A programme to start from. One of ``changes``, ``goal`` and ``page`` (the name of an address that leads on)."""

    code: str
    name: Any
    sentence: Any
    numbers: Sequence[Number] = ()
    changes: Changes | None = None
    goal: Goal | None = None
    page: str = ""
    icon: str = "fas fa-seedling"
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def suggested(self) -> dict[str, Any]:
        """What it suggests for its numbers."""
        return {number.name: number.initial for number in self.numbers}


_presets: dict[str, Preset] = {}


def register(preset: Preset) -> Preset:
    """Offer ``preset``; one of the same code takes the other's place."""
    _presets[preset.code] = preset
    return preset


def presets() -> list[Preset]:
    """Return all presets in the order in which they were registered."""
    return list(_presets.values())


def get(code: str) -> Preset | None:
    return _presets.get(code)


def says(preset: Preset, programme: Any, numbers: Mapping[str, Any]) -> list[str]:
    """Say in plain words what ``preset`` makes of ``numbers``; a goal or a page says so itself."""
    if preset.changes is None:
        return []
    names = words.tier_names(programme)
    said = []
    for change in preset.changes(programme, numbers):
        kind = SimpleNamespace(kind=change["kind"], target=change.get("target", "everything"))
        kind.target_object = change.get("target_object")
        spec = specs.clean_spec(kind.kind, change["spec"])
        said.append(words.sentence(kind, spec, programme, names, about=True))
    return said


@transaction.atomic
def begin(*, preset: Preset, programme: Any, numbers: Mapping[str, Any], key: str, actor: Ref = NOBODY) -> Any:
    """Make the draft of ``preset`` and return it; the same ``key`` again returns the first.

    :raises WrongRule: when the numbers make no sense.
    """
    if preset.changes is None:
        raise ValueError(f"The preset {preset.code} makes no draft.")
    draft = drafts.start(programme=programme, name=str(preset.name), actor=actor, key=key)
    if draft.is_open and not draft.items.exists():
        for change in preset.changes(programme, numbers):
            drafts.put(draft=draft, actor=actor, **change)
    return draft


def points_for(programme: Any, percent: Any) -> Decimal:
    """Return how many points for each unit of money are worth so many percent of it, by the programme's rate."""
    points = Decimal(str(percent)) / 100 / point_value(programme)
    return Decimal(f"{points.quantize(Decimal('0.0001')).normalize():f}")


def price_in_points(product: Any, programme: Any) -> int | None:
    """Return what ``product`` costs in points by the programme's rate, at its lowest price; ``None`` without one."""
    records = get_model("partner", "StockRecord").objects.filter(
        Q(product=product) | Q(product__parent=product), price_currency=programme.currency, price__gt=0
    )
    price = records.aggregate(price=Min("price"))["price"]
    return max(1, round(price / point_value(programme))) if price else None


def _back(programme: Any, percent: Any, **spec: Any) -> dict[str, Any]:
    return {"kind": "amount", "spec": {"points": points_for(programme, percent), "per": "1", **spec}}


def _supermarket(programme: Any, numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_back(programme, numbers["percent"])]


def _salon(programme: Any, numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    visit = {"kind": "visit", "spec": {"points": numbers["visit"]}}
    if not numbers.get("percent"):
        return [visit]
    return [visit, _back(programme, numbers["percent"], when={"channels": ["order"]})]


def _products(programme: Any, numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = {}
    for number in ("", "_2", "_3"):
        product, points = numbers.get(f"product{number}"), numbers.get(f"points{number}")
        if product is not None and points:
            found[product.pk] = {
                "kind": "unit",
                "target": "variant" if product.is_child else "product",
                "target_object": product,
                "spec": {"points": points},
            }
    return list(found.values())


def _happy_hours(programme: Any, numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    when = {"weekdays": [int(numbers["weekday"])], "from": numbers["begins"], "until": numbers["ends"]}
    spec = {"times": numbers["times"], "when": {name: value for name, value in when.items() if value not in (None, "")}}
    return [{"kind": "booster", "spec": spec, "name": localized(_("Happy hours"))}]


def _card_name(product: str, number: int) -> str:
    return gettext("%(product)s: number %(number)s is free") % {"product": product, "number": number}


def _coffee(programme: Any, numbers: Mapping[str, Any]) -> dict[str, Any]:
    product, size = numbers["product"], numbers["size"]
    return {
        "kind": "stamps",
        "name": localized(lazy(_card_name, str)(product.get_title(), size)),
        "counts": "pieces",
        "target": "product",
        "product": product.pk,
        "size": size,
        "points": price_in_points(product, programme),
        "head_start": numbers.get("head_start") or 0,
        "repeats": True,
    }


register(
    Preset(
        "supermarket",
        _("Supermarket"),
        _("Everybody gets a part of everything back, in points."),
        [
            Number(
                "percent",
                _("Part that comes back, in percent"),
                PERCENT,
                Decimal(1),
                Decimal("0.1"),
                50,
                help=_("What the points are worth, at your programme’s rate."),
            )
        ],
        _supermarket,
        icon="fas fa-shopping-basket",
    )
)
register(
    Preset(
        "coffee",
        _("Coffee card"),
        _("Stamps for one product: after so many, one is free."),
        [
            Number("product", _("Product or service"), PRODUCT),
            Number("size", _("Stamps until the free one"), WHOLE, 10, 2, 100),
            Number("head_start", _("Stamped at the start"), WHOLE, 1, 0, 99, required=False),
        ],
        goal=_coffee,
        icon="fas fa-coffee",
    )
)
register(
    Preset(
        "salon",
        _("Salon"),
        _("Points for each visit, and something back on what is bought in the shop."),
        [
            Number("visit", _("Points for each visit"), WHOLE, 50),
            Number(
                "percent",
                _("Part of orders that comes back, in percent"),
                PERCENT,
                Decimal(1),
                0,
                50,
                required=False,
                help=_("Empty: orders bring nothing."),
            ),
        ],
        _salon,
        icon="fas fa-cut",
    )
)
register(
    Preset(
        "products",
        _("Chosen products"),
        _("Some products or services bring points, each its own."),
        [
            Number("product", _("Product or service"), PRODUCT),
            Number("points", _("Its points"), WHOLE, 50),
            Number("product_2", _("A second one"), PRODUCT, required=False),
            Number("points_2", _("Its points"), WHOLE, required=False, of="product_2"),
            Number("product_3", _("A third one"), PRODUCT, required=False),
            Number("points_3", _("Its points"), WHOLE, required=False, of="product_3"),
        ],
        _products,
        icon="fas fa-tags",
    )
)
register(
    Preset(
        "happy_hours",
        _("Happy hours"),
        _("More points when the shop is quiet, on top of what you have."),
        [
            Number("times", _("Multiply by"), TIMES, Decimal(2), Decimal("1.1"), 10),
            Number("weekday", _("On"), WEEKDAY, 0),
            Number("begins", _("From this time"), HOUR, time(9), required=False),
            Number("ends", _("Until this time"), HOUR, time(12), required=False),
        ],
        _happy_hours,
        icon="fas fa-hourglass-half",
    )
)
register(
    Preset(
        "tiers",
        _("Tiers"),
        _("Who comes more often gets more for the same: a multiplier, a discount, free delivery."),
        page="loyalty-dashboard:loyalty-programme",
        icon="fas fa-layer-group",
    )
)
