"""What brings people back to Maison Pétale: a stamp card, a challenge, points for actions, friends.

All of it counts from the day on which the demo was loaded, so what its members did before stays as it was.
"""

from datetime import datetime
from typing import Any

from dateutil.relativedelta import relativedelta

from oscar_loyalty.earning import actions, goals
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.fields import localized
from sandbox.demo.drafts import load_draft
from sandbox.demo.early import load_early
from sandbox.demo.rewards import load_rewards
from sandbox.demo.sharing import load_sharing
from sandbox.demo.tiers import load_tiers

#: What an action brings, and how often in which period.
ACTIONS = {"profile": (30, 1, "ever"), "review": (20, 5, "year"), "birthday": (100, 1, "year")}


def load_extras(programme: Any, *, now: datetime) -> None:
    """Make them once; what the owner changed since stays as it is."""
    goals.create_goal(
        programme=programme,
        kind="stamps",
        name=localized(en="Visit card", fr="Carte de visites"),
        text=localized(
            en="Every tenth visit is on us, up to the price of a brushing.",
            fr="La dixième visite vous est offerte, à hauteur d’un brushing.",
        ),
        counts="visits",
        steps=[
            Step(5, points=50, name=localized(en="A treatment to take home", fr="Un soin à emporter")),
            Step(10, points=3000, name=localized(en="Your tenth visit", fr="Votre dixième visite")),
        ],
        head_start=2,
        since=now,
        key="demo:visits",
    )
    goals.create_goal(
        programme=programme,
        kind="challenge",
        name=localized(en="Five orders this season", fr="Cinq commandes cette saison"),
        counts="orders",
        steps=[Step(5, points=150)],
        repeats=False,
        since=now,
        until=now + relativedelta(months=3),
        key="demo:season",
    )
    if not programme.action_rules.exists():
        for action, (points, times, period) in ACTIONS.items():
            actions.set_rule(programme=programme, action=action, points=points, times=times, period=period)
    referrals.save_scheme(programme=programme, is_active=True)
    load_sharing(programme)
    load_rewards(programme, now=now)
    load_tiers(programme)
    load_early(programme, now=now)
    load_draft(programme, now=now)
