"""Settings of the test suite: Oscar with the plugin installed, on the database that ``DATABASE_URL`` names."""

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *  # noqa: F403

import oscar_loyalty

BASE_DIR = Path(__file__).resolve().parent
SUFFIX = os.environ.get("TEST_DB_SUFFIX", "")


def database(url):
    """Turn ``postgres://user:password@host:port/name`` or ``sqlite:`` into Django's setting."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # A file, not memory: threads and processes of the racing tests must see the same database.
        path = os.environ.get("TEST_SQLITE_DIR", tempfile.gettempdir())
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{path}/loyalty{SUFFIX}.sqlite3",
            "TEST": {"NAME": f"{path}/test_loyalty{SUFFIX}_{os.getpid()}.sqlite3"},
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                # Nobody waits for the disk: what a test wrote need not outlive the machine.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname,
        "PORT": parts.port,
        "TEST": {"NAME": f"test_loyalty{SUFFIX}"},
        # A test that waits for ever says for what.
        "OPTIONS": {"options": "-c lock_timeout=60s"},
    }


DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    # Our fork of the orders passes refunds on to us, as a shop's own would.
    *[
        "tests.order.apps.OrderConfig" if app == "oscar.apps.order.apps.OrderConfig" else app
        for app in oscar_loyalty.installed(OSCAR_APPS)
    ],
    "oscar_loyalty.contrib.appointment",
    "appointment",
]
SITE_ID = 1
SECRET_KEY = "a key for tests only, never used elsewhere"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "Europe/Paris"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.request",
                "django.template.context_processors.debug",
                "django.template.context_processors.i18n",
                "django.template.context_processors.media",
                "django.template.context_processors.static",
                "django.contrib.messages.context_processors.messages",
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ],
        },
    }
]
AUTHENTICATION_BACKENDS = [
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
OSCAR_DEFAULT_CURRENCY = "EUR"
OSCAR_INITIAL_ORDER_STATUS = "Pending"
OSCAR_INITIAL_LINE_STATUS = "Pending"
OSCAR_ORDER_STATUS_PIPELINE = {
    "Pending": ("Being processed", "Cancelled"),
    "Being processed": ("Complete", "Cancelled"),
    "Complete": ("Cancelled",),
    "Cancelled": (),
}
OSCAR_LINE_STATUS_PIPELINE = {"Pending": ("Complete", "Cancelled"), "Complete": ("Cancelled",), "Cancelled": ()}
OSCAR_ORDER_STATUS_CASCADE = {"Cancelled": "Cancelled"}

# The tests need no migrated schema (a test of its own migrates); this app ships no migrations at all.
MIGRATION_MODULES = {"appointment": None, "order": "oscar.apps.order.migrations"}
OSCAR_LOYALTY_GIFTCARD_KEYS = {"test": "a gift-card key for tests only, long enough to pass"}
