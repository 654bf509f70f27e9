"""Early access in lists: for the shop's fork of ``catalogue``, ``search`` and ``offer``."""

from typing import Any

from oscar.apps.catalogue.managers import ProductQuerySet as OscarProductQuerySet

from oscar_loyalty.privileges import access


class EarlyAccessQuerySetMixin:
    """Lists of products without what is hidden from whoever looks.

    Within a request (:class:`~oscar_loyalty.privileges.middleware.EarlyAccessMiddleware`), ``browsable()`` and
    ``public()``, of which Oscar makes its lists, know the visitor. Elsewhere, say whom a list is for:
    ``Product.objects.browsable().visible_to(user)``; ``None`` is a stranger.
    """

    def browsable(self) -> Any:
        return _for_looker(super().browsable())  # type: ignore[misc]

    def public(self) -> Any:
        return _for_looker(super().public())  # type: ignore[misc]

    def visible_to(self, user: Any = None, *, request: Any = None) -> Any:
        """Return those that may be in a list for the visitor behind ``request``, else for ``user``."""
        return access.viewer(user, request=request).visible(self)  # type: ignore[arg-type]


def _for_looker(products: Any) -> Any:
    who = access.looker()
    return products if who is None else who.visible(products)


class ProductQuerySet(EarlyAccessQuerySetMixin, OscarProductQuerySet):
    """``objects = ProductQuerySet.as_manager()`` on the shop's product."""


class EarlyAccessProductMixin:
    """Recommended products without what is hidden from whoever looks. Put it first among a product's bases."""

    @property
    def sorted_recommended_products(self) -> list[Any]:
        return access.unlisted(super().sorted_recommended_products)  # type: ignore[misc]


class EarlyAccessSearchMixin:
    """Search results, pages of the catalogue and their counts without what is hidden from the visitor.

    Put it before Oscar's ``BaseSearchView`` in your fork of ``search.views.base``.
    """

    def get_queryset(self) -> Any:
        found = super().get_queryset()  # type: ignore[misc]
        hidden = access.viewer_of(self.request).hidden_keys()  # type: ignore[attr-defined]
        if hidden:
            # As words: that is how search engines keep keys.
            found = found.exclude(django_id__in=[str(key) for key in sorted(hidden)])
        self.queryset = found
        return found


class EarlyAccessApplicatorMixin:
    """Offers that are for members first, for those only. Put it before Oscar's ``Applicator``."""

    def get_offers(self, basket: Any, user: Any = None, request: Any = None) -> list[Any]:
        offers = super().get_offers(basket, user, request)  # type: ignore[misc]
        who = access.viewer(user or basket.owner, request=request)
        return [offer for offer in offers if who.gate_of_offer(offer).allowed]


class EarlyAccessOfferListMixin:
    """The shop's list of offers without those that are not for this visitor yet. For ``offer.views.OfferListView``."""

    def get_queryset(self) -> Any:
        offers = super().get_queryset()  # type: ignore[misc]
        who = access.viewer_of(self.request)  # type: ignore[attr-defined]
        return offers.exclude(pk__in=who.hidden_offers())
