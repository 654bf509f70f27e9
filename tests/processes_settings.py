"""The suite's settings, on the very database that a test has told: for the processes it starts."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["PROCESS_DATABASE"]
OSCAR_LOYALTY_WORKER = os.environ.get("PROCESS_WORKER", "cron")
CELERY_BROKER_URL = os.environ.get("PROCESS_BROKER", "")
