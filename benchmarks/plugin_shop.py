"""Settings of the shop with the plugin, in a database of its own."""

from tests.settings import *  # noqa: F403

DATABASES["default"]["TEST"]["NAME"] = f"test_plugin_shop{SUFFIX}"  # noqa: F405
