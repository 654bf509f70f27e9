"""All writes of the passes: making one, devices that come and go, and finding out what has changed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from oscar_loyalty import clock
from oscar_loyalty.due import rounds
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.wallet.contents import Contents, read

BATCH = 500
#: As many devices may hold one pass; more are no family of phones but somebody who plays with the address.
DEVICES = 20
#: Of many passes, as many are looked at by one sweep, besides those that the last so many movements were about.
PART = 2_000
#: Where something about a holder is written, and how a pass and that know of whom it is.
MOVES = (
    ("member__account", "account", ("loyalty_ledger", "Entry")),
    ("member", "member", ("loyalty_members", "TierChange")),
    ("member", "member", ("loyalty_members", "StatusChange")),
)


def _model(name: str) -> Any:
    return get_model("loyalty_wallet", name)


def pass_of(*, member: Any) -> tuple[Any, Contents]:
    """Return the pass of ``member``, made at the first time, with what it shows now."""
    row, _ = _model("WalletPass").objects.get_or_create(member=member, defaults={"changed_at": clock.now()})
    return refresh(wallet_pass=row)


@transaction.atomic
def refresh(*, wallet_pass: Any) -> tuple[Any, Contents]:
    """Look at what the pass shows now; if that is new, its devices are told, once."""
    row = _model("WalletPass").objects.select_for_update().get(pk=wallet_pass.pk)
    member = type(row).member.get_queryset().select_related("programme", "account", "tier").get(pk=row.member_id)
    sequence = member.account.sequence
    contents, look_at = read(member)
    if contents.digest != row.shown:
        # Whole seconds apart, since that is how finely HTTP tells moments of change.
        row.changed_at = max(clock.now(), row.changed_at + timedelta(seconds=1)) if row.shown else clock.now()
        if row.shown:
            for device in row.registrations.all():
                key = f"{device.pk}:{row.changed_at.isoformat()}"
                due.leave(kind="wallet.push", key=key, payload={"registration": device.pk})
        row.shown = contents.digest
    row.sequence, row.tier_pk, row.status, row.look_at = sequence, member.tier_id or 0, member.status, look_at
    row.save()
    return row, contents


def stale() -> QuerySet[Any]:
    """Return the passes on some device that may show something else by now."""
    devices = _model("Registration").objects.filter(wallet_pass=OuterRef("pk"))
    moved = ~Q(member__account__sequence=F("sequence")) | ~Q(member__status=F("status"))
    return (
        _model("WalletPass")
        .objects.annotate(tier_now=Coalesce(F("member__tier_id"), 0))
        .filter(Exists(devices))
        .filter(moved | ~Q(tier_now=F("tier_pk")) | Q(look_at__lte=clock.now()))
        .order_by("pk")
    )


def refresh_stale() -> int:
    """Look at every pass that may have changed; return how many were looked at.

    Where there are many, those of whom something was just written, and a part of the others.
    """
    part = rounds.part("wallet.passes", _model("WalletPass"), size=PART)
    done = sum(_refresh(some) for some in _suspects(part))
    part.over()
    return done


def _suspects(part: rounds.Part) -> Iterator[QuerySet[Any]]:
    for some in part.ranges():
        yield stale().filter(some)
    if part.is_all:
        return
    yield stale().filter(look_at__lte=clock.now())
    passes = _model("WalletPass").objects.order_by()
    for holder, of, model in MOVES:
        # Found first, by their keys: of a million members, few have a pass.
        lately = set(rounds.newest(get_model(*model), PART).values_list(of, flat=True))
        found = list(passes.filter(**{f"{holder}__in": lately}).values_list("pk", flat=True))
        yield stale().filter(pk__in=found)


def _refresh(found: QuerySet[Any]) -> int:
    done = last = 0
    while rows := list(found.filter(pk__gt=last)[:BATCH]):
        for row in rows:
            refresh(wallet_pass=row)
        done, last = done + len(rows), rows[-1].pk
    return done


@transaction.atomic
def register(*, wallet_pass: Any, device: str, push_token: str) -> bool:
    """Note that ``device`` holds the pass; return whether that is new."""
    _row, created = _model("Registration").objects.update_or_create(
        wallet_pass=wallet_pass,
        device=device,
        defaults={"push_token": push_token},
        create_defaults={"push_token": push_token, "registered_at": clock.now()},
    )
    if created:
        kept = wallet_pass.registrations.order_by("-registered_at", "-pk").values("pk")[:DEVICES]
        wallet_pass.registrations.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
    return created


def unregister(*, wallet_pass: Any, device: str) -> None:
    """Forget that ``device`` holds the pass."""
    _model("Registration").objects.filter(wallet_pass=wallet_pass, device=device).delete()


def forget(*, registration: Any) -> None:
    """Forget a device that Apple says is gone, unless it has come back with another token in the meantime."""
    _model("Registration").objects.filter(pk=registration.pk, push_token=registration.push_token).delete()


def look_again(*, passes: QuerySet[Any]) -> None:
    """Have the next sweep look at ``passes``: a name or a colour on them has changed, and no entry tells of that."""
    passes.update(look_at=clock.now())
