import os

import pytest


@pytest.fixture
def drawn_once(tmp_path_factory, monkeypatch):
    """Each picture of the salon is drawn once in a run; drawing them is most of what loading the salon takes."""
    from sandbox.demo import programme
    from sandbox.shop import pictures

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "pictures"
    folder.mkdir(exist_ok=True)
    really = pictures.draw

    def draw(shape, colour):
        drawn = folder / f"{shape}-{colour}.jpg"
        if not drawn.exists():
            part = folder / f"{drawn.name}.{os.getpid()}"
            part.write_bytes(really(shape, colour))
            part.replace(drawn)
        return drawn.read_bytes()

    for module in (pictures, programme):
        monkeypatch.setattr(module, "draw", draw)


@pytest.fixture
def wagtail_pages(db, drawn_once):
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
