import pytest


@pytest.fixture
def wagtail_pages(db):
    """What Wagtail's migrations leave: roots, a first page, a site, and the editors' groups."""
    from django.contrib.auth.models import Group
    from wagtail.models import Collection, Locale, Page, Site

    Locale.objects.get_or_create(language_code="en")
    if not Page.objects.exists():
        root = Page.add_root(title="Root", slug="root")
        home = root.add_child(instance=Page(title="Welcome to your new Wagtail site!", slug="home"))
        Site.objects.get_or_create(hostname="localhost", defaults={"root_page": home, "is_default_site": True})
    if not Collection.objects.exists():
        Collection.add_root(name="Root")
    for name in ("Editors", "Moderators"):
        Group.objects.get_or_create(name=name)
