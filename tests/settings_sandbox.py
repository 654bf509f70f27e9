"""The sandbox's own settings, on the database of ``DATABASE_URL`` and with files in a folder of the test run."""

import os
import tempfile

os.environ.setdefault("LOYALTY_SANDBOX_DATABASE", os.environ.get("DATABASE_URL", "sqlite:"))
if os.environ.get("DATABASE_URL", "").startswith("sqlite"):
    # The sandbox's settings know PostgreSQL's addresses; without one they use their own SQLite file.
    del os.environ["DATABASE_URL"]

from sandbox.settings import *  # noqa: F403
from tests.settings import PASSWORD_HASHERS, database  # noqa: F401

# Each test has a Stripe of its own, on any free port.
CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append("http://127.0.0.1:*")  # noqa: F405

DATABASES = {"default": database(os.environ["LOYALTY_SANDBOX_DATABASE"])}
MEDIA_ROOT = tempfile.mkdtemp(prefix="loyalty-media-")
WAGTAIL_CLUB_FILES = tempfile.mkdtemp(prefix="loyalty-private-")
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
