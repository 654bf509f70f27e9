"""Writing the programme's limits: stacking, caps and the budget."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty.earning import allowance, explain, margin, specs
from oscar_loyalty.loading import get_model

FIELDS = ("stacking", "cap_order", "cap_day", "cap_member", "budget", "budget_since", "budget_until", "margin_limit")


def save_limits(*, programme: Any, **fields: Any) -> Any:
    """Change the limits and return them; they hold for what is given from now on.

    What was given within the budget's dates before is reckoned anew, and counts.

    :raises ValidationError: for a limit of nothing, an end before its beginning, or stacking by which the boosters in
        force would multiply beyond all measure.
    """
    try:
        return _save(programme, fields)
    except ValidationError:
        # Whoever holds this programme sees what holds.
        programme._state.fields_cache.pop("earning_policy", None)
        raise


@transaction.atomic
def _save(programme: Any, fields: dict[str, Any]) -> Any:
    Policy = get_model("loyalty_earning", "EarningPolicy")
    row, _made = Policy.objects.get_or_create(programme=programme)
    row = Policy.objects.select_for_update().get(pk=row.pk)
    stacking, budget = row.stacking, row.budget
    for name in FIELDS:
        if name in fields:
            setattr(row, name, fields[name])
    row.full_clean(exclude=["programme"])
    if budget is None and row.budget is not None:
        # Without a budget no award has asked for our lock.
        allowance.wait_for_awards()
    row.budget_used = 0 if row.budget is None else allowance.used(row)
    row.save()
    # Whoever holds this programme sees what holds from now on.
    programme.earning_policy = row
    if row.stacking != stacking:
        found = margin.times_in_force(programme)
        if found > specs.MOST_TIMES:
            values = {"times": explain.number(found), "most": explain.number(specs.MOST_TIMES)}
            message = _("Boosters of the same time would multiply points by %(times)s. No more than %(most)s.") % values
            raise ValidationError({"stacking": message})
    return row
