"""What of the earning room follows a member into another, and what a member who is back has to get."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.merging import mover

#: Orders of one member that are looked at again, the newest first.
MOST = 500


def _register(name: str, model: str, title: Any) -> None:
    def count(member: Any) -> int:
        return int(get_model("loyalty_earning", model).objects.filter(member=member).count())

    @mover(f"earning.{name}", title=title, count=count)
    def move(source: Any, target: Any) -> int:
        return int(get_model("loyalty_earning", model).objects.filter(member=source).update(member=target))


_register("awards", "Award", _("Points earned"))
_register("bookings", "Booking", _("Bookings"))
_register("claims", "GuestClaim", _("Guest orders"))
_register("numbers", "CustomerNumber", _("Customer numbers"))


@handler("earning.member_back")
def look_again(row: Any) -> None:
    """Review the orders that brought nothing only because their status came while the membership was on hold."""
    member = get_model("loyalty_members", "Member").objects.select_related("programme").get(pk=row.payload["member"])
    if member.user_id is None:
        return
    programme = member.programme
    orders = get_model("order", "Order").objects.filter(user=member.user_id, site=programme.site_id)
    since = max(programme.started_at, member.joined_at)
    recent = orders.filter(date_placed__gte=since).order_by("-date_placed").values_list("pk", flat=True)[:MOST]
    done = get_model("loyalty_earning", "Award").objects.filter(reference__in=[f"order:{pk}" for pk in recent])
    known = set(done.values_list("reference", flat=True))
    for pk in recent:
        if f"order:{pk}" not in known:
            due.again(kind="earning.review_order", key=str(pk), payload={"order": pk})
