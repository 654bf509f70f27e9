"""Each rule reads as one sentence, in both languages."""

from types import SimpleNamespace

import pytest
from django.utils.translation import override

from oscar_loyalty.earning import words

pytestmark = pytest.mark.django_db
MORNING = {"weekdays": [0], "from": "09:00", "until": "12:00", "tiers": ["gold"]}
ADVENT = {"since": "2026-12-01", "to": "2026-12-24"}
SENTENCES = [
    (
        "booster", {"times": "2", "when": MORNING},
        "Double petals on Mondays from 9 a.m. to noon for Gold",
        "Les pétales comptent double les lundis de 09:00 à 12:00 pour Gold",
    ),
    (
        "booster", {"times": "1.5", "when": {"weekdays": [0, 1, 2, 3, 4], "channels": ["visit"]}},
        "1.5 times the petals from Monday to Friday, visits only",
        "1,5 fois les pétales du lundi au vendredi, visites uniquement",
    ),
    (
        "amount", {"points": "2", "per": "1", "when": ADVENT, "caps": {"day": 50}},
        "2 petals per €1 from Dec. 1, 2026 to Dec. 24, 2026, at most 50 petals in a day",
        "2 pétales pour 1 € du 1 décembre 2026 au 24 décembre 2026, 50 pétales au plus par jour",
    ),
    (
        "order", {"points": "5", "when": {"to": "2026-12-24", "tiers": ["bronze", "gold"], "first": True}},
        "5 petals for each order until Dec. 24, 2026 for Bronze and Gold on the first purchase",
        "5 pétales par commande jusqu’au 24 décembre 2026 pour Bronze et Gold au premier achat",
    ),
    (
        "visit", {"points": "5", "when": {"since": "2026-12-01", "segments": ["dormant"]}},
        "5 petals for each visit from Dec. 1, 2026 on, only for: Members who were away for six months",
        "5 pétales par rendez-vous à partir du 1 décembre 2026, uniquement pour : Membres absents depuis six mois",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "spec", "english", "french"), SENTENCES)
def test_a_rule_reads_as_a_sentence(programme, kind, spec, english, french):
    rule = SimpleNamespace(kind=kind, target="everything")
    names = {"bronze": "Bronze", "silver": "Silver", "gold": "Gold"}
    for language, wanted in (("en", english), ("fr", french)):
        with override(language):
            said = words.sentence(rule, spec, programme, names)
        assert said.replace("\xa0", " ").replace("\u202f", " ") == wanted


def test_a_sentence_says_on_what_where_nothing_else_does(programme):
    cream = SimpleNamespace(
        kind="unit", target="product", target_object=SimpleNamespace(get_title=lambda: "Rose cream")
    )
    care = SimpleNamespace(kind="amount", target="category", target_object=SimpleNamespace(name="Hair care"))
    gone = SimpleNamespace(kind="amount", target="range", target_object=None)
    for rule, spec, wanted in (
        (cream, {"points": "80", "when": {"weekdays": [6]}}, "80 petals for each piece of “Rose cream” on Sundays"),
        (care, {"points": "2", "per": "1"}, "2 petals per €1 on “Hair care”"),
        (gone, {"points": "2", "per": "1"}, "2 petals per €1 on something that has been deleted"),
    ):  # fmt: skip
        assert words.sentence(rule, spec, programme, {}, about=True).replace("\xa0", " ") == wanted
