"""The club's home page in both languages, at ``/club/`` and ``/fr/club/``."""

from django.apps import apps
from django.conf import settings
from wagtail.models import Locale, Page, Site

TEXTS = {
    "en": {
        "title": "The Pétale club",
        "tagline": "Every visit and every purchase grows into something for you.",
        "introduction": (
            "<p>Members collect petals with each haircut, each treatment and each product they take home, "
            "and turn them into gift cards: for themselves, or for somebody they like.</p>"
        ),
        "benefits": [
            ("Petals for everything", "In the salon and in the web shop, on the same account."),
            ("Gift cards for petals", "A 10-euro gift card for 1,000 petals, a 40-euro card for 3,400."),
            ("Better with time", "Silver and Gold members collect faster and hear of new things first."),
        ],
    },
    "fr": {
        "title": "Le club Pétale",
        "tagline": "Chaque visite et chaque achat finissent par fleurir.",
        "introduction": (
            "<p>Les membres cumulent des pétales à chaque coupe, chaque soin et chaque produit emporté, "
            "et les transforment en cartes cadeaux : pour eux-mêmes ou pour quelqu'un qu'ils aiment.</p>"
        ),
        "benefits": [
            ("Des pétales partout", "Au salon comme dans la boutique en ligne, sur le même compte."),
            ("Des cartes contre des pétales", "Une carte de 10 euros pour 1 000 pétales, de 40 euros pour 3 400."),
            ("De mieux en mieux", "Les membres Argent et Or cumulent plus vite et sont les premiers informés."),
        ],
    },
}


def load_club() -> None:
    """Make what is missing of the page tree; pages that exist belong to the editors."""
    site = Site.objects.get(is_default_site=True)
    site.hostname, _, port = settings.SITE_DOMAIN.partition(":")
    site.port, site.site_name = int(port), settings.WAGTAIL_SITE_NAME
    site.save()
    home = site.root_page
    if home.title.startswith("Welcome to"):  # the page that Wagtail's migrations leave
        home.title = home.draft_title = settings.WAGTAIL_SITE_NAME
        home.save()
    club = load_page(parent=home, language="en")
    french, _ = Locale.objects.get_or_create(language_code="fr")
    if not home.has_translation(french):
        # The roots of the languages are siblings; Wagtail picks the one of the address.
        publish(home.copy_for_translation(french))
    if not club.has_translation(french):
        translation = club.copy_for_translation(french)
        fill(translation, "fr")
        publish(translation)


def load_page(*, parent: Page, language: str) -> Page:
    ClubHomePage = apps.get_model("wagtail_club", "ClubHomePage")
    page = ClubHomePage.objects.child_of(parent).first()
    if page is None:
        page = ClubHomePage(slug="club", show_in_menus=True)
        fill(page, language)
        parent.add_child(instance=page)
        publish(page)
    return page


def fill(page: Page, language: str) -> None:
    texts = TEXTS[language]
    page.title = page.draft_title = texts["title"]
    page.tagline, page.introduction = texts["tagline"], texts["introduction"]
    page.benefits = [("benefit", {"title": title, "text": text}) for title, text in texts["benefits"]]


def publish(page: Page) -> None:
    page.save_revision().publish()
