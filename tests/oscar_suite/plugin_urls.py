"""Oscar's test addresses, with the plugin's before them. ``tests`` is Oscar's here: see ``run.py``."""

from importlib import reload

from django.urls import include, path

from tests._site import urls as oscar_urls

# Oscar's tests reload the root of the addresses after they changed a setting that these depend on.
reload(oscar_urls)

handler403, handler404, handler500 = oscar_urls.handler403, oscar_urls.handler404, oscar_urls.handler500

urlpatterns = [path("", include("oscar_loyalty.urls")), *oscar_urls.urlpatterns]
