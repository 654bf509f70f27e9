"""Two memberships of one person: found, compared, and joined for good."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import PER_PAGE, actor
from oscar_loyalty.dashboard.people.forms import FindForm, MergeForm
from oscar_loyalty.dashboard.people.statuses import MemberMixin
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import merging
from oscar_loyalty.members.exceptions import CannotMerge

#: Memberships that look like the same person; more are found by their name.
LIKELY = 20


class FindDuplicateView(MemberMixin, generic.TemplateView):
    """Who might be the same person, and a search for whoever is."""

    template_name = "oscar_loyalty/dashboard/people/find.html"

    def get(self, request, *args, **kwargs):
        if self.member.merged_into_id is not None:
            return self.back()
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        form = FindForm(self.request.GET)
        words = form.cleaned_data["q"] if form.is_valid() else ""
        likely = list(merging.duplicates(self.member)[:LIKELY])
        page = None
        if words:
            page = Paginator(merging.find(self.member, words), PER_PAGE).get_page(self.request.GET.get("page"))
            page.object_list = list(page.object_list)
        rows = [*likely, *(page.object_list if page is not None else [])]
        balances = ledger.balances([row.account for row in rows])
        for row in rows:
            row.balance = balances[row.account_id]
        return super().get_context_data(
            member=self.member,
            form=form,
            likely=likely,
            page_obj=page,
            paginator=page.paginator if page is not None else None,
            filtered=bool(words),
            query=self.request.GET.urlencode(),
            **kwargs,
        )


class MergeView(MemberMixin, generic.FormView):
    """Shows both side by side, with what follows and what is decided how; then joins them in one transaction.

    The member of the page stays, ``other`` goes.
    """

    template_name = "oscar_loyalty/dashboard/people/merge.html"
    form_class = MergeForm

    @cached_property
    def other(self) -> Any:
        members = get_model("loyalty_members", "Member").objects.filter(programme=self.programme)
        return get_object_or_404(
            members.select_related("account", "tier", "user", "programme"), pk=self.kwargs["other"]
        )

    def get(self, request, *args, **kwargs):
        if self.other.merged_into_id == self.member.pk:
            return self.back()
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        preview = merging.preview(self.other, self.member, actor=actor(self.request))
        return super().get_context_data(
            member=self.member,
            other=self.other,
            preview=preview,
            balance=ledger.balance(self.member.account),
            **kwargs,
        )

    def form_valid(self, form):
        try:
            merging.merge(
                source=self.other,
                target=self.member,
                key=f"dashboard:merge:{form.cleaned_data['token']}",
                actor=actor(self.request),
                reason=form.cleaned_data["reason"],
            )
        except CannotMerge as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("The two memberships are one now. All that the other had is here."))
        return self.back()
