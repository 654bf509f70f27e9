"""The test settings with Wagtail, guardian and the club installed as well."""

from tests.settings import *  # noqa: F403
from tests.settings import AUTHENTICATION_BACKENDS, INSTALLED_APPS
from wagtail_club import INSTALLED_APPS as CLUB_APPS

INSTALLED_APPS = [
    *INSTALLED_APPS,
    *CLUB_APPS,
    "wagtail.contrib.redirects",
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
AUTHENTICATION_BACKENDS = [*AUTHENTICATION_BACKENDS, "guardian.backends.ObjectPermissionBackend"]
ANONYMOUS_USER_NAME = None
GUARDIAN_GET_CONTENT_TYPE = "wagtail_club.guardian.get_content_type"
ROOT_URLCONF = "tests.urls_club"
WAGTAIL_SITE_NAME = "Club"
WAGTAILADMIN_BASE_URL = "http://testserver"
WAGTAIL_I18N_ENABLED = True
WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("fr", "French")]
