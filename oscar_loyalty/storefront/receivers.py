"""Registering with an invitation: a line or two, the services decide."""

import logging

from django.contrib import messages
from django.utils.translation import gettext as _
from oscar.apps.customer.signals import user_registered

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as member_services
from oscar_loyalty.storefront import inviting

log = logging.getLogger("oscar_loyalty")


def invited_at_registration(sender, request, user, **kwargs):
    """Whoever joins while registering came by the code that was typed, or by the link that was opened."""
    try:
        programme = members.programme_for(request=request)
        typed = request.POST.get("loyalty_code", "").strip()
        member = members.member_for(user, programme)
        if member is None and typed and programme is not None:
            # To type the code of a friend is to join.
            member = member_services.join(programme=programme, user=user, source="registration")
        if member is None:
            return
        if inviting.accept(request, member, typed) is None and typed:
            messages.warning(request, _("We do not know this invitation code. You can type it again under “Friends”."))
    except Exception:
        # Registering must not fail because an invitation does.
        log.exception("The invitation of user %s could not be noted", user.pk)


def connect():
    user_registered.connect(invited_at_registration, dispatch_uid="loyalty_storefront_invited")
