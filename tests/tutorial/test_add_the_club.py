"""docs/howto/add-the-club.md to the letter, in the shop of the tutorial."""

import pytest

from tests.tutorial.reader import Page

#: conftest.py says where.
pytestmark = pytest.mark.both_databases

PAGE = Page("howto/add-the-club.md")
FIRST_PAGE = """
from wagtail.models import Site
from wagtail_club.models import ClubHomePage
Site.objects.get().root_page.add_child(instance=ClubHomePage(title="Our club", slug="club"))
"""


def test_add_the_club(shop, browse):
    said = {}
    for block in PAGE.blocks:
        if block.kind == "python":
            shop.write(block, whole=False)
        for command in block.commands if block.kind == "sh" else []:
            said[command] = shop.run(command)
    # Step 4 is another page, whose absence is named.
    assert {line for line in said["python manage.py check"].split() if ".W" in line or ".E" in line} == {
        "(wagtail_club.W002)",
        "(wagtail_club.W003)",
    }
    shop.shell(FIRST_PAGE)
    with shop.served() as address, browse(address) as page:
        page.goto("/club/")
        assert page.get_by_role("heading", name="Our club", level=1).is_visible()
        page.goto("/club/me/")
        assert "/login/" in page.url
        page.goto("/cms/")
        assert page.title().startswith("Sign in")
