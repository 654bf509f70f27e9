"""The owner's list of claimed rewards, and what can be done about one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import FilteredListView, ProgrammeMixin, actor
from oscar_loyalty.dashboard.rewards.forms import CancelForm, ClaimFilterForm, GiveForm
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.selectors import is_own
from oscar_loyalty.rewards import selectors, services
from oscar_loyalty.rewards.exceptions import RewardError


class ClaimListView(FilteredListView):
    template_name = "oscar_loyalty/dashboard/rewards/claims.html"
    form_class = ClaimFilterForm

    def get_form_kwargs(self):
        return {"programme": self.programme}

    def get_rows(self):
        asked = self.filters
        return selectors.search(
            self.programme, words=asked.get("q") or "", state=asked.get("state") or "", reward=asked.get("reward")
        )


class ClaimView(ProgrammeMixin, generic.FormView):
    """One claim; what is typed here cancels it."""

    template_name = "oscar_loyalty/dashboard/rewards/claim.html"
    form_class = CancelForm

    @cached_property
    def claim(self) -> Any:
        rows = get_model("loyalty_rewards", "Claim").objects.filter(reward__programme=self.programme)
        rows = rows.select_related("reward__programme", "member__programme", "order", "voucher")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    def get_context_data(self, **kwargs):
        claim = self.claim
        broken = selectors.is_broken(claim)
        return super().get_context_data(
            claim=claim,
            how=selectors.how(claim.reward),
            broken=broken,
            own=is_own(claim.member, self.request.user),
            **kwargs,
        )

    def back(self):
        return redirect("loyalty-dashboard:loyalty-reward-claim", uuid=self.claim.uuid)


class ClaimUseView(ClaimView):
    """Marks it as used, or a donation as done."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        try:
            services.use(claim=self.claim, actor=actor(request))
            messages.success(request, _("Done.") if self.claim.reward.kind == "donation" else _("Marked as used."))
        except RewardError as error:
            messages.error(request, str(error))
        return self.back()


class ClaimRenewView(ClaimView):
    """Makes another voucher where the first was deleted among the shop's own."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        try:
            services.renew(claim=self.claim)
        except RewardError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("It has a voucher again."))
        return self.back()


class ClaimCancelView(ClaimView):
    def get(self, request, *args, **kwargs):
        return self.back()

    def form_valid(self, form):
        try:
            services.withdraw(claim=self.claim, why=form.cleaned_data["reason"], user=self.request.user)
        except RewardError as error:
            if error.code == "own":
                raise PermissionDenied from error
            form.add_error(None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("It has been cancelled."))
        return self.back()


class MemberGiveView(ProgrammeMixin, generic.FormView):
    """Gives a member a reward as a present."""

    template_name = "oscar_loyalty/dashboard/rewards/give.html"
    form_class = GiveForm

    @cached_property
    def member(self) -> Any:
        rows = get_model("loyalty_members", "Member").objects.filter(programme=self.programme, merged_into__isnull=True)
        member = get_object_or_404(rows.select_related("programme", "tier"), pk=self.kwargs["pk"])
        if member.status == "closed":
            raise Http404
        return member

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "programme": self.programme}

    def get_context_data(self, **kwargs):
        latest = selectors.claims_of(self.member)[:5]
        return super().get_context_data(member=self.member, claims=latest, **kwargs)

    def form_valid(self, form):
        try:
            with form.once():
                services.present(
                    reward=form.cleaned_data["reward"],
                    member=self.member,
                    key=f"dashboard:{self.request.user.pk}:{form.cleaned_data['token']}",
                    say=form.cleaned_data["reason"],
                    user=self.request.user,
                )
        except RewardError as error:
            if error.code == "own":
                raise PermissionDenied from error
            form.add_error(None if error.code in ("member", "closed") else "reward", str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("Given."))
        return redirect("loyalty-dashboard:loyalty-member", pk=self.member.pk)
