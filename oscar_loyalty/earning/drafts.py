"""Drafts of rules: written in peace, looked at, simulated, and published as one, from now or from a moment on."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.earning import margin, rules, versions
from oscar_loyalty.earning.exceptions import DraftClosed, DraftConflict, TooLate, WrongRule
from oscar_loyalty.earning.laid import ABOVE, TARGETS, DraftBook, facts_of
from oscar_loyalty.fields import data_of
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model

__all__ = [
    "ABOVE",
    "DraftBook",
    "call_off",
    "conflicts",
    "copy",
    "discard",
    "drop",
    "facts_of",
    "is_scheduled",
    "publish",
    "put",
    "rename",
    "start",
    "start_with_rules",
]


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


def _lock(draft: Any) -> Any:
    """Lock an open draft and return it."""
    row = _model("Draft").objects.select_for_update(of=("self",)).select_related("programme").get(pk=draft.pk)
    if not row.is_open:
        raise DraftClosed("The draft was published or thrown away.")
    return row


def _touch(draft: Any, actor: Ref) -> None:
    draft.updated_at = clock.now()
    draft.updated_by_type, draft.updated_by = actor.type, actor.id
    draft.save(update_fields=["updated_at", "updated_by_type", "updated_by"])


@transaction.atomic
def start(*, programme: Any, name: str, actor: Ref = NOBODY, note: str = "", key: str = "") -> Any:
    """Begin an empty draft and return it; the same ``key`` again returns the first."""
    now = clock.now()
    fields = {
        "programme": programme,
        "name": name,
        "note": note,
        "created_at": now,
        "created_by_type": actor.type,
        "created_by": actor.id,
        "updated_at": now,
        "updated_by_type": actor.type,
        "updated_by": actor.id,
    }
    if not key:
        return _model("Draft").objects.create(**fields)
    return _model("Draft").objects.get_or_create(key=key, defaults=fields)[0]


@transaction.atomic
def start_with_rules(*, programme: Any, name: str, actor: Ref = NOBODY, note: str = "", key: str = "") -> Any:
    """Begin a draft that has every rule in force as it is, to be changed, and return it; see :func:`start`.

    What is left as it is changes nothing when it is published.
    """
    row = start(programme=programme, name=name, actor=actor, note=note, key=key)
    if not row.is_open or row.items.exists():
        return row
    live = _model("Rule").objects.filter(programme=programme, state="live").prefetch_related("versions")
    items = []
    for rule in live.order_by("pk"):
        last = max(rule.versions.all(), key=lambda version: version.number, default=None)
        if last is None or last.valid_to is not None:
            continue
        ids = {f"{field}_id": getattr(rule, f"{field}_id") for field in TARGETS}
        same = {"kind": rule.kind, "target": rule.target, "name": last.name or rule.name, "spec": last.spec}
        items.append(_model("DraftItem")(draft=row, rule=rule, base_number=last.number, **same, **ids))
    _model("DraftItem").objects.bulk_create(items)
    return row


@transaction.atomic
def rename(*, draft: Any, name: str, note: str = "", actor: Ref = NOBODY) -> Any:
    """Give an open draft another name and note; return it."""
    row = _lock(draft)
    row.name, row.note = name, note
    row.save(update_fields=["name", "note"])
    _touch(row, actor)
    return row


@transaction.atomic
def put(
    *,
    draft: Any,
    item: Any = None,
    rule: Any = None,
    ends: bool = False,
    kind: str = "",
    target: str = "everything",
    target_object: Any = None,
    spec: dict[str, Any] | None = None,
    name: Any = "",
    actor: Ref = NOBODY,
) -> Any:
    """Write a change into ``draft`` and return its item: a new rule, what ``rule`` is to say, or (``ends``) its end.

    ``kind``, ``target``, ``target_object`` and ``spec`` as for :func:`oscar_loyalty.earning.rules.publish_rule`; kind
    and target of an existing rule stay. ``item``: the change of this draft that is written anew. One draft has one
    change for each rule, and does not say the same thing twice.

    :raises WrongRule: when it makes no sense.
    :raises DraftClosed: when the draft was published or thrown away.
    """
    row = _lock(draft)
    if item is not None and item.rule_id:
        rule = item.rule
    fields: dict[str, Any] = {"ends": ends, "name": name, "spec": {}, "base_number": None}
    if rule is not None:
        if rule.programme_id != row.programme_id:
            raise WrongRule("The rule is another programme's.")
        last = versions.newest(rule)
        fields |= {"kind": rule.kind, "target": rule.target, "base_number": last.number if last else 0}
        fields |= {field: getattr(rule, field) for field in TARGETS}
        if not name:
            fields["name"] = rule.name
    else:
        if kind not in rules.KINDS or (target != "everything" and target not in _model("Rule").TARGET_FIELDS):
            raise WrongRule("There is no such kind or target.")
        if (target == "everything") != (target_object is None):
            raise WrongRule("A rule is about everything, or about one thing.")
        fields |= {"kind": kind, "target": target, "ends": False, **dict.fromkeys(TARGETS)}
        if target_object is not None:
            fields[_model("Rule").TARGET_FIELDS[target]] = target_object
    if not fields["ends"]:
        fields["spec"] = rules.clean_spec(fields["kind"], spec or {})
    _touch(row, actor)
    Item = _model("DraftItem")
    if rule is not None:
        return Item.objects.update_or_create(draft=row, rule=rule, defaults=fields)[0]
    if item is not None:
        Item.objects.filter(pk=item.pk, draft=row).update(**fields)
        return Item.objects.get(pk=item.pk)
    same = {field: fields[field] for field in ("kind", "target", *TARGETS)}
    for one in row.items.filter(rule__isnull=True, **same):
        if one.spec == fields["spec"]:
            return one
    return Item.objects.create(draft=row, **fields)


@transaction.atomic
def drop(*, item: Any, actor: Ref = NOBODY) -> None:
    """Take a change out of its draft; again: nothing.

    :raises DraftClosed: when the draft was published or thrown away.
    """
    row = _lock(item.draft)
    row.items.filter(pk=item.pk).delete()
    _touch(row, actor)


@transaction.atomic
def discard(*, draft: Any, actor: Ref = NOBODY) -> Any:
    """Throw a draft away; it is kept to be looked at or copied. Return it.

    :raises DraftClosed: when it was published.
    """
    row = _model("Draft").objects.select_for_update().get(pk=draft.pk)
    if row.state == row.PUBLISHED:
        raise DraftClosed("The draft was published.")
    if row.state == row.DRAFT:
        row.state = row.DISCARDED
        row.save(update_fields=["state"])
        _touch(row, actor)
    return row


@transaction.atomic
def copy(*, draft: Any, name: str, actor: Ref = NOBODY, key: str = "") -> Any:
    """Begin a draft with the changes of another, as far as their rules are still there; return it.

    What became a rule by publishing the other is a change of that rule now, not a second one.
    """
    row = start(programme=draft.programme, name=name, actor=actor, note=draft.note, key=key)
    if row.items.exists():
        return row
    for item in draft.items.select_related("rule", "version__rule", *TARGETS):
        rule = item.rule or (item.version.rule if item.version else None)
        if rule is not None and rule.state == "ended":
            rule = None
        if item.ends and rule is None:
            continue
        whole = {"kind": item.kind, "target": item.target, "target_object": item.target_object}
        if rule is None and item.target != "everything" and item.target_object is None:
            continue
        new = {} if rule is not None else whole
        put(draft=row, rule=rule, ends=item.ends, spec=item.spec, name=item.name, actor=actor, **new)
    return row


def conflicts(draft: Any, *, at: datetime | None = None) -> list[tuple[Any, str]]:
    """Return the changes of a draft that cannot be published from ``at`` (default: now), each with the reason:

    "changed" (there is a newer version than it began with), "ended" (the rule has ended or will have), "later" (a
    version begins no sooner than ``at``), "gone" (what it is about was deleted), "taken" (the product has points
    already), "same" (a rule in force says so already).
    """
    at = at or clock.now()
    items = list(draft.items.select_related("rule", *TARGETS).prefetch_related("rule__versions").order_by("pk"))
    live = list(_model("Rule").objects.filter(programme=draft.programme, state="live").prefetch_related("versions"))
    ending = {item.rule_id for item in items if item.ends}
    found = []
    for item in items:
        why = _conflict(item, at) if item.rule_id else _clash(item, live, ending)
        if why:
            found.append((item, why))
    return found


def _conflict(item: Any, at: datetime) -> str:
    last = max(item.rule.versions.all(), key=lambda version: version.number, default=None)
    if item.rule.state == "ended" or (last is not None and last.valid_to is not None and last.valid_to <= at):
        return "ended"
    if last is not None and not item.ends and _says_same(item, last) and last.valid_to is None:
        # Whoever was faster has written the same.
        return ""
    if last is not None and last.number != item.base_number:
        return "changed"
    return "later" if last is not None and last.valid_from > at else ""


def _says_same(item: Any, version: Any) -> bool:
    named = data_of(item.name) in (data_of(version.name or item.rule.name), "", None)
    return bool(version.spec == item.spec and named)


def _clash(item: Any, live: list[Any], ending: set[int | None]) -> str:
    if item.ends:
        return "ended"
    if item.target != "everything" and item.target_object is None:
        return "gone"
    for rule in live:
        same = all(getattr(rule, f"{field}_id") == getattr(item, f"{field}_id") for field in TARGETS)
        if not same or rule.kind != item.kind or rule.target != item.target:
            continue
        if item.kind == "unit" and item.product_id:
            return "taken"
        last = max(rule.versions.all(), key=lambda version: version.number, default=None)
        if rule.pk not in ending and last is not None and last.valid_to is None and last.spec == item.spec:
            return "same"
    return ""


@transaction.atomic
def publish(*, draft: Any, at: datetime | None = None, actor: Ref = NOBODY) -> Any:
    """Publish all changes of ``draft`` from ``at`` (default: now) on and return it. Published again: nothing.

    :raises DraftConflict: with every change that does not go any more, see :func:`conflicts`; nothing is published.
    :raises DraftClosed: when it was thrown away.
    :raises WrongRule: when it is empty, or ``at`` is past.
    """
    # One at a time in a programme, so that two drafts see each other; the order of locks is programme, draft, rules.
    get_model("loyalty_members", "Programme").objects.select_for_update(no_key=True).get(pk=draft.programme_id)
    row = _model("Draft").objects.select_for_update(of=("self",)).select_related("programme").get(pk=draft.pk)
    if row.state == row.PUBLISHED:
        return row
    if not row.is_open:
        raise DraftClosed("The draft was thrown away.")
    now = clock.now()
    if at is not None and at < now:
        raise WrongRule(_("That moment is past."), "at")
    moment = at or now
    ids = row.items.filter(rule__isnull=False).values_list("rule", flat=True)
    list(_model("Rule").objects.select_for_update().filter(pk__in=list(ids)).order_by("pk"))
    items = list(row.items.select_related("rule__category", *TARGETS).order_by("pk"))
    if not items:
        raise WrongRule(_("The draft is empty."))
    clashes = conflicts(row, at=moment)
    if clashes:
        raise DraftConflict(clashes)
    margin.check_times(row.programme, items)
    for item in items:
        if item.ends:
            versions.end_at(rule=item.rule, at=moment, actor=actor)
            item.version = versions.newest(item.rule)
        else:
            item.version = rules.write_version(
                programme=row.programme,
                kind=item.kind,
                spec=item.spec,
                target=item.target,
                target_object=None if item.rule_id else item.target_object,
                name=item.name,
                rule=item.rule,
                actor=actor,
                happened_at=moment,
            )
        item.save(update_fields=["version"])
    row.state, row.published_at, row.valid_from = row.PUBLISHED, now, moment
    row.published_by_type, row.published_by = actor.type, actor.id
    row.save(update_fields=["state", "published_at", "valid_from", "published_by_type", "published_by"])
    return row


def is_scheduled(draft: Any) -> bool:
    """Return whether ``draft`` was published for a moment that has not come."""
    return bool(draft.state == draft.PUBLISHED and draft.valid_from and draft.valid_from > clock.now())


@transaction.atomic
def call_off(*, draft: Any, actor: Ref = NOBODY) -> Any:
    """Call off a draft that was published for a moment to come, and return it: it is open again. Again: nothing.

    What was in force goes on, and so does what others have published since.

    :raises TooLate: when that moment has come.
    :raises DraftClosed: when it was thrown away.
    """
    get_model("loyalty_members", "Programme").objects.select_for_update(no_key=True).get(pk=draft.programme_id)
    row = _model("Draft").objects.select_for_update(of=("self",)).select_related("programme").get(pk=draft.pk)
    if row.is_open:
        return row
    if row.state != row.PUBLISHED:
        raise DraftClosed("The draft was thrown away.")
    if row.valid_from is None or row.valid_from <= clock.now():
        raise TooLate(_("It is in force already: what it says can only be changed or ended."))
    items = list(row.items.select_related("rule", "version__rule").order_by("version__rule", "pk"))
    ids = {item.version.rule_id for item in items if item.version}
    list(_model("Rule").objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    for item in items:
        if item.ends:
            last = versions.newest(item.rule) if item.rule else None
            if last is not None and last.valid_to == row.valid_from:
                versions.keep(rule=item.rule)
        elif item.version and item.version.number > (item.base_number or 0):
            # What was left as it is has the version that it began with.
            versions.call_off(version=item.version)
    row.items.update(version=None)
    row.state, row.published_at, row.valid_from = row.DRAFT, None, None
    row.published_by_type = row.published_by = ""
    row.save(update_fields=["state", "published_at", "valid_from", "published_by_type", "published_by"])
    _touch(row, actor)
    return row
