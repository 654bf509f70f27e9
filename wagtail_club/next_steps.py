"""What a member could do next: one small registry, so that other apps have a say.

@step("survey", rank=40)
def survey(request, club):
    return Step(title=_("Tell us how it was"), url=reverse("survey"))
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.earning import actions, goal_selectors, profiles
from oscar_loyalty.earning.referrals.selectors import scheme_of
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.privileges import selectors as early
from oscar_loyalty.privileges.early_passes import name_of
from oscar_loyalty.privileges.words import moment
from oscar_loyalty.rewards import selectors as rewards
from oscar_loyalty.times import last_day

log = logging.getLogger("oscar_loyalty")
#: How many are shown, and how near an end must be to be worth a word.
MOST, SOON = 3, timedelta(days=45)


@dataclass(frozen=True)
class Step:
    """Something to do: a short title, a sentence, and where it is done."""

    title: str
    url: str
    text: str = ""


Teller = Callable[[Any, Any], Step | None]
_tellers: dict[str, tuple[int, Teller]] = {}


def step(name: str, *, rank: int) -> Callable[[Teller], Teller]:
    """Register a function of request and :class:`wagtail_club.selectors.Visitor` that returns a step or ``None``.

    Low ranks come first. A function that fails is left out and logged: the page stands without it.
    """

    def register(function: Teller) -> Teller:
        _tellers[name] = (rank, function)
        return function

    return register


def of(request: Any, club: Any) -> list[Step]:
    """Return the few things that are worth doing now for the member of ``club``."""
    if club.member is None or club.member.status != "active" or not club.programme.is_active:
        return []
    found: list[Step] = []
    for name, (_rank, tell) in sorted(_tellers.items(), key=lambda item: item[1][0]):
        try:
            said = tell(request, club)
        except Exception:
            log.exception("The next step %s could not be told", name)
            continue
        if said is not None:
            found.append(said)
        if len(found) == MOST:
            break
    return found


@step("expiring", rank=10)
def _expiring(request: Any, club: Any) -> Step | None:
    if club.balance.next_expiry is None or club.balance.next_expiry[0] > clock.now() + SOON:
        return None
    when, units = club.balance.next_expiry
    points = club.programme.points_label(units)
    title = _("Use %(points)s by %(date)s") % {"points": points, "date": date_format(last_day(when))}
    if _enough_for_a_gift_card(club):
        text = _("After that day they are gone. A gift card keeps its value.")
        return Step(title=title, text=text, url=reverse("loyalty-storefront:giftcards"))
    to_spend = "loyalty-account:rewards" if rewards.catalogue(club.programme).exists() else "wagtail_club:history"
    return Step(title=title, text=_("After that day they are gone."), url=reverse(to_spend))


@step("early", rank=20)
def _early(request: Any, club: Any) -> Step | None:
    windows = early.early_for(club.member)
    if not windows:
        return None
    first = windows[0]
    return Step(
        title=_("Yours first: %(name)s") % {"name": name_of(first)},
        text=_("For everybody from %(until)s on.") % {"until": moment(first.free_at)},
        url=reverse("loyalty-account:early"),
    )


def _enough_for_a_gift_card(club: Any) -> bool:
    prices = [card.points_price for card in giftcards.denominations() if card.points_price is not None]
    return bool(prices) and club.balance.usable >= min(prices)


@step("gift card", rank=30)
def _gift_card(request: Any, club: Any) -> Step | None:
    if not _enough_for_a_gift_card(club):
        return None
    return Step(
        title=_("Choose a gift card"),
        text=_("You have enough for one, for yourself or for somebody else."),
        url=reverse("loyalty-storefront:giftcards"),
    )


@step("stamps", rank=40)
def _stamps(request: Any, club: Any) -> Step | None:
    views, _past = goal_selectors.cards_of(club.member)
    begun = [view for view in views if view.card is not None and view.percent >= 50]
    if not begun:
        return None
    best = max(begun, key=lambda view: view.percent)
    return Step(title=str(best.goal.name), text=str(best.said), url=reverse("loyalty-account:cards"))


@step("profile", rank=50)
def _profile(request: Any, club: Any) -> Step | None:
    missing = [part.code for part, done in profiles.parts(club.member) if not done]
    if not missing:
        return None
    birthday = actions.rules_of(club.programme).get("birthday") if "birthday" in missing else None
    surprise = birthday is not None and birthday.points
    return Step(
        title=_("Tell us a little about you"),
        text=_("Your birthday is enough for a surprise on the day.") if surprise else "",
        url=reverse("wagtail_club:profile"),
    )


@step("friends", rank=60)
def _friends(request: Any, club: Any) -> Step | None:
    if not scheme_of(club.programme).is_active:
        return None
    return Step(
        title=_("Bring a friend"),
        text=_("You both get something once the first order stands."),
        url=reverse("wagtail_club:invite"),
    )
