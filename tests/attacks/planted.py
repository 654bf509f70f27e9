"""What somebody typed to harm others, written wherever anybody may have typed anything; and who is told of it."""

import json
import re
from html.parser import HTMLParser

from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site
from django.db import DatabaseError, models, transaction
from django.db.models.functions import Cast, Concat
from i18nfield.strings import LazyI18nString
from oscar.core.loading import get_model

from oscar_loyalty.fields import I18nCharField, I18nTextField
from tests.sites.test_leaks import ours

#: What runs, wherever a browser takes it for a script.
SCRIPT = "hacked=1"
#: It leaves an attribute, a text, a script and a title.
TEXT = f"'\"></title></script><script>{SCRIPT}</script><img src=x onerror={SCRIPT}>"
#: Addresses that are valid.
MAIL = f'"<script>{SCRIPT}</script>'
#: What has no choices and is no key, and yet is never typed.
OURS_ALONE = re.compile(
    r"key|code|kind|state|status|digest|reference|token|lookup|language|currency|country|type|_id|"
    r"number|metric|window|policy|version|rounding|channel|uuid|to$|colour|serial|source|reason_code|design|tax|"
    r"action|why$|given_why|unit|slug|path"
)
#: Of Oscar's, what stands on our pages.
OSCARS = {
    ("catalogue", "Product"): ["title"],
    ("catalogue", "Category"): ["name"],
    ("order", "Line"): ["title"],
    ("partner", "Partner"): ["name"],
}


def _write(rows, field, value):
    if isinstance(field, models.EmailField):
        # Who has no address goes on having none.
        rows = rows.exclude(**{field.name: ""})
    try:
        with transaction.atomic():
            return bool(rows.update(**{field.name: value}))
    except DatabaseError:
        # A rule of the database: nobody can have typed it.
        return False


def _value(field, text, mail):
    """Return what may be typed into ``field``, or nothing."""
    if isinstance(field, models.EmailField):
        key = Cast("pk", models.CharField())
        return Concat(models.Value(mail), key, models.Value('"@a.example')) if mail else None
    if isinstance(field, I18nCharField | I18nTextField):
        return LazyI18nString({"en": text, "fr": text})
    typed = type(field) in (models.CharField, models.TextField)
    if not typed or field.choices or field.unique or OURS_ALONE.search(field.name):
        return None
    return text[: field.max_length or 200]


def plant(text, mail=""):
    """Write ``text`` into whatever somebody may have typed, in both languages; return how many columns that were.

    Addresses of e-mail begin with ``mail``, if it is given, and go on with a key.
    """
    done = 0
    get_user_model().objects.update(first_name=text[:150], last_name=text[:150])
    Site.objects.update(name=text[:50])
    for (app, name), fields in OSCARS.items():
        get_model(app, name).objects.update(**dict.fromkeys(fields, text[:128]))
    for model in ours():
        if model._meta.db_table.startswith("loyalty_ledger_entry") or model._meta.label_lower.endswith(".due"):
            continue
        done += plant_in(model, text, mail)
    return done


def plant_in(model, text, mail=""):
    """Write ``text`` into what may be typed of all rows of ``model``; return how many columns that were."""
    values = {field: _value(field, text, mail) for field in model._meta.local_concrete_fields}
    found = {field: value for field, value in values.items() if value is not None}
    return sum(_write(model._base_manager.all(), field, value) for field, value in found.items())


class _Reader(HTMLParser):
    """Notes what a browser would run."""

    def __init__(self):
        super().__init__()
        self.found, self.script = [], None

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.script = values.get("type", "") if tag == "script" else None
        for name, value in values.items():
            plain = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") and SCRIPT in plain:
                self.found.append(f"<{tag} {name}>")
            if name in ("href", "src", "action", "formaction", "data", "srcdoc", "xlink:href") and (
                plain.startswith(("javascript:", "vbscript:", "data:text")) or (tag, plain) == ("img", "x")
            ):
                self.found.append(f"<{tag} {name}={value[:40]}>")

    def handle_data(self, data):
        if self.script is None:
            return
        if "json" in self.script:
            json.loads(data)
        elif SCRIPT in data:
            self.found.append(f"<script>{data[:60]}")

    def handle_endtag(self, tag):
        self.script = None


def running(html):
    """Return what of the planted would run where ``html`` is shown."""
    reader = _Reader()
    reader.feed(html)
    return reader.found
