from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls

from tests.urls import urlpatterns as shop

urlpatterns = [path("cms/", include(wagtailadmin_urls)), *shop]
urlpatterns += i18n_patterns(path("", include(wagtail_urls)), prefix_default_language=False)
