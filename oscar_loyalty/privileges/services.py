"""All writes of early access: made, changed, ended by hand, and going on after all."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.privileges.exceptions import WrongWindow


def _model() -> Any:
    return get_model("loyalty_privileges", "EarlyAccess")


def _lock(window: Any) -> Any:
    return _model().objects.select_for_update(no_key=True).get(pk=window.pk)


@transaction.atomic
def create(
    *,
    programme: Any,
    tier: Any,
    target: Any,
    ends_at: datetime,
    key: str,
    opens_at: datetime | None = None,
    actor: Ref = NOBODY,
    **fields: Any,
) -> Any:
    """Let only members of ``tier`` and above have ``target`` from ``opens_at`` (default: now) until ``ends_at``.

    ``target`` is a product (or one variant), a range or an offer of Oscar's. ``fields`` are those of
    :class:`~oscar_loyalty.privileges.abstract_models.AbstractEarlyAccess`. The same ``key`` again returns the first.

    :raises WrongWindow: with the field that makes no sense.
    """
    before = _model().objects.filter(key=key).first()
    if before is not None:
        return before
    now = clock.now()
    row = _model()(programme=programme, created_at=now, key=key, actor_type=actor.type, actor_id=actor.id)
    return _store(row, tier=tier, target=target, opens_at=opens_at or now, ends_at=ends_at, fields=fields)


@transaction.atomic
def change(*, window: Any, tier: Any, target: Any, opens_at: datetime, ends_at: datetime, **fields: Any) -> Any:
    """Let ``window`` be something else from now on.

    :raises WrongWindow: with the field that makes no sense; ``""`` where it has ended meanwhile.
    """
    row = _lock(window)
    if row.is_over():
        raise WrongWindow("", _("It has ended meanwhile."))
    return _store(row, tier=tier, target=target, opens_at=opens_at, ends_at=ends_at, fields=fields)


def _store(row: Any, *, tier: Any, target: Any, opens_at: datetime, ends_at: datetime, fields: dict[str, Any]) -> Any:
    if ends_at <= opens_at:
        raise WrongWindow("ends_at", _("It ends before it begins."))
    if ends_at <= clock.now():
        raise WrongWindow("ends_at", _("That moment is past."))
    if tier.programme_id != row.programme_id or tier.removed_at is not None:
        raise WrongWindow("tier", _("There is no such tier in this programme."))
    names = {get_model("catalogue", "Product"): "product", get_model("offer", "Range"): "range"}
    kind = next((name for model, name in names.items() if isinstance(target, model)), "offer")
    for name in ("product", "range", "offer"):
        setattr(row, name, target if name == kind else None)
    row.tier, row.opens_at, row.ends_at = tier, opens_at, ends_at
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


@transaction.atomic
def end(*, window: Any) -> Any:
    """End it now: it is everybody's. Ended twice, nothing changes."""
    row = _lock(window)
    if not row.is_over():
        row.ended_at = clock.now()
        row.save(update_fields=["ended_at"])
    return row


@transaction.atomic
def go_on(*, window: Any) -> Any:
    """Take back that it was ended by hand.

    :raises WrongWindow: when its own end has come meanwhile.
    """
    row = _lock(window)
    if row.ended_at is None:
        return row
    if not row.can_go_on:
        raise WrongWindow("ends_at", _("That moment is past."))
    row.ended_at = None
    row.save(update_fields=["ended_at"])
    return row
