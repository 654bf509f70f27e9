"""docs/howto/take-it-out.md to the letter, in the shop of the tutorial: baskets work as before the plugin came."""

import pytest

from tests.tutorial.project import TUTORIAL
from tests.tutorial.reader import Page

#: conftest.py says where.
pytestmark = pytest.mark.both_databases

PAGE = Page("howto/take-it-out.md")
MAKE = """
from decimal import Decimal
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site
from oscar_loyalty import clock
from oscar_loyalty.ledger import books
from oscar_loyalty.members import services
programme = services.create_programme(site=Site.objects.get(), name="Ours")
owner = get_user_model().objects.get(username="owner")
member = services.join(programme=programme, user=owner)
services.save_tier(programme=programme, code=member.tier.code, name=member.tier.name, rank=0, discount=Decimal(10))
books.earn(account=member.account, units=5, key="x", kind="adjust", usable_from=clock.now())
"""
#: Whether a basket of the owner's has the tier's discount, and whether the pages that show offers can be read.
LOOK = """
from django.contrib.auth import get_user_model
from django.test import Client
from oscar.core.loading import get_model
client = Client(HTTP_HOST="localhost")
client.force_login(get_user_model().objects.get(username="owner"))
product = get_model("catalogue", "Product").objects.get(title="Haircut")
client.post(f"/basket/add/{product.pk}/", {"quantity": 1})
print("10% off" in client.get("/basket/").content.decode())
for address in "/basket/", "/catalogue/", "/dashboard/offers/", "/dashboard/vouchers/":
    print(client.get(address).status_code)
offer = get_model("offer", "ConditionalOffer").objects.get()
print(client.get(f"/dashboard/offers/{offer.pk}/").status_code)
"""


def test_take_it_out(shop):
    shop.shell(MAKE)
    assert shop.shell(LOOK).splitlines() == ["True", *["200"] * 5]
    *inside, last = [block for block in PAGE.blocks if block.kind == "sh"]
    for command in [command for block in inside for command in block.commands]:
        said = shop.run(f"echo yes | {command}" if "uninstall" in command else command)
        assert "uninstall" not in command or "Ended 1 offers and 0 vouchers." in said
    # No table of ours is left.
    assert shop.shell(
        "from django.db import connection\n"
        "print([name for name in connection.introspection.table_names() if 'loyalty' in name])"
    ).endswith("[]")
    for name in ("settings.py", "urls.py"):
        path = shop.home / "frobshop" / name
        text = path.read_text(encoding="utf-8")
        for block in TUTORIAL.blocks:
            if block.kind == "python" and block.heading[0].isdigit() and block.caption == name:
                assert block.body in text
                text = text.replace(block.body, "")
        assert "loyalty" not in text
        path.write_text(text, encoding="utf-8")
    assert "System check identified no issues (0 silenced)." in shop.run(last.commands[0])
    assert shop.shell(LOOK).splitlines() == ["False", *["200"] * 5]
