"""How a gift card may look. A shop adds designs, or takes ours away, by ``OSCAR_LOYALTY_GIFTCARD_DESIGNS``."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from oscar_loyalty.defaults import conf


@dataclass(frozen=True)
class Design:
    """A design: ``template`` draws it on pages, as SVG with the shop's colours; ``picture`` is its static file for
    mail and print."""

    code: str
    name: Any
    template: str
    picture: str


#: Those of this package.
DESIGNS: dict[str, dict[str, Any]] = {
    code: {
        "name": name,
        "template": f"oscar_loyalty/designs/{code}.svg",
        "picture": f"oscar_loyalty/designs/{code}.png",
    }
    for code, name in (("blossoms", _("Blossoms")), ("ribbon", _("Ribbon")), ("confetti", _("Confetti")))
}


def designs() -> list[Design]:
    """Return the designs to choose from; the first is the default."""
    every = {**DESIGNS, **conf.GIFTCARD_DESIGNS}
    found = [Design(code=code, **fields) for code, fields in every.items() if fields]
    return found or [Design(code="blossoms", **DESIGNS["blossoms"])]


def get(code: str) -> Design:
    """Return the design with this code, or the default one, for a card that has none or one that is gone."""
    every = designs()
    return next((design for design in every if design.code == code), every[0])
