"""Whoever gives away more than they allowed themselves is asked once more."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from oscar_loyalty.earning import margin, rules, specs
from oscar_loyalty.earning.laid import TARGETS
from oscar_loyalty.loading import get_model


class GuardMixin:
    """A page that publishes rules. The box that says "I know" carries what was known: if it gets worse, it is asked
    again."""

    def too_much(self, changes: Iterable[Any]) -> margin.Case | None:
        """Return the worst case of ``changes`` if it is beyond the owner's limit and not known yet."""
        return beyond(self.programme, changes, self.request.POST.get("known", ""))

    def too_generous(self, programme: Any, *, tier: Any = None) -> margin.Case | None:
        """Return the worst case of a programme, or a tier of it, as it would be saved, as :meth:`too_much` does."""
        return _unknown(margin.worse(programme, tier=tier), self.request.POST.get("known", ""))


def beyond(programme: Any, changes: Iterable[Any], known: str) -> margin.Case | None:
    """Return the worst case of ``changes`` if it is beyond the owner's limit, and worse than what was ``known``."""
    return _unknown(margin.worst(programme, changes), known)


def _unknown(case: margin.Case | None, known: str) -> margin.Case | None:
    if case is None or not case.is_too_much:
        return None
    try:
        percent = Decimal(known)
    except InvalidOperation:
        return case
    return None if percent.is_finite() and percent >= case.percent else case


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


def points_change(programme: Any, product: Any, points: int) -> Any:
    """Return a product's own points as a change that is not saved."""
    Rule, Item = get_model("loyalty_earning", "Rule"), get_model("loyalty_earning", "DraftItem")
    rule = Rule.objects.filter(programme=programme, kind="unit", state="live", product=product).first()
    target = "variant" if product.is_child else "product"
    spec = specs.clean_spec("unit", rules.with_points(rule, points))
    return Item(rule=rule, kind="unit", target=target, product=product, spec=spec)
