from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from oscar_loyalty import tables
from oscar_loyalty.giftcards import bulk, imports
from oscar_loyalty.importing import MappingError, Rejected, digest
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.management.bulk import many_objects
from oscar_loyalty.management.sites import add_site, site_from


class Command(BaseCommand):
    help = "Issue many gift cards, or bring in those of another system from a CSV or XLSX file."

    def add_arguments(self, parser):
        actions = parser.add_subparsers(dest="action", required=True)
        issue = actions.add_parser("issue", help="make many cards of one value")
        issue.add_argument("--number", type=int, required=True)
        issue.add_argument("--value", default="", help="what is on each")
        issue.add_argument("--blank", action="store_true", help="each gets its value at the till")
        issue.add_argument("--currency", default="", help="such as EUR (default: the shop's)")
        issue.add_argument("--name", required=True, help="what the batch is called")
        issue.add_argument("--reason", default="")
        issue.add_argument("--till", action="store_true", help="they work once they are activated at the till")
        issue.add_argument("--single-purpose", action="store_true", help="taxed when sold")
        issue.add_argument("--months", type=int, help="how long they live (default: as all cards do); 0: for ever")
        add_site(issue)
        issue.add_argument("--key", default="", help="a name for this order: given again, it is not done again")
        bring = actions.add_parser("import", help="bring in cards; the same file twice changes nothing")
        bring.add_argument("file", type=Path)
        bring.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help=f"which column holds a field, where their names differ; fields: {', '.join(imports.FIELDS)}",
        )
        bring.add_argument("--name", default="", help="what the batch is called (default: the file's name)")
        bring.add_argument("--currency", default="", help="of rows that name none (default: the shop's)")
        bring.add_argument("--delimiter", default="", help='what parts the columns; "tab", or "blank" for white space')
        bring.add_argument("--sheet", default="", help="which sheet of an Excel file (default: the first)")
        bring.add_argument("--encoding", default="", help="of a text file, such as cp1251 (default: found out)")
        bring.add_argument(
            "--dates", default="", help="how days are written, such as %%d/%%m/%%Y (default: 2026-03-31)"
        )
        bring.add_argument("--single-purpose", action="store_true", help="they were taxed when sold")
        bring.add_argument("--rejected", type=Path, help="write refused rows with the reason to this CSV file")
        add_site(bring)
        bring.add_argument("--dry-run", action="store_true", help="only say what it would bring")

    def handle(self, *args, **options):
        with many_objects():
            {"issue": self.issue, "import": self.bring}[options["action"]](options)

    def bar(self, options, total, unit):
        quiet = not options["verbosity"] or not self.stderr.isatty()
        return tqdm(total=total, unit=f" {unit}", disable=quiet, file=self.stderr)

    def issue(self, options):
        if bool(options["value"]) == options["blank"]:
            raise CommandError("Say what is on each card with --value, or that they are --blank.")
        months = options["months"]
        try:
            batch = bulk.ask(
                name=options["name"],
                number=options["number"],
                value=Decimal(options["value"]) if options["value"] else None,
                currency=options["currency"],
                site=site_from(options),
                key=f"command:{options['key'] or uuid4().hex}",
                reason=options["reason"],
                at_till=options["till"] or options["blank"],
                tax_kind="single" if options["single_purpose"] else "multi",
                expiry_kind="policy" if months is None else "months" if months else "never",
                months=months,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except (ValueError, InvalidOperation, KeyConflict) as error:
            raise CommandError(str(error) or "The value is no number.") from error
        with self.bar(options, batch.number, "cards") as bar:
            bulk.finish(batch=batch, progress=bar.update)
        self.stdout.write(f"The batch {batch.name} (number {batch.pk}) has {batch.made:,} gift cards.")

    def bring(self, options):
        if options["rejected"] and options["rejected"].resolve() == options["file"].resolve():
            raise CommandError("The refused rows cannot go to the file they come from.")
        try:
            table = tables.read(
                options["file"],
                delimiter=options["delimiter"],
                sheet=options["sheet"],
                encoding=options["encoding"],
            )
            for note in table.notes:
                self.stdout.write(note)
            with (
                closing(Rejected(options["rejected"], table.columns)) as rejected,
                self.bar(options, table.length, "rows") as bar,
            ):
                seen = imports.look(
                    table=table,
                    mapping=_mapping(options["map"]),
                    currency=options["currency"],
                    site=site_from(options),
                    dates=options["dates"],
                    refused=rejected.write,
                    progress=lambda number: bar.update(number - bar.n),
                )
        except (tables.TableError, MappingError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['rejected']} cannot be written: {error.strerror}.") from error
        if not options["dry_run"]:
            self.write(seen, options)
        would, one = ("would be", "would be") if options["dry_run"] else ("are", "is")
        refused = f"{seen.refused_number:,} {one if seen.refused_number == 1 else would} refused"
        self.stdout.write(f"{len(seen.rows):,} cards {would} new, {seen.known:,} were known, {refused}.")
        for currency, amount in seen.totals.items():
            self.stdout.write(f"The new cards hold {amount:,} {currency}.")
        for reason, number in seen.reasons.most_common():
            self.stdout.write(f"  {number:,} × {reason}")
        if seen.refused_number and options["rejected"]:
            self.stdout.write(f"The refused rows are in {options['rejected']}.")
        elif seen.refused_number:
            self.stdout.write("To see the refused rows, name a file for them with --rejected.")

    def write(self, seen, options):
        with self.bar(options, len(seen.rows), "cards") as bar:
            for first in range(0, len(seen.rows), bulk.MOST):
                rows = seen.rows[first : first + bulk.MOST]
                batch = bulk.keep_import(
                    name=options["name"] or options["file"].name,
                    key=f"command:import:{digest(*[row['key'] for row in rows])}",
                    rows=rows,
                    refused=[],
                    refused_number=0 if first else seen.refused_number,
                    known=0 if first else seen.known,
                    currency=options["currency"] or settings.OSCAR_DEFAULT_CURRENCY,
                    site=site_from(options),
                    tax_kind="single" if options["single_purpose"] else "multi",
                )
                bulk.finish(batch=bulk.start(batch=batch), progress=bar.update)


def _mapping(pairs):
    mapping = {}
    for pair in pairs:
        name, mark, column = pair.partition("=")
        if not mark:
            raise CommandError(f"--map wants FIELD=COLUMN, not {pair}.")
        mapping[name.strip()] = column.strip()
    return mapping
