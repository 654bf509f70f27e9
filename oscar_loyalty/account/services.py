"""What a customer does on the member pages."""

from datetime import timedelta
from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.account.exceptions import TooSoon
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import selectors as messaging
from oscar_loyalty.messaging import services as outbox

#: How long to wait before the same card is sent again: nobody's mailbox is to be flooded.
PAUSE = timedelta(minutes=10)


@transaction.atomic
def resend_card(*, card: Any) -> None:
    """Send a gift card that is in use to whom it is for once more.

    :raises TooSoon: when it was sent a few minutes ago.
    :raises ValueError: when the card is not in use.
    """
    row = get_model("loyalty_giftcards", "GiftCard").objects.select_for_update(no_key=True).get(pk=card.pk)
    if row.state != "active":
        raise ValueError("Only a card in use can be sent.")
    message = messaging.of_card(row).filter(kind="giftcard").first()
    if message is None or message.context.get("generation") != row.generation:
        due.leave(kind="giftcards.deliver", key=f"{row.uuid}:{row.generation}:again", payload={"card": row.pk})
        return
    last = max(message.created_at, message.sent_at or message.created_at)
    if message.state == "waiting" or last > clock.now() - PAUSE:
        raise TooSoon
    outbox.resend(message=message)
