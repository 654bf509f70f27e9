"""Oscar's test addresses, with the plugin's before them. ``tests`` is Oscar's here: see ``run.py``."""

from django.urls import include, path

from tests._site.urls import handler403, handler404, handler500, urlpatterns

__all__ = ["handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("", include("oscar_loyalty.urls")), *urlpatterns]
