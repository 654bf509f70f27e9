"""The sandbox's settings as a public server must have them: an example for a shop of your own.

``check --deploy`` finds nothing to say of them, which CI proves. Nothing secret is in here: each value comes from the
environment, and a missing one is an error at the start, not a default that anybody knows.
"""

import os

from .settings import *  # noqa: F403


def wanted(name):
    """A value that the environment must hold; raises ``RuntimeError`` with the name of what is missing."""
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"{name} is not set: a public shop needs one of its own.")
    return value


DEBUG = False
SECRET_KEY = wanted("SECRET_KEY")
ALLOWED_HOSTS = wanted("ALLOWED_HOSTS").split(",")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]
#: Apart from SECRET_KEY: whoever has one of the two cannot spend a gift card.
OSCAR_LOYALTY_GIFTCARD_KEYS = {"1": wanted("GIFTCARD_KEY")}
OSCAR_LOYALTY_WORKER = "celery"

# Wagtail shows its previews in frames of the same host, which is what W019 asks about.
SILENCED_SYSTEM_CHECKS = ["security.W019"]
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LANGUAGE_COOKIE_SECURE = True
