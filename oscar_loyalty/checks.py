"""System checks: each names a way in which a shop can be set up wrongly, and which feature is off for it.

Errors are ``loyalty.E001`` and on, warnings ``loyalty.W001`` and on; the reference in the documentation lists them.
"""

import re
from importlib.util import find_spec
from pathlib import Path

from django.core.checks import Error, Tags, Warning, register

from oscar_loyalty.defaults import conf


@register(Tags.security)
def giftcard_keys(app_configs, **kwargs):
    """Gift-card codes are made from a key that must not be Django's own, nor lie in the database."""
    from django.conf import settings

    keys = conf.GIFTCARD_KEYS
    if not keys:
        return [
            Error(
                "OSCAR_LOYALTY_GIFTCARD_KEYS is empty: gift cards can be neither issued nor used.",
                hint='Set it to {"1": "<a secret of at least 32 characters>"}, kept outside the database.',
                id="loyalty.E001",
            )
        ]
    problems = []
    if settings.SECRET_KEY in keys.values():
        problems.append(
            Error(
                "OSCAR_LOYALTY_GIFTCARD_KEYS holds Django's SECRET_KEY.",
                hint="SECRET_KEY is rotated and shared with other uses: give gift cards a key of their own.",
                id="loyalty.E002",
            )
        )
    for key_id, secret in keys.items():
        if len(str(secret)) < 32:
            problems.append(
                Error(
                    f"The gift-card key {key_id!r} is shorter than 32 characters.",
                    hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
                    id="loyalty.E003",
                )
            )
    return problems


@register(Tags.compatibility)
def checkout(app_configs, **kwargs):
    """A shop with a checkout of its own pays with points and gift cards through the mixins."""
    from django.apps import apps

    from oscar_loyalty.checkout.mixins import LoyaltyPaymentMixin
    from oscar_loyalty.checkout.thanks import LoyaltyThankYouMixin

    try:
        config = apps.get_app_config("checkout")
    except LookupError:
        return []
    found = []
    if not issubclass(getattr(config, "payment_details_view", LoyaltyPaymentMixin), LoyaltyPaymentMixin):
        found.append(
            Warning(
                "The checkout's PaymentDetailsView lacks LoyaltyPaymentMixin: no points or gift cards at checkout.",
                hint=(
                    "Put oscar_loyalty.checkout.mixins.LoyaltyPaymentMixin first among its bases, "
                    "or wrap INSTALLED_APPS in oscar_loyalty.installed()."
                ),
                id="loyalty.W001",
            )
        )
    if not issubclass(getattr(config, "thankyou_view", LoyaltyThankYouMixin), LoyaltyThankYouMixin):
        found.append(
            Warning(
                "The checkout's ThankYouView lacks LoyaltyThankYouMixin: codes of gift cards are not shown.",
                hint="Put oscar_loyalty.checkout.thanks.LoyaltyThankYouMixin first among its bases.",
                id="loyalty.W002",
            )
        )
    return found


@register()
def currency(app_configs, **kwargs):
    """Oscar stores two decimals: what has three would be paid to the wrong amount."""
    from django.conf import settings

    from oscar_loyalty.money import exponent

    code = getattr(settings, "OSCAR_DEFAULT_CURRENCY", "")
    if not code or exponent(code) <= 2:
        return []
    return [
        Error(
            f"OSCAR_DEFAULT_CURRENCY is {code}, which has {exponent(code)} decimals; Oscar stores two.",
            hint="Points and gift cards work with currencies of two decimals or none, such as EUR or JPY.",
            id="loyalty.E070",
        )
    ]


@register(Tags.database)
def sqlite(app_configs, databases=None, **kwargs):
    """SQLite locks late by default: a writer that has read first may then be refused instead of waiting."""
    from django.db import connections

    found = []
    for alias in databases or ():
        connection = connections[alias]
        options = connection.settings_dict.get("OPTIONS", {})
        if connection.vendor == "sqlite" and options.get("transaction_mode", "").upper() not in (
            "IMMEDIATE",
            "EXCLUSIVE",
        ):
            found.append(
                Warning(
                    f"The SQLite database {alias!r} may refuse writes that happen side by side (database is locked).",
                    hint='Give it "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30}.',
                    id="loyalty.W003",
                )
            )
    return found


@register()
def databases(app_configs, **kwargs):
    """The ledger speaks to two databases in their own words, and has its guards there."""
    from django.db import connections, router

    from oscar_loyalty.loading import get_model

    connection = connections[router.db_for_write(get_model("loyalty_ledger", "Entry"))]
    if connection.vendor in ("postgresql", "sqlite"):
        return []
    return [
        Error(
            f"The points would be kept in a database of {connection.display_name}: none can be booked there.",
            hint="Use PostgreSQL; for a small shop SQLite will do.",
            id="loyalty.E007",
        )
    ]


