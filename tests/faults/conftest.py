import pytest
from django.conf import settings as django_settings
from django.db import connection

from oscar_loyalty import clock
from tests.checkout.conftest import card_10, haircut, issue, rich, shopper  # noqa: F401
from tests.faults.process import Shop, Window


@pytest.fixture
def mail_folder(tmp_path, settings):
    """Where all mail goes, the test's own too."""
    folder = tmp_path / "mail"
    folder.mkdir()
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(folder)
    return folder


# On PostgreSQL both ways; SQLite, whose writers wait for each other anyway, is tried the harder way.
WAYS = {"ATOMIC_REQUESTS": True}
if connection.vendor == "postgresql":
    WAYS["own transactions"] = False


@pytest.fixture(params=WAYS.values(), ids=WAYS.keys())
def atomic(request):
    """Whether each request is one transaction."""
    return request.param


@pytest.fixture
def open_shop(transactional_db, mail_folder, atomic):
    """Open the shop in a process of its own: ``open_shop(boundary="module:name:before")``."""
    opened = []

    def open_shop(**named):
        shop = Shop(mail=mail_folder, atomic=atomic, **named)
        opened.append(shop)
        return shop

    yield open_shop
    for shop in opened:
        shop.stop()


@pytest.fixture
def window(shopper):  # noqa: F811
    """The shopper's own window: what was put into the basket by the test is there."""

    def window():
        cookies = {name: morsel.value for name, morsel in shopper.client.cookies.items()}
        return Window({django_settings.SESSION_COOKIE_NAME: "", **cookies})

    return window


@pytest.fixture
def later():
    """Let the clock of this process stand some minutes ahead, as the sweep's that comes by later."""
    from contextlib import contextmanager
    from datetime import timedelta

    @contextmanager
    def later(**delta):
        with clock.frozen(clock.now() + timedelta(**delta)) as frozen:
            yield frozen

    return later
