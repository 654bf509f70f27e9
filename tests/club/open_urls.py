"""The club's addresses, with Wagtail's view of pictures that asks nobody."""

from django.urls import include, path
from wagtail.images import urls as wagtailimages_urls

from tests.urls_club import urlpatterns as club

urlpatterns = [path("images/", include(wagtailimages_urls)), *club]
