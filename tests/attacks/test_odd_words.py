"""No address of ours breaks, whatever is written into it, its query or its forms."""

import itertools
import sys
import traceback

import pytest
from django.core.signals import got_request_exception
from django.template import Template

from oscar_loyalty.loading import get_model
from tests.attacks import addresses, pages
from tests.sites.test_leaks import keys_of

#: What people do not type, and programs do: all fields say the same, since each is read in another way.
ALL = ["\x00", "9" * 5000, str(2**63), "²", "NaN", "[]"]
#: These change from field to field.
MIXED = [
    "x\x00y",
    "-1",
    "9" * 60,
    "-Infinity",
    "1e400",
    "٣",
    "{{7*7}}%s%(x)s",
    "\r\nX-Evil: 1",
    "../../../etc/passwd",
    "0001-01-01",
    "9999-12-31",
    "\u202e😀",
    "a" * 3000,
    "0",
]
#: The same for the holes of an address.
HOLES = {
    "int": [0, 2**31, 2**63, "9" * 400],
    "uuid": ["00000000-0000-0000-0000-000000000000"],
    "slug": ["-", "a" * 300],
    "str": ["%00", "x%00y", "²", "%FF%FE", "9" * 400, "%0d%0aX-Evil:1", "a:b:c"],
}
#: Words that are an address's own, so that some of them open.
OWN = {"str": ["csv", "approve", "cancel", "experience"], "slug": ["birthday"]}
#: Asked for here and there without standing in a form.
ASIDE = ["page", "next", "q", "token", "id", "p", "draft", "product", "member", "by", "step", "date", "look"]


@pytest.fixture(autouse=True)
def _nobody_looks_at_templates(monkeypatch):
    """Django's test client keeps a copy of the context of each template, widgets included; here nobody reads them."""
    monkeypatch.setattr(Template, "_render", lambda self, context: self.nodelist.render(context))


@pytest.fixture
def broken():
    """What a visitor would see as error 500, and where it came from."""
    found = []

    def note(sender, request=None, **kwargs):
        kind, error, trace = sys.exc_info()
        line = next((one for one in reversed(traceback.extract_tb(trace)) if "site-packages" not in one.filename), None)
        found.append(f"{kind.__name__}: {str(error)[:200]} ({line and f'{line.filename}:{line.lineno}'})")

    got_request_exception.connect(note)
    yield found
    got_request_exception.disconnect(note)


class Walk:
    """Asks, and keeps what broke."""

    def __init__(self, client, broken):
        self.ask_undone, self.broken, self.told, self.asked = addresses.Undone(client), broken, {}, 0

    def __call__(self, name, method, path, data=None):
        del self.broken[:]
        self.asked += 1
        response = self.ask_undone(method, path, *([data] if data is not None else []))
        if response.status_code >= 500 or self.broken:
            why = self.broken[0] if self.broken else str(response.status_code)
            self.told.setdefault((why.split("(")[-1], name, method), f"{method} {path[:120]} {data!r:.300}: {why}")
        # A line break that came in must not go out as another header.
        assert "X-Evil" not in response.headers
        return response

    def opened(self, address, keys):
        """Return the path that opens, or any, and the page."""
        choices = [keys.get(kind) or ["x"] for _word, kind in address.holes]
        for values in itertools.islice(itertools.product(*choices), 10):
            path = address.fill(values)
            page = self(address.name, "get", path)
            if page.status_code == 200:
                break
        return path, page

    def odd_holes(self, address):
        for number in range(max([0, *(len(HOLES[kind]) for _word, kind in address.holes)])):
            path = address.fill([HOLES[kind][number % len(HOLES[kind])] for _word, kind in address.holes])
            for method in ("get", "post"):
                self(address.name, method, path)

    def odd_methods(self, address, path):
        for method in ("head", "options", "put", "delete"):
            self(address.name, method, path)

    def odd_words(self, address, path, found):
        ways = [method for method in ("get", "post") if self(address.name, method, path).status_code != 405]
        names = list(dict.fromkeys([*ASIDE, *(name for form in found for name in form.names)]))
        mixed = [
            dict(zip(names, itertools.islice(itertools.cycle(MIXED), turn, None), strict=False)) for turn in (0, 5)
        ]
        for data in [*(dict.fromkeys(names, word) for word in ALL), *mixed]:
            for method in ways:
                self(address.name, method, path, data)
        # One wrong among right ones gets further than all wrong at once.
        for form in found:
            for place, name in enumerate(form.names[:15]):
                word = [*ALL, *MIXED][(place * 7) % (len(ALL) + len(MIXED))]
                self(address.name, form.method, path, {**form.filled(), name: word})

    def all(self, found, keys):
        for address in found:
            self.odd_holes(address)
            if address.name.startswith("dashboard:catalogue"):
                # Oscar's own form of a product, below ours: what it makes of odd words is Oscar's.
                continue
            path, page = self.opened(address, keys)
            self.odd_methods(address, path)
            self.odd_words(address, path, pages.forms(page))
        assert not self.told, "\n".join(self.told.values())


def keys(full):
    return {**OWN, **{kind: found[:10] for kind, found in keys_of(full[1].far, False).items()}}


def test_no_page_of_the_dashboard_breaks(full, boss, broken):
    walk = Walk(full[0].client(boss), broken)
    walk.all([one for one in addresses.every() if "dashboard" in one.route], keys(full))
    assert walk.asked > 1000


def test_no_page_of_a_member_breaks(full, broken):
    member = get_model("loyalty_members", "Member").objects.get(email="alpha0@example.com")
    walk = Walk(full[0].client(member.user), broken)
    walk.all([one for one in addresses.every() if "dashboard" not in one.route], keys(full))
    assert walk.asked > 500
