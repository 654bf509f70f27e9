"""The settings of the tests, in a shop with a model of users of its own."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.customers"]
AUTH_USER_MODEL = "customers.Customer"
