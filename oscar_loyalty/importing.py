"""What every import of a table shares: which column is which, what makes a row the same as another, and the file of
refused rows."""

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from oscar_loyalty.formulas import as_text
from oscar_loyalty.tables import Row, Table


class MappingError(Exception):
    """The table's columns do not fit; ``str()`` says why."""


def choose_columns(fields: Mapping[str, bool], table: Table, mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the table's column for each of ``fields`` that it has; the value of a field says whether it must be there.

    Columns of the fields' own names are found; ``mapping`` names the others.

    :raises MappingError: when a field or column is unknown, or one is missing.
    """
    unknown = sorted(set(mapping) - set(fields))
    if unknown:
        raise MappingError(
            _("There is no field “%(field)s”; there are: %(fields)s.")
            % {"field": ", ".join(unknown), "fields": ", ".join(fields)}
        )
    lower = {column.lower().replace(" ", "_").replace("-", "_"): column for column in table.columns}
    found = {}
    for name, required in fields.items():
        column = mapping.get(name) or lower.get(name)
        if column is not None and column not in table.columns:
            raise MappingError(
                _("There is no column “%(column)s”; there are: %(columns)s.")
                % {"column": column, "columns": ", ".join(table.columns)}
            )
        if column is None and required:
            raise MappingError(
                _("Say which column is the %(field)s, with --map %(field)s=<column>; there are: %(columns)s.")
                % {"field": name, "columns": ", ".join(table.columns)}
            )
        if column is not None:
            found[name] = column
    return found


class Counted:
    """Counts the rows that say the same, in few bytes for each of millions."""

    def __init__(self) -> None:
        self._once: set[int] = set()
        self._more: dict[int, int] = {}

    def next(self, content: str) -> int:
        """Return how often ``content``, a :func:`digest`, has come by now."""
        number = int(content[:15], 16)
        if number not in self._once:
            self._once.add(number)
            return 1
        self._more[number] = self._more.get(number, 1) + 1
        return self._more[number]


def digest(*parts: Any) -> str:
    """Return a short fingerprint of a row's content, the same whatever file it comes in."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:24]


class Rejected:
    """The file of refused rows, which is made when the first one comes; without a path, nothing is."""

    def __init__(self, path: Path | None, columns: list[str]) -> None:
        self.path, self.columns = path, columns
        self.file: IO[str] | None = None

    def write(self, row: Row, reason: str) -> None:
        if self.path is None:
            return
        if self.file is None:
            self.file = self.path.open("w", newline="", encoding="utf-8-sig")
            self.writer = csv.writer(self.file)
            self.writer.writerow(["refused row", "refused because", *map(as_text, self.columns)])
        self.writer.writerow([row.number, *map(as_text, [reason, *row.raw])])

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
