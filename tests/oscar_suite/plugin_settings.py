"""Oscar's test settings with the plugin on top. ``tests`` is Oscar's here: see ``run.py``."""

from pathlib import Path

from oscar.defaults import OSCAR_DASHBOARD_NAVIGATION

import oscar_loyalty
import oscar_loyalty.checkout
from oscar_loyalty.dashboard.navigation import NAVIGATION
from tests import settings as oscar_settings
from tests.settings import *  # noqa: F403

# Oscar's tests have forked the checkout for surcharges of their own. Ours takes the fork's place, and finds the
# fork's other modules behind its own, as it would find those of a shop.
FORK = "tests._site.apps.checkout.apps.CheckoutConfig"
FORK_FOLDER = Path(oscar_settings.__file__).parent / "_site" / "apps" / "checkout"
oscar_loyalty.checkout.__path__.append(str(FORK_FOLDER))

STAND_IN = "oscar_loyalty.checkout.apps.CheckoutConfig"
INSTALLED_APPS = oscar_loyalty.installed([STAND_IN if app == FORK else app for app in oscar_settings.INSTALLED_APPS])
assert STAND_IN in INSTALLED_APPS, "Oscar's tests no longer fork the checkout where they did."

ROOT_URLCONF = "plugin_urls"
OSCAR_DASHBOARD_NAVIGATION = [*OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]
OSCAR_LOYALTY_GIFTCARD_KEYS = {"test": "a gift-card key for tests only, long enough to pass"}
