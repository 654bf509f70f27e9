"""Writing the programme's limits: stacking, caps and the budget."""

from typing import Any

from django.db import transaction

from oscar_loyalty.earning import allowance
from oscar_loyalty.loading import get_model

FIELDS = ("stacking", "cap_order", "cap_day", "cap_member", "budget", "budget_since", "budget_until", "margin_limit")


@transaction.atomic
def save_limits(*, programme: Any, **fields: Any) -> Any:
    """Change the limits and return them; they hold for what is given from now on.

    What was given within the budget's dates before is reckoned anew, and counts.

    :raises ValidationError: for a limit of nothing, or an end before its beginning.
    """
    Policy = get_model("loyalty_earning", "EarningPolicy")
    row, _made = Policy.objects.get_or_create(programme=programme)
    row = Policy.objects.select_for_update().get(pk=row.pk)
    for name in FIELDS:
        if name in fields:
            setattr(row, name, fields[name])
    row.full_clean(exclude=["programme"])
    row.budget_used = 0 if row.budget is None else allowance.used(row)
    row.save()
    # Whoever holds this programme sees what holds from now on.
    programme.earning_policy = row
    return row
