"""Settings of the sandbox: Oscar, the loyalty plugin, a booking calendar and a Wagtail club in one project.

For demonstrations only: debug mode, fixed keys, passwords that everybody knows.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONCE, NONE, SELF
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *  # noqa: F403
from oscar.defaults import OSCAR_DASHBOARD_NAVIGATION

import oscar_loyalty
import wagtail_club
from oscar_loyalty.contrib.appointment.navigation import APPOINTMENTS
from oscar_loyalty.dashboard.navigation import NAVIGATION

BASE_DIR = Path(__file__).resolve().parent
VAR = Path(os.environ.get("SANDBOX_VAR") or BASE_DIR.parent / "var" / "sandbox")

DEBUG = True
SECRET_KEY = "the sandbox's own key, known to everybody"
ALLOWED_HOSTS = ["*"]
PORT = os.environ.get("PORT", "8000")
SITE_ID = 1
SITE_DOMAIN = f"127.0.0.1:{PORT}"
ROOT_URLCONF = "sandbox.urls"
WSGI_APPLICATION = "sandbox.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Apps that the salon has forked, as a shop of its own would.
FORKS = {
    "oscar.apps.catalogue.apps.CatalogueConfig": "sandbox.catalogue.apps.CatalogueConfig",
    "oscar.apps.offer.apps.OfferConfig": "sandbox.offer.apps.OfferConfig",
    "oscar.apps.order.apps.OrderConfig": "sandbox.order.apps.OrderConfig",
    "oscar.apps.partner.apps.PartnerConfig": "sandbox.partner.apps.PartnerConfig",
    "oscar.apps.search.apps.SearchConfig": "sandbox.search.apps.SearchConfig",
    oscar_loyalty.STAND_INS["oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig"]: (
        "sandbox.dashboard.apps.CatalogueDashboardConfig"
    ),
}

INSTALLED_APPS = wagtail_club.installed(
    [
        "sandbox.shop.apps.ShopConfig",  # before Oscar: its templates extend all others
        "sandbox.demo.apps.DemoConfig",
        *[FORKS.get(app, app) for app in oscar_loyalty.installed(OSCAR_APPS)],
        "sorl.thumbnail",
        "oscar_loyalty.contrib.appointment",
        "appointment",
        "sandbox.gallery.apps.GalleryConfig",
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
)

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
    "oscar_loyalty.privileges.middleware.EarlyAccessMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
    "oscar_loyalty.contrib.appointment.middleware.SlotTakenMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.request",
                "django.template.context_processors.debug",
                "django.template.context_processors.i18n",
                "django.template.context_processors.media",
                "django.template.context_processors.static",
                "django.contrib.messages.context_processors.messages",
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ],
        },
    }
]

AUTHENTICATION_BACKENDS = [
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian would otherwise create an active user for anonymous visitors
GUARDIAN_GET_CONTENT_TYPE = "wagtail_club.guardian.get_content_type"


def database(url):
    """Turn ``postgres://user:password@host:port/name`` into Django's setting; else SQLite in ``var``."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR / "db.sqlite3",
            # runserver answers several requests at once: readers must not wait, writers must queue.
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL;",
            },
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": parts.port,
    }


VAR.mkdir(parents=True, exist_ok=True)
DATABASES = {"default": database(os.environ.get("DATABASE_URL"))}
MIGRATION_MODULES = {
    "appointment": "sandbox.appointment_migrations",  # the package ships none
    "offer": "oscar.apps.offer.migrations",  # our forks change no models
    "order": "oscar.apps.order.migrations",
    "partner": "oscar.apps.partner.migrations",
}

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR / "mail"
DEFAULT_FROM_EMAIL = "Maison Pétale <bonjour@example.com>"

USE_TZ = True
TIME_ZONE = "Europe/Paris"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]

HAYSTACK_CONNECTIONS = {
    "default": {"ENGINE": "haystack.backends.whoosh_backend.WhooshEngine", "PATH": str(VAR / "index")}
}

