"""What was answered outlives the process; and the package stands alone."""

import ast
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import stripe

import stripe_server
from stripe_server import Control

from .conftest import Place, session_params

PACKAGE = Path(stripe_server.__file__).parent


@contextmanager
def process(state):
    """A server in a process of its own; gives its address and the process."""
    command = [sys.executable, "-m", "stripe_server", "--port", "0", "--state", str(state)]
    running = subprocess.Popen(command, cwd=PACKAGE.parent, stdout=subprocess.PIPE, text=True)
    try:
        yield running.stdout.readline().strip(), running
    finally:
        running.kill()
        running.wait(10)
        running.stdout.close()


def place(url):
    return Place(
        stripe.StripeClient(stripe_server.TEST_KEY, base_addresses={"api": url}, max_network_retries=0), "ours"
    )


def test_what_was_answered_outlives_a_kill(tmp_path, receiver):
    state = tmp_path / "stripe.sqlite3"
    with process(state) as (url, running):
        shop, control = place(url), Control(url)
        control.hold()
        control.endpoint(url=receiver.url, secret=receiver.secret)
        intent, key = shop.intent(), shop.key()
        open_session = shop.client.v1.checkout.sessions.create(session_params())
        control.advance(3600)
        captured = shop.client.v1.payment_intents.capture(intent.id, {}, key)
        os.kill(running.pid, signal.SIGKILL)
        running.wait(10)
    with process(state) as (url, running):
        shop, control = place(url), Control(url)
        again = shop.client.v1.payment_intents.capture(intent.id, {}, key)
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert again.last_response.body == captured.last_response.body
        assert control.books()["currencies"]["eur"]["captured"] == 2000
        assert control.now() - open_session.created >= 3600
        assert control.pay(open_session.id)["status"] == "complete"
        assert receiver.got == []
        control.release()
        assert "charge.captured" in receiver.types() and "checkout.session.completed" in receiver.types()
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


def test_the_package_needs_only_the_standard_library():
    """The ``stripe`` client is imported only by the helper that hands one out."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                assert name.partition(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_its_files_are_small():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 400, path
