"""A shop made in a folder of its own, by the commands and the code of the pages."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from tests.tutorial.reader import DOCS, Block, Page

TUTORIAL = Page("tutorial/first-points.md")
OWN_CHECKOUT = Page("howto/own-checkout.md")
SHOP, ROOMS = "A shop to try it on", "Fork one of our rooms"
PASSWORD = "petale-demo"


class Project:
    def __init__(self, folder: Path):
        self.folder = folder
        self.home = folder / "frobshop"
        #: What each command of the tutorial said.
        self.said: dict[str, str] = {}
        self.environment = {
            **os.environ,
            # "python" and "django-admin" are those of the tests.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(DOCS.parent),
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)

    def copy(self, folder: Path) -> "Project":
        """Return this shop again in another folder, with its database of SQLite and what is in it."""
        shutil.copytree(self.home, folder / self.home.name)
        copy = Project(folder)
        copy.said = self.said
        return copy

    # What a reader does

    def run(self, command: str) -> str:
        """Run one line of a page, as it stands there; a password is the only thing that is not typed in."""
        if command.startswith("pip install"):
            return ""  # The tests of the packages prove that, and that what the wheel holds is enough.
        if "createsuperuser" in command:
            command += " --noinput"
        where = self.folder if command.startswith("django-admin") else self.home
        if command.startswith("cd "):
            assert (self.folder / command[3:]) == self.home
            return ""
        done = subprocess.run(
            ["sh", "-c", command], cwd=where, env=self.environment, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def write(self, block: Block, *, whole: bool) -> None:
        """Put a block where its caption says: as the whole of a file, or at the end of one that is there."""
        name = block.caption if "/" in block.caption or whole else f"frobshop/{block.caption}"
        path = self.home / name
        if whole:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
        else:
            self.append(name, block.body)

    def append(self, name: str, body: str) -> None:
        path = self.home / name
        path.write_text(path.read_text(encoding="utf-8") + "\n" + body, encoding="utf-8")

    def shell(self, code: str) -> str:
        """Run code in the shop: what a test wants to know, or brings about without a page."""
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
            cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    # The parts of the pages

    def make_shop(self) -> None:
        """The tutorial's last section, up to the commands that fill the database."""
        self.filling = []
        for block in TUTORIAL.under(SHOP):
            if block.kind == "python":
                self.write(block, whole=not block.caption.endswith("settings.py"))
            elif "manage.py" in block.body:
                self.filling += block.commands
            else:
                for command in block.commands:
                    self.run(command)

    def fill_shop(self) -> None:
        """Its last commands: tables, an owner, something to sell."""
        assert [words.split()[2] for words in self.filling] == ["migrate", "createsuperuser", "shell"]
        for command in self.filling:
            self.run(command)

    def install_plugin(self) -> dict[str, str]:
        """The tutorial's numbered sections, up to the one that opens a browser; return what each command said."""
        said = {}
        for block in TUTORIAL.blocks:
            if block.heading[0].isdigit() and block.kind == "python":
                self.write(block, whole=False)
            elif block.heading[0].isdigit():
                for command in block.commands:
                    if "runserver" not in command:
                        said[command] = self.run(command)
        return said

    @contextmanager
    def served(self):
        """``python manage.py runserver``, on a port that is free."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        log = self.folder / "runserver.log"
        with log.open("ab") as output:
            server = subprocess.Popen(
                [sys.executable, "manage.py", "runserver", "--noreload", address],
                cwd=self.home, env=self.environment, stdout=output, stderr=output,
            )  # fmt: skip
            try:
                deadline = time.monotonic() + 90
                while True:
                    try:
                        urllib.request.urlopen(f"http://{address}/catalogue/", timeout=30).close()
                        break
                    except OSError:
                        assert server.poll() is None, log.read_text(errors="replace")
                        assert time.monotonic() < deadline, "the shop does not answer"
                        time.sleep(0.2)
                yield f"http://{address}"
                assert "Traceback" not in log.read_text(errors="replace"), log.read_text(errors="replace")[-5000:]
            finally:
                server.terminate()
                server.wait(timeout=20)
