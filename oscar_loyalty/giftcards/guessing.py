"""Whether somebody is guessing codes, and telling the owner."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.loading import get_model

GUESSING = "giftcards.guessing"
#: The owner is told at most this often.
PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Seen:
    """Wrong codes of late: how many, from how many addresses, how many of these have no try left; the last alert."""

    tries: int
    addresses: int
    kept_out: int
    alert: Any = None

    @property
    def is_guessing(self) -> bool:
        return self.tries >= conf.GIFTCARD_ALERT_TRIES

    @property
    def colour(self) -> str:
        """The dashboard's light: red while it goes on, amber for a day after an alert."""
        if self.is_guessing:
            return "red"
        return "amber" if self.alert is not None and self.alert.at > clock.now() - timedelta(days=1) else "green"


def seen() -> Seen:
    """Return what was tried within the window, in two queries."""
    window = clock.now() - timedelta(minutes=conf.GIFTCARD_ATTEMPTS_WINDOW)
    rows = get_model("loyalty_giftcards", "CodeAttempt").objects.filter(scope="address", since__gt=window, tries__gt=0)
    kept_out = Count("pk", filter=Q(tries__gte=conf.GIFTCARD_ATTEMPTS))
    counted = rows.aggregate(total=Sum("tries"), addresses=Count("pk"), kept_out=kept_out)
    return Seen(
        tries=counted["total"] or 0,
        addresses=counted["addresses"],
        kept_out=counted["kept_out"],
        alert=get_model("loyalty_giftcards", "GuessingAlert").objects.order_by("-at").first(),
    )


@sweeper("giftcards.guessing")
@transaction.atomic
def watch() -> int:
    """Tell the owner if somebody is guessing, at most once an hour; return how many alerts were given."""
    now, found = clock.now(), seen()
    if not found.is_guessing or (found.alert is not None and found.alert.at > now - PAUSE):
        return 0
    alert, made = get_model("loyalty_giftcards", "GuessingAlert").objects.get_or_create(
        # Sweeps may run side by side.
        key=now.strftime("%Y-%m-%dT%H"),
        defaults={"at": now, "tries": found.tries, "addresses": found.addresses},
    )
    if made:
        due.leave(kind=GUESSING, key=str(alert.pk), payload={"alert": alert.pk})
    return int(made)
