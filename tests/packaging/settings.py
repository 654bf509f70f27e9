"""A shop with Oscar and the plugin, and nothing else."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if "appointment" not in app]
