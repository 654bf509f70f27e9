"""Form parameters: read into nested hashes, then checked and typed by a schema, as strictly as Stripe does.

A schema is a dict of name to check; a check is called with the raw value and its path and returns the clean value.
"""

import re
from urllib.parse import parse_qsl, urlsplit

from .errors import InvalidRequest, missing, unknown
from .money import CURRENCIES

PART = re.compile(r"\[([^\[\]]*)\]")
EMPTY = (
    "You passed an empty string for '{0}'. We assume empty values are an attempt to unset a parameter; however "
    "'{0}' cannot be unset. You should remove '{0}' from your request or supply a non-empty value."
)


def parse(text):
    """``a[b][0][c]=1`` becomes ``{"a": {"b": {"0": {"c": "1"}}}}``; lists keep their keys until a schema reads them."""
    tree = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, bracket, _ = name.partition("[")
        keys = [head, *PART.findall(name[len(head) :])] if bracket else [name]
        node = tree
        for place, key in enumerate(keys):
            if key == "":
                key = str(len(node))
            if place == len(keys) - 1:
                node[key] = value
            else:
                node = node.setdefault(key, {})
                if not isinstance(node, dict):
                    raise InvalidRequest(f"Invalid parameter: {name}", param=name)
    return tree


def clean(values, schema, path=""):
    """Check a hash against a schema; what is not given is not in the answer."""
    inside = (lambda name: f"{path}[{name}]") if path else (lambda name: name)
    for name in values:
        if name not in schema:
            raise unknown(inside(name))
    found = {}
    for name, check in schema.items():
        if name in values:
            found[name] = check(values[name], inside(name))
        elif getattr(check, "required", False):
            raise missing(inside(name))
    return found


def required(check):
    def demanded(value, path):
        return check(value, path)

    demanded.required = True
    return demanded


def string(limit=5000, choices=None):
    def check(value, path):
        if not isinstance(value, str):
            raise InvalidRequest("Invalid string: {...}", param=path)
        if value == "":
            raise InvalidRequest(EMPTY.format(path), code="parameter_invalid_empty", param=path)
        if len(value) > limit:
            raise InvalidRequest(
                f"Invalid string: {value[:20]}…; must be at most {limit} characters", code="string_too_long", param=path
            )
        if choices and value not in choices:
            raise InvalidRequest(f"Invalid {path}: must be one of {', '.join(choices)}", param=path)
        return value

    return check


def integer(least=None, most=None):
    def check(value, path):
        if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
            raise InvalidRequest(f"Invalid integer: {value}", code="parameter_invalid_integer", param=path)
        number = int(value)
        if least is not None and number < least:
            message = "Invalid positive integer" if least == 1 else "Invalid non-negative integer"
            raise InvalidRequest(message, code="parameter_invalid_integer", param=path)
        if most is not None and number > most:
            raise InvalidRequest(
                f"Invalid integer: {value}; must be at most {most}", code="parameter_invalid_integer", param=path
            )
        return number

    return check


def boolean(value, path):
    if value not in ("true", "false"):
        raise InvalidRequest(f"Invalid boolean: {value}", param=path)
    return value == "true"


def url(value, path):
    text = string(5000)(value, path)
    parts = urlsplit(text.replace("{CHECKOUT_SESSION_ID}", "id"))
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidRequest("Not a valid URL", code="url_invalid", param=path)
    return text


def email(value, path):
    text = string(800)(value, path)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise InvalidRequest(f"Invalid email address: {text}", code="email_invalid", param=path)
    return text


def currency(value, path):
    text = string(10)(value, path)
    if text not in CURRENCIES:
        known = ", ".join(sorted(CURRENCIES))
        raise InvalidRequest(
            f"Invalid currency: {text}. Stripe currently supports these currencies: {known}", param=path
        )
    return text


def hash_of(schema):
    def check(value, path):
        if not isinstance(value, dict):
            raise InvalidRequest("Invalid object", param=path)
        return clean(value, schema, path)

    return check


def list_of(check_one, most=100):
    def check(value, path):
        if not isinstance(value, dict) or not all(key.isdigit() for key in value):
            raise InvalidRequest("Invalid array", param=path)
        if len(value) > most:
            raise InvalidRequest(f"Array {path} has more than {most} items", param=path)
        return [check_one(one, f"{path}[{key}]") for key, one in sorted(value.items(), key=lambda pair: int(pair[0]))]

    return check


def metadata(value, path):
    """At most 50 keys of 40 characters without square brackets, with values of 500 (docs.stripe.com/metadata)."""
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("Invalid object", param=path)
    if len(value) > 50:
        raise InvalidRequest(
            f"You have set more than 50 keys in {path}; at most 50 can be stored on one object.", param=path
        )
    for key, text in value.items():
        if not isinstance(text, str):
            raise InvalidRequest("Metadata values must be strings", param=f"{path}[{key}]")
        if len(key) > 40:
            raise InvalidRequest(
                f"Metadata keys can be at most 40 characters long; '{key}' has {len(key)}.", param=path
            )
        if len(text) > 500:
            raise InvalidRequest(
                f"Metadata values can have up to 500 characters, but you passed in a value that is {len(text)} "
                f"characters. Invalid value: {text[:30]}…",
                param=f"{path}[{key}]",
            )
    return {key: text for key, text in value.items() if text != ""}


EXPAND = {"expand": list_of(string())}
PAGE = {"limit": integer(1, 100), "starting_after": string(), "ending_before": string(), **EXPAND}
