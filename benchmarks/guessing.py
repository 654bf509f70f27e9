"""What a hundred thousand guessed gift-card codes find, fill and slow down.

    DATABASE_URL=postgres://... python benchmarks/guessing.py          (without: SQLite)
    python benchmarks/guessing.py --codes 100000 --addresses 1000

Guessed is from many addresses; each has ten tries an hour. Measured are the wrong codes found (none), the rows the
guesses leave, and how long a right code from an address of its own takes before, meanwhile and afterwards. It works
in a test database of its own, which it makes and takes away.
"""

import argparse
import os
import secrets
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def main():
    from decimal import Decimal

    from django.db import connection

    from oscar_loyalty import clock
    from oscar_loyalty.giftcards import codes, guessing, services
    from oscar_loyalty.giftcards.exceptions import CodeRefused, TooManyTries
    from oscar_loyalty.giftcards.guard import Guard
    from oscar_loyalty.loading import get_model

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", type=int, default=100_000)
    parser.add_argument("--addresses", type=int, default=1000)
    parser.add_argument("--cards", type=int, default=200)
    options = parser.parse_args()
    print(f"{connection.vendor}: {options.codes:,} codes from {options.addresses:,} addresses\n")
    cards = [services.issue(value=Decimal(10), key=f"card {n}", deliver=False) for n in range(options.cards)]
    right = services.code_of(cards[0])
    Attempt = get_model("loyalty_giftcards", "CodeAttempt")

    def honest(times):
        """Milliseconds of a right code, from an address that nobody guesses from."""
        found = []
        for _ in range(times):
            began = time.perf_counter()
            services.look_up(right, who=Guard(address="203.0.113.7", session_key="honest"))
            found.append((time.perf_counter() - began) * 1000)
        return statistics.median(found)

    before, meanwhile = honest(100), []
    found = refused = kept_out = 0
    began = time.perf_counter()
    for number in range(options.codes):
        code = "".join(secrets.choice(codes.ALPHABET) for _place in range(codes.SYMBOLS))
        place = number % options.addresses
        who = Guard(address=f"198.{18 + place // 65536}.{place // 256 % 256}.{place % 256}")
        try:
            services.look_up(code, who=who)
            found += 1
        except TooManyTries:
            kept_out += 1
        except CodeRefused:
            refused += 1
        if number % max(1, options.codes // 50) == 0:
            meanwhile.append(honest(3))
    seconds = time.perf_counter() - began
    print(f"found {found}, refused {refused:,}, kept out {kept_out:,}   ({seconds / options.codes * 1e6:.0f} µs each)")
    of_codes = Attempt.objects.filter(scope="card").count()
    print(f"rows of tries: {Attempt.objects.count():,}, of codes among them {of_codes}")
    mid, after = statistics.median(meanwhile), honest(100)
    print(f"a right code: before {before:.2f} ms, meanwhile {mid:.2f} ms, after {after:.2f} ms")
    began = time.perf_counter()
    seen = guessing.seen()
    print(f"seen {seen.tries:,} from {seen.addresses:,} in {(time.perf_counter() - began) * 1000:.1f} ms")
    with clock.frozen(clock.now() + timedelta(hours=2)):
        began = time.perf_counter()
        forgotten = services.forget_tries()
        print(f"forgotten after the window: {forgotten:,} rows in {(time.perf_counter() - began) * 1000:.1f} ms")
    if found or Attempt.objects.exists():
        sys.exit("A guess was right, or its rows were not forgotten.")


if __name__ == "__main__":
    django.setup()
    from django.db import connection

    connection.settings_dict["TEST"]["MIGRATE"] = False
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        main()
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)
