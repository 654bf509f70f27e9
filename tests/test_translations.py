"""The French: complete, in step with the code, and set as French is."""

import re
import shutil
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import polib
import pytest
from django.template.loader import get_template
from django.utils.translation import gettext, ngettext, override

from scripts import translations

ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|</?\w+[^>]*>|--\w+|\\n")
#: A space that may break, or none, before what French sets apart; addresses, options and times are no sentences.
LOOSE = re.compile(r"(?: [;:!?»]|« |\w[;!?](?!\w)|«(?![\xa0\u202f])|(?<![\xa0\u202f])»)")

packages = pytest.mark.parametrize("package", translations.CATALOGUES)


def catalogue(package):
    return polib.pofile(str(ROOT / translations.CATALOGUES[package]), wrapwidth=120)


def french(entry):
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@packages
def test_every_string_has_its_french(package):
    po = catalogue(package)
    assert [entry.msgid for entry in po if not all(french(entry))] == []
    assert [entry.msgid for entry in po if entry.fuzzy or entry.obsolete] == []
    assert [entry.msgid for entry in po if entry.msgid_plural and len(french(entry)) != 2] == []
    assert po.metadata["Plural-Forms"] == "nplurals=2; plural=(n > 1);"


@packages
def test_makemessages_would_find_nothing_new_and_nothing_gone(package):
    if not shutil.which("xgettext"):
        pytest.fail("xgettext is missing. Run the suite by scripts/services.py, or install gettext.")
    found = {translations.key(entry) for entry in translations.extract(package)}
    known = {translations.key(entry) for entry in catalogue(package)}
    assert (found - known, known - found) == (set(), set()), "Run: python scripts/translations.py update"


@packages
def test_what_is_compiled_is_what_is_written(package):
    compiled = (ROOT / translations.CATALOGUES[package]).with_suffix(".mo").read_bytes()
    assert compiled == catalogue(package).to_binary(), "Run: python scripts/translations.py update"


@packages
def test_placeholders_and_tags_survive(package):
    for entry in catalogue(package):
        english = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
        for before, after in zip(english, french(entry), strict=True):
            assert Counter(PLACEHOLDER.findall(before)) == Counter(PLACEHOLDER.findall(after)), before


@packages
def test_spaces_and_apostrophes_are_set_as_in_french(package):
    sentences = [re.sub(r"<[^>]+>|%\(\w+\)[sd]", "x", text) for entry in catalogue(package) for text in french(entry)]
    assert [text for text in sentences if LOOSE.search(text)] == []
    assert [text for text in sentences if "'" in text or "..." in text] == []


#: Typography that two catalogues may differ in while their words are the same.
SET = str.maketrans({"’": "'", "\xa0": " ", "\u202f": " ", "…": "..."})


def of_others():
    """A shop's French without us, by context and string: of Django, Wagtail, Oscar, Django's apps, where the last wins.

    So it is in a list of apps with Oscar's first, which begin with Django's.
    """
    folders = []
    for name, within in [("django", "conf"), ("wagtail", "**"), ("oscar", "."), ("django", "contrib/*")]:
        found = find_spec(name)
        if found is not None:
            folders += sorted(Path(found.origin).parent.glob(f"{within}/locale/fr/LC_MESSAGES/django.po"))
    words = {}
    for file in folders:
        for entry in polib.pofile(str(file)):
            if entry.translated():
                words[entry.msgctxt, entry.msgid] = french(entry)[0]
    return words


def test_the_words_of_others_stay_as_they_are():
    """Django has one catalogue for all apps: our French for a string of Oscar's would stand on Oscar's pages.

    What we say otherwise has a context of its own. (The sandbox is a shop, whose words these are.)
    """
    others, changed = of_others(), []
    assert others[None, "Threshold"] == "Seuil" and others[None, "Remove"] == "Enlever"
    for package in ("oscar_loyalty", "wagtail_club"):
        for entry in catalogue(package):
            theirs = others.get((entry.msgctxt, entry.msgid))
            if theirs and theirs.translate(SET) != french(entry)[0].translate(SET):
                changed.append((package, entry.msgid, french(entry)[0], theirs))
    assert changed == []


def test_no_and_one_are_singular_in_french():
    with override("fr"):
        counted = [ngettext("%(number)s member", "%(number)s members", n) % {"number": n} for n in (0, 1, 2)]
    assert counted == ["0 membre", "1 membre", "2 membres"]


def test_a_page_speaks_the_readers_language():
    template = get_template("oscar_loyalty/partials/join.html")
    with override("fr"):
        assert gettext("Gift cards") == "Cartes cadeaux"
        assert "J’ai déjà un compte" in template.render({"user": None})
