"""What a customer does on the member pages."""

from datetime import date, timedelta
from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.account.exceptions import TooSoon
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import delivery
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.giftcards.exceptions import TooLate
from oscar_loyalty.ledger.books import Ref
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
    if row.state != "active" or delivery.is_surprise(row):
        raise ValueError("Only a card in use can be sent.")
    message = messaging.of_card(row).filter(kind="giftcard").first()
    if message is None or message.context.get("generation") != row.generation:
        due.leave(kind="giftcards.deliver", key=f"{row.uuid}:{row.generation}:again", payload={"card": row.pk})
        return
    last = max(message.created_at, message.sent_at or message.created_at)
    if message.state == "waiting" or last > clock.now() - PAUSE:
        raise TooSoon
    outbox.resend(message=message)


@transaction.atomic
def change_delivery(*, card: Any, user: Any, name: str, email: str, day: date) -> None:
    """Change whom a gift card that still waits for its day goes to, and when.

    :raises TooLate: when it has been handed over to be sent, or is out of use.
    :raises ValidationError: when the e-mail is none.
    :raises ValueError: when the day is over, or more than a year away.
    """
    actor = Ref.of("user", user.pk)
    # Under the card's lock first: whoever is about to send it decides before this, or after it.
    giftcards.set_delivery_day(card=card, day=day, actor=actor)
    giftcards.set_recipient(card=card, name=name, email=email, actor=actor)


@transaction.atomic
def send_now(*, card: Any, user: Any) -> None:
    """Send a gift card that waits for its day at once; a second click changes nothing.

    :raises TooLate: when it was not paid yet, or is out of use.
    """
    row = get_model("loyalty_giftcards", "GiftCard").objects.select_for_update(no_key=True).get(pk=card.pk)
    if row.state != "active":
        raise TooLate(f"The gift card {row.label} is not active.")
    if row.is_scheduled:
        giftcards.set_delivery_day(card=row, day=None, actor=Ref.of("user", user.pk))
