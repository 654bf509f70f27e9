"""What this room holds on a person: what was sent to them."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import Person, hold


def _messages(person: Person) -> Any:
    return get_model("loyalty_messaging", "Message").objects.filter(member__in=person.members)


def _erase(person: Person) -> None:
    # The goodbye may still be on its way; it forgets the address once it is sent.
    _messages(person).exclude(Q(kind="farewell") & Q(state__in=["waiting", "failed"])).delete()


hold(
    "messages",
    _("Messages to you"),
    _messages,
    without=["tries", "error"],
    columns=["loyalty_messaging.Message.member"],
    erase=_erase,
)
