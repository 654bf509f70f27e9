"""Points added or taken by hand, with a reason that the member sees."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.earning.exceptions import AlreadyDecided, NotAllowed, NotEnough, OwnAccount, SamePerson
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import Earning, Ref
from oscar_loyalty.ledger.exceptions import InsufficientUnits
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.selectors import is_own


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


@transaction.atomic
def request_adjustment(
    *, programme: Any, members: Sequence[Any], units: int, reason: str, key: str, user: Any, notify: bool = True
) -> Any:
    """Add (``units`` above zero) or take (below) points for each of ``members`` and return the adjustment.

    Done at once up to the programme's limit (all members together); above, it waits for a second person: its ``state``
    is "waiting". The same ``key`` returns the same adjustment. With ``notify``, the members are told once it is done.

    :raises NotAllowed: without the permission ``loyalty_members.adjust_points``.
    :raises OwnAccount: when the user is one of the members.
    :raises NotEnough: when a member has fewer points than are to be taken; nobody's are taken then.
    :raises ValueError: without members, units or a reason.
    """
    members = list({member.pk: member for member in members}.values())
    if not members or not units or not reason.strip():
        raise ValueError("An adjustment needs members, points and a reason.")
    if any(member.programme_id != programme.pk for member in members):
        raise ValueError("The members belong to another programme.")
    _may(user, "adjust_points")
    _not_own(user, members)
    Adjustment = _model("Adjustment")
    known = Adjustment.objects.filter(key=key).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            adjustment = Adjustment.objects.create(
                programme=programme,
                key=key,
                units=units,
                reason=reason.strip(),
                notify=notify,
                requested_by=user,
                requested_at=clock.now(),
            )
    except IntegrityError:
        # The form was sent twice in the same moment.
        return Adjustment.objects.get(key=key)
    Item = _model("AdjustmentItem")
    Item.objects.bulk_create([Item(adjustment=adjustment, member=member) for member in members])
    if abs(units) * len(members) <= programme.adjust_limit:
        _do(adjustment)
    return adjustment


@transaction.atomic
def approve(*, adjustment: Any, user: Any) -> Any:
    """Do an adjustment that waits; return it.

    :raises NotAllowed: without the permission ``loyalty_members.approve_points``.
    :raises SamePerson: when the user asked for it.
    :raises OwnAccount: when the user is one of its members.
    :raises AlreadyDecided: when it was refused.
    :raises NotEnough: as :func:`request_adjustment`.
    """
    _may(user, "approve_points")
    row = _locked(adjustment)
    if row.requested_by_id == user.pk:
        raise SamePerson(_("Somebody else has to approve what you asked for."))
    _not_own(user, [item.member for item in row.items.select_related("member")])
    if row.state == "done":
        return row
    if row.state == "refused":
        raise AlreadyDecided(_("This adjustment was refused before."))
    row.decided_by, row.decided_at = user, clock.now()
    _do(row)
    return row


@transaction.atomic
def refuse(*, adjustment: Any, user: Any) -> Any:
    """Refuse an adjustment that waits; its requester may do so too. Return it.

    :raises NotAllowed: without the permission.
    :raises AlreadyDecided: when it was done.
    """
    row = _locked(adjustment)
    if row.requested_by_id != user.pk:
        _may(user, "approve_points")
    if row.state == "done":
        raise AlreadyDecided(_("This adjustment was done before."))
    if row.state == "waiting":
        row.state, row.decided_by, row.decided_at = "refused", user, clock.now()
        row.save(update_fields=["state", "decided_by", "decided_at"])
    return row


def _locked(adjustment: Any) -> Any:
    return _model("Adjustment").objects.select_for_update().get(pk=adjustment.pk)


def _may(user: Any, permission: str) -> None:
    if user is None or not user.has_perm(f"loyalty_members.{permission}"):
        raise NotAllowed(_("You may not do this."))


def _not_own(user: Any, members: Sequence[Any]) -> None:
    if any(is_own(member, user) for member in members):
        raise OwnAccount(_("Nobody adjusts the own points."))


def _do(adjustment: Any) -> None:
    """Book the adjustment for every member, or for none."""
    at = clock.now()
    # In the order in which the ledger locks accounts, so that two adjustments cannot wait for each other.
    items = list(adjustment.items.select_related("member__account").order_by("member__account_id"))
    fields = {
        "source": Ref.of("adjustment", adjustment.pk),
        "actor": Ref.of("user", adjustment.requested_by_id),
        "explanation": {"why": "adjusted"},
        "note": adjustment.reason,
        "happened_at": at,
    }
    entries = _add(adjustment, items, at, fields) if adjustment.units > 0 else _take(adjustment, items, fields)
    for item, entry in zip(items, entries, strict=True):
        item.entry = entry
    _model("AdjustmentItem").objects.bulk_update(items, ["entry"], batch_size=500)
    if adjustment.notify:
        for item in items:
            due.leave(kind="messaging.adjusted", key=str(item.pk), payload={"item": item.pk})
    adjustment.state = "done"
    adjustment.save(update_fields=["state", "decided_by", "decided_at"])


def _key(adjustment: Any, item: Any) -> str:
    return f"adjust:{adjustment.pk}:{item.member_id}"


def _add(adjustment: Any, items: list[Any], at: datetime, fields: dict[str, Any]) -> list[Any]:
    expires_at = times.end_of_life(at, adjustment.programme.expiry_months)
    return books.earn_many(
        Earning(
            account=item.member.account_id,
            units=adjustment.units,
            key=_key(adjustment, item),
            usable_from=at,
            expires_at=expires_at,
            kind="adjust",
            **fields,
        )
        for item in items
    )


def _take(adjustment: Any, items: list[Any], fields: dict[str, Any]) -> list[Any]:
    entries = []
    for item in items:
        try:
            key = _key(adjustment, item)
            entries.append(books.adjust(account=item.member.account, units=adjustment.units, key=key, **fields))
        except InsufficientUnits as error:
            raise NotEnough(item.member, error.missing) from error
    return entries
