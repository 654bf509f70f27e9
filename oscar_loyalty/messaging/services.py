"""The outbox: messages are queued in the transaction of what they tell, and sent by whoever comes by."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model

#: Kind of the due rows that send.
SEND = "messaging.send"


def _model() -> Any:
    return get_model("loyalty_messaging", "Message")


@transaction.atomic
def queue(
    *,
    kind: str,
    key: str,
    to: str,
    language: str = "",
    context: dict[str, Any] | None = None,
    member: Any = None,
    at: datetime | None = None,
) -> Any:
    """Put a message into the outbox, once for each ``key``, to be sent at ``at`` (default: now); return it.

    ``context`` holds ids only: the text is written when it is sent, by the builder of ``kind``. Without an address,
    nothing is queued and ``None`` returned.
    """
    if not to:
        return None
    message, _made = _model().objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "to": to,
            "language": language or settings.LANGUAGE_CODE,
            "context": context or {},
            "member": member,
            "created_at": clock.now(),
        },
    )
    due.leave(kind=SEND, key=str(message.pk), payload={"message": message.pk}, at=at)
    return message
