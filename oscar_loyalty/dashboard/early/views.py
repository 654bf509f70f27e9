"""The owner's pages of early access, and of the guest passes that members have given."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty import keys
from oscar_loyalty.dashboard.base import PER_PAGE, FilteredListView, ProgrammeMixin, actor, names_of
from oscar_loyalty.dashboard.early.forms import PassFilterForm, WindowForm, shown
from oscar_loyalty.loading import get_model
from oscar_loyalty.privileges import checks, passes, selectors, services, words
from oscar_loyalty.privileges.exceptions import WrongWindow

#: Which fields of the form show which of the service.
FIELD_OF = {"ends_at": "ends_day", "opens_at": "opens_day"}


class WindowListView(ProgrammeMixin, generic.TemplateView):
    """All windows, each as a sentence."""

    template_name = "oscar_loyalty/dashboard/early/list.html"

    def get_context_data(self, **kwargs):
        ended = "ended" in self.request.GET
        found = Paginator(selectors.windows_of(self.programme, ended=ended), PER_PAGE)
        page = found.get_page(self.request.GET.get("page"))
        page.object_list = selectors.with_passes(list(page.object_list))
        for window in page.object_list:
            window.said = words.sentence(window)
        lacks = [] if ended else [lack.said for lack in checks.lacks()]
        return super().get_context_data(page_obj=page, paginator=found, ended=ended, lacks=lacks, **kwargs)


class _WindowMixin(ProgrammeMixin):
    @cached_property
    def window(self) -> Any:
        if "pk" not in self.kwargs:
            return None
        rows = get_model("loyalty_privileges", "EarlyAccess").objects.filter(programme=self.programme)
        return get_object_or_404(rows.select_related("tier", "product__parent", "range", "offer"), pk=self.kwargs["pk"])


class WindowView(_WindowMixin, generic.FormView):
    """A new window; or another end, tier or face for one."""

    template_name = "oscar_loyalty/dashboard/early/window.html"
    form_class = WindowForm

    def dispatch(self, request, *args, **kwargs):
        self.request = request
        if self.programme is not None and self.window is not None and self.window.is_over():
            messages.info(request, _("It has ended."))
            return redirect("loyalty-dashboard:loyalty-early")
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self):
        return {"programme": self.programme, "window": self.window, **super().get_form_kwargs()}

    def get_initial(self):
        if self.window is not None:
            return shown(self.window)
        product = keys.number(self.request.GET.get("product", ""))
        return {"product": product} if product is not None else {}

    def get_context_data(self, **kwargs):
        said = words.sentence(self.window) if self.window is not None else ""
        return super().get_context_data(window=self.window, said=said, **kwargs)

    def form_valid(self, form):
        try:
            if self.window is None:
                key = f"dashboard:{self.request.user.pk}:{form.cleaned_data['token']}"
                with form.once():
                    row = services.create(programme=self.programme, key=key, actor=actor(self.request), **form.terms)
            else:
                row = services.change(window=self.window, **form.terms)
        except WrongWindow as error:
            field = FIELD_OF.get(error.field, error.field)
            form.add_error(field if field in form.fields else None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, words.sentence(row))
        return redirect("loyalty-dashboard:loyalty-early")


class WindowEndView(_WindowMixin, generic.TemplateView):
    """Ends a window, once it was asked again."""

    template_name = "oscar_loyalty/dashboard/confirm.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            title=_("End the early access now?"),
            text=_("From now on it is for everybody. You can take this back until its own end has come."),
            details=[words.sentence(self.window)],
            button=_("End it now"),
            back="loyalty-dashboard:loyalty-early",
            back_label=_("Early access"),
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        services.end(window=self.window)
        messages.success(request, _("It is for everybody now. Under “Ended” you can take this back."))
        return redirect("loyalty-dashboard:loyalty-early")


class WindowGoOnView(_WindowMixin, generic.View):
    """Takes back that a window was ended by hand."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        try:
            row = services.go_on(window=self.window)
        except WrongWindow as error:
            messages.error(request, str(error))
        else:
            row.tier, row.product = self.window.tier, self.window.product
            messages.success(request, words.sentence(row))
        return redirect("loyalty-dashboard:loyalty-early")


class PassListView(FilteredListView):
    """Who invited whom to what, and who came."""

    template_name = "oscar_loyalty/dashboard/early/passes.html"
    form_class = PassFilterForm

    def get_rows(self):
        given = {"words": self.filters.get("q") or "", "state": self.filters.get("state") or ""}
        return selectors.search_passes(self.programme, **given)

    def get_page(self):
        page = super().get_page()
        page.object_list = rows = list(page.object_list)
        events: dict[int, list[Any]] = {}
        found = get_model("loyalty_privileges", "GuestPassEvent").objects.filter(guest_pass__in=rows)
        found = list(found.order_by("happened_at", "pk"))
        names = names_of(found)
        for event in found:
            event.who = names.get(event.actor_id, "")
            events.setdefault(event.guest_pass_id, []).append(event)
        for row in rows:
            row.told = events.get(row.pk, [])
        return page


class PassBackView(ProgrammeMixin, generic.View):
    """Takes a pass back for the shop."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        rows = get_model("loyalty_privileges", "GuestPass").objects.filter(programme=self.programme)
        row = rows.filter(uuid=kwargs["uuid"]).first()
        if row is None:
            raise Http404
        passes.take_back(row=row, actor=actor(request))
        messages.success(request, _("The guest pass is taken back."))
        return redirect("loyalty-dashboard:loyalty-passes")
