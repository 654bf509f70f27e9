"""What of the messages follows a member into another."""

from typing import Any

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.merging import mover


@mover("messaging.messages", title="", columns=["loyalty_messaging.Message.member"])
def move_messages(source: Any, target: Any) -> int:
    return int(get_model("loyalty_messaging", "Message").objects.filter(member=source).update(member=target))
