"""Follows docs/tutorial/first-points.md to the letter, in a fresh project with Oscar."""

import pytest

from tests.tutorial import steps

#: conftest.py says where.
pytestmark = pytest.mark.both_databases


def test_first_points(shop, browse):
    assert list(shop.said) == [
        "pip install django-oscar-loyalty",
        "python manage.py migrate",
        "python manage.py check",
        "python manage.py loyalty_run",
    ]
    assert "WARNINGS" not in shop.said["python manage.py migrate"]
    assert "System check identified no issues (0 silenced)." in shop.said["python manage.py check"]
    assert "No changes detected" in shop.run("python manage.py makemigrations --check --dry-run")

    with shop.served() as address:
        with browse(address) as page:
            steps.make_programme(page)
        with browse(address) as page:
            steps.join(page)
            steps.fill_basket(page, "Haircut", "30 points")
            steps.check_out(page)
            page.get_by_text("This order brings you 30 points.").wait_for()
            steps.open_account(page)
            assert_pending(shop, page)
            # Cron's minute has come: the mail goes out, and the points stay as they were given.
            assert "Subject: =?utf-8?q?Welcome_to_P=C3=A9tales?=" in shop.run("python manage.py loyalty_run")
            steps.open_account(page)
            assert_pending(shop, page)
        with browse(address) as page:
            steps.log_in_owner(page)
            steps.set_points(page, "Haircut", 80)
        with browse(address) as page:
            steps.log_in(page)
            steps.fill_basket(page, "Haircut", "80 points")
    assert "The books agree." in shop.run("python manage.py loyalty_audit")


def assert_pending(shop, page):
    """The customer sees how many points are pending, until when, and why."""
    when = shop.shell(
        "from django.utils.formats import date_format; from django.utils.timezone import localtime;"
        "from oscar_loyalty.ledger import selectors; from oscar_loyalty.members.models import Member;"
        "when, units = selectors.balance(Member.objects.get().account).pending_next;"
        "print(date_format(localtime(when), 'DATE_FORMAT'))"
    )
    facts = page.locator(".loyalty-facts > div", has_text=steps.says("On the way"))
    assert steps.text(facts.locator("dd")).split("\n") == ["30 points", f"30 points from {when} on"]
    movement = page.locator(".loyalty-movement", has_text="Order 100001")
    assert movement.get_by_text(f"To spend from {when} on").is_visible()
    movement.get_by_text(steps.says("Why?")).click()
    assert steps.text(movement.locator(".loyalty-why")) == "1 point per €1 on €30"
