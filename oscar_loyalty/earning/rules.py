"""All writes of rules. A change makes a new version; what was awarded keeps the one it came from."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.earning.specs import KINDS, clean_spec
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


@transaction.atomic
def publish_rule(
    *,
    programme: Any,
    kind: str,
    spec: dict[str, Any],
    target: str = "everything",
    target_object: Any = None,
    name: Any = "",
    rule: Any = None,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Publish a rule, or, with ``rule``, another version of it, in force from ``happened_at``; return the version.

    ``kind``: "unit", "amount", "order", "visit", "exclude", "booster"; ``target``: "product", "variant", "class",
    "category", "range" with its ``target_object``, or "everything". ``spec``: ``{"points": 80}``, per amount
    ``{"points": 2, "per": "1.00", "threshold": "5.00"}``, nothing for "exclude", for a booster ``{"times": 2}`` or
    ``{"plus": 50}``; each may have ``when`` and ``caps`` (:mod:`oscar_loyalty.earning.specs`). Kind and target of a
    rule stay; the same spec again publishes nothing.

    :raises WrongRule: when it makes no sense, or a later version exists already.
    """
    at = happened_at or clock.now()
    if rule is not None:
        kind = rule.kind
    if kind not in KINDS or (target != "everything" and target not in _model("Rule").TARGET_FIELDS):
        raise WrongRule("There is no such kind or target.")
    clean = clean_spec(kind, spec)
    if rule is None:
        if (target == "everything") != (target_object is None):
            raise WrongRule("A rule is about everything, or about one thing.")
        fields = {_model("Rule").TARGET_FIELDS[target]: target_object} if target_object is not None else {}
        rule = _model("Rule").objects.create(
            programme=programme, kind=kind, target=target, name=name, created_at=at, **fields
        )
    else:
        rule = _model("Rule").objects.select_for_update().get(pk=rule.pk)
        if rule.state == "ended":
            raise WrongRule(_("The rule has ended."))
        if name and name != rule.name:
            rule.name = name
            rule.save(update_fields=["name"])
    last = rule.versions.order_by("-number").first()
    until = None
    if last is not None:
        if last.spec == clean:
            return last
        if last.valid_from > at:
            raise WrongRule(_("Other numbers are to begin later. Call them off first."))
        until = last.valid_to
        if until is not None and until <= at:
            raise WrongRule(_("The rule has ended."))
        _close(last, at)
    return _model("RuleVersion").objects.create(
        rule=rule,
        number=last.number + 1 if last else 1,
        spec=clean,
        valid_from=at,
        # The rule is to end then: other numbers until then do not change that.
        valid_to=until,
        published_by_type=actor.type,
        published_by=actor.id,
    )


def _close(version: Any, at: datetime) -> None:
    if version.valid_to is None or version.valid_to > at:
        version.valid_to = at
        version.save(update_fields=["valid_to"])


@transaction.atomic
def end_rule(*, rule: Any, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """End a rule; ending it again changes nothing. Return it."""
    row = _model("Rule").objects.select_for_update().get(pk=rule.pk)
    if row.state == "live":
        row.state = "ended"
        row.ended_by_type, row.ended_by = actor.type, actor.id
        row.save(update_fields=["state", "ended_by_type", "ended_by"])
        at = happened_at or clock.now()
        for version in row.versions.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=at)):
            # One that was to begin later never does.
            _close(version, max(at, version.valid_from))
    return row


@transaction.atomic
def set_product_points(
    *,
    product: Any,
    points: Decimal | int | None,
    programme: Any = None,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Set how many points each piece of ``product`` (or variant) brings; ``None``: as the other rules say.

    0 is a number like others: the product brings nothing. The same value again publishes no new version. Return the
    version in force, or ``None``.

    :raises WrongRule: for a number below zero, or parts of points.
    :raises ValueError: when the site has no programme.
    """
    programme = programme or members.programme_of()
    if programme is None:
        raise ValueError("This site has no loyalty programme.")
    live = _model("Rule").objects.filter(programme=programme, kind="unit", state="live", product=product)
    rule = live.first()
    if points is None:
        if rule is not None:
            end_rule(rule=rule, actor=actor, happened_at=happened_at)
        return None
    fields: dict[str, Any] = {"programme": programme, "kind": "unit", "spec": {"points": points}, "actor": actor}
    if rule is None:
        target = "variant" if product.is_child else "product"
        try:
            with transaction.atomic():
                return publish_rule(**fields, target=target, target_object=product, happened_at=happened_at)
        except IntegrityError:
            # Two people saved the same form; the second sees the first's rule.
            rule = live.get()
    return publish_rule(**fields, rule=rule, happened_at=happened_at)
