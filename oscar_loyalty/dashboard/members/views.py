from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.dashboard.base import (
    PER_PAGE,
    ExportMixin,
    FilteredListView,
    ProgrammeMixin,
    ResendForm,
    TokenForm,
    actor,
    names_of,
    say_errors,
)
from oscar_loyalty.dashboard.members import services as own_services
from oscar_loyalty.dashboard.members.forms import AdjustForm, MemberSearchForm, TierForm
from oscar_loyalty.earning import adjustments
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.earning.exceptions import NotEnough, OwnAccount
from oscar_loyalty.earning.tiering import selectors as tiering
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors, tiers
from oscar_loyalty.messaging import selectors as messaging
from oscar_loyalty.reports import members as report


class MemberListView(FilteredListView):
    """All members, with what they have."""

    template_name = "oscar_loyalty/dashboard/members/list.html"
    form_class = MemberSearchForm

    def get_form_kwargs(self):
        return {"programme": self.programme}

    def get_rows(self) -> Any:
        asked = self.filters
        return selectors.search(
            self.programme, asked.get("q") or "", tier=asked.get("tier"), status=asked.get("status") or ""
        )

    def get_page(self):
        page = super().get_page()
        page.object_list = list(page.object_list)
        balances = ledger.balances([member.account for member in page.object_list])
        for member in page.object_list:
            member.balance = balances[member.account_id]
        return page


class MemberExportView(ExportMixin, MemberListView):
    export_name = gettext_lazy("Members")
    list_name = "members"

    def get_columns(self):
        return report.columns()

    def get_export_rows(self):
        return report.rows(self.get_rows())


class MemberView(ProgrammeMixin, generic.TemplateView):
    """One member: what they have, what they did, and why; and what the shop can do for them."""

    template_name = "oscar_loyalty/dashboard/members/member.html"
    adjust_form: Any = None
    tier_form: Any = None

    @cached_property
    def member(self) -> Any:
        members = get_model("loyalty_members", "Member").objects.filter(programme=self.programme)
        members = members.select_related("account", "tier", "user", "programme", "merged_into")
        return get_object_or_404(members, pk=self.kwargs["pk"])

    @property
    def own(self) -> bool:
        """Whether the member is whoever looks."""
        return selectors.is_own(self.member, self.request.user)

    def get_context_data(self, **kwargs):
        member = self.member
        page = earning.history(member, page=self.request.GET.get("page", 1), per_page=20, staff=True)
        changes = list(member.tier_changes.select_related("before", "after")[:6])
        statuses = list(member.status_changes.all()[:10])
        signed = [*changes, *statuses, *(movement.entry for movement in page.object_list)]
        names = names_of(signed)
        for row in signed:
            row.by = names.get(row.actor_id, "") if row.actor_type == "user" else ""
        return super().get_context_data(
            member=member,
            balance=ledger.balance(member.account),
            page_obj=page,
            paginator=page.paginator,
            changes=changes[:5],
            more_changes=len(changes) > 5,
            standing=tiering.standing(member),
            end_form=TokenForm(auto_id="end_%s"),
            statuses=statuses,
            joined_from=list(member.merged.order_by("pk")[:10]),
            claims=member.guest_claims.select_related("order")[:10],
            own=self.own,
            welcome=messaging.outbox(member=member).filter(kind="joined").first(),
            adjust_form=self.adjust_form or self.new_adjust_form(),
            tier_form=self.tier_form or self.new_tier_form(),
            **kwargs,
        )

    # The forms share the page and the names of fields, so each has ids of its own.
    def new_adjust_form(self, data: Any = None) -> AdjustForm:
        return AdjustForm(data, members=[self.member], auto_id="adjust_%s")

    def new_tier_form(self, data: Any = None) -> TierForm:
        return TierForm(data, member=self.member, auto_id="tier_%s")

    def back(self):
        return redirect("loyalty-dashboard:loyalty-member", pk=self.member.pk)


class _MemberAction(MemberView):
    """Something done to the member of the page; shows the page again if it cannot be done."""

    def get(self, request, *args, **kwargs):
        return self.back()

    def again(self):
        return self.render_to_response(self.get_context_data())


class MemberAdjustView(_MemberAction):
    """Adds or takes points."""

    def post(self, request, *args, **kwargs):
        self.adjust_form = form = self.new_adjust_form(request.POST)
        if not form.is_valid():
            return self.again()
        try:
            with form.once():
                adjustment = adjustments.request_adjustment(
                    programme=self.programme,
                    members=[self.member],
                    units=form.cleaned_data["units"],
                    reason=form.cleaned_data["reason"],
                    notify=form.cleaned_data["notify"],
                    key=own_services.adjustment_key(request.user, form.cleaned_data["token"]),
                    user=request.user,
                )
        except NotEnough as error:
            missing = self.programme.points_label(error.missing)
            form.add_error("units", _("Too many: %(missing)s are missing.") % {"missing": missing})
            return self.again()
        except OwnAccount as error:
            form.add_error(None, str(error))
            return self.again()
        own_services.say(request, adjustment)
        return self.back()


class MemberTierView(_MemberAction):
    """Moves the member to another tier."""

    def post(self, request, *args, **kwargs):
        if self.own:
            # A tier multiplies points: like these, nobody gives it to oneself.
            raise PermissionDenied
        self.tier_form = form = self.new_tier_form(request.POST)
        if not form.is_valid():
            return self.again()
        with form.once():
            tiers.give_by_hand(
                member=self.member,
                tier=form.cleaned_data["tier"],
                until=form.until,
                key=form.key,
                actor=actor(request),
                reason=form.cleaned_data["reason"],
            )
        messages.success(request, _("The tier has been changed."))
        return self.back()


class MemberTierEndView(_MemberAction):
    """Ends what was given by hand: the member has what they earned."""

    def post(self, request, *args, **kwargs):
        if self.own:
            raise PermissionDenied
        form = TokenForm(request.POST)
        if form.is_valid():
            key = f"dashboard:{self.member.pk}:{form.cleaned_data['token']}"
            tiers.end_by_hand(member=self.member, key=key, actor=actor(request))
            messages.success(request, _("The member has the tier that they earned."))
        return self.back()


class MemberTiersView(ProgrammeMixin, generic.TemplateView):
    """All changes of a member's tier, the newest first."""

    template_name = "oscar_loyalty/dashboard/members/tiers.html"

    def get_context_data(self, **kwargs):
        members = get_model("loyalty_members", "Member").objects.filter(programme=self.programme)
        member = get_object_or_404(members, pk=self.kwargs["pk"])
        rows = member.tier_changes.select_related("before", "after")
        page = Paginator(rows, PER_PAGE).get_page(self.request.GET.get("page"))
        page.object_list = list(page.object_list)
        names = names_of(page.object_list)
        for row in page.object_list:
            row.by = names.get(row.actor_id, "") if row.actor_type == "user" else ""
        return super().get_context_data(member=member, page_obj=page, paginator=page.paginator, **kwargs)


class MemberWelcomeView(_MemberAction):
    """Sends the welcome once more."""

    def post(self, request, *args, **kwargs):
        form = ResendForm(request.POST)
        if not form.is_valid():
            say_errors(request, form)
        elif not self.member.email:
            messages.error(request, _("We know no e-mail address of this member."))
        else:
            own_services.welcome(member=self.member, tries=form.cleaned_data["tries"])
            messages.success(request, _("The welcome is on its way to %(email)s.") % {"email": self.member.email})
        return self.back()
