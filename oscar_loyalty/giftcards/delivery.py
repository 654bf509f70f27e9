"""When a card goes out: at once, or on the day its buyer chose.

The day is kept with the card, and a due row waits for it; whoever takes the row up decides under the card's lock. So a
card is never sent before its time, never twice, and neither a restart nor a change of the day loses it.
"""

from datetime import date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards.cards import code_of, follow, locked, log
from oscar_loyalty.giftcards.exceptions import TooLate
from oscar_loyalty.ledger.books import NOBODY, Ref

DELIVER = "giftcards.deliver"


def today() -> date:
    """Return the day it is in the shop's time zone, wherever the buyer is."""
    return clock.now().astimezone(timezone.get_default_timezone()).date()


def last_day() -> date:
    """Return the last day that may be chosen: a year from today."""
    day = today()
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def moment(day: date | None) -> datetime | None:
    """Return when a card for ``day`` is sent; ``None``, at once, without a day or where that moment is over.

    A day further off than may be chosen counts as the last one.
    """
    if day is None or day <= today():
        return None
    at = datetime.combine(min(day, last_day()), time(conf.GIFTCARD_DELIVERY_HOUR), timezone.get_default_timezone())
    return at if at > clock.now() else None


def clean_day(day: date) -> date:
    """Return ``day`` if a card may be sent then.

    :raises ValidationError: with a sentence for the buyer.
    """
    if day < today():
        raise ValidationError(_("This day is over. Please choose today or a later day."))
    if day > last_day():
        raise ValidationError(_("Please choose a day until %(day)s.") % {"day": date_format(last_day())})
    return day


def day_of(card: Any) -> date | None:
    """Return the day on which a card is to be sent, in the shop's time zone."""
    at: datetime | None = card.deliver_at
    return at.astimezone(timezone.get_default_timezone()).date() if at is not None else None


def is_surprise(card: Any) -> bool:
    """Whether the code stays hidden from the buyer, because somebody else is to get it on a later day."""
    return bool(card.is_scheduled and card.recipient_email)


def leave(card: Any) -> None:
    """Leave the row that has ``card`` sent, when its day has come."""
    due.leave(kind=DELIVER, key=_key(card), payload={"card": card.pk}, at=card.deliver_at)


def leave_again(card: Any) -> None:
    """Move that row to the day that the card says by now, or wake it up."""
    due.again(kind=DELIVER, key=_key(card), payload={"card": card.pk}, at=card.deliver_at)


def _key(card: Any) -> str:
    return f"{card.uuid}:{card.generation}"


@transaction.atomic
def hand_over(*, card: Any) -> bool:
    """Decide, under the card's lock, whether it is to be sent now, and remember that it was.

    A card out of use is not sent, nor one whose code is another system's; one whose day was moved waits on.
    """
    row = locked(card)
    if row.state != "active" or row.foreign_code:
        return False
    now = clock.now()
    if row.is_scheduled and row.deliver_at > now:
        leave_again(row)
        return False
    if row.handed_over_at is None:
        row.handed_over_at = now
        row.save(update_fields=["handed_over_at"])
    follow(card, row)
    return True


@transaction.atomic
def set_delivery_day(*, card: Any, day: date | None, actor: Ref = NOBODY) -> Any:
    """Have a card that still waits for its day sent on another one, or now (``None`` or today); return it.

    :raises TooLate: when it has been handed over already, or is out of use.
    :raises ValueError: when the day is over, or more than a year away.
    """
    if day is not None and not today() <= day <= last_day():
        raise ValueError("The day is between today and a year from now.")
    row = locked(card)
    if not row.is_scheduled or row.state == "disabled":
        raise TooLate(f"The gift card {row.label} does not wait for its day any more.")
    before, row.deliver_at = row.deliver_at, moment(day) or clock.now()
    if row.deliver_at != before:
        row.save(update_fields=["deliver_at"])
        log(row, "scheduled", clock.now(), actor, deliver_at=row.deliver_at.isoformat())
        if row.state == "active":
            leave_again(row)
    follow(card, row)
    return card


@transaction.atomic
def print_once(*, card: Any, actor: Ref = NOBODY) -> str | None:
    """Return the code for the file that a buyer saves from the thank-you page: once, after it was shown there.

    ``None`` ever after, and for a card that is a surprise for somebody else.
    """
    row = locked(card)
    kept = row.foreign_code or is_surprise(row)
    if row.state != "active" or row.code_shown_at is None or row.printed_at is not None or kept:
        return None
    row.printed_at = clock.now()
    row.save(update_fields=["printed_at"])
    log(row, "printed", row.printed_at, actor)
    follow(card, row)
    return code_of(row)
