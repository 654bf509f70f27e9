"""Putting a membership on hold, closing it, opening it again: what it means is said first."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.dashboard.base import ProgrammeMixin, actor
from oscar_loyalty.dashboard.people.forms import StatusForm
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services, sharing
from oscar_loyalty.members.exceptions import Merged
from oscar_loyalty.members.selectors import is_own

TITLES = {
    "frozen": gettext_lazy("Put on hold"),
    "closed": gettext_lazy("Close the membership"),
    "active": gettext_lazy("Open the membership again"),
}
SAID = {
    "active": gettext_lazy("The membership is active again."),
    "frozen": gettext_lazy("The membership is on hold: nothing is earned or spent until you end this."),
    "closed": gettext_lazy("The membership is closed."),
}


class MemberMixin(ProgrammeMixin):
    """A page about one member."""

    @cached_property
    def member(self) -> Any:
        members = get_model("loyalty_members", "Member").objects.filter(programme=self.programme)
        members = members.select_related("account", "tier", "user", "programme", "merged_into")
        return get_object_or_404(members, pk=self.kwargs["pk"])

    def back(self) -> Any:
        return redirect("loyalty-dashboard:loyalty-member", pk=self.member.pk)


class MemberStatusView(MemberMixin, generic.FormView):
    template_name = "oscar_loyalty/dashboard/people/status.html"
    form_class = StatusForm

    def dispatch(self, request, *args, **kwargs):
        self.request = request
        if kwargs["status"] not in TITLES:
            raise Http404
        if self.programme is not None and is_own(self.member, request.user):
            # Who is on hold does not end it, and nobody closes the own membership by mistake.
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request, *args, **kwargs):
        if self.member.merged_into_id is not None or self.member.status == kwargs["status"]:
            return self.back()
        return super().get(request, *args, **kwargs)

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "member": self.member, "status": self.kwargs["status"]}

    def get_context_data(self, **kwargs):
        status = self.kwargs["status"]
        return super().get_context_data(
            member=self.member,
            status=status,
            title=TITLES[status],
            balance=ledger.balance(self.member.account),
            gifts=sharing.open_gifts(source=self.member).count(),
            **kwargs,
        )

    def form_valid(self, form):
        data = form.cleaned_data
        try:
            services.set_status(
                member=self.member,
                status=self.kwargs["status"],
                key=form.key,
                actor=actor(self.request),
                reason=data["reason"],
                shown=data["shown"],
                notify=data.get("notify", False),
            )
        except Merged:
            messages.error(self.request, _("This membership was joined with another, for good."))
        else:
            messages.success(self.request, SAID[self.member.status])
        return self.back()
