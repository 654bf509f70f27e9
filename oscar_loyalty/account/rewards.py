"""The member's pages of rewards: what can be had, and what one has."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import generic

from oscar_loyalty import clock
from oscar_loyalty.account.friends import MemberMixin
from oscar_loyalty.account.views import AccountMixin
from oscar_loyalty.earning import explain
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.qr import svg_response
from oscar_loyalty.rewards import selectors, services
from oscar_loyalty.rewards.exceptions import RewardError

PER_PAGE = 12


class ChooseForm(forms.Form):
    """Chosen once, however often its button is pressed."""

    token = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, initial=lambda: uuid4().hex)
    #: What the page said that it costs.
    price = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)


class RewardsView(AccountMixin, generic.TemplateView):
    """All rewards: what can be had now first, then what is nearest."""

    template_name = "oscar_loyalty/account/rewards.html"
    page_title = gettext_lazy("Rewards")
    section = "rewards"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if self.programme is not None:
            cards = selectors.cards(self.programme, self.member, usable=self.usable)
            paginator = Paginator(cards, PER_PAGE)
            page = paginator.get_page(self.request.GET.get("page"))
            context.update(page_obj=page, paginator=paginator, reachable=any(card.reachable for card in cards))
        if self.member is not None:
            context["usable"] = self.usable
            context["waiting"] = selectors.open_claims(self.member).count()
        return context


class RewardView(MemberMixin, generic.FormView):
    """One reward, to be chosen; or why not."""

    template_name = "oscar_loyalty/account/reward.html"
    form_class = ChooseForm
    page_title = gettext_lazy("Reward")
    section = "rewards"

    @cached_property
    def reward(self) -> Any:
        return get_object_or_404(selectors.shown_to(self.member, clock.now()), pk=self.kwargs["pk"])

    def get_page_title(self):
        return str(self.reward.name)

    def get_context_data(self, **kwargs):
        card = selectors.card(self.reward, self.member, clock.now())
        usable = self.usable
        return super().get_context_data(
            card=card, how=selectors.how(self.reward), usable=usable, left=usable - self.reward.points, **kwargs
        )

    def form_valid(self, form):
        user = self.request.user
        key = f"account:{user.pk}:{form.cleaned_data['token']}"
        try:
            services.claim(
                reward=self.reward,
                member=self.member,
                key=key,
                price=form.cleaned_data["price"],
                actor=Ref.of("user", user.pk),
            )
        except RewardError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("Yours: %(reward)s") % {"reward": self.reward.name})
        return redirect("loyalty-account:my-rewards")


class MyRewardsView(MemberMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/my_rewards.html"
    page_title = gettext_lazy("My rewards")
    section = "rewards"

    def get_context_data(self, **kwargs):
        paginator = Paginator(selectors.own_claims(self.member), PER_PAGE)
        page = paginator.get_page(self.request.GET.get("page"))
        page.object_list = list(page.object_list)
        own = selectors.policy_of(self.programme).own_cancel if page.object_list else False
        for claim in page.object_list:
            claim.how = selectors.how(claim.reward)
            claim.may_give_back = own and selectors.can_come_back(claim)
            claim.broken = selectors.is_broken(claim)
        return super().get_context_data(page_obj=page, paginator=paginator, **kwargs)


class _ClaimMixin(MemberMixin):
    @cached_property
    def claim(self) -> Any:
        rows = selectors.claims_of(self.member).select_related("reward__programme")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])


class GiveBackView(_ClaimMixin, generic.TemplateView):
    """Asks once, then returns the points."""

    template_name = "oscar_loyalty/account/reward_back.html"
    page_title = gettext_lazy("Give it back")
    section = "rewards"

    def get(self, request, *args, **kwargs):
        if not selectors.may_give_back(self.claim):
            return redirect("loyalty-account:my-rewards")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        return super().get_context_data(claim=self.claim, **kwargs)

    def post(self, request, *args, **kwargs):
        try:
            claim = services.give_back(claim=self.claim, user=request.user)
        except RewardError as error:
            messages.error(request, str(error))
        else:
            label = self.programme.points_label(claim.points)
            said = ngettext(
                "It is given back: %(points)s is yours again.",
                "It is given back: %(points)s are yours again.",
                claim.points,
            ) % {"points": label}
            owed = ledger.repaid(entry=claim.back) if claim.back is not None else 0
            messages.success(request, f"{said} {explain.repaid_sentence(owed, self.programme)}".rstrip())
        return redirect("loyalty-account:my-rewards")


class RewardCodeView(_ClaimMixin, generic.View):
    """The code for a reader at the counter."""

    def get(self, request, uuid):
        if not self.claim.is_open or not self.claim.code:
            raise Http404
        return svg_response(self.claim.code)
