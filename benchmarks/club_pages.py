"""How long the club's lists, search, API and files take with a thousand closed pages on a site of ten thousand.

    DATABASE_URL=postgres://... python benchmarks/club_pages.py          (without: SQLite)
    python benchmarks/club_pages.py --pages 10000 --closed 1000 --limit 300

Measured are whole answers, by Django's test client, for a visitor and for a Gold member, and single queries. Beside
the time stands what of it the program itself worked: the rest is the database, where it is another program, and whoever
else uses the machine. It ends with 1 where an answer takes longer than ``--limit`` milliseconds. It works in a test
database of its own, which it makes and takes away.
"""

import argparse
import os
import sys
import time
from io import BytesIO
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings_club")

#: Closed pages in a section of the club, and the uses of one picture.
IN_SECTION, USES = 100, 5
TIMES = 7


def pages(number, closed):
    """Make a site of ``number`` pages, with a club of ``closed`` ones; return the club, a section and the pictures."""
    from django.contrib.contenttypes.models import ContentType
    from django.core.files.base import ContentFile
    from django.core.files.images import ImageFile
    from django.db import transaction
    from PIL import Image as Canvas
    from wagtail.models import Collection, Locale, Page, ReferenceIndex, Site

    from oscar_loyalty.members import selectors as members
    from sandbox.gallery.models import Paper, Picture
    from wagtail_club import access
    from wagtail_club.models import ClubArticlePage, ClubHomePage, ClubSectionPage, PageAccess

    out = BytesIO()
    Canvas.new("RGB", (64, 48), "#c08").save(out, "JPEG")
    Locale.objects.get_or_create(language_code="en")
    Collection.add_root(name="Root")
    Site.objects.all().delete()
    front = Page.add_root(instance=Page(title="Root", slug="root")).add_child(
        instance=Page(title="Front", slug="front")
    )
    Site.objects.create(hostname="testserver", root_page=front, is_default_site=True)
    Site.clear_site_root_paths_cache()
    club = front.add_child(instance=ClubHomePage(title="The club", slug="club"))
    tiers = list(members.tiers(members.programme_of()))
    pictures = [
        Picture.objects.create(title=f"Picture {n}", file=ImageFile(BytesIO(out.getvalue()), name=f"p{n}.jpg"))
        for n in range(max(1, closed // USES))
    ]
    paper = Paper.objects.create(title="Sheet", file=ContentFile(b"sheet", name="sheet.txt"))
    kind = ContentType.objects.get_for_model(ClubArticlePage)
    with transaction.atomic():
        sections = [
            club.add_child(instance=ClubSectionPage(title=f"Section {n}", slug=f"section-{n}"))
            for n in range(max(1, closed // IN_SECTION))
        ]
        for index in range(closed):
            above, place = sections[index % len(sections)], index // len(sections) + 1
            fields = {
                "title": f"Guide {index}",
                "draft_title": f"Guide {index}",
                "slug": f"guide-{index}",
                "path": Page._get_path(above.path, above.depth + 1, place),
                "depth": above.depth + 1,
                "numchild": 0,
                "url_path": f"{above.url_path}guide-{index}/",
                "locale": above.locale,
                "content_type": kind,
            }
            page = ClubArticlePage(
                **fields,
                audience="tier",
                minimum_tier=tiers[index % len(tiers)],
                introduction="All about shine",
                teaser_title="For members",
                picture=pictures[index % len(pictures)],
                body=[("download", {"document": paper, "title": ""})],
            )
            base = Page(**fields)
            base.save_base(raw=True)  # no signals: all is decided at once below
            page.page_ptr_id = page.pk = base.pk
            page.save_base(raw=True)
            ReferenceIndex.create_or_update_for_object(page)
        for section in sections:
            Page.objects.filter(pk=section.pk).update(numchild=IN_SECTION)
        rest = number - Page.objects.count()
        Page.objects.bulk_create(
            Page(
                title=f"News {n}",
                draft_title=f"News {n}",
                slug=f"news-{n}",
                path=Page._get_path(front.path, front.depth + 1, n + 2),
                depth=front.depth + 1,
                numchild=0,
                url_path=f"{front.url_path}news-{n}/",
                locale=front.locale,
                content_type=ContentType.objects.get_for_model(Page),
            )
            for n in range(rest)
        )
        Page.objects.filter(pk=front.pk).update(numchild=rest + 1)
        access.rebuild()
        PageAccess.objects.filter(closed=True).update(words="guide all about shine")
    # Read anew: treebeard keeps the number of children on the page.
    return ClubHomePage.objects.get(), ClubSectionPage.objects.get(pk=sections[0].pk), pictures, paper


def people():
    """Make the programme, and a Gold member."""
    from django.contrib.auth import get_user_model

    from oscar_loyalty.members import selectors, services

    programme = services.create_programme(name="Club", points_name_one="petal", points_name_many="petals")
    user = get_user_model().objects.create_user("gold", "gold@example.com")
    member = services.join(programme=programme, user=user)
    gold = selectors.tiers(programme).get(code="gold")
    services.set_tier(member=member, tier=gold, key="bench:gold")
    return user


def fastest(function):
    """Milliseconds of one call, and of its own work: the best of several, since others may be using the machine."""
    function()
    found, worked = [], []
    for _ in range(TIMES):
        began, work = time.perf_counter(), time.process_time()
        function()
        found.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - work) * 1000)
    return min(found), min(worked)


def main():
    from django.db import connection
    from django.test import Client
    from wagtail.models import Page

    from sandbox.gallery.models import Picture
    from wagtail_club import access, files

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--closed", type=int, default=1000)
    parser.add_argument("--limit", type=int, default=300)
    options = parser.parse_args()
    user = people()
    club, section, pictures, paper = pages(options.pages, options.closed)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{connection.vendor}: {Page.objects.count():,} pages, {options.closed:,} of them closed\n")
    visitor, gold = Client(), Client()
    gold.force_login(user)
    slow = []

    def row(name, took, limit=options.limit):
        whole, work = took
        print(f"{name:50} {whole:10.1f} ms, own work {work:7.1f} ms", flush=True)
        if limit and whole > limit:
            slow.append(name)

    def get(client, address, status):
        response = client.get(address)
        if response.streaming:
            b"".join(response.streaming_content)
        if response.status_code != status:
            sys.exit(f"{address} answered {response.status_code}, not {status}.")

    closed = section.get_children().first()
    picture = pictures[0].get_rendition("fill-20x20").url
    for name, address, for_visitor in (
        ("the club's home", club.url, 200),
        ("a section", section.url, 200),
        ("the club's search", f"{club.url}?q=shine", 200),
        ("a closed page", closed.url, 403),
        ("a closed picture", picture, 404),
        ("a closed document", paper.url, 403),
        ("API v2 of pages", "/api/v2/pages/?limit=20", 200),
        ("API v2 of pages, the club's", "/api/v2/club/?limit=20", 200),
        ("API v3 of pages", "/api/v3/pages/?limit=20", 200),
        ("API v2 of pictures", "/api/v2/images/?limit=20", 200),
        ("API v2 of documents", "/api/v2/documents/?limit=20", 200),
    ):
        row(f"{name}, visitor", fastest(lambda a=address, s=for_visitor: get(visitor, a, s)))
        row(f"{name}, Gold", fastest(lambda a=address: get(gold, a, 200)))
    row("pages a member may see", fastest(lambda: list(access.visible(Page.objects.live(), user)[:20])))
    row("pictures an editor may pick", fastest(lambda: list(files.choosable(Picture.objects.all(), user)[:20])))
    row("Wagtail's .public()", fastest(lambda: list(Page.objects.live().public()[:20])))
    row("Wagtail's sitemap, all pages", fastest(lambda: get(visitor, "/sitemap.xml", 200)), None)
    if slow:
        sys.exit(f"Slower than {options.limit} ms: {', '.join(slow)}.")


if __name__ == "__main__":
    django.setup()
    from django.db import connection

    connection.settings_dict["TEST"]["MIGRATE"] = False
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        main()
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)
