"""System checks of early access: what a shop lacks, and what is therefore less than the owner asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.checks import Tags, Warning, register
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Lack:
    """What is missing: for developers in ``message`` and ``hint``, for the owner in ``said``."""

    id: str
    message: str
    hint: str
    said: str


def lacks() -> Iterator[Lack]:
    """Yield what this shop lacks for early access, whether or not it uses it."""
    yield from _strategy()
    yield from _lists()


def _strategy() -> Iterator[Lack]:
    from django.contrib.auth import get_user_model
    from oscar.core.loading import get_class

    from oscar_loyalty.privileges.strategy import EarlyAccessStrategyMixin

    somebody = get_user_model()()
    try:
        strategy = get_class("partner.strategy", "Selector")().strategy(user=somebody)
    except Exception as error:
        # A selector may ask for a request; then nothing can be said.
        yield Lack(
            "loyalty.W171",
            f"The shop's strategy could not be looked at: {type(error).__name__}.",
            "Make sure that it is built with oscar_loyalty.privileges.strategy.EarlyAccessStrategyMixin.",
            _("Whether baskets know early access could not be found out."),
        )
        return
    name = f"{type(strategy).__module__}.{type(strategy).__qualname__}"
    if not isinstance(strategy, EarlyAccessStrategyMixin):
        yield Lack(
            "loyalty.W170",
            f"{name} lacks EarlyAccessStrategyMixin: what is for members first goes into every basket, and only the "
            "checkout refuses it.",
            "Put oscar_loyalty.privileges.strategy.EarlyAccessStrategyMixin first among its bases.",
            _("Everybody can put it into the basket and sees its price; only the checkout refuses it."),
        )
    elif strategy.user != somebody:
        yield Lack(
            "loyalty.W171",
            f"The Selector does not hand its user on to {name}: without a request, everybody is a stranger to it.",
            "Return ShopStrategy(request, user=user).",
            _("Outside of the shop's pages, as for alerts, members count as strangers."),
        )


def _lists() -> Iterator[Lack]:
    from django.conf import settings
    from oscar.core.loading import get_class, get_model

    from oscar_loyalty.privileges import catalogue

    if not isinstance(get_model("catalogue", "Product").objects.all(), catalogue.EarlyAccessQuerySetMixin):
        yield Lack(
            "loyalty.W172",
            "The product's manager lacks EarlyAccessQuerySetMixin: in lists, what is to be hidden is there, and cannot "
            "be bought.",
            "objects = oscar_loyalty.privileges.catalogue.ProductQuerySet.as_manager() on the shop's Product.",
            _("Lists show what is to be hidden; it cannot be bought."),
        )
    if "oscar_loyalty.privileges.middleware.EarlyAccessMiddleware" not in settings.MIDDLEWARE:
        yield Lack(
            "loyalty.W173",
            "MIDDLEWARE lacks EarlyAccessMiddleware: pages and lists of products do not know who looks.",
            'Put "oscar_loyalty.privileges.middleware.EarlyAccessMiddleware" after AuthenticationMiddleware.',
            _("Pages and lists show what is to be hidden; it cannot be bought."),
        )
    if not _is(get_class, "search.views.base", "BaseSearchView", catalogue.EarlyAccessSearchMixin):
        yield Lack(
            "loyalty.W174",
            "BaseSearchView lacks EarlyAccessSearchMixin: the catalogue and the search count what is hidden.",
            "Put oscar_loyalty.privileges.catalogue.EarlyAccessSearchMixin first among its bases.",
            _("The catalogue and the search count what is hidden."),
        )
    if not offers_are_kept():
        yield Lack(
            "loyalty.W175",
            "The Applicator lacks EarlyAccessApplicatorMixin: offers cannot be for members first.",
            "Put oscar_loyalty.privileges.catalogue.EarlyAccessApplicatorMixin first among its bases.",
            _("Offers cannot be for members first."),
        )


def offers_are_kept() -> bool:
    """Whether the shop's baskets ask before they apply an offer; if not, none can be for members first."""
    from oscar.core.loading import get_class

    from oscar_loyalty.privileges import catalogue

    return _is(get_class, "offer.applicator", "Applicator", catalogue.EarlyAccessApplicatorMixin)


def _is(get_class: Any, module: str, name: str, mixin: type) -> bool:
    return issubclass(get_class(module, name), mixin)


@register(Tags.database)
def early_access(app_configs, databases=None, **kwargs):
    """Said where there is something that is for members first, or was: others need not care."""
    from django.db import DatabaseError

    from oscar_loyalty.loading import get_model

    if not databases:
        return []
    try:
        used = get_model("loyalty_privileges", "EarlyAccess").objects.exists()
    except DatabaseError:
        # Not migrated yet.
        return []
    return [Warning(lack.message, hint=lack.hint, id=lack.id) for lack in lacks()] if used else []
