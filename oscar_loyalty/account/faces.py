"""What a member's card shows on a screen, in the account and in the club's member area alike."""

from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty import qr
from oscar_loyalty.colours import text_on
from oscar_loyalty.members import printing


def face(member: Any) -> dict[str, Any]:
    """Return the tier's ``colour``, whether black is what can be read on it (``dark``), and the
    number as SVG: ``qr`` and ``barcode``."""
    label = _("Card number %(number)s") % {"number": member.number}
    colour = member.tier.colour if member.tier else printing.DEFAULT
    return {
        "colour": colour,
        "dark": text_on(colour) == "#000000",
        "qr": qr.svg(member.number, label=label),
        "barcode": qr.barcode_svg(member.number, label=label),
    }
