"""What this room holds on a person."""

from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import hold, left_out

hold(
    "simulated",
    _("Tries of other rules"),
    lambda person: get_model("loyalty_reports", "SimulatedMember").objects.filter(member__in=person.members),
    names=["tier__name"],
    columns=["loyalty_reports.SimulatedMember.member"],
    keeps="figures of a try, deleted with it",
)

left_out("loyalty_reports.ExportFile.user", why="staff who asked for a file, which is deleted after some days")
