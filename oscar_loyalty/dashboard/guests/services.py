"""Writes of the owner's page about guest orders."""

from typing import Any

from django.db import transaction

from oscar_loyalty.dashboard.health.services import resend_once
from oscar_loyalty.earning import claims
from oscar_loyalty.messaging import selectors as messaging
from oscar_loyalty.messaging import services as outbox


@transaction.atomic
def send_link(*, order: Any, programme: Any, tries: int, language: str) -> str:
    """Send the link of a guest order, for the first time or once more; return the address it goes to.

    ``tries`` is how often it was tried when the button was shown: pressed twice, it is sent once.
    """
    link = claims.link_for(order=order, programme=programme)
    message = messaging.of_guest_links([link]).get(link.pk)
    if message is None:
        outbox.queue_guest_order(link=link, language=language)
    else:
        resend_once(message=message, tries=tries)
    return str(link.email)
