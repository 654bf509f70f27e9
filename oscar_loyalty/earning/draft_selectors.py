"""All reads of drafts: lists, and what each change says, before and after, in the reader's language."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from oscar_loyalty.earning import words
from oscar_loyalty.loading import get_model

NEW, CHANGED, ENDS, SAME = "new", "changed", "ends", "same"
RELATED = ("product__parent", "product_class", "category", "range")


@dataclass(frozen=True)
class Change:
    """A change of a draft in words. ``kind``: "new", "changed", "ends", or "same" where it is left as it is.

    ``before`` is what the rule says (empty for a new one), ``after`` what it is to say (empty where it ends).
    """

    item: Any
    kind: str
    about: str
    name: str
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """Say it in one line: "1 petal per €1 → 2 petals per €1"."""
        if self.kind == NEW:
            return self.after
        if self.kind == ENDS:
            return _("%(before)s → nothing") % {"before": self.before}
        if self.kind == SAME:
            return _("%(before)s, as it is") % {"before": self.before}
        return f"{self.before} → {self.after}"


def drafts_of(programme: Any, *, state: str = "draft") -> QuerySet[Any]:
    """Return the drafts in a state with the ``number`` of their changes, the last changed first."""
    rows = get_model("loyalty_earning", "Draft").objects.filter(programme=programme, state=state)
    return rows.annotate(number=Count("items")).order_by("-updated_at", "-pk")


def items_of(draft: Any) -> QuerySet[Any]:
    """Return the changes of a draft, with all that :func:`changes` asks of them."""
    return draft.items.select_related("rule__category", *RELATED).prefetch_related("rule__versions").order_by("pk")


def changes(items: Iterable[Any], programme: Any, names: dict[str, str] | None = None) -> list[Change]:
    """Say the changes of :func:`items_of`; ``names`` are those of the tiers, looked up when they are not given."""
    names = words.tier_names(programme) if names is None else names
    return [_change(item, programme, names) for item in items]


def _change(item: Any, programme: Any, names: dict[str, str]) -> Change:
    after = "" if item.ends else _says(item, item.spec, programme, names)
    before, kind = "", NEW
    if item.base_number is not None:
        versions = {version.number: version for version in item.rule.versions.all()} if item.rule else {}
        base = versions.get(item.base_number)
        before = _says(item, base.spec, programme, names) if base else _("A rule that is no more")
        renamed = item.rule is not None and str(item.rule.name) != str(item.name)
        same = base is not None and base.spec == item.spec and not renamed
        kind = ENDS if item.ends else SAME if same else CHANGED
    return Change(item, kind, words.applies_to(item), str(item.name), before, after)


def _says(item: Any, spec: dict[str, Any], programme: Any, names: dict[str, str]) -> str:
    return words.sentence(item, spec, programme, names, staff=True)


def rules_left(draft: Any) -> QuerySet[Any]:
    """Return the rules in force that a draft says nothing about yet, with their targets and versions."""
    rules = get_model("loyalty_earning", "Rule").objects.filter(programme=draft.programme_id, state="live")
    rules = rules.exclude(pk__in=draft.items.filter(rule__isnull=False).values("rule"))
    return rules.select_related(*RELATED).prefetch_related("versions").order_by("pk")
