from django.core.management.base import BaseCommand, CommandError

from oscar_loyalty.rewards.uninstalling import end_offers


class Command(BaseCommand):
    help = (
        "End the offers of tiers and the vouchers of rewards, which Oscar cannot read without the plugin. "
        "Run it before you take the plugin out of a shop; it deletes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say what it would end")
        parser.add_argument("--no-input", "--noinput", action="store_false", dest="ask", help="do not ask first")

    def handle(self, *args, **options):
        found = end_offers(dry_run=True)
        what = f"{found.offers:,} offers of tiers and rewards, {found.vouchers:,} vouchers that are not used yet"
        if options["dry_run"]:
            self.stdout.write(f"Would end {what}.")
            return
        if options["ask"] and input(f"This ends {what}. Go on? Type yes: ") != "yes":
            raise CommandError("Nothing was changed.")
        found = end_offers()
        self.stdout.write(f"Ended {found.offers:,} offers and {found.vouchers:,} vouchers.")
