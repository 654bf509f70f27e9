"""How long the random tests look: hours with ``HYPOTHESIS_PROFILE=nightly``, else half a minute, always the same."""

import os

from hypothesis import settings

PROFILES = {
    "default": settings(max_examples=20, stateful_step_count=30, deadline=None, derandomize=True, database=None),
    "nightly": settings(max_examples=3000, stateful_step_count=60, deadline=None),
}


def current():
    return PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")]
