"""Which rules can be tried. Another room adds its own with :func:`source`, such as drafts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock
from oscar_loyalty.earning.facts import RuleBook


@dataclass(frozen=True)
class Rules:
    """A book of rules, and the moment whose rules count for every purchase (``None``: each purchase's own).

    ``book`` answers as :class:`~oscar_loyalty.earning.facts.RuleBook` does: ``general``, ``learn``, ``at``.
    """

    book: Any
    at: datetime | None = None


class NoRules(Exception):
    """These rules are not there (any more)."""


#: Makes the rules: of the programme, the part of the name after the colon, the first and the last moment.
Source = Callable[[Any, str, datetime, datetime], Rules]
#: What the programme has to offer from a source: names ("draft:12") with their titles.
Offers = Callable[[Any], list[tuple[str, Any]]]

_sources: dict[str, tuple[Source, Offers]] = {}


def source(name: str, *, offers: Offers) -> Callable[[Source], Source]:
    """Register where rules called ``name`` or ``name:<something>`` come from."""

    def register(function: Source) -> Source:
        _sources[name] = (function, offers)
        return function

    return register


def choices(programme: Any) -> list[tuple[str, Any]]:
    """Return the rules that can be tried, with their titles."""
    return [choice for _function, offers in _sources.values() for choice in offers(programme)]


def rules_of(programme: Any, name: str, since: datetime, until: datetime) -> Rules:
    """Return the rules called ``name`` for a period.

    :raises NoRules: when there are none of this name.
    """
    kind, _colon, rest = name.partition(":")
    if kind not in _sources:
        raise NoRules(name)
    return _sources[kind][0](programme, rest, since, until)


@source("today", offers=lambda programme: [("today", _("Today’s rules"))])
def today(programme: Any, rest: str, since: datetime, until: datetime) -> Rules:
    now = clock.now()
    return Rules(RuleBook(programme, since=now), now)


@source("published", offers=lambda programme: [("published", _("The rules as they were then"))])
def published(programme: Any, rest: str, since: datetime, until: datetime) -> Rules:
    # A backfill may have given by later rules.
    return Rules(RuleBook(programme, since=since, until=max(until, clock.now())))
