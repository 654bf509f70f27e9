"""Model fields that the rooms share."""

from typing import Any

from django.utils import translation
from i18nfield.fields import I18nCharField, I18nTextField
from i18nfield.strings import LazyI18nString

from oscar_loyalty.defaults import conf

__all__ = ["I18nCharField", "I18nTextField", "data_of", "localized"]


def data_of(text: Any) -> Any:
    """Return a text as it is kept in explanations: a dict by language, or a plain string; ``LazyI18nString`` reads
    either."""
    return text.data if hasattr(text, "data") else text


def localized(text: Any = "", **by_language: str) -> LazyI18nString:
    """Return a text in the owner's languages: ``localized(en="petals", fr="pétales")``.

    A gettext-lazy ``text`` is written in each of :attr:`oscar_loyalty.defaults.Conf.LANGUAGES`.
    """
    if by_language:
        return LazyI18nString(by_language)
    data = {}
    for language in conf.LANGUAGES:
        with translation.override(language):
            data[language] = str(text)
    return LazyI18nString(data)
