"""The owner's pages of rewards: what can be had, a partner's codes, and what becomes of claims."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import generic

from oscar_loyalty import clock, keys
from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin, actor
from oscar_loyalty.dashboard.rewards.forms import CodesForm, PolicyForm, RewardForm, SeenCodesForm
from oscar_loyalty.loading import get_model
from oscar_loyalty.rewards import selectors, services
from oscar_loyalty.rewards.exceptions import RewardError

Reward = get_model("loyalty_rewards", "Reward")


class RewardListView(ProgrammeMixin, generic.TemplateView):
    template_name = "oscar_loyalty/dashboard/rewards/list.html"

    def get_context_data(self, **kwargs):
        found = Paginator(selectors.all_rewards(self.programme), PER_PAGE)
        page = found.get_page(self.request.GET.get("page"))
        page.object_list = list(page.object_list)
        for reward in page.object_list:
            reward.why_not = selectors.why_not(reward, clock.now())
        return super().get_context_data(
            page_obj=page, paginator=found, todo=selectors.search(self.programme, state="todo").count(), **kwargs
        )


class RewardKindView(ProgrammeMixin, generic.TemplateView):
    """Asks what it is going to be."""

    template_name = "oscar_loyalty/dashboard/rewards/kinds.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(kinds=selectors.kinds(), **kwargs)


class _RewardMixin(ProgrammeMixin):
    @cached_property
    def reward(self) -> Any:
        rows = Reward.objects.select_related("programme", "tier", "product")
        return get_object_or_404(rows, programme=self.programme, pk=self.kwargs["pk"])


class RewardView(_RewardMixin, generic.FormView):
    """A new reward of a kind, or one that is there."""

    template_name = "oscar_loyalty/dashboard/rewards/reward.html"
    form_class = RewardForm

    @cached_property
    def reward(self) -> Any:
        if "pk" in self.kwargs:
            return super().reward
        if self.kwargs["kind"] not in dict(Reward.KINDS):
            raise Http404
        return Reward(programme=self.programme, kind=self.kwargs["kind"])

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "instance": self.reward}

    def get_context_data(self, **kwargs):
        return super().get_context_data(reward=self.reward, new="pk" not in self.kwargs, **kwargs)

    def form_valid(self, form):
        try:
            if "pk" in self.kwargs:
                reward = services.save_reward(reward=form.filled())
            else:
                with form.once():
                    key = f"dashboard:{self.request.user.pk}:{form.cleaned_data['token']}"
                    reward = services.save_reward(reward=form.filled(), key=key)
        except RewardError as error:
            form.add_error(error.code if error.code in form.fields else None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("Saved. Vouchers that were claimed before keep what they promised."))
        if "pk" not in self.kwargs and reward.kind == "partner":
            return redirect("loyalty-dashboard:loyalty-reward-codes", pk=reward.pk)
        return redirect("loyalty-dashboard:loyalty-rewards")


class _CodesMixin(_RewardMixin):
    @cached_property
    def reward(self) -> Any:
        found = super().reward
        if found.kind != "partner":
            raise Http404
        return found


class RewardCodesView(_CodesMixin, generic.FormView):
    """The codes of a partner's gift: those that nobody has yet, and more, looked over before they are stored."""

    template_name = "oscar_loyalty/dashboard/rewards/codes.html"

    @property
    def seen(self) -> bool:
        """Whether the codes that come were looked over."""
        return self.request.POST.get("step") == "store"

    def get_form_class(self):
        return SeenCodesForm if self.seen else CodesForm

    def get_context_data(self, **kwargs):
        left = Paginator(selectors.codes_left(self.reward), PER_PAGE)
        kwargs.setdefault("seen", self.seen)
        return super().get_context_data(
            reward=self.reward, page_obj=left.get_page(self.request.GET.get("page")), paginator=left, **kwargs
        )

    def form_valid(self, form):
        if not self.seen:
            found = form.cleaned_data["found"]
            context = self.get_context_data(form=SeenCodesForm.of(found), seen=True, number=len(found))
            return self.render_to_response(context)
        try:
            new = services.add_codes(reward=self.reward, codes=form.cleaned_data["found"])
        except RewardError as error:
            form.add_error("codes", str(error))
            return self.form_invalid(form)
        old = len(set(form.cleaned_data["found"])) - new
        said = ngettext("%(number)s code is new.", "%(number)s codes are new.", new) % {"number": new}
        if old:
            more = ngettext("%(number)s was there already.", "%(number)s were there already.", old) % {"number": old}
            said = f"{said} {more}"
        messages.success(self.request, said)
        return redirect("loyalty-dashboard:loyalty-reward-codes", pk=self.reward.pk)


class RewardCodesRemoveView(_CodesMixin, generic.View):
    """Takes codes that nobody has got yet out of a partner's gift."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        pks = [pk for pk in map(keys.number, request.POST.getlist("code")) if pk is not None]
        gone = services.remove_codes(reward=self.reward, codes=pks, actor=actor(request))
        if gone:
            said = ngettext("%(number)s code was removed.", "%(number)s codes were removed.", gone)
            messages.success(request, said % {"number": gone})
        if not pks:
            messages.error(request, _("Choose the codes to be removed."))
        elif (kept := len(set(pks)) - gone) > 0:
            said = ngettext(
                "%(number)s code was not there to be removed any more.",
                "%(number)s codes were not there to be removed any more.",
                kept,
            )
            messages.warning(request, said % {"number": kept})
        return redirect("loyalty-dashboard:loyalty-reward-codes", pk=self.reward.pk)


class PolicyView(ProgrammeMixin, generic.FormView):
    template_name = "oscar_loyalty/dashboard/rewards/policy.html"
    form_class = PolicyForm

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "instance": selectors.policy_of(self.programme)}

    def form_valid(self, form):
        services.save_policy(programme=self.programme, **form.cleaned_data)
        messages.success(self.request, _("Saved."))
        return redirect("loyalty-dashboard:loyalty-reward-settings")
