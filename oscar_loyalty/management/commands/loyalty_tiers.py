from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from oscar_loyalty.earning.tiering import preview, review, selectors
from oscar_loyalty.management.bulk import many_objects
from oscar_loyalty.management.sites import add_site, programme_from


class Command(BaseCommand):
    help = (
        "Review the tiers of all members now, as the sweep does once a day. "
        "Stop it whenever you like: the next run, or the sweep, goes on where it was."
    )

    def add_arguments(self, parser):
        add_site(parser)
        parser.add_argument("--quiet", action="store_true", help="write to nobody")
        parser.add_argument("--dry-run", action="store_true", help="only say who would move")

    def handle(self, *args, **options):
        programme = programme_from(options)
        if options["dry_run"]:
            found = preview.moves(programme, selectors.ladder_of(programme))
            self.stdout.write(f"{found.rising:,} would rise, {found.falling:,} would fall.")
            return
        silent = not options["verbosity"] or not self.stderr.isatty()
        begun = review.begin(programme=programme, quiet=options["quiet"])
        if begun is None:
            raise CommandError("Another review has just begun: try again in a moment.")
        with many_objects(), tqdm(unit=" members", total=begun.total, disable=silent, file=self.stderr) as bar:
            done = review.run(review=begun, progress=lambda seen: bar.update(seen - bar.n))
        if done.finished_at is None:
            self.stdout.write("Another worker is at it, and goes on.")
            return
        self.stdout.write(
            f"{done.seen:,} members: {done.risen:,} risen, {done.fallen:,} fallen, {done.kept:,} kept their tier "
            f"for another period, {done.warned:,} warned."
        )
