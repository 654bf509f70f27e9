"""What the programme has sent a member, to read in their area.

No text is stored: a message is written anew from what it was about, so it says what is so now, and no more than that.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import services
from oscar_loyalty.messaging.registry import builders

#: How the inbox calls a kind; what has no name here is not shown in it.
TITLES: dict[str, Any] = {
    "joined": _("Welcome"),
    "tier_up": _("A higher tier"),
    "tier_down": _("Your tier has come to its end"),
    "tier_ends": _("Your tier ends soon"),
    "adjusted": _("A change of your points"),
    "goal_prize": _("What a card or challenge brought you"),
    "goal_ends": _("A card or challenge ends soon"),
    "referral": _("Thank you for a friend"),
    "reward": _("A reward for you"),
    "reward_ends": _("A reward ends soon"),
    "gift": _("A gift of points"),
    "household": _("An invitation to a household"),
    "membership": _("Your membership"),
    "order_placed": _("Your order"),
    "refunded": _("A refund"),
    "payment_released": _("A payment that was let go"),
    "farewell": _("You have left"),
}


@dataclass(frozen=True)
class Note:
    """A line of the inbox; ``readable`` where its text can be written anew."""

    pk: int
    title: Any
    sent_at: datetime
    readable: bool


def _note(row: Any) -> Note:
    return Note(row.pk, TITLES[row.kind], row.sent_at, row.kind in builders)


def _sent(member: Any) -> Any:
    rows = get_model("loyalty_messaging", "Message").objects.filter(member=member, state="sent")
    return rows.filter(kind__in=list(TITLES))


def notes(member: Any, *, page: Any = 1, per_page: int = 20) -> Page:
    """Return a leaf of what was sent to ``member``, newest first; two queries."""
    leaf = Paginator(_sent(member).order_by("-created_at", "-pk"), per_page).get_page(page)
    leaf.object_list = [_note(row) for row in leaf.object_list]
    return leaf


def read(member: Any, pk: int) -> tuple[Note, str] | None:
    """Return a message to ``member`` with its text ("": there is nothing to say any more); ``None``: no such one."""
    row = _sent(member).filter(pk=pk, kind__in=list(builders)).select_related("member__programme__site").first()
    if row is None:
        return None
    letter = services.write(row)
    return _note(row), letter.text if letter is not None else ""
