from datetime import datetime, time

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date
from tqdm import tqdm

from oscar_loyalty.earning import backfill
from oscar_loyalty.management.bulk import many_objects
from oscar_loyalty.management.sites import add_site, programme_from


def day(text):
    """A day, as the start of it in the shop's time zone."""
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text} is no date: write 2026-03-31.")
    return timezone.make_aware(datetime.combine(found, time.min))


class Command(BaseCommand):
    help = (
        "Give members the points of orders they placed before the programme began, or that were imported. "
        "Stop it whenever you like: the next run goes on where it was, and no order is awarded twice. "
        "Start it several times, on as many machines as you like: they share the work."
    )

    def add_arguments(self, parser):
        parser.add_argument("--since", help="only orders from this day on (2026-03-31)")
        parser.add_argument("--until", help="only orders before this day")
        parser.add_argument(
            "--rules",
            choices=["now", "then"],
            default="now",
            help="by the rules of today (default), or by those in force when each order was placed",
        )
        parser.add_argument(
            "--from-today",
            action="store_true",
            help="points wait and expire as if they were earned today, not on the day of the order",
        )
        parser.add_argument(
            "--share", action="store_true", help="let Celery's workers, or the sweeps of other machines, help and go on"
        )
        add_site(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what it would bring")

    def handle(self, *args, **options):
        programme = programme_from(options)
        period = {name: day(options[name]) if options[name] else None for name in ("since", "until")}
        if all(period.values()) and period["since"] >= period["until"]:
            raise CommandError("--since must be before --until.")
        quiet = not options["verbosity"] or not self.stderr.isatty()
        with many_objects(), tqdm(unit=" orders", disable=quiet, file=self.stderr) as bar:

            def progress(done, total):
                bar.total = total
                bar.update(done - bar.n)

            outcome = backfill.run(
                programme=programme,
                rules_now=options["rules"] == "now",
                from_today=options["from_today"],
                dry_run=options["dry_run"],
                share=options["share"],
                progress=progress,
                **period,
            )
        brought = "would bring" if options["dry_run"] else "brought"
        self.stdout.write(
            f"{outcome.orders:,} orders {brought} {outcome.points:,} points to {outcome.members:,} members; "
            f"{outcome.orders - outcome.awards:,} of them nothing."
        )
