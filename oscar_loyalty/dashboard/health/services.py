"""Writes of the owner's page about what went wrong."""

from typing import Any

from django.db import transaction

from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import services as messaging


@transaction.atomic
def resend_once(*, message: Any, tries: int) -> bool:
    """Send ``message`` once more, unless that was asked for since ``tries`` was seen; return whether it is now."""
    rows = get_model("loyalty_messaging", "Message").objects
    row = rows.select_for_update(no_key=True).get(pk=message.pk)
    if row.state == "waiting" or row.tries != tries:
        return False
    messaging.resend(message=row)
    return True
