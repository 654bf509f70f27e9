"""Writes of the owner's pages about members."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oscar_loyalty.dashboard.health.services import resend_once
from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import services as messaging


def adjustment_key(user: Any, token: str) -> str:
    """Return the name of one filling-in of the form for adjustments."""
    return f"dashboard:{user.pk}:{token}"


def say(request: Any, adjustment: Any) -> None:
    """Tell what became of an adjustment that was asked for."""
    if adjustment.state == "waiting":
        messages.info(request, _("That is more than the limit: a second person has to approve it."))
        return
    number = adjustment.items.count()
    label = adjustment.programme.points_label(abs(adjustment.units))
    if adjustment.units > 0:
        text = ngettext("%(points)s added.", "%(points)s added for each of %(number)s members.", number)
    else:
        text = ngettext("%(points)s taken.", "%(points)s taken from each of %(number)s members.", number)
    messages.success(request, text % {"points": label, "number": number})


@transaction.atomic
def welcome(*, member: Any, tries: int) -> None:
    """Welcome ``member``: for the first time (a bulk enrolment is quiet), or once more."""
    message = get_model("loyalty_messaging", "Message").objects.filter(key=f"joined:{member.pk}").first()
    if message is not None:
        resend_once(message=message, tries=tries)
        return
    messaging.queue(
        kind="joined",
        key=f"joined:{member.pk}",
        to=member.email,
        language=member.language,
        context={"member": member.pk},
        member=member,
    )
