"""The salon's French: its own words before Oscar's, and the words of the database in the reader's language."""

import pytest
from django.template import Context, Template
from django.utils.translation import gettext, ngettext, override

from oscar_loyalty.loading import get_model

FOUND = "\n                    Found <strong>%(num_results)s</strong> result{}.\n                "


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("Order History", "Mes commandes"),  # Oscar has French for it
        ("Free shipping", "Livraison gratuite"),  # and this is Oscar's own
        ("Up", "Haut"),  # a word of ours too, in another sense
        ("Book a visit", "Prendre rendez-vous"),
    ],
)
def test_the_salons_words_come_before_oscars(english, french):
    with override("fr"):
        assert gettext(english) == french


def test_the_salon_counts_in_french():
    with override("fr"):
        found = [ngettext(FOUND.format(""), FOUND.format("s"), n) % {"num_results": n} for n in (1, 2)]
    assert [text.strip() for text in found] == ["<strong>1</strong> résultat.", "<strong>2</strong> résultats."]


@pytest.mark.parametrize(("language", "said"), [("en", "Complete"), ("fr", "Terminée")])
def test_an_orders_status_is_said_in_the_readers_language(language, said):
    order = get_model("order", "Order")(status="Complete")
    page = Template("{% load shop_tags %}{% filter status_in_words:order %}<p>{{ order.status }}</p>{% endfilter %}")
    with override(language):
        assert page.render(Context({"order": order})) == f"<p>{said}</p>"


def test_an_order_without_a_status_is_left_alone():
    page = Template("{% load shop_tags %}{% filter status_in_words:order %}<p></p><p>1</p>{% endfilter %}")
    with override("fr"):
        assert page.render(Context({"order": get_model("order", "Order")(status="")})) == "<p></p><p>1</p>"
