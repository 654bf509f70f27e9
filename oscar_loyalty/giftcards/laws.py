"""How soon a gift card may end, by the law of the shop's country. Presets, not legal advice: laws change, and have
exceptions for promotions, charity and the like.

==========  ==========================================  =============================================================
Code        Shortest life                               Source
==========  ==========================================  =============================================================
``AT``      30 years; less only for good reason         ABGB § 1478; OGH 7 Ob 22/12d (case law, no statute of its own)
``AU``      3 years                                     Competition and Consumer Amendment (Gift Cards) Act 2018
``CA-ON``   may not end                                 O. Reg. 17/05, s. 25.3, under the Consumer Protection Act, 2002
``CA-QC``   may not end                                 Consumer Protection Act, CQLR c P-40.1, s. 187.3
``DE``      3 years, to the end of the year             BGB §§ 195, 199 (regular limitation)
``FR``      none set; a year is usual                   no statute; general contract law
``GB``      none set                                    no statute; fairness under the Consumer Rights Act 2015
``IE``      5 years                                     Consumer Protection (Gift Vouchers) Act 2019
``NZ``      3 years                                     Fair Trading (Gift Card Expiry) Amendment Act 2024
``US``      5 years from the last loading               CARD Act 2009, 15 U.S.C. § 1693l-1; 12 CFR § 1005.20(e)
``US-CA``   may not end                                 California Civil Code § 1749.5
==========  ==========================================  =============================================================

Other federal states and provinces have rules of their own; a shop that sells there asks its lawyer.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from oscar_loyalty import times


@dataclass(frozen=True)
class Law:
    """A country's rule: cards live at least ``months`` (``None``: nothing is set), counted to the end of the year with
    ``to_year_end``; with ``forever`` they may not end at all. ``source`` is where it stands."""

    code: str
    name: Any
    months: int | None
    source: str
    forever: bool = False
    to_year_end: bool = False

    @property
    def years(self) -> int | None:
        """The shortest life in years, for people: every law says it so."""
        return self.months // 12 if self.months is not None else None

    def earliest(self, start: datetime) -> datetime | None:
        """Return the earliest end of a card loaded at ``start``; ``None`` where nothing is set, or none is allowed."""
        if self.months is None:
            return None
        end = times.end_of_life(start, self.months)
        if self.to_year_end and end is not None:
            year = times.day_of(start).year + self.months // 12
            end = max(end, times.end_of(date(year, 12, 31)))
        return end


LAWS: dict[str, Law] = {
    law.code: law
    for law in [
        Law("AT", _("Austria"), 360, "ABGB § 1478; OGH 7 Ob 22/12d"),
        Law("AU", _("Australia"), 36, "Competition and Consumer Amendment (Gift Cards) Act 2018"),
        Law("CA-ON", _("Canada: Ontario"), None, "O. Reg. 17/05, s. 25.3", forever=True),
        Law("CA-QC", _("Canada: Quebec"), None, "CQLR c P-40.1, s. 187.3", forever=True),
        Law("DE", _("Germany"), 36, "BGB §§ 195, 199", to_year_end=True),
        Law("FR", _("France"), None, ""),
        Law("GB", _("United Kingdom"), None, ""),
        Law("IE", _("Ireland"), 60, "Consumer Protection (Gift Vouchers) Act 2019"),
        Law("NZ", _("New Zealand"), 36, "Fair Trading (Gift Card Expiry) Amendment Act 2024"),
        Law("US", _("United States (federal)"), 60, "12 CFR § 1005.20(e)"),
        Law("US-CA", _("United States: California"), None, "California Civil Code § 1749.5", forever=True),
    ]
}


def law_of(country: str) -> Law | None:
    """Return the preset of a country, or ``None``: then the shop knows best."""
    return LAWS.get(country)
