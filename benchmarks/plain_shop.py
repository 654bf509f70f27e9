"""Settings of the same shop without the plugin: Oscar alone, on the same database server."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = OSCAR_APPS  # noqa: F405
ROOT_URLCONF = "benchmarks.plain_urls"
DATABASES["default"]["TEST"]["NAME"] = "test_plain_shop"  # noqa: F405
MIGRATION_MODULES = {}
