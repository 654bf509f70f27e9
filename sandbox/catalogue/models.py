"""Oscar's catalogue with a French column beside each text that a customer reads.

The stored ``title``, ``description`` and ``name`` stay English, so forms, queries and imports behave as Oscar's
do. Pages ask ``get_title()``, ``get_description()`` and ``get_name()``, which answer in the reader's language.
"""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from oscar.apps.catalogue.abstract_models import AbstractCategory, AbstractProduct

from oscar_loyalty.privileges.catalogue import EarlyAccessProductMixin, ProductQuerySet


class BilingualMixin:
    def in_language(self, field: str) -> str:
        """Return ``field`` in the active language, or in English where there is no French text."""
        if (get_language() or "").startswith("fr"):
            return getattr(self, f"{field}_fr") or getattr(self, field)
        return getattr(self, field)


class Category(BilingualMixin, AbstractCategory):
    name_fr = models.CharField(_("Name in French"), max_length=255, blank=True)

    def get_name(self):
        return self.in_language("name")

    @property
    def full_name(self):
        return self._full_name_separator.join(category.get_name() for category in self.get_ancestors_and_self())

    def get_meta_title(self):
        return self.meta_title or self.get_name()


class Product(EarlyAccessProductMixin, BilingualMixin, AbstractProduct):
    title_fr = models.CharField(_("Title in French"), max_length=255, blank=True)
    description_fr = models.TextField(_("Description in French"), blank=True)

    objects = ProductQuerySet.as_manager()

    def get_title(self):
        return self.in_language("title") or (self.parent.get_title() if self.parent_id else "")

    def get_description(self):
        return self.in_language("description") or (self.parent.get_description() if self.parent_id else "")

    def get_meta_title(self):
        return self.meta_title or self.get_title()

    def __str__(self):
        if self.title:
            return self.get_title()
        return super().__str__()


from oscar.apps.catalogue.models import *  # noqa: E402, F403
