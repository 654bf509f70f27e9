"""A browser for the shops that are made here. A missing one fails the tests; they are never skipped."""

import fcntl
import json
import os
import shutil
from contextlib import contextmanager

import pytest

from tests.tutorial.project import Project

#: Shops on SQLite are made once, by the run on SQLite; the run on PostgreSQL makes its own shop there.
collect_ignore = (
    ["test_add_the_club.py", "test_first_points.py", "test_rooms.py", "test_take_it_out.py"]
    if os.environ.get("DATABASE_URL", "sqlite:").startswith("postgres")
    else []
)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The shop of the tutorial's last section, with the plugin: sections 1 to 5. All workers share one."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tutorial"
    folder.mkdir(exist_ok=True)
    said = folder / "said.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project = Project(folder)
        if not said.exists():
            shutil.rmtree(project.home, ignore_errors=True)
            project.make_shop()
            project.fill_shop()
            said.write_text(json.dumps(project.install_plugin()), encoding="utf-8")
        project.said = json.loads(said.read_text(encoding="utf-8"))
    return project


@pytest.fixture
def shop(made, tmp_path):
    """A shop like it, to work in."""
    return made.copy(tmp_path)


@pytest.fixture
def browse(browser):
    """Open a window on a shop, of somebody who has never been there: ``with browse(address) as page``."""

    @contextmanager
    def browse(address):
        context = browser.new_context(base_url=address, locale="en-GB", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        page = context.new_page()
        try:
            yield page
            shoot(page, "end")
        except BaseException:
            shoot(page, "failed")
            raise
        finally:
            context.close()

    return browse


def shoot(page, name):
    """Keep a picture, where LOYALTY_SHOTS names a folder."""
    folder = os.environ.get("LOYALTY_SHOTS")
    if folder:
        title = "".join(letter if letter.isalnum() else "-" for letter in page.title())[:40]
        page.screenshot(path=f"{folder}/tutorial-{name}-{title}.png", full_page=True)
