"""The simulator: rules tried on past purchases, before they are switched on."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty import keys
from oscar_loyalty.dashboard.base import PER_PAGE, ExportMixin, ProgrammeMixin, actor
from oscar_loyalty.dashboard.simulator.forms import SimulationForm
from oscar_loyalty.reports.simulation import said, selectors, services

#: How many winners, losers and top members a page shows; the file has them all.
SHOWN = 20


class SimulationListView(ProgrammeMixin, generic.TemplateView):
    template_name = "oscar_loyalty/dashboard/simulator/list.html"

    def get_context_data(self, **kwargs):
        rows = selectors.simulations(self.programme)
        page = Paginator(rows, PER_PAGE).get_page(self.request.GET.get("page"))
        for row in page.object_list:
            row.cost = selectors.cost_of(row) if row.state == row.DONE else None
        return super().get_context_data(page_obj=page, paginator=page.paginator, **kwargs)


class SimulationNewView(ProgrammeMixin, generic.FormView):
    """Asks which rules to try on which purchases; ``?draft=<pk>`` proposes a draft."""

    template_name = "oscar_loyalty/dashboard/simulator/new.html"
    form_class = SimulationForm

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "programme": self.programme}

    def get_initial(self):
        draft = keys.number(self.request.GET.get("draft", ""))
        return {**super().get_initial(), **({"rules": f"draft:{draft}"} if draft is not None else {})}

    def form_valid(self, form):
        cleaned = form.cleaned_data
        fields = {name: cleaned[name] for name in ("since", "until", "breakage", "earlier")}
        fields |= {"programme": self.programme, "actor": actor(self.request)}
        key = f"{self.request.user.pk}:{cleaned['token']}"[:60]
        beside = None
        with form.once():
            if cleaned["beside"]:
                name = cleaned["beside"]
                beside = services.ask(key=f"{key}:2", rules=name, title=form.titles[name], **fields)
            name = cleaned["rules"]
            row = services.ask(key=key, rules=name, title=form.titles[name], beside=beside, **fields)
        return redirect("loyalty-dashboard:loyalty-simulation", pk=row.pk)


class SimulationMixin(ProgrammeMixin):
    @cached_property
    def simulation(self) -> Any:
        row = get_object_or_404(selectors.simulations(self.programme).select_related("beside"), pk=self.kwargs["pk"])
        row.programme = self.programme
        return row


class SimulationView(SimulationMixin, generic.TemplateView):
    """How far a try is, and what came out."""

    template_name = "oscar_loyalty/dashboard/simulator/simulation.html"

    def get_context_data(self, **kwargs):
        row = self.simulation
        kwargs |= {"simulation": row}
        if row.state == row.DONE:
            kwargs |= {
                "result": row.result,
                "cost": selectors.cost_of(row),
                "rules": said.rules_of(row),
                "months": said.months_of(row),
                "tiers": said.tiers_of(row),
                "tiers_note": said.tiers_note(row),
                "winners": selectors.members_of(row, "win")[:SHOWN],
                "losers": selectors.members_of(row, "lose")[:SHOWN],
                "top": selectors.members_of(row)[:SHOWN],
            }
        elif row.state == row.FAILED:
            kwargs["failure"] = said.failure_of(row)
        return super().get_context_data(**kwargs)


class SimulationProgressView(SimulationMixin, generic.View):
    """How far a try is, for the page that shows it."""

    def get(self, request, *args, **kwargs):
        row = self.simulation
        answer = JsonResponse({"over": not row.under_way or row.abandoned, "percent": row.percent})
        answer["Cache-Control"] = "private, no-store"
        return answer


class SimulationActionView(SimulationMixin, generic.View):
    """Calls a try off, or does it again."""

    http_method_names = ["post", "options"]

    def post(self, request, *args, **kwargs):
        if kwargs["action"] == "stop":
            row = services.stop(simulation=self.simulation)
            if row.state == row.STOPPED:
                messages.success(request, _("The simulation is called off."))
        elif kwargs["action"] == "again":
            services.restart(simulation=self.simulation)
        else:
            raise Http404
        return redirect("loyalty-dashboard:loyalty-simulation", pk=self.simulation.pk)


class SimulationExportView(SimulationMixin, ExportMixin, generic.View):
    @property
    def export_name(self):
        return f"{_('Simulation')} {self.simulation.title}"[:60]

    def get_columns(self):
        return said.columns(self.simulation)

    def get_export_rows(self):
        return said.table(selectors.members_of(self.simulation))


class SimulationCompareView(SimulationMixin, generic.TemplateView):
    """Two tries of the same purchases, side by side."""

    template_name = "oscar_loyalty/dashboard/simulator/compare.html"

    def get_context_data(self, **kwargs):
        row, beside = self.simulation, self.simulation.beside
        if beside is None:
            raise Http404
        beside.programme = self.programme
        sides = []
        for one in (row, beside):
            done = one.state == one.DONE
            sides.append(
                {
                    "simulation": one,
                    "result": one.result,
                    "cost": selectors.cost_of(one) if done else None,
                    "rules": said.rules_of(one) if done else [],
                    "tiers": said.tiers_of(one) if done else [],
                    "tiers_note": said.tiers_note(one) if done else "",
                }
            )
        waiting = any(one.under_way for one in (row, beside))
        return super().get_context_data(simulation=row, sides=sides, waiting=waiting, **kwargs)
