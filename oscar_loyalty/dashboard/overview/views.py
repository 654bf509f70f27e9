from django.views import generic

from oscar_loyalty.dashboard.base import FromReplicaMixin, ProgrammeMixin
from oscar_loyalty.dashboard.programme import statuses
from oscar_loyalty.due import selectors as due
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.earning.beginning import beginning_of
from oscar_loyalty.giftcards import guessing
from oscar_loyalty.members import selectors as members
from oscar_loyalty.messaging import selectors as messaging
from oscar_loyalty.payments import watching
from oscar_loyalty.reports import figures
from oscar_loyalty.reports import selectors as reports


class OverviewView(FromReplicaMixin, ProgrammeMixin, generic.TemplateView):
    """How the programme is doing, and what needs attention."""

    template_name = "oscar_loyalty/dashboard/overview.html"
    needs_programme = False

    def get_context_data(self, **kwargs):
        programme = self.programme
        more = {}
        if programme is not None:
            seen = figures.overview(programme)
            more = {
                "figures": seen,
                "audit": reports.audit_light(),
                "sweep": due.light(),
                "guessing": guessing.seen(),
                "payments": watching.light(self.site),
                "waiting": earning.adjustments_waiting(programme).count(),
                "failed_mails": messaging.undelivered(self.site),
                "way": beginning_of(programme),
                "unsaid": statuses.unsaid(programme),
                "tiers": list(members.tiers(programme)),
            }
            more["calm"] = not (
                more["waiting"]
                or more["failed_mails"]
                or not more["way"].published
                or more["unsaid"]
                or more["sweep"].dead
                or more["payments"].colour == "red"
                or more["audit"].colour == "red"
                or more["guessing"].is_guessing
                or not programme.is_active
            )
            for tier in more["tiers"]:
                tier.number = seen.tiers.get(tier.pk, 0)
                tier.share = round(100 * tier.number / seen.members) if seen.members else 0
        return super().get_context_data(**more, **kwargs)
