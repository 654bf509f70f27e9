"""Forking our rooms as the last section of docs/howto/own-checkout.md says, in a shop that works already."""

import pytest

import oscar_loyalty
from tests.tutorial.project import OWN_CHECKOUT, ROOMS

#: conftest.py says where.
pytestmark = pytest.mark.both_databases

MAKE_MEMBER = """
from oscar_loyalty.members import services
programme = services.create_programme(name="Pétales")
services.join(programme=programme, email="zoe@example.com", source="test")
"""


def test_a_model_of_ones_own(shop):
    """The page to the letter: a member of the shop's own has a shoe size."""
    shop.shell(MAKE_MEMBER)
    said = {}
    for block in OWN_CHECKOUT.under(ROOMS):
        if block.kind == "python":
            shop.write(block, whole=block.caption != "settings.py")
        for command in block.commands if block.kind == "sh" else []:
            said[command] = shop.run(command)
    assert "+ Add field shoe_size to member" in said["python manage.py makemigrations loyalty_members"]
    assert "Applying loyalty_members.0002_member_shoe_size... OK" in said["python manage.py migrate"]
    assert "No changes detected" in shop.run("python manage.py makemigrations --check --dry-run")
    assert "System check identified no issues (0 silenced)." in shop.run("python manage.py check")
    told = shop.shell(
        "from oscar_loyalty.members import selectors, services; from oscar_loyalty.members.models import Tier;"
        "from oscar_loyalty.loading import get_model;"
        "Member = get_model('loyalty_members', 'Member');"
        "member = Member.objects.get(); member.shoe_size = 38; member.save();"
        "member = selectors.by_number(member.number, member.programme);"
        "print(Member.__module__, Tier.__module__, member.shoe_size)"
    )
    assert told == "forks.loyalty_members.models oscar_loyalty.members.models 38"


VIEW = """
from oscar_loyalty.account.views import OverviewView as TheirOverviewView


class OverviewView(TheirOverviewView):
    template_name = "mine.html"
"""
LOOK = """
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from oscar_loyalty.loading import get_model
client = Client(HTTP_HOST="localhost")
client.force_login(get_user_model().objects.get(username="owner"))
print(client.get("/accounts/loyalty/").content.decode())
for name in "overview", "programme", "rules", "members", "movements", "giftcards", "denominations", "health":
    print(name, client.get(reverse(f"loyalty-dashboard:loyalty-{name}")).status_code)
for name in "/accounts/loyalty/history/", "/accounts/loyalty/earn/", "/gift-cards/":
    print(name, client.get(name).status_code)
"""


def test_every_room_forked(shop):
    """All of them at once: the shop has its tables, pages, commands and tags as before, and a view of its own."""
    shop.shell(MAKE_MEMBER)
    rooms = [config for config in oscar_loyalty.INSTALLED_APPS if config != "oscar_loyalty.apps.LoyaltyConfig"]
    labels = [f"loyalty_{config.split('.')[1]}" for config in rooms]
    shop.shell(
        "from django.core.management import call_command\n"
        f"for label in {labels}: call_command('oscar_fork_app', label, 'forks', label)"
    )
    swaps = {config: f"forks.{label}.apps.{config.split('.')[-1]}" for config, label in zip(rooms, labels, strict=True)}
    shop.append("frobshop/settings.py", f"INSTALLED_APPS = [{swaps}.get(app, app) for app in INSTALLED_APPS]\n")
    (shop.home / "forks/loyalty_account/views.py").write_text(VIEW, encoding="utf-8")
    (shop.home / "forks/loyalty_account/templates").mkdir()
    (shop.home / "forks/loyalty_account/templates/mine.html").write_text("My own page", encoding="utf-8")

    assert "System check identified no issues (0 silenced)." in shop.run("python manage.py check")
    assert "No changes detected" in shop.run("python manage.py makemigrations --check --dry-run")
    assert "No migrations to apply." in shop.run("python manage.py migrate")
    shop.run("python manage.py loyalty_run")
    assert "The books agree." in shop.run("python manage.py loyalty_audit")
    first, *rest = shop.shell(LOOK).splitlines()
    assert first == "My own page"
    assert [line.split()[-1] for line in rest] == ["200"] * 11, rest
