"""The boosters that run at this moment, as the shop tells its customers."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from i18nfield.strings import LazyI18nString

from oscar_loyalty import clock
from oscar_loyalty.earning import facts, selectors
from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.targets import fit


@dataclass(frozen=True)
class Running:
    """A booster that runs now: ``times`` or ``plus``; ``ends_at`` on the shop's clock, ``None`` without an end."""

    name: str
    times: Decimal | None
    plus: int
    ends_at: datetime | None

    @property
    def ends_today(self) -> bool:
        return self.ends_at is not None and self.ends_at - clock.now() < timedelta(days=1)

    @property
    def last_day(self) -> datetime | None:
        """A moment of the last day on which it runs."""
        return self.ends_at - timedelta(seconds=1) if self.ends_at else None


def boosters_now(request: Any, *, product: Any = None) -> list[Running]:
    """Return the boosters that run now for whoever asks (with ``product``: and are about it), the best first.

    Of those for orders or for visits only, too. Without an open programme, and for a member who cannot earn: none.
    """
    asker = selectors.asker_of(request)
    if asker is None:
        return []
    line = None
    if product is not None:
        if product.pk not in asker.lines:
            asker.lines |= facts.describe([product], asker.book)
        line = asker.lines[product.pk]
    bare, _room = asker.bare()
    found = []
    for dated in asker.book.known():
        rule = dated.facts
        in_force = dated.valid_from <= asker.now and (dated.valid_to is None or asker.now < dated.valid_to)
        if rule.kind != "booster" or not in_force:
            continue
        if line is not None and fit(rule, line) is None:
            continue
        when = rule.when or When()
        if any(when.holds(replace(bare, channel=channel)) for channel in when.channels or ("order",)):
            ends = [end for end in (when.ends_at(bare.at) if bare.at else None, dated.valid_to) if end is not None]
            name = str(LazyI18nString(rule.name)) if rule.name else ""
            found.append(Running(name, rule.times, int(rule.points), min(ends, default=None)))
    return sorted(found, key=lambda running: (-(running.times or 0), -running.plus))
