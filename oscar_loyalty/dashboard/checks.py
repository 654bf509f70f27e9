"""Checks of how the owner's pages are installed."""

from django.apps import apps
from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.compatibility)
def product_form(app_configs, **kwargs):
    """A shop with its own catalogue dashboard brings the field for points itself."""
    from oscar_loyalty.dashboard.catalogue.forms import ProductFormPointsMixin

    try:
        config = apps.get_app_config("catalogue_dashboard")
    except LookupError:
        return []
    view = getattr(config, "product_createupdate_view", None)
    if view is None or issubclass(view.form_class, ProductFormPointsMixin):
        return []
    return [
        Warning(
            "The product form of the dashboard does not ask for points.",
            hint=(
                "Let your ProductForm inherit from oscar_loyalty.dashboard.catalogue.forms.ProductFormPointsMixin and "
                "your ProductCreateUpdateView from oscar_loyalty.dashboard.catalogue.views.ProductPointsViewMixin "
                "(Oscar finds them only where its app dashboard is forked too), or wrap INSTALLED_APPS in "
                "oscar_loyalty.installed()."
            ),
            id="loyalty.W020",
        )
    ]


@register(Tags.compatibility)
def menu(app_configs, **kwargs):
    """Without its entry in the menu, nobody finds the owner's pages."""

    def names(entries):
        for entry in entries:
            yield entry.get("url_name")
            yield from names(entry.get("children", []))

    if "loyalty-dashboard:loyalty-overview" in names(getattr(settings, "OSCAR_DASHBOARD_NAVIGATION", [])):
        return []
    return [
        Warning(
            "The dashboard's menu has no entry for the loyalty programme.",
            hint=(
                "from oscar_loyalty.dashboard.navigation import NAVIGATION; "
                "OSCAR_DASHBOARD_NAVIGATION = [*OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]"
            ),
            id="loyalty.W021",
        )
    ]


@register(Tags.compatibility)
def event_handler(app_configs, **kwargs):
    """A shop's refunds are ours too only where its event handler passes them on."""
    from oscar.core.loading import get_class

    from oscar_loyalty.payments.events import LoyaltyEventHandlerMixin

    try:
        handler = get_class("order.processing", "EventHandler")
    except Exception:
        # What is wrong with the shop's own module, others say better.
        return []
    # Oscar's own handler is nobody's code for refunds: it writes down what it is told.
    if issubclass(handler, LoyaltyEventHandlerMixin) or handler.__module__ == "oscar.apps.order.processing":
        return []
    return [
        Warning(
            "Your EventHandler lacks LoyaltyEventHandlerMixin: payment events that mean a refund give nothing back.",
            hint=(
                "Put oscar_loyalty.payments.events.LoyaltyEventHandlerMixin first among the bases of your "
                "order.processing.EventHandler. Refunds made on the dashboard's own page need nothing."
            ),
            id="loyalty.W080",
        )
    ]
