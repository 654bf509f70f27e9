"""What the club holds on a person: the pages on which they are named."""

from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import hold

hold(
    "club.guests",
    _("Pages you are named on"),
    lambda person: get_model("wagtail_club", "PageGuest").objects.filter(member__in=person.members),
    names=["page__pk"],
    columns=["wagtail_club.PageGuest.member"],
    keeps="a number that names nobody any more; the group that opened the page was left with the membership",
)