LOGIN_URL = reverse_lazy("customer:login")  # by name, to stay in the reader's language
LOGIN_REDIRECT_URL = reverse_lazy("customer:summary")

X_FRAME_OPTIONS = "SAMEORIGIN"  # Wagtail shows its previews in frames
# Where a form may lead in the end: to the page on which cards are entered.
STRIPE_PAGES = [os.environ.get("STRIPE_API_BASE") or "https://checkout.stripe.com"]
# Nothing runs or styles a page but files of the shop; Oscar's last script is known by its nonce.
CONTENT_SECURITY_POLICY = {
    # Wagtail's own admin has scripts in its pages.
    "EXCLUDE_URL_PREFIXES": ["/cms/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF, *STRIPE_PAGES],
        "frame-ancestors": [SELF],
        "object-src": [NONE],
    },
}

OSCAR_SHOP_NAME = "Maison Pétale"
OSCAR_SHOP_TAGLINE = _("Hair and beauty, by appointment")
OSCAR_FROM_EMAIL = DEFAULT_FROM_EMAIL
OSCAR_DEFAULT_CURRENCY = "EUR"
OSCAR_HOMEPAGE = reverse_lazy("home")
OSCAR_REQUIRED_ADDRESS_FIELDS = ("first_name", "last_name", "line1", "line4", "postcode", "country")
OSCAR_ALLOW_ANON_CHECKOUT = True  # guests are written to, and may take their order to an account later
OSCAR_INITIAL_ORDER_STATUS = "Pending"
OSCAR_INITIAL_LINE_STATUS = "Pending"
OSCAR_ORDER_STATUS_PIPELINE = {
    "Pending": ("Being processed", "Cancelled"),
    "Being processed": ("Complete", "Cancelled"),
    "Complete": ("Cancelled",),
    "Cancelled": (),
}
OSCAR_LINE_STATUS_PIPELINE = {
    "Pending": ("Complete", "Cancelled"),
    "Complete": ("Cancelled",),
    "Cancelled": (),
}
OSCAR_ORDER_STATUS_CASCADE = {"Complete": "Complete", "Cancelled": "Cancelled"}
OSCAR_SEARCH_FACETS = {"fields": {}, "queries": {}}  # the shelves are enough for forty products
OSCAR_DASHBOARD_NAVIGATION = [*OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION, APPOINTMENTS]

OSCAR_LOYALTY_WORKER = "inline"
OSCAR_LOYALTY_GIFTCARD_KEYS = {"demo": "the sandbox's gift-card key, known to everybody"}

# Set by scripts/sandbox.py, which starts a Stripe of our own; or by you, to try Stripe's test mode.
OSCAR_LOYALTY_MONEY = ["stripe", "on_site"]
OSCAR_LOYALTY_STRIPE_SECRET_KEY = os.environ.get("STRIPE_SECRET_KEY", "")
OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET = [secret for secret in [os.environ.get("STRIPE_WEBHOOK_SECRET", "")] if secret]
OSCAR_LOYALTY_STRIPE_API_BASE = os.environ.get("STRIPE_API_BASE", "")

APPOINTMENT_BASE_TEMPLATE = "shop/booking/base.html"
APPOINTMENT_ADMIN_BASE_TEMPLATE = "shop/booking/base.html"
APPOINTMENT_CUSTOM_TEMPLATES_DIR = "shop/booking"
APPOINTMENT_WEBSITE_NAME = OSCAR_SHOP_NAME
PHONENUMBER_DEFAULT_REGION = "FR"

WAGTAIL_SITE_NAME = "Maison Pétale"
WAGTAILADMIN_BASE_URL = f"http://{SITE_DOMAIN}"
WAGTAIL_I18N_ENABLED = True
# The editors' screens ask no other host either.
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAILIMAGES_IMAGE_MODEL = "gallery.Picture"
WAGTAILDOCS_DOCUMENT_MODEL = "gallery.Paper"
WAGTAIL_CLUB_FILES = VAR / "private"
WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("fr", "French")]
