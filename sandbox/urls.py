"""English without a prefix, French under ``/fr/``; Wagtail comes last because it answers any address."""

from django.apps import apps
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("cms/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("club-files/", include("wagtail_club.urls")),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
    *i18n_patterns(
        path("", include("sandbox.shop.urls")),
        path("booking/", include("appointment.urls")),
        path("dashboard/appointments/", include("oscar_loyalty.contrib.appointment.urls")),
        path("", include("oscar_loyalty.urls")),
        path("", include(apps.get_app_config("oscar").urls[0])),
        path("club/me/", include("wagtail_club.me_urls")),
        path("", include(wagtail_urls)),
        prefix_default_language=False,
    ),
]
