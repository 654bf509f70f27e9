"""The terms for giving points, and what was given; what still waits can be called off."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import FilteredListView, ProgrammeMixin, actor, names_of
from oscar_loyalty.dashboard.people.forms import CallOffForm, GiftFilterForm, PolicyForm
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, sharing
from oscar_loyalty.members.exceptions import SharingRefused


class PolicyView(ProgrammeMixin, generic.FormView):
    template_name = "oscar_loyalty/dashboard/people/policy.html"
    form_class = PolicyForm

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "instance": sharing.policy_of(self.programme)}

    def form_valid(self, form):
        giving.save_policy(programme=self.programme, **form.cleaned_data)
        messages.success(self.request, _("Saved. It counts for what is given from now on."))
        return redirect("loyalty-dashboard:loyalty-sharing-terms")


class GiftListView(FilteredListView):
    """Who gave whom how many points, and what became of it."""

    template_name = "oscar_loyalty/dashboard/people/gifts.html"
    form_class = GiftFilterForm

    def get_rows(self):
        return sharing.search(self.programme, words=self.filters.get("q") or "", state=self.filters.get("state") or "")

    def get_page(self):
        page = super().get_page()
        page.object_list = rows = list(page.object_list)
        names = names_of(rows)
        for row in rows:
            row.by = names.get(row.actor_id, "") if row.actor_id != str(row.source.user_id) else ""
        return page

    def get_context_data(self, **kwargs):
        return super().get_context_data(policy=sharing.policy_of(self.programme), **kwargs)


class CallOffView(ProgrammeMixin, generic.FormView):
    """Gives the giver back what nobody has accepted yet, with a reason."""

    template_name = "oscar_loyalty/dashboard/people/call_off.html"
    form_class = CallOffForm

    @cached_property
    def gift(self):
        rows = get_model("loyalty_members", "Transfer").objects.filter(programme=self.programme)
        return get_object_or_404(rows.select_related("source", "target", "programme"), uuid=self.kwargs["uuid"])

    def get(self, request, *args, **kwargs):
        if not self.gift.is_open:
            return redirect("loyalty-dashboard:loyalty-gifts")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        return super().get_context_data(gift=self.gift, **kwargs)

    def form_valid(self, form):
        try:
            giving.call_off(transfer=self.gift, actor=actor(self.request), reason=form.cleaned_data["reason"])
        except SharingRefused as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, _("Called off: the points are the giver’s again."))
        return redirect("loyalty-dashboard:loyalty-gifts")
