import json
import sys

from django.core.management.base import BaseCommand

from oscar_loyalty.reports import audit


class Command(BaseCommand):
    help = (
        "Prove that balances, lots, cards, awards, tenders and orders agree. Names each row that does not, "
        "and exits with 1 if there is one."
    )

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
        parser.add_argument("--dry-run", action="store_true", help="do not change the dashboard's light")

    def handle(self, *args, **options):
        report = audit.run(keep=not options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), indent=2))
        else:
            for finding in report.findings:
                self.stdout.write(self.style.ERROR(f"{finding.check}: {finding.row}: {finding.detail}"))
            counts = ", ".join(f"{label} {number:,}" for label, number in report.checked.items())
            self.stdout.write(f"Checked: {counts}.")
            if report.clean:
                self.stdout.write(self.style.SUCCESS("The books agree."))
            else:
                self.stdout.write(self.style.ERROR(f"Rows that disagree: {len(report.findings)}."))
        if not report.clean:
            sys.exit(1)
