"""Fields in several languages, colours and dates, as the owner's forms show them."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from i18nfield.fields import I18nCharField, I18nTextField
from i18nfield.forms import I18nFormField, I18nTextarea, I18nTextInput

from oscar_loyalty.cells import YEARS
from oscar_loyalty.defaults import conf


class _NamedLanguages:
    """Puts the name of its language in front of each input."""

    def render(self, name, value, attrs=None, renderer=None):
        # Empty, or the widget would write the language's name into the input as well.
        return super().render(name, value, {"placeholder": "", **(attrs or {})}, renderer)

    def format_output(self, rendered_widgets, id_):
        names = dict(settings.LANGUAGES)
        labels = [names.get(code, code) for code in self.locales if code in self.enabled_locales]
        parts = format_html_join(
            "",
            '<div class="input-group loyalty-language"><div class="input-group-prepend">'
            '<span class="input-group-text" aria-hidden="true">{}</span></div>{}</div>',
            zip(labels, rendered_widgets, strict=True),
        )
        return format_html('<div class="loyalty-languages" id="{}">{}</div>', id_ or "", parts)


class LanguageInput(_NamedLanguages, I18nTextInput):
    pass


class LanguageTextarea(_NamedLanguages, I18nTextarea):
    pass


class ColourInput(forms.TextInput):
    input_type = "color"


class DateInput(forms.DateInput):
    """The browser's own calendar; it speaks ISO whatever the language."""

    input_type = "date"

    def __init__(self, attrs=None):
        # Oscar's script would put a calendar of its own over it.
        super().__init__({"class": "no-widget-init", **(attrs or {})}, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day, with the browser's calendar, of the years that imports believe as well.

    Near the ends of the calendar there is no next day, or no other time zone, and every sum of days fails.
    """

    widget = DateInput
    first, last = date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31)

    def validate(self, value):
        super().validate(value)
        if value is not None and value.year not in YEARS:
            years = {"first": self.first.year, "last": self.last.year}
            raise forms.ValidationError(_("Write a day of the years from %(first)s to %(last)s.") % years)

    def widget_attrs(self, widget):
        days = {"min": self.first.isoformat(), "max": self.last.isoformat()}
        return {**super().widget_attrs(widget), **({} if widget.is_hidden else days)}


class MultilingualFormMixin:
    """Gives the model's texts one input for each of the owner's languages, with the model's help."""

    def multilingual(self, *names: str) -> None:
        for name in names:
            model_field = self._meta.model._meta.get_field(name)
            self.fields[name] = language_field(model_field)
            if self.instance.pk or getattr(self.instance, name):
                self.initial[name] = getattr(self.instance, name)


def language_field(model_field: I18nCharField | I18nTextField, **options: Any) -> I18nFormField:
    """Return the form field of a text in several languages."""
    long = isinstance(model_field, I18nTextField)
    defaults: dict[str, Any] = {
        "label": capfirst(model_field.verbose_name),
        "help_text": model_field.help_text,
        "required": not model_field.blank,
        "widget": LanguageTextarea if long else LanguageInput,
        "widget_kwargs": {"attrs": {"rows": 4}} if long else {},
        "locales": list(conf.LANGUAGES),
    }
    if not long:
        defaults["max_length"] = model_field.max_length
    return I18nFormField(**(defaults | options))
