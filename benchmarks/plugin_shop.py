"""Settings of the shop with the plugin, in a database of its own."""

from tests.settings import *  # noqa: F403

DATABASES["default"]["TEST"]["NAME"] = "test_plugin_shop"  # noqa: F405
