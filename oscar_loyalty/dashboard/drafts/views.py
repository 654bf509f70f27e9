from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import PER_PAGE, ProgrammeMixin, TokenForm, actor
from oscar_loyalty.dashboard.drafts.base import DraftMixin, OpenDraftMixin, closed, people
from oscar_loyalty.dashboard.drafts.forms import DraftForm, NewDraftForm
from oscar_loyalty.dashboard.navigation import PROGRAMME, may
from oscar_loyalty.earning import draft_selectors, drafts
from oscar_loyalty.earning.exceptions import DraftClosed
from oscar_loyalty.loading import get_model


class DraftListView(ProgrammeMixin, generic.TemplateView):
    """The drafts, those that are open first."""

    template_name = "oscar_loyalty/dashboard/drafts/list.html"

    def get_context_data(self, **kwargs):
        states = dict(get_model("loyalty_earning", "Draft").STATES)
        state = self.request.GET.get("state")
        state = state if state in states else "draft"
        rows = draft_selectors.drafts_of(self.programme, state=state)
        page = Paginator(rows, PER_PAGE).get_page(self.request.GET.get("page"))
        names = people(page.object_list, "updated_by", "published_by")
        for draft in page.object_list:
            draft.who = names.get(draft.published_by or draft.updated_by, "")
        return super().get_context_data(
            page_obj=page,
            paginator=page.paginator,
            state=state,
            may_change=may(self.request.user, PROGRAMME),
            **kwargs,
        )


class DraftCreateView(ProgrammeMixin, generic.FormView):
    """Begins a draft."""

    template_name = "oscar_loyalty/dashboard/drafts/edit.html"
    form_class = NewDraftForm

    def form_valid(self, form):
        data = form.cleaned_data
        begin = drafts.start_with_rules if data["start"] == "rules" else drafts.start
        with form.once():
            draft = begin(
                programme=self.programme,
                name=data["name"],
                note=data["note"],
                key=f"dashboard:{self.request.user.pk}:{data['token']}",
                actor=actor(self.request),
            )
        return redirect("loyalty-dashboard:loyalty-draft", pk=draft.pk)


class DraftView(DraftMixin, generic.TemplateView):
    """A draft: each change as a sentence."""

    template_name = "oscar_loyalty/dashboard/drafts/draft.html"

    def get_context_data(self, **kwargs):
        page = Paginator(draft_selectors.items_of(self.draft), PER_PAGE).get_page(self.request.GET.get("page"))
        names = people([self.draft], "created_by", "updated_by", "published_by")
        return super().get_context_data(
            changes=draft_selectors.changes(page.object_list, self.programme),
            page_obj=page,
            paginator=page.paginator,
            begun_by=names.get(self.draft.created_by, ""),
            changed_by=names.get(self.draft.updated_by, ""),
            published_by=names.get(self.draft.published_by, ""),
            scheduled=drafts.is_scheduled(self.draft),
            copy_form=TokenForm(),
            **kwargs,
        )


class DraftEditView(OpenDraftMixin, generic.FormView):
    """The name and the note of a draft."""

    template_name = "oscar_loyalty/dashboard/drafts/edit.html"
    form_class = DraftForm

    def get_form_kwargs(self):
        # A copy of its own: a form that proves wrong must not change what the page says of the draft.
        copy = get_model("loyalty_earning", "Draft")(name=self.draft.name, note=self.draft.note)
        return {**super().get_form_kwargs(), "instance": copy}

    def form_valid(self, form):
        data = form.cleaned_data
        try:
            drafts.rename(draft=self.draft, name=data["name"], note=data["note"], actor=actor(self.request))
        except DraftClosed:
            return closed(self.request, self.draft)
        messages.success(self.request, _("Saved."))
        return redirect("loyalty-dashboard:loyalty-draft", pk=self.draft.pk)


class DraftCopyView(DraftMixin, generic.View):
    """Begins another draft with the same changes."""

    def post(self, request, *args, **kwargs):
        draft, form = self.draft, TokenForm(request.POST)
        if not form.is_valid():
            return HttpResponseBadRequest()
        copy = drafts.copy(
            draft=draft,
            name=(_("Copy of %(name)s") % {"name": draft.name})[:120],
            key=f"dashboard:{request.user.pk}:{form.cleaned_data['token']}",
            actor=actor(request),
        )
        messages.success(request, _("This is the copy. The first one stays as it is."))
        return redirect("loyalty-dashboard:loyalty-draft", pk=copy.pk)


class DraftDiscardView(DraftMixin, generic.TemplateView):
    """Throws a draft away, once it was asked again."""

    template_name = "oscar_loyalty/dashboard/confirm.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            title=_("Throw this draft away?"),
            text=_("No rule changes. It stays in the list of those thrown away, to be looked at or copied."),
            details=[self.draft.name],
            button=_("Throw it away"),
            back="loyalty-dashboard:loyalty-drafts",
            back_label=_("Drafts of rules"),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        try:
            drafts.discard(draft=self.draft, actor=actor(request))
        except DraftClosed:
            return closed(request, self.draft)
        messages.success(request, _("The draft has been thrown away."))
        return redirect("loyalty-dashboard:loyalty-drafts")
