"""What a pass shows: read once, written into Apple's and into Google's form."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members.services import language_of
from oscar_loyalty.times import day_of, last_day


@dataclass(frozen=True)
class Contents:
    """In the member's language. ``points`` are what can be spent now, never the book balance."""

    language: str
    programme: str
    number: str
    name: str
    points: int
    points_name: str
    tier: str
    colour: str
    pending: str
    expiry: str
    void: bool
    notice: str
    #: How the membership stands, in a word or two for the front; "" while all is as it should be.
    state: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def read(member: Any) -> tuple[Contents, datetime | None]:
    """Return what the pass of ``member`` shows now, and when time alone will change it."""
    programme = member.programme
    balance = ledger.balance(member.account)
    with language_of(member):
        pending, expiry = "", ""
        moments = []
        if balance.pending_next:
            when, units = balance.pending_next
            pending = programme.points_label(units)
            if when:
                moments.append(when)
                pending = _("%(points)s from %(date)s on") % {"points": pending, "date": date_format(day_of(when))}
        if balance.next_expiry:
            when, units = balance.next_expiry
            moments.append(when)
            expiring = {"points": programme.points_label(units), "date": date_format(last_day(when))}
            expiry = _("%(points)s on %(date)s") % expiring
        notice = state = ""
        if member.status == member.FROZEN:
            state = _("On hold")
            notice = _("Your membership is on hold: you neither earn nor spend for the moment, and you lose nothing.")
        elif member.status == member.CLOSED:
            state, notice = pgettext("membership", "Closed"), _("Your membership has been closed.")
        contents = Contents(
            language=member.language or "",
            programme=programme.name,
            number=member.number,
            name=member.full_name,
            points=balance.usable,
            points_name=programme.points_name(balance.usable),
            tier=str(member.tier.name) if member.tier else "",
            colour=member.tier.colour if member.tier else "#8d3b5e",
            pending=pending,
            expiry=expiry,
            void=member.status == member.CLOSED,
            notice=notice,
            state=state,
        )
    return contents, min(moments, default=None)
