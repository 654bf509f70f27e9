from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.views import generic

from oscar_loyalty.dashboard.base import ProgrammeMixin, actor, new_token
from oscar_loyalty.dashboard.drafts.base import simulation
from oscar_loyalty.dashboard.navigation import PROGRAMME, VIEW, may
from oscar_loyalty.dashboard.programme import statuses
from oscar_loyalty.dashboard.rules.conditions import FIELD_OF
from oscar_loyalty.dashboard.start.forms import PresetForm
from oscar_loyalty.earning import presets
from oscar_loyalty.earning.beginning import beginning_of
from oscar_loyalty.earning.exceptions import WrongRule


class StartView(ProgrammeMixin, generic.TemplateView):
    """The way to a running programme: what is done, and what to start from."""

    template_name = "oscar_loyalty/dashboard/start/start.html"
    needs_programme = False

    def get_context_data(self, **kwargs):
        way, user = beginning_of(self.programme), self.request.user
        cards = []
        for preset in presets.presets() if self.programme is not None else ():
            address = _address(preset)
            if address:
                needs = any(number.initial is None and number.required for number in preset.numbers)
                says = [] if needs else presets.says(preset, self.programme, preset.suggested)
                # What ends on the form of goals is for whoever may open it.
                may_start = may(user, PROGRAMME) and (preset.goal is None or may(user, VIEW))
                cards.append({"preset": preset, "says": says, "address": address, "may_start": may_start})
        return super().get_context_data(
            way=way,
            cards=cards,
            unsaid=statuses.unsaid(self.programme) if self.programme is not None else [],
            may_change=may(user, PROGRAMME),
            simulation=simulation(way.draft, user) if way.draft else "",
            **kwargs,
        )


def _address(preset: presets.Preset) -> str:
    if not preset.page:
        return reverse("loyalty-dashboard:loyalty-preset", args=[preset.code])
    try:
        return reverse(preset.page)
    except NoReverseMatch:
        return ""


class PresetView(ProgrammeMixin, generic.FormView):
    """The numbers of a preset; then the owner looks over what it made."""

    template_name = "oscar_loyalty/dashboard/start/preset.html"
    form_class = PresetForm

    @cached_property
    def preset(self) -> Any:
        preset = presets.get(self.kwargs["code"])
        if preset is None or preset.page:
            raise Http404
        return preset

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "preset": self.preset}

    def get_context_data(self, **kwargs):
        return super().get_context_data(preset=self.preset, **kwargs)

    def form_valid(self, form):
        if self.preset.goal is not None:
            values = {"preset": self.preset.code}
            for name, value in form.numbers.items():
                values |= {} if value is None else {name: getattr(value, "pk", value)}
            return redirect(f"{reverse('loyalty-dashboard:loyalty-goal-create')}?{urlencode(values)}")
        try:
            with form.once():
                draft = presets.begin(
                    preset=self.preset,
                    programme=self.programme,
                    numbers=form.numbers,
                    key=f"dashboard:{self.request.user.pk}:{form.cleaned_data['token']}",
                    actor=actor(self.request),
                )
        except WrongRule as error:
            field = FIELD_OF.get(error.field, error.field)
            form.add_error(field if field in form.fields else None, str(error))
            return self.form_invalid(form)
        return redirect("loyalty-dashboard:loyalty-draft", pk=draft.pk)


def suggested_goal(request: Any, programme: Any) -> dict[str, Any]:
    """Return what a preset in the address suggests for a goal's form; nothing where there is none, or it is wrong."""
    preset = presets.get(request.GET.get("preset", ""))
    if preset is None or preset.goal is None:
        return {}
    form = PresetForm({**request.GET.dict(), "token": new_token()}, preset=preset)
    return preset.goal(programme, form.numbers) if form.is_valid() else {}
