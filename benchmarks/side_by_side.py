"""Two ways of doing the same thing, in turn and in the same run: what every comparison here is made of.

A :class:`Path` is done by us (``ours``) and by plain SQL that does the least that keeps the same promises (``floor``).
:func:`compare` lets as many processes as asked for do both in turn, floor, ours, floor, ours, a short block each, so
that whatever else the machine does falls on both; the ratio is taken pair by pair. Its median and its middle half are
told, by the clock and by the processor (ours and that of the database's process that works for us).
"""

import os
import statistics
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path as File


class Watch:
    """Time by the clock and by the processor of what happens within a block."""

    def __init__(self, *server_pids):
        self.pids = [pid for pid in server_pids if pid is not None]

    def _busy(self):
        # Nanoseconds on a processor, as Linux counts them of each process.
        files = (File(f"/proc/{pid}/schedstat") for pid in self.pids)
        return time.process_time() + sum(int(file.read_text().split()[0]) / 1e9 for file in files)

    def __enter__(self):
        self.cpu = self._busy()
        self.began = time.perf_counter()
        return self

    def __exit__(self, *_error):
        self.ended = time.perf_counter()
        self.took = self.ended - self.began
        self.cpu = self._busy() - self.cpu


class Path:
    """One thing that is done two ways, on an account, under a key that nobody has used."""

    name = ""
    #: The most times the floor that ours may take. None: it is bound otherwise.
    bound: float | None = 2.5
    #: Whether the floor has a connection without Django; if not, it works through Django's, as ours.
    plain = True

    def prepare(self, accounts):
        """Before a block, untimed: what it takes for one call on each of these accounts."""

    def ours(self, account, key):
        raise NotImplementedError

    def floor(self, connection, account, key):
        raise NotImplementedError


@dataclass(frozen=True)
class Ratio:
    """Ours by the floor, of several pairs: the median, and the middle half."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, pairs):
        ratios = sorted(mine / least for mine, least in pairs)
        # One pair has no spread.
        low, median, high = statistics.quantiles(ratios if ratios[1:] else ratios * 2, n=4, method="inclusive")
        return cls(median, low, high)

    def __str__(self):
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True)
class Result:
    """Of one path, in one place: seconds of one call by the clock and by the processor, and both ratios."""

    path: Path
    ours: float
    floor: float
    ours_cpu: float
    by_clock: Ratio
    by_cpu: Ratio


def plain_connection():
    """A connection to Django's database without Django, as psycopg gives it."""
    import psycopg
    from django.db import connection

    given = connection.settings_dict
    host, port = given["HOST"] or "127.0.0.1", given["PORT"] or 5432
    return psycopg.connect(
        host=host, port=port, user=given["USER"], password=given["PASSWORD"] or None, dbname=given["NAME"]
    )


def _work(path, accounts, name, orders, barrier):
    """One process: does blocks as it is told to, and answers what each took."""
    from django.db import connection

    plain = plain_connection()
    connection.ensure_connection()
    server = dict.fromkeys(("ours", "floor"), connection.connection.info.backend_pid)
    if path.plain:
        server["floor"] = plain.info.backend_pid
    todo = {"ours": path.ours, "floor": lambda account, key: path.floor(plain, account, key)}
    while (order := orders.recv()) is not None:
        side, number, size = order
        mine = [accounts[(number * size + n) % len(accounts)] for n in range(size)]
        path.prepare(mine)
        call = todo[side]
        barrier.wait()
        with Watch(server[side]) as watch:
            for n, account in enumerate(mine):
                call(account, f"{path.name}:{side}:{name}:{number}:{n}")
        orders.send((watch.began, watch.ended, watch.cpu))
    plain.close()
    connection.close()


def compare(path, accounts, *, processes, rounds, size, name):
    """Let ``processes`` do ``rounds`` blocks of ``size`` calls of both, each on its share of ``accounts``.

    Where there are fewer accounts than processes, all work on all of them. ``name`` keeps the keys of one comparison
    apart from those of others.
    """
    from django.db import connections

    # Each process opens its own.
    connections.close_all()
    context = get_context("fork")
    barrier, workers = context.Barrier(processes), []
    for worker in range(processes):
        here, there = context.Pipe()
        share = accounts[worker::processes] or accounts
        process = context.Process(target=_work, args=(path, share, f"{name}:{worker}", there, barrier), daemon=True)
        process.start()
        workers.append((process, here))
    took = {"floor": [], "ours": []}
    busy = {"floor": [], "ours": []}
    # The first round warms up and is not counted.
    for number in range(rounds + 1):
        for side in took:
            for _process, pipe in workers:
                pipe.send((side, number, size))
            answers = [pipe.recv() for _process, pipe in workers]
            if number:
                took[side].append(max(end for _, end, _ in answers) - min(began for began, _, _ in answers))
                busy[side].append(sum(cpu for _, _, cpu in answers))
    for process, pipe in workers:
        pipe.send(None)
        process.join()
    calls = processes * size
    return Result(
        path=path,
        ours=statistics.median(took["ours"]) / calls,
        floor=statistics.median(took["floor"]) / calls,
        ours_cpu=statistics.median(busy["ours"]) / calls,
        by_clock=Ratio.of(zip(took["ours"], took["floor"], strict=True)),
        by_cpu=Ratio.of(zip(busy["ours"], busy["floor"], strict=True)),
    )


class Table:
    """Rows that are printed as they come, and written as Markdown in the end."""

    def __init__(self, *heads):
        self.heads, self.rows = heads, []
        self.widths = [max(len(head), 10) for head in heads]

    def _line(self, cells):
        return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, self.widths, strict=True))

    def add(self, *cells):
        cells = [str(cell) for cell in cells]
        if not self.rows:
            self.widths = [max(width, len(cell)) for width, cell in zip(self.widths, cells, strict=True)]
            print(self._line(self.heads))
        self.rows.append(cells)
        print(self._line(cells), flush=True)

    def markdown(self):
        lines = [self.heads, ["---"] * len(self.heads), *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine():
    """What the figures were taken on, in one line."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    load = os.getloadavg()[0]
    return f"PostgreSQL {version}, {os.cpu_count()} cores, load {load:.0f} when it ended"


def kept(yes):
    return "kept" if yes else "NOT kept"
