"""What ``manage.py check`` says of settings for several Sites."""

import pytest

from oscar_loyalty import checks


def ids():
    return [message.id for message in checks.sites(None)]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [("", False), ("tests.sites.test_dashboard.only_beta", False), ("nowhere.at_all", True), ("tests.sites", True)],
)
@pytest.mark.parametrize("name", ["DASHBOARD_PROGRAMMES", "APPOINTMENT_SITE"])
def test_the_functions_are_there(name, path, wrong, settings, db):
    setattr(settings, f"OSCAR_LOYALTY_{name}", path)
    assert ids() == ["loyalty.E120"] * wrong


def test_two_default_sites(settings, db):
    settings.OSCAR_LOYALTY_SITE_ID = 2
    assert ids() == []
    settings.SITE_ID = 2
    assert ids() == []
    settings.SITE_ID = 1
    assert ids() == ["loyalty.W120"]
