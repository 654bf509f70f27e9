"""Reading the forms of a page, as a browser would send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

GUESSES = {"number": "5", "date": "2026-03-09", "email": "somebody@example.com", "time": "10:00", "textarea": "Tea"}
#: What fields of a certain name want.
NAMED = {"to": "alpha1@example.com", "year": "1990", "units": "10", "word": "leave"}
NO_VALUE = {"submit", "button", "image", "reset"}


@dataclass
class Form:
    """A form of a page: its method, where it is sent (empty: the page itself), and the values it would send."""

    method: str
    action: str
    values: dict = field(default_factory=dict)
    buttons: dict = field(default_factory=dict)
    kinds: dict = field(default_factory=dict)
    choices: dict = field(default_factory=dict)

    @property
    def names(self):
        return [*self.values, *self.buttons]

    def filled(self):
        """Return what somebody would send who has filled in what is empty, with the first button."""
        found = {name: value or self.guess(name) for name, value in self.values.items()}
        return {**found, **dict(list(self.buttons.items())[:1])}

    def guess(self, name):
        if name in NAMED:
            return NAMED[name]
        if self.choices.get(name):
            return self.choices[name][0]
        kind = self.kinds.get(name, "text")
        return GUESSES.get(kind, "" if kind in ("checkbox", "hidden", "file", "password") else "Tea")


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms, self.form, self.select, self.area = [], None, None, None

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        name = values.get("name")
        if tag == "form":
            self.form = Form((values.get("method") or "get").lower(), values.get("action") or "")
            self.forms.append(self.form)
        elif self.form is None:
            return
        elif tag in ("input", "button") and name:
            self._field(tag, values, name)
        elif tag == "select" and name:
            self.select = name
            self.form.values.setdefault(name, "")
        elif tag == "option" and self.select and values.get("value") and "selected" not in values:
            self.form.choices.setdefault(self.select, []).append(values["value"])
        elif tag == "option" and self.select and ("selected" in values or not self.form.values[self.select]):
            self.form.values[self.select] = values.get("value") or ""
        elif tag == "textarea" and name:
            self.area = name
            self.form.values[name], self.form.kinds[name] = "", "textarea"

    def _field(self, tag, values, name):
        kind = values.get("type", "submit" if tag == "button" else "text")
        self.form.kinds[name] = kind
        if kind == "radio" and values.get("value"):
            self.form.choices.setdefault(name, []).append(values["value"])
        if kind in NO_VALUE:
            self.form.buttons[name] = values.get("value") or ""
        elif kind not in ("checkbox", "radio") or "checked" in values:
            self.form.values[name] = values.get("value") or ("on" if kind == "checkbox" else "")
        else:
            self.form.values.setdefault(name, "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.area = None

    def handle_data(self, data):
        if self.area and self.form is not None:
            self.form.values[self.area] += data


def forms(response):
    """Return the forms of a page; none of what is no page."""
    if response.status_code != 200 or response.streaming or "html" not in response.headers.get("Content-Type", ""):
        return []
    reader = _Reader()
    reader.feed(response.content.decode())
    return reader.forms
