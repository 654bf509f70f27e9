"""Keep the French catalogues in step with the strings of the code.

    python scripts/translations.py update    take in what is new, drop what is gone, compile
    python scripts/translations.py missing   show what still waits for its French

Nothing is guessed: a string that has changed is empty until somebody writes its French, and the tests fail until then.
Needs gettext's ``xgettext`` (Debian: gettext).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
#: Where strings are looked for, and the catalogue that they are in.
CATALOGUES = {
    "oscar_loyalty": "oscar_loyalty/locale/fr/LC_MESSAGES/django.po",
    "wagtail_club": "wagtail_club/locale/fr/LC_MESSAGES/django.po",
    "sandbox": "sandbox/shop/locale/fr/LC_MESSAGES/django.po",
}
HEADER = {
    "Project-Id-Version": "django-oscar-loyalty",
    "Language": "fr",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n > 1);",
}


class Missing(Exception):
    """A program that is needed is not installed."""


def key(entry):
    return entry.msgctxt, entry.msgid, entry.msgid_plural


def extract(package):
    """Return the entries, without French, that ``makemessages`` finds in a package."""
    if not shutil.which("xgettext"):
        raise Missing("xgettext is not installed, so nobody knows which strings there are: apt-get install gettext")
    with tempfile.TemporaryDirectory(prefix="loyalty-strings-") as folder:
        # A copy: makemessages writes helpers of its own next to the templates while it works.
        copy = Path(folder) / package
        shutil.copytree(ROOT / package, copy, ignore=shutil.ignore_patterns("locale", "__pycache__", "migrations"))
        (copy / "locale").mkdir()
        options = ["--locale=fr", "--add-location=file", "--no-wrap", "--verbosity=0"]
        environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        # -P: a package's own selectors.py must not pass for Python's.
        command = [sys.executable, "-P", "-m", "django", "makemessages", *options]
        subprocess.run(command, cwd=copy, env=environ, check=True)
        return list(polib.pofile(str(copy / "locale/fr/LC_MESSAGES/django.po")))


def update(package):
    """Write a package's catalogue anew from its strings and the French that is known; return what has none."""
    path = ROOT / CATALOGUES[package]
    known = {key(entry): entry for entry in polib.pofile(str(path))} if path.exists() else {}
    catalogue = polib.POFile(wrapwidth=120)
    catalogue.metadata = HEADER
    for entry in sorted(extract(package), key=lambda entry: (entry.occurrences, entry.msgid)):
        before = known.get(key(entry))
        entry.msgstr, entry.msgstr_plural = "", {0: "", 1: ""} if entry.msgid_plural else {}
        entry.flags = [flag for flag in entry.flags if flag != "fuzzy"]
        if before is not None:
            entry.msgstr, entry.msgstr_plural, entry.tcomment = before.msgstr, before.msgstr_plural, before.tcomment
        catalogue.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path))
    catalogue.save_as_mofile(str(path.with_suffix(".mo")))
    return catalogue.untranslated_entries()


def missing(package):
    return polib.pofile(str(ROOT / CATALOGUES[package])).untranslated_entries()


def main(arguments):
    jobs = {"update": update, "missing": missing}
    if len(arguments) != 1 or arguments[0] not in jobs:
        sys.exit(__doc__)
    left = 0
    try:
        for package, path in CATALOGUES.items():
            entries = jobs[arguments[0]](package)
            left += len(entries)
            print(f"==> {path}: {len(entries)} without French")
            for entry in entries:
                print(f"    {entry.msgid!r}  ({', '.join(name for name, _ in entry.occurrences)})")
    except Missing as problem:
        sys.exit(f"ERROR: {problem}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
