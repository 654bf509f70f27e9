"""Run every suite on every database, and say at the end what came of it.

    python scripts/suite.py                          all, on SQLite and on PostgreSQL
    python scripts/suite.py sqlite -- -k ledger      on SQLite only, with options for pytest

``PYTEST`` replaces pytest's usual options. PostgreSQL is the server of ``DATABASE_URL``;
``services.py`` starts one. Asked for both databases, the runs share what needs to be proved once: ``tests/sharing.py``
says what. Asked for one, that runs everything.

Two runs go on at once (``AT_ONCE`` says otherwise), each with its share of the cores, the longest first: while one
waits for its database, a browser or its own last test, the other works. Each line says whose it is.

The last line closes the whole like pytest closes a run: the sums of what the runs themselves reported.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
#: PostgreSQL first: it takes longer.
DATABASES = ("postgresql", "sqlite")
AT_ONCE = int(os.environ.get("AT_ONCE", 2))
#: The workers of one run. One alone is pytest itself: there is nobody to share with, and nothing is collected twice.
WORKERS = -(-min(os.cpu_count() or 2, 16) // AT_ONCE)
#: Work goes to whoever has none left, so that no core waits for the other's last tests.
OPTIONS = f"-n {WORKERS if WORKERS > 1 else 0} --dist worksteal -q --durations=15"


class Suite(NamedTuple):
    name: str
    settings: str
    paths: list[str]
    databases: tuple[str, ...] = DATABASES


#: The longest first: the short ones fill what the long ones leave. The shop has no Wagtail: that proves it needs none.
SUITES = [
    Suite(
        "shop",
        "tests.settings",
        [
            "tests",
            *(f"--ignore=tests/{name}" for name in ("club", "sandbox", "packaging", "stripe_server", "simulation")),
        ],
    ),
    # Its worlds are copies of a file. On PostgreSQL a copy takes longer: a few of them live there too.
    Suite("simulation", "tests.settings", ["tests/simulation"], ("sqlite",)),
    Suite("sandbox", "tests.settings_sandbox", ["tests/sandbox"]),
    Suite("club", "tests.settings_club", ["tests/club"]),
    Suite("simulation", "tests.settings", ["tests/simulation/test_worlds.py::test_worlds"], ("postgresql",)),
    # They touch no database: once is enough.
    Suite("packaging", "tests.settings", ["tests/packaging"], ("sqlite",)),
    Suite("stripe server", "tests.settings", ["tests/stripe_server"], ("sqlite",)),
]

#: A line of pytest's short summary, for what failed or could not be tried.
FAULT = re.compile(r"^(?:FAILED|ERROR) tests/")
CLOSING = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in ([\d.]+)s(?: \([\d:]+\))? ?=*$")
#: pytest's own order of words, and its spelling of one.
WORDS = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warnings", "errors", "rerun")
SINGULAR = {"warning": "warnings", "error": "errors"}


class Result(NamedTuple):
    name: str
    code: int
    counts: Counter | None
    seconds: float
    faults: list[str]


def plain(line):
    """The line without its colours."""
    return re.sub(r"\x1b\[\d*(;\d+)*m", "", line).strip()


def read_closing(lines):
    """The counts of a run's closing line, or None when it has none: it died."""
    for line in reversed(lines):
        found = CLOSING.match(plain(line))
        if found:
            pairs = (part.split() for part in found.group(1).split(", "))
            return Counter({SINGULAR.get(word, word): int(number) for number, word in pairs})
    return None


def say(line):
    """Whole lines only: several runs write at once."""
    sys.stdout.write(line)
    sys.stdout.flush()


def run(suite, database, url, extra, share):
    """Run one suite on one database, passing its output on as it comes."""
    name = f"{suite.name} on {database}"
    options = shlex.split(os.environ.get("PYTEST", OPTIONS))
    command = [sys.executable, "-m", "pytest", *options, *suite.paths, *extra]
    say(f"==> {name}: DATABASE_URL={url} DJANGO_SETTINGS_MODULE={suite.settings} {shlex.join(command)}\n")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="loyalty-sqlite-") as folder:
        environ = {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": suite.settings,
            "TEST_SQLITE_DIR": folder,
            # On PostgreSQL's one server each run has databases of its own.
            "TEST_DB_SUFFIX": f"{os.environ.get('TEST_DB_SUFFIX', '')}_{suite.name.replace(' ', '_')}",
            "PYTHONUNBUFFERED": "1",
            "LOYALTY_SHARE": "1" if share and suite.databases == DATABASES else "",
            # Each run starts many processes: what one has compiled, the others need not.
            "PYTHONDONTWRITEBYTECODE": "",
        }
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        tail, faults = [], []
        for line in process.stdout:
            say(f"{name:>21} | {line}")
            tail = [*tail[-49:], line]
            if FAULT.match(plain(line)):
                faults.append(plain(line))
        code = process.wait()
    return Result(name, code, read_closing(tail), time.monotonic() - began, faults)


def closing_line(results, seconds):
    total = sum((result.counts for result in results), Counter())
    words = [(total[word], word) for word in WORDS if total[word]]
    text = ", ".join(f"{n} {word.rstrip('s') if n == 1 and word in SINGULAR.values() else word}" for n, word in words)
    minutes = f" ({int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02})" if seconds >= 60 else ""
    return f" {text} in {seconds:.2f}s{minutes} ".center(79, "=")


def chosen(databases):
    """Yield what is to be run, the longest first."""
    urls = {"sqlite": "sqlite:", "postgresql": os.environ.get("DATABASE_URL", "")}
    if "postgresql" in databases and not urls["postgresql"].startswith("postgres"):
        sys.exit("DATABASE_URL names no PostgreSQL: run this by scripts/services.py.")
    for suite in SUITES:
        for database in DATABASES:
            if database in databases and database in suite.databases:
                yield suite, database, urls[database]


def main(arguments):
    extra = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    databases = arguments[: arguments.index("--")] if "--" in arguments else arguments
    unknown = set(databases) - set(DATABASES)
    if unknown:
        sys.exit(__doc__)
    began = time.monotonic()
    databases = databases or DATABASES
    share = set(databases) == set(DATABASES)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = [job.result() for job in [pool.submit(run, *what, extra, share) for what in chosen(databases)]]
    print("\n==> Summary")
    for result in results:
        counts = ", ".join(f"{number} {word}" for word, number in (result.counts or {}).items())
        verdict = "ok" if result.code == 0 else f"FAILED with code {result.code}"
        counts = counts or "no closing line: it died"
        print(f"    {result.name:24} {verdict:24} {counts} ({result.seconds:.0f} s)")
        # Once more, here: whoever has only the end of the output must know what to look at.
        for fault in result.faults:
            print(f"        {fault}")
    if any(result.counts is None for result in results):
        print("At least one run died before it could report; the numbers above are not the whole.")
        return 1
    print(closing_line(results, time.monotonic() - began))
    return 1 if any(result.code for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
