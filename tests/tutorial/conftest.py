"""A browser for the shops that are made here. A missing one fails the tests; they are never skipped."""

import os
from contextlib import contextmanager

import pytest

from tests.tutorial.project import Project

#: Shops on SQLite are made once, by the run on SQLite; the run on PostgreSQL makes its own shop there.
collect_ignore = (
    ["test_first_points.py", "test_rooms.py"]
    if os.environ.get("DATABASE_URL", "sqlite:").startswith("postgres")
    else []
)


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The shop of the tutorial's last section, with the plugin: sections 1 to 5."""
    project = Project(tmp_path_factory.mktemp("tutorial"))
    project.make_shop()
    project.fill_shop()
    project.said = project.install_plugin()
    return project


@pytest.fixture(scope="module")
def browse():
    """Open a window on a shop, of somebody who has never been there: ``with browse(address) as page``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )

        @contextmanager
        def browse(address):
            context = browser.new_context(base_url=address, locale="en-GB", viewport={"width": 1280, "height": 900})
            context.set_default_timeout(20_000)

            # Oscar's pages ask other hosts for scripts that they have themselves.
            def inside_only(route):
                route.continue_() if route.request.url.startswith(address) else route.abort()

            context.route("**/*", inside_only)
            page = context.new_page()
            try:
                yield page
                shoot(page, "end")
            except BaseException:
                shoot(page, "failed")
                raise
            finally:
                context.close()

        yield browse
        browser.close()


def shoot(page, name):
    """Keep a picture, where LOYALTY_SHOTS names a folder."""
    folder = os.environ.get("LOYALTY_SHOTS")
    if folder:
        title = "".join(letter if letter.isalnum() else "-" for letter in page.title())[:40]
        page.screenshot(path=f"{folder}/tutorial-{name}-{title}.png", full_page=True)
