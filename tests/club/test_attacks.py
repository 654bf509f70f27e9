"""What an editor, a visitor or a program writes into the club to harm others."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sandbox.gallery.models import Paper, Picture
from tests.attacks import addresses, files, pages
from tests.attacks.test_odd_words import ALL, HOLES, MIXED, Walk, broken  # noqa: F401
from tests.attacks.test_uploads import bounded
from wagtail_club.models import ClubArticlePage

SCRIPT = '"><script>alert(1)</script>'
LINK = "javascript:alert(1)"


@pytest.fixture
def boss(client, django_user_model):
    user = django_user_model.objects.create_superuser("boss", "boss@example.com", "x")
    client.force_login(user)
    return user


def content(text, url):
    """What the editor of texts sends: ``text``, which is a link to ``url``."""
    return json.dumps(
        {
            "blocks": [
                {
                    "key": "abcde",
                    "type": "unstyled",
                    "text": text,
                    "depth": 0,
                    "inlineStyleRanges": [],
                    "entityRanges": [{"offset": 0, "length": len(text), "key": 0}],
                }
            ],
            "entityMap": {"0": {"type": "LINK", "mutability": "MUTABLE", "data": {"url": url}}},
        }
    )


def stream(name, blocks):
    """The fields of a stream of blocks: ``(kind, {name: value})``, or a value alone."""
    data = {f"{name}-count": str(len(blocks))}
    for number, (kind, value) in enumerate(blocks):
        start = f"{name}-{number}"
        data |= {f"{start}-type": kind, f"{start}-deleted": "", f"{start}-order": str(number), f"{start}-id": ""}
        values = value if isinstance(value, dict) else {"": value}
        data |= {f"{start}-value{f'-{key}' if key else ''}": part for key, part in values.items()}
    return data


@pytest.fixture
def written(section, boss, client):
    """A page whose every text an editor has filled with a script, sent as the editor's screen does."""
    path = f"/cms/pages/add/wagtail_club/clubarticlepage/{section.pk}/"
    form = max(pages.forms(client.get(path)), key=lambda one: len(one.names))
    text = content(SCRIPT, LINK)
    data = {
        **form.values,
        "title": SCRIPT,
        "slug": "evil",
        "introduction": SCRIPT,
        "seo_title": SCRIPT,
        "search_description": SCRIPT,
        "teaser_title": SCRIPT,
        "teaser_text": SCRIPT,
        "action-publish": "action-publish",
        **stream("guests", []),
        **stream(
            "body",
            [
                ("heading", SCRIPT),
                ("text", text),
                ("tip", {"title": SCRIPT, "text": text}),
                ("quote", {"text": SCRIPT, "source": SCRIPT}),
                ("code", {"code": SCRIPT, "text": SCRIPT, "note": SCRIPT}),
            ],
        ),
    }
    response = client.post(path, data)
    if response.status_code == 200:
        raise AssertionError(dict(response.context["form"].errors))
    return ClubArticlePage.objects.get(slug="evil")


def test_no_text_of_an_editor_is_a_script(written, section, club, client, people):
    from django.test import Client

    shown = 0
    for reader, url in [
        *[(Client(), url) for url in (written.url, section.url, club.url, f"{club.url}feed/", f"{club.url}?q=script")],
        *[(Client(), f"/api/v2/{kind}/?fields=*") for kind in ("pages", "club")],
        *[
            (client, url)
            for url in (
                f"/cms/pages/{section.pk}/",
                f"/cms/pages/{written.pk}/edit/",
                f"/cms/pages/{written.pk}/history/",
                "/cms/pages/search/?q=script",
                "/cms/",
                "/cms/reports/site-history/",
                f"/cms/choose-page/{section.pk}/",
            )
        ],
    ]:
        response = reader.get(url, headers={"accept": "text/html"})
        if response.status_code != 200:
            continue
        text = response.content.decode()
        kind = response.headers["Content-Type"]
        shown += "alert(1)" in text
        if "json" not in kind:
            assert "<script>alert(1)" not in text, url
        assert f'href="{LINK}' not in text, url
    assert shown > 5, shown
    # What was a link to a script is none at all.
    assert LINK not in json.dumps(list(written.body.raw_data))


@pytest.mark.parametrize(
    "make",
    [
        lambda: files.png(30_000, 30_000, data=b""),
        lambda: files.png(13_000, 13_000, data=b""),
        lambda: SimpleUploadedFile("a.svg", files.SVG, content_type="image/svg+xml"),
        lambda: SimpleUploadedFile("a.png", files.SVG, content_type="image/png"),
        lambda: SimpleUploadedFile("a.png", files.EPS, content_type="image/png"),
        lambda: SimpleUploadedFile("a.eps", files.EPS),
        lambda: SimpleUploadedFile("a.html", files.GIF + files.PAGE, content_type="image/gif"),
        lambda: SimpleUploadedFile("a.png", files.png().read() + b"\x00" * 11_000_000, content_type="image/png"),
    ],
    ids=["points", "fewer points", "svg", "svg as png", "a program as png", "a program", "a page", "bytes"],
)
def test_no_picture_of_an_editor_is_a_bomb(make, site, root, boss, client):
    upload = make()
    with bounded(megabytes=80, seconds=10):
        response = client.post("/cms/images/add/", {"title": "Evil", "file": upload, "tags": "", "collection": ""})
    assert response.status_code == 200
    assert response.context["form"].errors["file"]
    assert not Picture.objects.exists()


@pytest.mark.parametrize("name", ["a.html", "a.svg", "../../a.htm", "a.js", "a.xhtml"])
def test_no_document_is_a_page_of_the_shop(name, site, root, boss, client):
    body = files.SVG if name.endswith("svg") else files.PAGE
    upload = SimpleUploadedFile(name, body, content_type="text/html")
    response = client.post("/cms/documents/add/", {"title": "Evil", "file": upload, "tags": "", "collection": ""})
    if response.status_code == 200:
        assert response.context["form"].errors["file"]
        return
    paper = Paper.objects.get()
    assert ".." not in paper.file.name
    answer = client.get(paper.url, follow=True)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_no_address_of_the_club_breaks(section, article, member, user, client, broken, search_index):  # noqa: F811
    page, home = article(section), section.get_parent()
    client.force_login(user)
    walk = Walk(client, broken)
    ours = [one for one in addresses.every() if one.name.startswith(("wagtail_club:", "wagtail_club_files:"))]
    assert len(ours) > 12
    for address in ours:
        walk.odd_holes(address)
        path, shown = walk.opened(address, {"int": [1, 192], "str": ["x.png", "a%00.png"], "uuid": HOLES["uuid"]})
        walk.odd_methods(address, path)
        walk.odd_words(address, path, pages.forms(shown))
    for url in (page.url, section.url, home.url, f"{home.url}feed/"):
        for word in [*ALL, *MIXED]:
            for name in ("q", "page", "tier", "preview"):
                walk("club", "get", url, {name: word})
        walk("club", "post", url, dict.fromkeys(("q", "page"), "\x00"))
        walk("club", "get", f"{url}%00/")
    assert not walk.told, "\n".join(walk.told.values())
