"""The test settings with Wagtail, guardian and the club installed as well."""

import tempfile
from importlib.util import find_spec

from tests.settings import *  # noqa: F403
from tests.settings import AUTHENTICATION_BACKENDS, INSTALLED_APPS, MIDDLEWARE
from wagtail_club import installed

INSTALLED_APPS = installed(
    [
        *INSTALLED_APPS,
        "sandbox.gallery.apps.GalleryConfig",
        "tests.club.lookbook",
        "wagtail.contrib.redirects",
        "wagtail.contrib.sitemaps",
        "django.contrib.sitemaps",
        "wagtail.api.v2",
        # Wagtail 8 has a second API; 7.4 does not.
        *(["wagtail.api.v3"] if find_spec("wagtail.api.v3") else []),
        "rest_framework",
        "wagtail.embeds",
        "wagtail.sites",
        "wagtail.users",
        "wagtail.snippets",
        "wagtail.documents",
        "wagtail.images",
        "wagtail.search",
        "wagtail.admin",
        "wagtail",
        "modelcluster",
        "taggit",
        "guardian",
    ]
)
MIDDLEWARE = [*MIDDLEWARE, "wagtail.contrib.redirects.middleware.RedirectMiddleware"]
AUTHENTICATION_BACKENDS = [*AUTHENTICATION_BACKENDS, "guardian.backends.ObjectPermissionBackend"]
ANONYMOUS_USER_NAME = None
# Documents that a test uploads must not end in the work tree.
MEDIA_ROOT = tempfile.mkdtemp(prefix="loyalty-club-")
WAGTAIL_CLUB_FILES = tempfile.mkdtemp(prefix="loyalty-club-private-")
WAGTAILIMAGES_IMAGE_MODEL = "gallery.Picture"
WAGTAILDOCS_DOCUMENT_MODEL = "gallery.Paper"
GUARDIAN_GET_CONTENT_TYPE = "wagtail_club.guardian.get_content_type"
ROOT_URLCONF = "tests.urls_club"
WAGTAIL_SITE_NAME = "Club"
WAGTAILADMIN_BASE_URL = "http://testserver"
WAGTAIL_I18N_ENABLED = True
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("fr", "French")]
