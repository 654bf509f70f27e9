import csv
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from oscar_loyalty.earning import imports, tables
from oscar_loyalty.members import selectors


class Command(BaseCommand):
    help = (
        "Bring in members, balances or past purchases from a CSV or XLSX file. The same file twice changes nothing. "
        "Purchases become orders; loyalty_backfill then gives their points."
    )

    def add_arguments(self, parser):
        parser.add_argument("kind", choices=list(imports.KINDS), help="what the rows are")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="which column holds a field, where their names differ; fields: "
            + "; ".join(f"{kind}: {', '.join(fields)}" for kind, fields in imports.KINDS.items()),
        )
        parser.add_argument("--delimiter", default="", help='what parts the columns; "blank" for any white space')
        parser.add_argument("--columns", default="", help="their names, with commas, where the file has no header")
        parser.add_argument("--sheet", default="", help="which sheet of an Excel file (default: the first)")
        parser.add_argument("--rejected", type=Path, help="write refused rows with the reason to this CSV file")
        parser.add_argument("--dry-run", action="store_true", help="only say what it would bring")

    def handle(self, *args, **options):
        programme = selectors.programme_for()
        if programme is None:
            raise CommandError("There is no open programme yet: make one in the dashboard.")
        mapping = {}
        for pair in options["map"]:
            name, mark, column = pair.partition("=")
            if not mark:
                raise CommandError(f"--map wants FIELD=COLUMN, not {pair}.")
            mapping[name.strip()] = column.strip()
        try:
            table = tables.read(
                options["file"],
                delimiter=options["delimiter"],
                columns=[name.strip() for name in options["columns"].split(",")] if options["columns"] else None,
                sheet=options["sheet"],
            )
            quiet = not options["verbosity"] or not self.stderr.isatty()
            with tqdm(total=table.length, unit=" rows", disable=quiet) as bar:
                outcome = imports.run(
                    kind=options["kind"],
                    table=table,
                    programme=programme,
                    mapping=mapping,
                    dry_run=options["dry_run"],
                    progress=bar.update,
                )
        except (tables.TableError, imports.RowError) as error:
            raise CommandError(str(error)) from error
        self._report(options, table, outcome)

    def _report(self, options, table, outcome):
        said = "would be new" if options["dry_run"] else "are new"
        self.stdout.write(
            f"{outcome.new:,} rows {said}, {outcome.known:,} were known, {len(outcome.refused):,} are refused; "
            f"{outcome.people:,} new members."
        )
        for reason, number in outcome.reasons.most_common(20):
            self.stdout.write(f"  {number:,} × {reason}")
        if options["rejected"] and outcome.refused:
            with options["rejected"].open("w", newline="", encoding="utf-8-sig") as file:
                writer = csv.writer(file)
                writer.writerow(["row", "reason", *table.columns])
                for row, reason in outcome.refused:
                    writer.writerow([row.number, reason, *(_safe(str(cell)) for cell in row.cells.values())])
            self.stdout.write(f"The refused rows are in {options['rejected']}.")


def _safe(text):
    """A formula must not run when somebody opens the file to correct it."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
