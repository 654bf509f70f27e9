"""The editor's form of a club page."""

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.fields import StreamField

from oscar_loyalty.loading import get_model


def choosable_tiers() -> QuerySet[Any]:
    """Return the tiers to choose from, as :func:`label_of_tier` names them."""
    others = get_model("loyalty_members", "Programme").objects.exclude(pk=OuterRef("programme"))
    tiers = get_model("loyalty_members", "Tier").objects.select_related("programme__site")
    return tiers.annotate(one_of_several=Exists(others)).order_by("programme", "rank")


def label_of_tier(tier: Any) -> str:
    """Name a tier; where there are several programmes, with its own: each has a Gold."""
    return f"{tier} ({tier.programme.name_among_several})" if tier.one_of_several else str(tier)


class TierField(forms.ModelChoiceField):
    def label_from_instance(self, tier: Any) -> str:
        return label_of_tier(tier)


class ClubPageForm(WagtailAdminPageForm):
    """Asks for what an editor may have forgotten. The page itself does not: one that is planned for a tier goes live
    after the tier was removed, for nobody, and keeps no other waiting.

    Tiers are those of the programme of the page's Site, and what was chosen before."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.instance.club_parent = self.parent_page
        if "minimum_tier" in self.fields:
            field, tiers = self.fields["minimum_tier"], choosable_tiers()
            if self.programme is not None:
                tiers = tiers.filter(Q(programme=self.programme) | Q(pk=self.instance.minimum_tier_id))
            field.queryset, field.label_from_instance = tiers, label_of_tier

    @cached_property
    def programme(self) -> Any:
        from wagtail_club import selectors

        return selectors.programme_of(self.instance)

    def clean(self):
        data = super().clean()
        self._check_parts(data)
        audience, tier = data.get("audience"), data.get("minimum_tier")
        if audience == "tier" and "minimum_tier" in data and tier is None:
            self.add_error("minimum_tier", _("Choose the tier."))
        if audience not in (None, "tier") and tier is not None and "minimum_tier" in self.changed_data:
            self.add_error(
                "audience",
                _(
                    "A tier is chosen below, and would change nothing. "
                    "Choose “Members of a tier, and of all higher ones” here, or no tier."
                ),
            )
        return data

    def _check_parts(self, data: dict[str, Any]) -> None:
        if self.programme is None:
            return
        own = get_model("loyalty_members", "Tier").objects.filter(programme=self.programme)
        for field in self.instance._meta.get_fields():
            if isinstance(field, StreamField) and data.get(field.name):
                new = _tiers_in(field, data[field.name]) - _tiers_in(field, getattr(self.instance, field.name))
                if new and own.filter(pk__in=new).count() < len(new):
                    text = _(
                        "There is a tier of another programme among these, which opens nothing here: "
                        "choose one of “%(programme)s”."
                    )
                    self.add_error(field.name, text % {"programme": self.programme.name_among_several})


def _tiers_in(field: StreamField, value: Any) -> set[str]:
    """Return the keys of the tiers that ``value`` names."""
    Tier = get_model("loyalty_members", "Tier")
    return {pk for model, pk, *_path in field.extract_references(value) if model is Tier}
