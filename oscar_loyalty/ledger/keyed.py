"""What every operation of the books shares: what it is about, and its key.

Private to :mod:`oscar_loyalty.ledger.books`, which passes :class:`Ref` on.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError

from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.ledger.pages import Pages, Refused, model
from oscar_loyalty.ledger.rows import insert

#: Kinds that only the books themselves give. Their entries follow from others and are not reversed by themselves.
OWN_KINDS = {"expire", "clawback", "return", "transfer", "merge", "matured", "extended", "repaid"}


@dataclass(frozen=True)
class Ref:
    """Names a row of another room without a constraint: ``Ref("order", "100042")``."""

    type: str = ""
    id: str = ""

    @classmethod
    def of(cls, type: str, id: Any) -> "Ref":
        return cls(type, str(id))


NOBODY = Ref()
_compact = json.JSONEncoder(separators=(",", ":")).encode


def above_zero(units: int) -> None:
    if not isinstance(units, int) or isinstance(units, bool) or units <= 0:
        raise ValueError("Units must be a whole number above zero.")


def free_kind(kind: str) -> None:
    if kind in OWN_KINDS:
        raise ValueError(f"The kind {kind!r} is given by the books themselves.")


def pk(account: Any) -> int:
    return account if isinstance(account, int) else account.pk


def digest(operation: str, account: int, units: int | None, *more: Any) -> str:
    return hashlib.sha256(_compact([operation, account, units, *more]).encode()).hexdigest()


def same_pair(known: dict[str, Any], keys: tuple[str, str], digest: str) -> tuple[Any, Any]:
    if len(known) < len(keys):
        raise KeyConflict(f"The key {next(iter(known))} has been used for something else.")
    return same(known[keys[0]], digest), same(known[keys[1]], digest)


def same(row: Any, digest: str) -> Any:
    if row.digest != digest:
        raise KeyConflict(f"The key {row.key} has been used for something else.")
    return row


def refs(source: Ref, actor: Ref) -> dict[str, str]:
    return {
        "source_type": source.type,
        "source_id": source.id,
        "actor_type": actor.type,
        "actor_id": actor.id,
    }


def flush(pages: Pages, written: Iterable[str]) -> None:
    """Write the pages, with entries under these keys."""
    try:
        pages.flush()
    except IntegrityError as error:
        raise Refused(written) from error


def create_hold(pages: Pages, row: Any) -> None:
    try:
        insert(pages.cursor, model("Hold"), [row])
    except IntegrityError as error:
        raise Refused([row.key], "Hold") from error


def note(entry: Any, text: str) -> None:
    if text:
        model("EntryNote").objects.create(entry=entry, text=text)
