from contextlib import closing
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from oscar_loyalty import tables
from oscar_loyalty.earning import imports
from oscar_loyalty.importing import MappingError, Rejected
from oscar_loyalty.management.bulk import many_objects
from oscar_loyalty.management.sites import add_site, programme_from


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
        parser.add_argument("--delimiter", default="", help='what parts the columns; "tab", or "blank" for white space')
        parser.add_argument("--columns", default="", help="their names, with commas, where the file has no header")
        parser.add_argument("--sheet", default="", help="which sheet of an Excel file (default: the first)")
        parser.add_argument("--encoding", default="", help="of a text file, such as cp1251 (default: found out)")
        parser.add_argument(
            "--dates", default="", help="how days are written, such as %%d/%%m/%%Y (default: 2026-03-31)"
        )
        parser.add_argument("--status", default="", help="of the orders made of purchases (default: one that is paid)")
        parser.add_argument("--rejected", type=Path, help="write refused rows with the reason to this CSV file")
        add_site(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what it would bring")

    def handle(self, *args, **options):
        programme = programme_from(options)
        if options["status"] and options["status"] not in _statuses():
            raise CommandError(f"The shop has no status {options['status']}; there are: {', '.join(_statuses())}.")
        if options["rejected"] and options["rejected"].resolve() == options["file"].resolve():
            raise CommandError("The refused rows cannot go to the file they come from.")
        try:
            table = tables.read(
                options["file"],
                delimiter=options["delimiter"],
                columns=[name.strip() for name in options["columns"].split(",")] if options["columns"] else None,
                sheet=options["sheet"],
                encoding=options["encoding"],
            )
            for note in table.notes:
                self.stdout.write(note)
            with closing(Rejected(options["rejected"], table.columns)) as rejected:
                outcome = self._run(programme, table, rejected, options)
        except (tables.TableError, MappingError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['rejected']} cannot be written: {error.strerror}.") from error
        self._report(programme, outcome, options)

    def _run(self, programme, table, rejected, options):
        quiet = not options["verbosity"] or not self.stderr.isatty()
        with many_objects(), tqdm(total=table.length, unit=" rows", disable=quiet, file=self.stderr) as bar:
            return imports.run(
                kind=options["kind"],
                table=table,
                programme=programme,
                mapping=_mapping(options["map"]),
                dry_run=options["dry_run"],
                dates=options["dates"],
                status=options["status"],
                refused=rejected.write,
                progress=lambda number: bar.update(number - bar.n),
            )

    def _report(self, programme, outcome, options):
        would = "would be" if options["dry_run"] else "are"
        self.stdout.write(
            f"{outcome.new:,} rows {would} new, {outcome.known:,} were known, {outcome.refused:,} are refused. "
            f"{outcome.people:,} members {would} new."
        )
        if options["kind"] == "transactions":
            self.stdout.write(f"The new purchases are worth {outcome.total:,} {programme.currency}.")
        elif options["kind"] == "balances":
            self.stdout.write(f"The new balances hold {outcome.total:,} points.")
        for reason, number in outcome.reasons.most_common():
            self.stdout.write(f"  {number:,} × {reason}")
        if outcome.refused and options["rejected"]:
            self.stdout.write(f"The refused rows are in {options['rejected']}.")
        elif outcome.refused:
            self.stdout.write("To see the refused rows, name a file for them with --rejected.")


def _mapping(pairs):
    mapping = {}
    for pair in pairs:
        name, mark, column = pair.partition("=")
        if not mark:
            raise CommandError(f"--map wants FIELD=COLUMN, not {pair}.")
        mapping[name.strip()] = column.strip()
    return mapping


def _statuses():
    from oscar.core.loading import get_model

    return list(get_model("order", "Order").all_statuses())
