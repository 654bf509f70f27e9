"""``python -m tests.simulation``: many worlds over all cores, or one of them step by step."""

import argparse
import gc
import logging
import multiprocessing
import os
import queue as queues
import signal
import sys
import time
import traceback
from collections import Counter

import django

#: Seconds between two lines on how far it is.
EVERY = 10


def quietly():
    """Nobody reads the log of a world, and what was imported stays: no use in looking through it for garbage."""
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def worlds(first, seeds, taken, steps, queue):
    """Let worlds live, each time that of the next seed nobody has taken, and put what came of each into the queue."""
    from tests.simulation.database import laboratory
    from tests.simulation.world import live, prepare

    # Only the one who started us answers to Ctrl-C, and ends us then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quietly()
    parent = os.getppid()
    with laboratory(prepare) as restore:
        # Without the one who started us, nobody reads what we find.
        while os.getppid() == parent:
            with taken.get_lock():
                number, taken.value = taken.value, taken.value + 1
            if number >= seeds:
                break
            try:
                queue.put((first + number, None, live(first + number, restore, steps=steps).deeds))
            except Exception as error:
                queue.put((first + number, str(error) or traceback.format_exc(), Counter()))


def alone(seed, steps):
    from tests.simulation.database import laboratory
    from tests.simulation.world import Broken, live, prepare

    quietly()
    with laboratory(prepare) as restore:
        try:
            live(seed, restore, steps=steps, say=print)
        except Broken as broken:
            print(*broken.problems, sep="\n")
            if broken.__cause__ is not None:
                traceback.print_exception(broken.__cause__)
            return 1
    return 0


class Tally:
    """What came of the worlds so far."""

    def __init__(self, options):
        self.options, self.began, self.said = options, time.monotonic(), time.monotonic()
        self.done, self.failed, self.deeds = 0, [], Counter()

    def take(self, seed, problem, deeds):
        self.done += 1
        self.deeds += deeds
        if problem is not None:
            self.failed.append(seed)
            print(f"\n{problem}\n\nAgain: python -m tests.simulation --seed {seed} --steps {self.options.steps}\n")

    def how_far(self, *, always=False):
        now = time.monotonic()
        if always or now - self.said > EVERY:
            self.said, rate = now, self.done / max(now - self.began, 0.001)
            print(
                f"{self.done} of {self.options.seeds} worlds, {len(self.failed)} broken, {now - self.began:.0f} s, "
                f"{rate:.1f} a second",
                flush=True,
            )

    def summary(self):
        """What was done in all, so that nobody believes in worlds where nothing happens."""
        outcomes = {}
        for (name, outcome), number in sorted(self.deeds.items()):
            outcomes.setdefault(name, Counter())[outcome if outcome in ("done", "refused", "killed") else "idle"] += (
                number
            )
        print(f"\n{'':32}{'done':>8}{'refused':>8}{'killed':>8}{'idle':>8}")
        for name, counts in outcomes.items():
            numbers = "".join(f"{counts[each]:8}" for each in ("done", "refused", "killed", "idle"))
            print(f"{name.replace('_', ' '):32}{numbers}")
        steps, held = self.options.steps, self.done - len(self.failed)
        print(f"\n{held} worlds of {steps} steps held, {len(self.failed)} did not: {sorted(self.failed)}")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--steps", type=int, default=30, help="how much happens in each")
    parser.add_argument("--workers", "-n", type=int, default=os.cpu_count() or 1, help="how many processes (all cores)")
    parser.add_argument("--seed", type=int, help="only this one, told step by step")
    options = parser.parse_args()
    if options.seed is not None:
        return alone(options.seed, options.steps)
    tally, queue, taken = Tally(options), multiprocessing.Queue(), multiprocessing.Value("q", 0)
    told = (options.first, options.seeds, taken, options.steps, queue)
    processes = [multiprocessing.Process(target=worlds, args=told, daemon=True) for _ in range(options.workers)]
    for process in processes:
        process.start()
    try:
        while tally.done < options.seeds:
            try:
                tally.take(*queue.get(timeout=EVERY))
            except queues.Empty:
                if not any(process.is_alive() for process in processes):
                    print("The processes have died.")
                    break
            tally.how_far()
    except KeyboardInterrupt:
        print("\nInterrupted; go on later with --first", options.first + tally.done)
        for process in processes:
            process.terminate()
    for process in processes:
        process.join()
    tally.how_far(always=True)
    tally.summary()
    return 1 if tally.failed or tally.done != options.seeds else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    sys.exit(main())
