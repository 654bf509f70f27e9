"""All writes of rules. A change makes a new version; what was awarded keeps the one it came from."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import margin
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.earning.specs import KINDS, clean_spec
from oscar_loyalty.fields import data_of
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


@transaction.atomic
def publish_rule(*, programme: Any, rule: Any = None, happened_at: datetime | None = None, **fields: Any) -> Any:
    """Publish a rule, or, with ``rule``, another version of it, in force from ``happened_at``; return the version.

    ``kind``: "unit", "amount", "order", "visit", "exclude", "booster"; ``target``: "product", "variant", "class",
    "category", "range" with its ``target_object``, or "everything". ``spec``: ``{"points": 80}``, per amount
    ``{"points": 2, "per": "1.00", "threshold": "5.00"}``, nothing for "exclude", for a booster ``{"times": 2}`` or
    ``{"plus": 50}``; each may have ``when`` and ``caps`` (:mod:`oscar_loyalty.earning.specs`). Kind and target of a
    rule stay; the same spec and name again publish nothing. ``name`` (text by language) and ``actor`` may be told.

    :raises WrongRule: when it makes no sense, multiplies beyond all measure together with others, or a later version
        exists already.
    """
    version = write_version(programme=programme, rule=rule, happened_at=happened_at, **fields)
    if "times" in version.spec:
        margin.check_times(programme, [as_change(version)])
    return version


def as_change(version: Any) -> Any:
    """Return a published version in the form of a draft's change, as :mod:`~oscar_loyalty.earning.margin` asks it."""
    rule = version.rule
    same = {
        field: getattr(rule, field) for field in ("kind", "target", "product", "product_class", "category", "range")
    }
    return _model("DraftItem")(rule=rule, spec=version.spec, name=version.name, **same)


def write_version(
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
    """Write a version as :func:`publish_rule` does, without a look at the rules beside it: a draft's are seen together.

    :raises WrongRule: when it makes no sense in itself, or a later version exists already.
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
    last = rule.versions.order_by("-number").first()
    name, until = name or (last and last.name) or rule.name, None
    if last is not None:
        if last.spec == clean and _alike(name, last.name or rule.name):
            return last
        if last.valid_from > at:
            raise WrongRule(_("Other numbers are to begin later. Call them off first."))
        until = last.valid_to
        if until is not None and until <= at:
            raise WrongRule(_("The rule has ended."))
        _close(last, at)
    if not _alike(name, rule.name):
        _rename(rule, name, at)
    return _model("RuleVersion").objects.create(
        rule=rule,
        name=name,
        number=last.number + 1 if last else 1,
        spec=clean,
        valid_from=at,
        # The rule is to end then: other numbers until then do not change that.
        valid_to=until,
        published_by_type=actor.type,
        published_by=actor.id,
    )


def _alike(name: Any, other: Any) -> bool:
    return (data_of(name) or "") == (data_of(other) or "")


def _rename(rule: Any, name: Any, at: datetime) -> None:
    """Give a rule its new name, or leave word to do so once the version with that name begins."""
    if at <= clock.now():
        rule.name = name
        rule.save(update_fields=["name"])
    else:
        due.again(kind="earning.name_rule", key=f"rule:{rule.pk}", payload={"rule": rule.pk}, at=at)


@transaction.atomic
def settle_name(*, rule: Any) -> Any:
    """Call a rule what its version in force is called; safe at any time, and again."""
    row = _model("Rule").objects.select_for_update().get(pk=rule.pk)
    begun = row.versions.filter(valid_from__lte=clock.now()).order_by("-number").first()
    if begun is not None and begun.name and not _alike(begun.name, row.name):
        row.name = begun.name
        row.save(update_fields=["name"])
    return row


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

    0 is a number like others: the product brings nothing. Conditions and caps of its rule stay. The same value again
    publishes no new version. Return the version in force, or ``None``.

    :raises WrongRule: for a number below zero, or parts of points.
    :raises ValueError: when the site has no programme.
    """
    programme = programme or members.programme_of()
    if programme is None:
        raise ValueError("This site has no loyalty programme.")
    # Locked, so that what is kept of its last version is the last.
    live = _model("Rule").objects.filter(programme=programme, kind="unit", state="live", product=product)
    rule = live.select_for_update().first()
    if points is None:
        if rule is not None:
            end_rule(rule=rule, actor=actor, happened_at=happened_at)
        return None
    fields: dict[str, Any] = {"programme": programme, "kind": "unit", "actor": actor, "happened_at": happened_at}
    if rule is None:
        target = "variant" if product.is_child else "product"
        try:
            with transaction.atomic():
                return publish_rule(spec=with_points(None, points), target=target, target_object=product, **fields)
        except IntegrityError:
            # Two people saved the same form; the second sees the first's rule.
            rule = live.select_for_update().get()
    return publish_rule(spec=with_points(rule, points), rule=rule, **fields)


def with_points(rule: Any, points: Decimal | int) -> dict[str, Any]:
    """Return what ``rule`` (``None``: a new one) says last, with other points: its conditions and caps stay."""
    last = rule.versions.order_by("-number").first() if rule is not None else None
    return {**(last.spec if last is not None else {}), "points": points}
