"""The boosters that run at this moment, and those that are to come, as the shop tells its customers."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString

from oscar_loyalty import clock, times
from oscar_loyalty.earning import explain, facts, selectors, words
from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.targets import fit


@dataclass(frozen=True)
class Running:
    """A booster that runs now: ``times`` or ``plus``; ``ends_at`` on the shop's clock, ``None`` without an end."""

    name: str
    times: Decimal | None
    plus: int
    ends_at: datetime | None
    programme: Any

    @property
    def said(self) -> str:
        """Say it: "Double petals"."""
        if self.times is not None:
            return words.multiplied(self.times, self.programme)
        return _("%(points)s more") % {"points": explain.points(self.plus, self.programme)}

    @property
    def ends_today(self) -> bool:
        return self.ends_at is not None and self.ends_at - clock.now() < timedelta(days=1)

    @property
    def last_day(self) -> date | None:
        """The last day on which it runs."""
        return times.last_day(self.ends_at)


@dataclass(frozen=True)
class Coming:
    """A booster that begins at ``begins_at`` on the shop's clock: ``times`` or ``plus``."""

    name: str
    times: Decimal | None
    plus: int
    begins_at: datetime
    programme: Any

    @property
    def said(self) -> str:
        """Say it: "From Monday, 9 a.m.: double petals"."""
        values = {"when": self._when, "points": self.programme.points_name_many}
        if self.times == 2:
            return _("From %(when)s: double %(points)s") % values
        if self.times == 3:
            return _("From %(when)s: triple %(points)s") % values
        if self.times is not None:
            return _("From %(when)s: %(times)s times the %(points)s") % (values | {"times": explain.number(self.times)})
        return _("From %(when)s: %(more)s more") % (values | {"more": explain.points(self.plus, self.programme)})

    @property
    def _when(self) -> str:
        soon = self.begins_at - clock.now() < timedelta(days=6)
        day = date_format(self.begins_at, "l" if soon else "MONTH_DAY_FORMAT")
        if self.begins_at.time() == time.min:
            return day
        values = {"day": day, "time": time_format(self.begins_at.time(), "TIME_FORMAT")}
        return _("%(day)s, %(time)s") % values


def boosters_now(request: Any, *, product: Any = None) -> list[Running]:
    """Return the boosters that run now for whoever asks (with ``product``: and are about it), the best first.

    Of those for orders or for visits only, too. Without an open programme, and for a member who cannot earn: none.
    """
    asker = selectors.asker_of(request)
    if asker is None:
        return []
    line = _line(asker, product)
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
            found.append(Running(name, rule.times, int(rule.points), min(ends, default=None), asker.programme))
    return sorted(found, key=lambda running: (-(running.times or 0), -running.plus))


def boosters_coming(request: Any, *, product: Any = None) -> list[Coming]:
    """Return the boosters that the owner announces and that do not run yet, for whoever asks, the soonest first.

    With ``product``, those that are about it. Without an open programme, and for a member who cannot earn: none. No
    query beside those of :func:`boosters_now`.
    """
    asker = selectors.asker_of(request)
    if asker is None:
        return []
    line = _line(asker, product)
    bare, _room = asker.bare()
    found = []
    for dated in asker.book.known():
        rule = dated.facts
        if rule.kind != "booster" or not rule.announce or (line is not None and fit(rule, line) is None):
            continue
        when = rule.when or When()
        first = times.on_clock(max(asker.now, dated.valid_from))
        begins = when.begins_at(first, days=rule.announce)
        if begins is None or begins <= asker.now or begins > asker.now + timedelta(days=rule.announce):
            continue
        if dated.valid_to is not None and begins >= dated.valid_to:
            continue
        if any(when.holds(replace(bare, at=begins, channel=channel)) for channel in when.channels or ("order",)):
            name = str(LazyI18nString(rule.name)) if rule.name else ""
            found.append(Coming(name, rule.times, int(rule.points), begins, asker.programme))
    return sorted(found, key=lambda coming: coming.begins_at)


def _line(asker: Any, product: Any) -> Any:
    if product is None:
        return None
    if product.pk not in asker.lines:
        asker.lines |= facts.describe([product], asker.book)
    return asker.lines[product.pk]
