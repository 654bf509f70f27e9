"""How long the random tests look: hours with ``HYPOTHESIS_PROFILE=nightly``, else half a minute, always the same."""

import os

from hypothesis import settings

PROFILES = {
    # Else as all tests here are (tests/conftest.py).
    "default": settings(max_examples=20, stateful_step_count=30),
    "nightly": settings(max_examples=3000, stateful_step_count=60, deadline=None),
}


def current():
    return PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")]
