"""Points on the dashboard's product form.

A shop with its own catalogue dashboard writes::

    from oscar.apps.dashboard.catalogue.forms import ProductForm as CoreProductForm
    from oscar_loyalty.dashboard.catalogue.forms import ProductFormPointsMixin

    class ProductForm(ProductFormPointsMixin, CoreProductForm):
        pass
"""

from decimal import Decimal
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock
from oscar_loyalty.dashboard.rules.guarding import beyond, points_change
from oscar_loyalty.earning import explain, rules, versions, words
from oscar_loyalty.earning.selectors import own_version
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards.services import set_points_price
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.members import selectors as members

#: More points than this for one piece are a slip of the finger.
MOST = 1_000_000


def _too_much(case: Any) -> str:
    values = {"percent": explain.number(case.percent), "limit": case.limit}
    return gettext("This may give away %(percent)s%% of a price. Your limit is %(limit)s%%.") % values


class ProductFormPointsMixin:
    """Asks how many points each piece brings, and what a gift card costs in points."""

    #: Who fills in the form; set by :class:`~oscar_loyalty.dashboard.catalogue.views.ProductPointsViewMixin`.
    loyalty_user: Any = None
    #: Whether that view calls :meth:`save_points` itself, once all of the page has proved valid.
    loyalty_deferred = False

    def __init__(self, product_class, *args, loyalty_programme=None, **kwargs):
        super().__init__(product_class, *args, **kwargs)
        self.loyalty_programme = loyalty_programme or members.programme_of()
        if self.loyalty_programme is None:
            return
        name = self.loyalty_programme.points_name_many
        denomination = giftcards.denomination_of(self.instance) if self.instance.pk else None
        if denomination is not None:
            self.fields["loyalty_points_price"] = forms.IntegerField(
                label=_("Price in %(points)s") % {"points": name},
                required=False,
                min_value=1,
                max_value=MOST,
                initial=denomination.points_price,
                help_text=_("How many points buy one card. Empty: it is sold for money only."),
            )
        elif not giftcards.is_giftcard(self.instance):
            own = own_version(self.instance, self.loyalty_programme)
            help_text = gettext("How many %(points)s each piece brings. Empty: by the general rules. 0: none.")
            self.fields["loyalty_points"] = forms.IntegerField(
                label=_("Points"),
                required=False,
                min_value=0,
                max_value=MOST,
                initial=int(Decimal(own.spec["points"])) if own is not None else None,
                help_text=format_html("{} {}", help_text % {"points": name}, self._what_stays(own)),
            )

        # Beside the product's name, where nobody overlooks them.
        self.order_fields(["title", "upc", "loyalty_points", "loyalty_points_price"])

    def _what_stays(self, own: Any) -> str:
        """Say what the product's own rule asks beside the points, with the way to it; nothing where it asks nothing."""
        names = words.tier_names(self.loyalty_programme) if own is not None and "when" in own.spec else {}
        said = words.conditions(own.spec, self.loyalty_programme, names) if own is not None else []
        if not said:
            return ""
        return format_html(
            '{} <a href="{}">{}</a>',
            gettext("Its rule says more, which stays: %(conditions)s.") % {"conditions": ", ".join(said)},
            reverse("loyalty-dashboard:loyalty-rule", args=[own.rule_id]),
            gettext("Change the rule"),
        )

    def clean(self):
        super().clean()
        points = self.cleaned_data.get("loyalty_points")
        # What a new product costs is not known before it is there.
        if points is not None and self.instance.pk and "loyalty_points" in self.changed_data:
            change = points_change(self.loyalty_programme, self.instance, points)
            case = beyond(self.loyalty_programme, [change], self.data.get(self.add_prefix("loyalty_known"), ""))
            if case is not None:
                box = forms.CheckboxInput({"value": str(case.percent)}, check_test=lambda value: False)
                self.fields["loyalty_known"] = forms.BooleanField(
                    label=_("I know, and it is meant so"), required=False, widget=box
                )
                self.order_fields(["title", "upc", "loyalty_points", "loyalty_known"])
                self.add_error("loyalty_points", [_too_much(case), *case.sentences])
            if change.rule is not None and versions.newest(change.rule).valid_from > clock.now():
                self.add_error("loyalty_points", _("Other numbers are to begin later. Call them off first."))
        return self.cleaned_data

    def drop_points(self) -> None:
        """Leave the fields out, for a reader who may not set points."""
        self.fields.pop("loyalty_points", None)
        self.fields.pop("loyalty_points_price", None)

    def save(self, *args, **kwargs):
        product = super().save(*args, **kwargs)
        if not self.loyalty_deferred and product.pk is not None:
            self.save_points()
        return product

    def save_points(self) -> None:
        """Put the points into force, for the product that was saved."""
        product = self.instance
        actor = Ref.of("user", self.loyalty_user.pk) if self.loyalty_user is not None else NOBODY
        # What is to begin later stays, as long as nobody writes another number.
        if "loyalty_points" in self.fields and "loyalty_points" in self.changed_data:
            rules.set_product_points(
                product=product,
                points=self.cleaned_data["loyalty_points"],
                programme=self.loyalty_programme,
                actor=actor,
            )
        if "loyalty_points_price" in self.fields:
            denomination = giftcards.denomination_of(product)
            set_points_price(denomination=denomination, points_price=self.cleaned_data["loyalty_points_price"])
