"""A draft for the owner of Maison Pétale to look at: nobody earns by it."""

from datetime import datetime
from typing import Any

from oscar_loyalty.earning import drafts
from oscar_loyalty.fields import localized


def load_draft(programme: Any, *, now: datetime) -> None:
    """Make it once; what the owner changed in it since stays as it is."""
    draft = drafts.start(
        programme=programme,
        name="Advent",
        note="Double petals on Monday mornings until Christmas, announced a week before.",
        key="demo:advent",
    )
    if not draft.is_open or draft.items.exists():
        return
    christmas = now.replace(month=12, day=24).date()
    drafts.put(
        draft=draft,
        kind="booster",
        name=localized(en="Monday mornings in Advent", fr="Les lundis matin de l’Avent"),
        spec={
            "times": 2,
            "announce": 7,
            "when": {"weekdays": [0], "from": "09:00", "until": "12:00", "to": max(christmas, now.date())},
        },
    )
