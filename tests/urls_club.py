from django.apps import apps
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.api.v2.views import PagesAPIViewSet
from wagtail.contrib.sitemaps.views import sitemap
from wagtail.documents import urls as wagtaildocs_urls
from wagtail.documents.api.v2.views import DocumentsAPIViewSet
from wagtail.images.api.v2.views import ImagesAPIViewSet

from tests.urls import urlpatterns as shop
from wagtail_club.api import ClubPagesAPIViewSet

router = WagtailAPIRouter("wagtailapi")
router.register_endpoint("pages", PagesAPIViewSet)
router.register_endpoint("club", ClubPagesAPIViewSet)
router.register_endpoint("images", ImagesAPIViewSet)
router.register_endpoint("documents", DocumentsAPIViewSet)

urlpatterns = [
    path("cms/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("club-files/", include("wagtail_club.urls")),
    # What a web server does with the media folder, whole.
    path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
    path("api/v2/", router.urls),
    path("sitemap.xml", sitemap),
    *shop,
]
if apps.is_installed("wagtail.api.v3"):
    from wagtail.api.v3.urls import api

    urlpatterns += [path("api/v3/", api.urls)]
urlpatterns += [path("club/me/", include("wagtail_club.me_urls"))]
urlpatterns += i18n_patterns(path("", include(wagtail_urls)), prefix_default_language=False)
