from django.views.generic import TemplateView

from sandbox.shop import selectors


class HomeView(TemplateView):
    template_name = "shop/home.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(services=selectors.services()[:6], favourites=selectors.favourites(), **kwargs)


class ServiceListView(TemplateView):
    """Where a visit is booked: every service of the calendar, by kind."""

    template_name = "shop/services.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(groups=selectors.services_by_category(), **kwargs)