@register()
def time_zones(app_configs, **kwargs):
    """Whatever is earned has a moment, and a day in the shop's time zone."""
    from django.conf import settings

    if settings.USE_TZ:
        return []
    return [
        Error(
            "USE_TZ is False: no points can be given.",
            hint="Let USE_TZ be True, and TIME_ZONE the shop's; Django's documentation says how to change over.",
            id="loyalty.E008",
        )
    ]


#: From this version on SQLite says what it has written (RETURNING), which the ledger asks it.
SQLITE = (3, 35)


@register(Tags.database)
def sqlite_library(app_configs, databases=None, **kwargs):
    """The ledger writes rows and learns their keys in one statement."""
    from django.db import connections

    found = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor == "sqlite" and connection.Database.sqlite_version_info < SQLITE:
            found.append(
                Error(
                    f"The SQLite library of the database {alias!r} is {connection.Database.sqlite_version}: no points"
                    " or gift cards can be booked.",
                    hint="It must be 3.35 or newer: update SQLite, or the Python that brings it, or use PostgreSQL.",
                    id="loyalty.E006",
                )
            )
    return found


@register()
def worker(app_configs, **kwargs):
    """Background work needs somebody who does it."""
    if conf.WORKER not in ("cron", "celery", "inline"):
        return [
            Error(
                f"OSCAR_LOYALTY_WORKER is {conf.WORKER!r}.",
                hint='It is "cron", "celery" or "inline".',
                id="loyalty.E004",
            )
        ]
    if conf.WORKER == "celery" and find_spec("celery") is None:
        return [
            Error(
                "OSCAR_LOYALTY_WORKER is celery, and Celery is not installed.",
                hint="pip install django-oscar-loyalty[celery]",
                id="loyalty.E005",
            )
        ]
    return []


@register(Tags.urls)
def addresses(app_configs, **kwargs):
    """Pages that nobody can reach."""
    from django.urls import NoReverseMatch, reverse

    missing = []
    for name in ("loyalty-account:overview", "loyalty-storefront:giftcards"):
        try:
            reverse(name)
        except NoReverseMatch:
            missing.append(name)
    if not missing:
        return []
    return [
        Warning(
            f"The plugin's pages have no address: {', '.join(missing)}.",
            hint='urlpatterns.insert(0, path("", include("oscar_loyalty.urls")))',
            id="loyalty.W004",
        )
    ]


#: Ours of the same names as Oscar's.
TEMPLATES = Path(__file__).parent / "templates"


@register(Tags.templates)
def templates(app_configs, **kwargs):
    """A template of the shop's own in the place of one of Oscar's hides ours, which adds to it."""
    from django.template import TemplateDoesNotExist
    from django.template.loader import get_template

    found = []
    for path in sorted(TEMPLATES.glob("oscar/**/*.*")):
        name = path.relative_to(TEMPLATES).as_posix()
        try:
            page = get_template(name).template
        except TemplateDoesNotExist:
            continue
        source = getattr(page, "source", "")
        # What extends its own name extends ours; what names anything of ours has been thought of.
        if "loyalty" in source or re.search(rf"{{%\s*extends\s+[\"']{re.escape(name)}[\"']", source):
            continue
        ours = path.read_text(encoding="utf-8")
        libraries = sorted(set(re.findall(r"\bloyalty_\w+", " ".join(re.findall(r"{% load (.*?) %}", ours)))))
        load = [f"{{% load {' '.join(libraries)} %}}"] if libraries else []
        tags = re.findall(r"{[%{] (?:loyalty_(?!plain_lines|url)|url \"loyalty-).*? [%}]}", ours)
        found.append(
            Warning(
                f"Your template {page.origin.name} hides ours of the name {name}, and has nothing of the plugin.",
                hint=(
                    f"Put into it what you want of {' '.join([*load, *dict.fromkeys(tags)])}, or let it begin with "
                    f'{{% extends "{name}" %}}.'
                ),
                id="loyalty.W022",
            )
        )
    return found


@register(Tags.compatibility)
def sites(app_configs, **kwargs):
    """What a shop with several Sites says of them."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    found = []
    for name in ("DASHBOARD_PROGRAMMES", "APPOINTMENT_SITE"):
        path = getattr(conf, name)
        try:
            usable = not path or callable(import_string(path))
        except (ImportError, TypeError, AttributeError):
            usable = False
        if not usable:
            found.append(
                Error(
                    f"OSCAR_LOYALTY_{name} is {path!r}, where there is no function.",
                    hint='It is the path of a function, such as "shop.sites.programmes_of".',
                    id="loyalty.E120",
                )
            )
    if conf.SITE_ID is not None and getattr(settings, "SITE_ID", None) not in (None, conf.SITE_ID):
        found.append(
            Warning(
                "OSCAR_LOYALTY_SITE_ID names another Site than SITE_ID, and is not looked at.",
                hint="Take SITE_ID out where one process serves several Sites; else take out the other.",
                id="loyalty.W120",
            )
        )
    return found
