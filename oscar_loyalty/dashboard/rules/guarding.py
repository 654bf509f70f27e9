"""Whoever gives away more than they allowed themselves is asked once more."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from oscar_loyalty.earning import margin, specs
from oscar_loyalty.earning.laid import TARGETS
from oscar_loyalty.loading import get_model


class GuardMixin:
    """A page that publishes rules. The box that says "I know" carries what was known: if it gets worse, it is asked
    again."""

    def too_much(self, changes: Iterable[Any]) -> margin.Case | None:
        """Return the worst case of ``changes`` if it is beyond the owner's limit and not known yet."""
        case = margin.worst(self.programme, changes)
        if case is None or not case.is_too_much:
            return None
        try:
            known = Decimal(self.request.POST.get("known", ""))
        except InvalidOperation:
            return case
        return None if known.is_finite() and known >= case.percent else case


def change_of(form: Any, *, rule: Any = None, item: Any = None) -> Any:
    """Return what a rule's form says as a change that is not saved."""
    Item = get_model("loyalty_earning", "DraftItem")
    if rule is not None:
        fields = {field: getattr(rule, field) for field in ("kind", "target", *TARGETS)}
    else:
        kind, target = form.cleaned_data["kind"], form.rule_target
        fields = {"kind": kind, "target": target}
        if form.target_object is not None:
            fields[Item._meta.get_field("rule").related_model.TARGET_FIELDS[target]] = form.target_object
    spec = specs.clean_spec(fields["kind"], form.spec)
    pk = item.pk if item is not None else None
    return Item(pk=pk, rule=rule, name=form.cleaned_data["name"], spec=spec, **fields)
