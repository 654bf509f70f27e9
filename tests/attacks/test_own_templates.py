"""In each template of ours, whichever branch of it is shown: nothing that a strict policy refuses, all escaped."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Mails and the page of a copy are read where no policy of the shop's holds, and have no file beside them.
ALONE = ("/messages/", "/emails/", "/copies/", "/communication/")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|<[a-z][^>]*\s(?:style|on[a-z]+)=|href=.javascript:", re.I)
RAW = re.compile(r"\|\s*safe(?:seq)?\b|{%\s*autoescape\s+off")
COMMENTS = re.compile(r"{#.*?#}|{%\s*comment.*?endcomment\s*%}", re.DOTALL)
#: Tags of Django's have a ``>`` and names of their own.
TAGS = re.compile(r"{%.*?%}", re.DOTALL)


def templates(packages=("oscar_loyalty", "wagtail_club")):
    found = [path for name in packages for path in (ROOT / name).rglob("templates/**/*.html")]
    assert len(found) > 200
    return [(str(path.relative_to(ROOT)), COMMENTS.sub("", path.read_text())) for path in found]


def test_no_page_has_a_script_or_a_style_within_it():
    pages = [(name, TAGS.sub("", text)) for name, text in templates() if not any(part in name for part in ALONE)]
    told = [f"{name}: {found[0][:80]}" for name, text in pages if (found := INLINE.search(text))]
    assert not told, "\n".join(told)


def test_nothing_is_put_out_as_it_was_typed():
    told = [f"{name}: {found[0]}" for name, text in templates() if (found := RAW.search(text))]
    assert not told, "\n".join(told)


@pytest.mark.parametrize(
    "bad", ["<script>x()</script>", '<p class="a" style="x">', "<a onclick='x'>", '<a href="javascript:x">', "<style>"]
)
def test_what_it_looks_for_is_found(bad):
    assert INLINE.search(bad)
    assert not INLINE.search('<script src="x.js"></script><p class="a">')
