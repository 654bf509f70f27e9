"""Make the demo shop ready and serve it.

    python scripts/sandbox.py            migrate, load the demo, serve on 127.0.0.1:$PORT (8000)
    python scripts/sandbox.py --reset    forget all that was done in it

Cards are paid at a Stripe of our own, which runs beside the shop; with STRIPE_SECRET_KEY in the environment, at
Stripe's test mode.

What has been done is remembered in var/sandbox/done.json: a second start only serves, and keeps what was
changed.
"""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / "var" / "sandbox"
DONE = STATE / "done.json"
MANAGE = [sys.executable, str(ROOT / "sandbox" / "manage.py")]
PASSWORD = "petale-demo"  # noqa: S105  (everybody's, in the demo)
LOGINS = {
    "owner": "runs the salon: shop, dashboard, Wagtail admin",
    "editor": "writes the club's pages: Wagtail admin",
    "gold": "a customer with the Gold tier",
    "bronze": "a customer with the Bronze tier",
    "new": "a customer who has not joined yet",
}
ADDRESSES = {
    "Shop": "/",
    "Shop in French": "/fr/",
    "Your points": "/accounts/loyalty/",
    "Gift cards": "/gift-cards/",
    "Dashboard": "/dashboard/loyalty/",
    "Club": "/club/",
    "Wagtail admin": "/cms/",
}
PATIENCE = 120


def say(text):
    print(f"==> {text}", flush=True)


def schema():
    """A print of all that decides the tables: our migrations, and the packages with theirs."""
    found = hashlib.sha256()
    for package in ("oscar_loyalty", "wagtail_club", "sandbox"):
        for path in sorted((ROOT / package).glob("**/*migrations/*.py")):
            found.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    versions = {dist.metadata["Name"]: dist.version for dist in metadata.distributions()}
    found.update(json.dumps(versions, sort_keys=True).encode())
    return found.hexdigest()


def manage(*arguments):
    say(f"manage.py {' '.join(arguments)}")
    code = subprocess.run([*MANAGE, *arguments], cwd=ROOT).returncode
    if code != 0:
        sys.exit(f"manage.py {arguments[0]} failed with code {code}.")


def prepare():
    """Do what has not been done yet. A step is remembered once it has ended: a start cut short goes on."""
    STATE.mkdir(parents=True, exist_ok=True)
    try:
        done = json.loads(DONE.read_text())
    except (FileNotFoundError, ValueError):
        done = {}
    steps = [
        ("migrate", schema(), ["migrate", "--verbosity=0"]),
        ("demo", True, ["loyalty_demo"]),
        ("index", True, ["rebuild_index", "--noinput", "--verbosity=0"]),
    ]
    for name, wanted, command in steps:
        if done.get(name) != wanted:
            manage(*command)
            done[name] = wanted
            DONE.write_text(json.dumps(done, indent=1))


def taken(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def answers(base):
    try:
        urllib.request.urlopen(base, timeout=PATIENCE)  # noqa: S310  # nosec B310
    except urllib.error.HTTPError:
        return True  # an answer, though not the one we would like: the server runs
    except OSError:
        return False
    return True


def free_port(wanted):
    """The port wanted, or any free one: pages of payments that were left open survive a restart."""
    if not taken(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def stripe(shop_port):
    """A Stripe for demonstrations, as long as the block lasts; none where the shop has a key of its own."""
    if os.environ.get("STRIPE_SECRET_KEY"):
        say("Cards are paid at Stripe itself, with your key")
        yield
        return
    STATE.mkdir(parents=True, exist_ok=True)
    port = free_port(shop_port + 1)
    command = [sys.executable, "-m", "stripe_server", "--port", str(port)]
    command += ["--state", str(STATE / "stripe.sqlite3"), "--webhook", f"http://127.0.0.1:{shop_port}/stripe/webhook/"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        base = process.stdout.readline().strip()
        if not base.startswith("http"):
            sys.exit("The Stripe server for demonstrations did not start.")
        say(f"Cards are paid at a Stripe of our own, {base}: no money moves")
        os.environ |= {
            "STRIPE_SECRET_KEY": "sk_test_shop",
            "STRIPE_WEBHOOK_SECRET": "whsec_shop",
            "STRIPE_API_BASE": base,
        }
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def sweep():
    """The background work, as long as the block lasts: what is due at a later time, and what was left half done."""
    command = [*MANAGE, "loyalty_run", "--loop", "--every", "30", "--verbosity", "0"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def show(base):
    print("\nMaison Pétale is open.\n")
    for name, path in ADDRESSES.items():
        print(f"    {name:16} {base}{path}")
    print(f"\nLog in with the password {PASSWORD} as\n")
    for name, what in LOGINS.items():
        print(f"    {name + '@example.com':20} {what}")
    if os.environ.get("STRIPE_API_BASE"):
        print("\nPay by card with 4242 4242 4242 4242: no money moves.")
    print("\nCtrl-C closes it; what you changed is kept. `make sandbox-reset` starts over.\n", flush=True)


def serve(port):
    base = f"http://127.0.0.1:{port}"
    command = [*MANAGE, "runserver", f"127.0.0.1:{port}", "--noreload"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)

    def stop(number, frame):
        process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    end = time.monotonic() + PATIENCE
    while process.poll() is None and not answers(base) and time.monotonic() < end:
        time.sleep(0.2)
    if process.poll() is None:
        show(base)
    code = process.wait()
    return 0 if code == -signal.SIGTERM else code


def main(arguments):
    if arguments == ["--reset"]:
        shutil.rmtree(STATE, ignore_errors=True)
        say(f"{STATE.relative_to(ROOT)} is gone; `make sandbox` makes it anew.")
        return 0
    if arguments:
        sys.exit(__doc__)
    port = int(os.environ.get("PORT") or 8000)
    if taken(port):
        sys.exit(f"Port {port} is in use. Take another: PORT={port + 1} make sandbox")
    # A database server of somebody's shell is not meant for the demo.
    os.environ.pop("DATABASE_URL", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    os.environ["PORT"] = str(port)
    # Whoever stops us stops what we have started: serve() has a gentler way once it is that far.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    with stripe(port):
        prepare()
        with sweep():
            return serve(port)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
