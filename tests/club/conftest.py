from io import BytesIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from PIL import Image as Canvas
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission, Locale, Page, Site

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services
from sandbox.gallery.models import Paper, Picture
from wagtail_club.models import ClubArticlePage, ClubHomePage, ClubSectionPage

#: Stands in everything of a closed page that only its readers may read.
SECRET = "moonflower"
INSIDE = {"exact", "higher", "guest"}
EVERYBODY = ["anonymous", "customer", "low", "exact", "higher", "guest", "former"]


@pytest.fixture
def site(db):
    Locale.objects.get_or_create(language_code="en")
    Locale.objects.get_or_create(language_code="fr")
    root = Page.objects.filter(depth=1).first() or Page.add_root(instance=Page(title="Root", slug="root"))
    front = root.add_child(instance=Page(title="Front", slug="front"))
    Site.objects.all().delete()
    return Site.objects.create(hostname="testserver", root_page=front, is_default_site=True)


@pytest.fixture
def club(site, programme):
    return site.root_page.add_child(instance=ClubHomePage(title="The club", slug="club"))


@pytest.fixture
def tiers(programme):
    return {tier.code: tier for tier in members.tiers(programme)}


@pytest.fixture
def section(club):
    return club.add_child(instance=ClubSectionPage(title="Care", slug="care"))


@pytest.fixture
def article(tiers):
    """Publish an article full of the secret: ``article(section, tier="silver")``."""

    def article(parent, tier=None, slug="guide", **fields):
        wish = {"audience": "tier", "minimum_tier": tiers[tier]} if tier else {}
        words = {
            "title": f"The {SECRET} guide",
            "introduction": f"All about {SECRET}",
            "seo_title": f"{SECRET} seo",
            "search_description": f"{SECRET} description",
            "body": [("text", f"<p>Put {SECRET} on it</p>")],
            "teaser_title": "A guide for the hair",
            "teaser_text": "Shine for weeks",
        }
        page = ClubArticlePage(slug=slug, **{**words, **wish, **fields})
        parent.add_child(instance=page)
        page.save_revision().publish()
        return ClubArticlePage.objects.get(pk=page.pk)

    return article


@pytest.fixture
def people(programme, tiers, django_user_model):
    """One of each kind of reader of a Silver page: by name, the user, or ``None``."""

    def person(name, tier=None):
        user = django_user_model.objects.create_user(username=name, email=f"{name}@example.com", first_name=name)
        member = services.join(programme=programme, user=user)
        if tier:
            services.set_tier(member=member, tier=tiers[tier], key=f"test:{name}")
        return user

    found = {"anonymous": None, "customer": django_user_model.objects.create_user("customer", "c@example.com")}
    found |= {"low": person("low"), "exact": person("exact", "silver"), "higher": person("higher", "gold")}
    found |= {"guest": person("guest"), "former": person("former", "gold")}
    services.set_status(member=members.member_for(found["former"], programme), status="closed")
    return found


@pytest.fixture
def guest_list(people, programme):
    """The guest list that names the guest, and somebody whose membership is over."""
    return [("member", members.member_for(people[name], programme)) for name in ("guest", "former")]


@pytest.fixture
def root(db):
    cache.clear()  # Wagtail keeps renditions there, also those of a test before
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


@pytest.fixture(params=EVERYBODY)
def reader(request, people, client):
    user = people[request.param]
    if user is not None:
        client.force_login(user)
    return request.param


@pytest.fixture
def picture(root):
    """Upload a picture: ``picture("scene")``; its bytes hold the secret, its title bears it."""

    def picture(name=SECRET, **fields):
        out = BytesIO()
        canvas = Canvas.new("RGB", (64, 48), "#c08")
        canvas.save(out, "JPEG", comment=SECRET.encode())
        return Picture.objects.create(
            title=f"{name} scene", file=ImageFile(BytesIO(out.getvalue()), name=f"{name}.jpg"), **fields
        )

    return picture


@pytest.fixture
def paper(root):
    def paper(name=SECRET, **fields):
        return Paper.objects.create(
            title=f"{name} sheet", file=ContentFile(SECRET.encode(), name=f"{name}.txt"), **fields
        )

    return paper


@pytest.fixture
def body():
    """The content of an article with a picture and a document."""

    def body(picture=None, paper=None):
        found = []
        if picture:
            found.append(("picture", {"image": picture, "alt": "", "caption": ""}))
        if paper:
            found.append(("download", {"document": paper, "title": "Take it home"}))
        return found

    return body


@pytest.fixture
def editor(site, root, editors, django_user_model):
    """An editor of another section, who may choose pictures and documents of all collections."""
    other = site.root_page.add_child(instance=Page(title="News", slug="news"))
    for kind in ("add_page", "change_page"):
        permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=kind)
        GroupPagePermission.objects.create(group=editors, page=other, permission=permission)
    editors.permissions.add(Permission.objects.get(codename="access_admin"))
    for codename in ("choose_image", "add_image", "choose_document", "add_document"):
        GroupCollectionPermission.objects.create(
            group=editors,
            collection=Collection.get_first_root_node(),
            permission=Permission.objects.get(codename=codename),
        )
    user = django_user_model.objects.create_user("editor", "editor@example.com")
    user.groups.add(editors)
    return user


@pytest.fixture
def editors(site):
    return Group.objects.create(name="Editors of elsewhere")


@pytest.fixture(autouse=True)
def search_index(db):
    """On SQLite, Wagtail's index is a table that only migrations make: run what they would."""
    from importlib import import_module

    from django.db import connection
    from django.db.migrations import RunSQL, SeparateDatabaseAndState

    if connection.vendor != "sqlite":
        return
    migration = import_module("wagtail.search.migrations.0006_customise_indexentry").Migration
    with connection.cursor() as cursor:
        # Without migrations it is a table like any other, which knows no words.
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'wagtailsearch_indexentry_fts'")
        if "VIRTUAL" in (cursor.fetchone() or [""])[0]:
            return
        cursor.execute("DROP TABLE IF EXISTS wagtailsearch_indexentry_fts")
        for operation in migration.operations:
            if isinstance(operation, SeparateDatabaseAndState):
                for step in operation.database_operations:
                    if isinstance(step, RunSQL):
                        cursor.execute(step.sql)
