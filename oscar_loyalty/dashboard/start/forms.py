from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.dashboard.rules.conditions import TimeInput
from oscar_loyalty.dashboard.targets import ProductSelect
from oscar_loyalty.earning import presets
from oscar_loyalty.loading import get_model


class PresetForm(TokenForm):
    """The few numbers that a preset asks for."""

    def __init__(self, *args, preset: presets.Preset, **kwargs):
        self.preset = preset
        super().__init__(*args, **kwargs)
        for number in preset.numbers:
            self.fields[number.name] = _field(number)

    def clean(self):
        cleaned = super().clean()
        for number in self.preset.numbers:
            if number.of and cleaned.get(number.of) and not cleaned.get(number.name) and number.name not in self.errors:
                self.add_error(number.name, _("How many points?"))
        return cleaned

    @property
    def numbers(self) -> dict[str, Any]:
        return {number.name: self.cleaned_data.get(number.name) for number in self.preset.numbers}


def _field(number: presets.Number) -> forms.Field:
    plain: dict[str, Any] = {"label": number.label, "required": number.required, "help_text": number.help}
    plain["initial"] = number.initial
    if number.kind == presets.PRODUCT:
        products = get_model("catalogue", "Product").objects.select_related("parent")
        return forms.ModelChoiceField(queryset=products, widget=ProductSelect, **plain)
    if number.kind == presets.WEEKDAY:
        return forms.ChoiceField(choices=[(day, capfirst(str(name))) for day, name in WEEKDAYS.items()], **plain)
    if number.kind == presets.HOUR:
        return forms.TimeField(widget=TimeInput, **plain)
    plain |= {"min_value": number.least, "max_value": number.most}
    if number.kind == presets.WHOLE:
        return forms.IntegerField(**plain)
    return forms.DecimalField(max_digits=6, decimal_places=2, **plain)
