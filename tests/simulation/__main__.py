"""``python -m tests.simulation``: many worlds over all cores, or one of them step by step."""

import argparse
import logging
import multiprocessing
import os
import sys
import time
import traceback

import django


def worlds(seeds, steps, queue):
    """Let the worlds of these seeds live, and put what came of each into the queue."""
    from tests.simulation.database import laboratory
    from tests.simulation.world import live, prepare

    logging.disable(logging.CRITICAL)
    with laboratory(prepare) as restore:
        for seed in seeds:
            try:
                live(seed, restore, steps=steps)
            except Exception as error:
                queue.put((seed, str(error) or traceback.format_exc()))
            else:
                queue.put((seed, None))
    queue.put(None)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--steps", type=int, default=40, help="how much happens in each")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, help="only this one, told step by step")
    options = parser.parse_args()
    if options.seed is not None:
        from tests.simulation.database import laboratory
        from tests.simulation.world import Broken, live, prepare

        logging.disable(logging.CRITICAL)
        with laboratory(prepare) as restore:
            try:
                live(options.seed, restore, steps=options.steps, say=print)
            except Broken as broken:
                print(*broken.problems, sep="\n")
                if broken.__cause__ is not None:
                    traceback.print_exception(broken.__cause__)
                return 1
        return 0
    began, queue, failed, done = time.monotonic(), multiprocessing.Queue(), [], 0
    seeds = range(options.first, options.first + options.seeds)
    processes = [
        multiprocessing.Process(target=worlds, args=(seeds[n :: options.workers], options.steps, queue))
        for n in range(options.workers)
    ]
    for process in processes:
        process.start()
    left = len(processes)
    while left:
        found = queue.get()
        if found is None:
            left -= 1
            continue
        done += 1
        if found[1] is not None:
            failed.append(found[0])
            print(f"\n{found[1]}\n\nAgain: python -m tests.simulation --seed {found[0]} --steps {options.steps}\n")
        elif sys.stdout.isatty() or done % 50 == 0:
            print(
                f"{done} of {options.seeds} worlds, {len(failed)} broken, {time.monotonic() - began:.0f} s", flush=True
            )
    for process in processes:
        process.join()
    print(
        f"{options.seeds - len(failed)} worlds of {options.steps} steps held, {len(failed)} did not: {sorted(failed)}"
    )
    return 1 if failed or done != options.seeds else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    os.environ.pop("DATABASE_URL", None)
    django.setup()
    sys.exit(main())
