"""Taking earnings back and giving spends back: the two halves of :func:`oscar_loyalty.ledger.books.reverse`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, Sum

from oscar_loyalty.ledger.exceptions import Blocked
from oscar_loyalty.ledger.pages import Page, free, in_order, model


def claw_back(
    page: Page,
    chain: Sequence[int],
    entry: Any,
    asked: int,
    at: datetime,
    policy: str,
    why: dict[str, Any],
    common: dict[str, Any],
) -> Any:
    lots = list(in_order(model("Lot").objects.filter(Q(entry=entry) | Q(origin__entry=entry), account__in=chain)))
    expired = _total(model("LotUse").objects.filter(lot__in=lots, entry__kind="expire"))
    before = [row.explanation for row in _reversals(entry)]
    taken_before = sum(detail["asked"] - detail["expired"] for detail in before)
    wanted = max(0, min(asked, entry.units - expired - taken_before))
    taken: list[tuple[Any, int]] = []
    rest = wanted
    own = [page.lot(lot) for lot in lots if lot.account_id == page.account.pk]
    for lot in own:
        part = min(free(lot), rest) if lot.expires_at is None or lot.expires_at > at else 0
        if part > 0:
            taken.append((lot, part))
            rest -= part
    if rest:
        mine = {lot.pk for lot in own}
        for lot in page.open_lots(at, pending=True):
            if lot.pk in mine:
                continue
            part = min(free(lot), rest)
            taken.append((lot, part))
            rest -= part
            if not rest:
                break
    if rest and policy == "block":
        raise Blocked(f"{rest} of these units have been spent.")
    written_off = rest if policy == "write_off" else 0
    owed = rest if policy == "debt" else 0
    page.account.debt += owed
    detail = {**why, "asked": asked, "expired": asked - wanted, "written_off": written_off, "owed": owed}
    written = page.post(kind="clawback", units=-(wanted - written_off), explanation=detail, **common)
    for lot, part in taken:
        page.take(written, lot, part)
    return written


def give_back(
    page: Page,
    entry: Any,
    asked: int,
    done: int,
    at: datetime,
    grace: timedelta,
    why: dict[str, Any],
    common: dict[str, Any],
) -> Any:
    written = page.post(kind="return", units=asked, explanation=why, **common)
    skip, rest = done, asked
    late: list[Any] = []
    uses = model("LotUse").objects.filter(entry=entry, units__gt=0).select_related("lot").order_by("-pk")
    for use in uses:
        passed = min(skip, use.units)
        skip -= passed
        part = min(use.units - passed, rest)
        if part <= 0:
            continue
        rest -= part
        lot = use.lot
        gone = lot.expires_at is not None and lot.expires_at <= at
        if lot.account_id != page.account.pk:
            # The account was merged since: the units go on where it has gone, with the dates they had.
            expires_at = at + grace if gone else lot.expires_at
            heir = {"usable_from": lot.usable_from, "expires_at": expires_at, "origin": lot.origin or lot}
            page.add_lot(written, part, **heir)
            continue
        lot = page.lot(lot)
        page.take(written, lot, -part)
        page.pay(written, lot)
        if gone:
            late.append(lot)
    if late:
        fields = {**common, "key": f"{common['key']}:grace", "effective_at": at}
        detail = {"why": "grace", "was": max(lot.expires_at for lot in late).isoformat()}
        page.post(kind="extended", units=0, explanation=detail, **fields)
        for lot in late:
            lot.expires_at = at + grace
            page.stop(lot, at)
            page.touch(lot, times=True)
            page.watch(lot)
    return written


def _reversals(entry: Any) -> Any:
    return model("Entry").objects.filter(reverses=entry, kind__in=["clawback", "return"])


def _total(rows: Any) -> int:
    return rows.aggregate(total=Sum("units"))["total"] or 0
