"""Publishing a draft, and calling it off again before its moment."""

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views import generic

from oscar_loyalty import times
from oscar_loyalty.dashboard.base import actor
from oscar_loyalty.dashboard.drafts.base import DraftMixin, closed
from oscar_loyalty.dashboard.drafts.forms import PublishForm, moment_of
from oscar_loyalty.dashboard.rules.guarding import GuardMixin
from oscar_loyalty.earning import draft_selectors, drafts
from oscar_loyalty.earning.exceptions import DraftClosed, DraftConflict, TooLate, WrongRule

#: Why a change does not go any more, for the owner: what has happened, and what to do.
REASONS = {
    "changed": gettext_lazy("Somebody has changed this rule since. Look at it again, and say what it is to be."),
    "ended": gettext_lazy("This rule has ended, or will have by then. Take the change out."),
    "later": gettext_lazy(
        "Other numbers of this rule begin later than that. Call those off first, or choose a later moment."
    ),
    "gone": gettext_lazy("What it is about has been deleted. Take the change out."),
    "taken": gettext_lazy(
        "This product has been given its points meanwhile. Take the change out, and change that rule."
    ),
    "same": gettext_lazy("A rule in force says just that. Take the change out."),
}


class DraftPublishView(GuardMixin, DraftMixin, generic.FormView):
    """Shows what will change, and publishes it."""

    template_name = "oscar_loyalty/dashboard/drafts/publish.html"
    form_class = PublishForm

    def dispatch(self, request, *args, **kwargs):
        self.request = request
        if self.programme is not None and not self.draft.is_open:
            if self.draft.state == self.draft.PUBLISHED and request.method == "POST":
                # A second click on the same button.
                return redirect("loyalty-dashboard:loyalty-draft", pk=self.draft.pk)
            return closed(request, self.draft)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, *, clashes=None, **kwargs):
        items = list(draft_selectors.items_of(self.draft))
        if clashes is None:
            clashes = drafts.conflicts(self.draft)
        reasons = {item.pk: (why, REASONS[why]) for item, why in clashes}
        rows = [
            {"change": change, "why": reasons.get(change.item.pk, ("", ""))}
            for change in draft_selectors.changes(items, self.programme)
        ]
        rows.sort(key=lambda row: (not row["why"][0], row["change"].kind == "same"))
        return super().get_context_data(rows=rows, clashes=bool(reasons), **kwargs)

    def form_valid(self, form):
        case = self.too_much(draft_selectors.items_of(self.draft))
        if case is not None:
            return self.render_to_response(self.get_context_data(form=form, margin=case))
        try:
            draft = drafts.publish(draft=self.draft, at=moment_of(form), actor=actor(self.request))
        except DraftConflict as refused:
            return self.render_to_response(self.get_context_data(form=form, clashes=refused.clashes, refused=True))
        except WrongRule as error:
            form.add_error("day" if error.field == "at" else None, str(error))
            return self.form_invalid(form)
        except DraftClosed:
            return closed(self.request, self.draft)
        if drafts.is_scheduled(draft):
            moment = date_format(times.on_clock(draft.valid_from), "SHORT_DATETIME_FORMAT")
            messages.success(self.request, _("Published: in force from %(moment)s on.") % {"moment": moment})
        else:
            messages.success(self.request, _("Published: in force from now on. What was earned before stays as it is."))
        return redirect("loyalty-dashboard:loyalty-draft", pk=draft.pk)


class DraftCallOffView(DraftMixin, generic.TemplateView):
    """Calls off what was to begin later, once it was asked again."""

    template_name = "oscar_loyalty/dashboard/confirm.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            title=_("Call this off?"),
            text=_(
                "The rules stay as they are now. The draft is open again, to be changed and published another time."
            ),
            details=[self.draft.name],
            button=pgettext("draft", "Call it off"),
            back="loyalty-dashboard:loyalty-drafts",
            back_label=_("Drafts of rules"),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        try:
            drafts.call_off(draft=self.draft, actor=actor(request))
        except TooLate as error:
            messages.error(request, str(error))
        except DraftClosed:
            return closed(request, self.draft)
        else:
            messages.success(request, _("It has been called off. The draft is open again."))
        return redirect("loyalty-dashboard:loyalty-draft", pk=self.draft.pk)
