import time

from django.core.management.base import BaseCommand

from oscar_loyalty.due import services


class Command(BaseCommand):
    help = "Do all background work that is due. Let cron call it every minute, or keep it running with --loop."

    def add_arguments(self, parser):
        parser.add_argument("--loop", action="store_true", help="go on until stopped")
        parser.add_argument("--every", type=int, default=60, help="seconds between two sweeps with --loop")

    def handle(self, *args, **options):
        while True:
            done = services.sweep()
            if options["verbosity"]:
                said = ", ".join(f"{name} {number}" for name, number in done.items() if number)
                self.stdout.write(said or "Nothing was due.")
            if not options["loop"]:
                return
            time.sleep(options["every"])
