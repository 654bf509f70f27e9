from decimal import Decimal

import pytest

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import services as giftcards


@pytest.fixture
def work():
    """Do all that is due, as cron does every minute: ``work()``."""
    return due.sweep


@pytest.fixture
def card(db, user):
    """A card that Rose gives to Anna, in use."""
    return giftcards.issue(
        value=Decimal("10"),
        key="first",
        buyer=user,
        recipient_name="Anna",
        recipient_email="anna@example.com",
        sender_name="Rose Martin",
        message="Happy birthday!\n<b>Rose</b> & all",
        language="en",
    )


@pytest.fixture
def broken_mail(settings):
    settings.EMAIL_BACKEND = "tests.messaging.broken.EmailBackend"
