"""From what counts to the cards it fills. Pure: no query, no model, no clock.

Cards are laid out anew from all that counts, in the order of time: so whatever is returned, late or twice told, the
cards are those that would be there had it never been bought.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from oscar_loyalty import times


@dataclass(frozen=True)
class Terms:
    """The terms of a goal; with ``ended`` no card begins from then on, and those begun can still be filled."""

    size: int
    head_start: int = 0
    head_start_each: bool = False
    repeats: bool = True
    days: int | None = None
    until: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True)
class Event:
    """Something that counts: ``quantity`` is what is left of it."""

    key: str
    at: datetime
    quantity: int


@dataclass
class Sheet:
    """A card: ``places`` are the keys of what filled it, with how much of each and when."""

    size: int
    head_start: int
    started_at: datetime
    ends_at: datetime | None
    places: list[tuple[str, int, datetime]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.head_start + sum(number for _key, number, _at in self.places)

    @property
    def full_at(self) -> datetime | None:
        return self.reached(self.size)

    def reached(self, after: int) -> datetime | None:
        """Return when the card had ``after``, or ``None``."""
        have = self.head_start
        for _key, number, at in self.places:
            have += number
            if have >= after:
                return at
        return None


def lay(terms: Terms, events: Iterable[Event]) -> list[Sheet]:
    """Return the cards that ``events``, in the order of time, fill; what overflows goes on into the next."""
    sheets: list[Sheet] = []
    current: Sheet | None = None
    have = 0
    for event in events:
        left = event.quantity
        while left > 0:
            if current is not None and (
                have >= terms.size or (current.ends_at is not None and event.at >= current.ends_at)
            ):
                current = None
            if current is None:
                if (sheets and not terms.repeats) or (terms.ended is not None and event.at >= terms.ended):
                    break
                head = terms.head_start if terms.head_start_each or not sheets else 0
                current = Sheet(terms.size, head, event.at, _end(terms, event.at))
                sheets.append(current)
                have = head
            number = min(left, terms.size - have)
            current.places.append((event.key, number, event.at))
            have += number
            left -= number
    return sheets


def _end(terms: Terms, start: datetime) -> datetime | None:
    own = times.end_of_term(start, terms.days) if terms.days else None
    return min((end for end in (own, terms.until) if end is not None), default=None)
