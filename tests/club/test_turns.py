"""Two at once: an editor who closes a section or publishes a page, and somebody whose work meets theirs."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models.signals import post_save
from wagtail.models import Page

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services
from oscar_loyalty.members import tiers as ladder
from wagtail_club import access, turns
from wagtail_club.models import ClubArticlePage, ClubHomePage

PATIENCE = 20


def alone(function):
    """Run in a thread, with a connection of its own."""
    try:
        return function()
    finally:
        connection.close()


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def meet(first, second, reached):
    """Run ``first`` until it sets ``reached``, an event, and then ``second``.

    The function that ``first`` is given returns once ``second`` waits for it, or is done."""
    over = Event()

    def go_on():
        end = time.monotonic() + PATIENCE
        while not (somebody_waits() or over.is_set()):
            assert time.monotonic() < end
            time.sleep(0.02)

    def follow():
        try:
            assert reached.wait(PATIENCE)
            second()
        finally:
            over.set()

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(alone, lambda: first(go_on)), pool.submit(alone, follow)]
        for each in both:
            each.result(PATIENCE * 2)


def publish(page, **fields):
    page = page.specific_class.objects.get(pk=page.pk)
    for name, value in fields.items():
        setattr(page, name, value)
    page.save_revision().publish()


@pytest.fixture
def closing():
    """Close a page to all but those named, and stop in the midst of it: ``first(page)(go_on)``, which sets
    ``first.reached``."""

    class Closing:
        reached = Event()

        def __call__(self, page, **fields):
            def first(go_on):
                def group_made(sender, **kwargs):
                    # The group of its guests: the page is decided of, what is below it is not.
                    self.reached.set()
                    go_on()

                post_save.connect(group_made, sender=Group)
                try:
                    publish(page, audience="named", **fields)
                finally:
                    post_save.disconnect(group_made, sender=Group)

            return first

    return Closing()


def save(page, section):
    ClubArticlePage.objects.get(pk=page.pk).save()


def add(page, section):
    page = section.__class__.objects.get(pk=section.pk)
    page.add_child(instance=ClubArticlePage(title="New", slug="new"))


def move(page, section):
    page.move(section, pos="first-child")


if connection.vendor == "postgresql":

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("what", [save, add, move])
    def test_closing_a_section_and_work_below_it_wait_for_each_other(club, section, article, people, closing, what):
        page = article(article(section, slug="between"))
        meet(closing(club), lambda: what(page, section), closing.reached)
        assert ClubHomePage.objects.get(pk=club.pk).club_access.closed
        for below in section.get_descendants(inclusive=True):
            assert not access.may_see(people["higher"], below)
        assert list(access.differences()) == []

    @pytest.mark.django_db(transaction=True)
    def test_a_section_goes_while_somebody_writes_below_it(section, article):
        reached, read = Event(), section.__class__.objects.get(pk=section.pk)

        def delete(go_on):
            with transaction.atomic():
                section.delete()
                reached.set()
                go_on()

        def write():
            with pytest.raises(turns.Gone):
                read.add_child(instance=ClubArticlePage(title="New", slug="new"))

        meet(delete, write, reached)
        assert not any(Page.find_problems())

    @pytest.mark.django_db(transaction=True)
    def test_somebody_writes_below_a_section_that_is_to_go(section, article):
        reached, path = Event(), section.path
        read = section.__class__.objects.get(pk=section.pk)

        def write(go_on):
            with transaction.atomic():
                add(None, section)
                reached.set()
                go_on()

        meet(write, read.delete, reached)
        assert not any(Page.find_problems())
        assert not Page.objects.filter(path__startswith=path).exists()

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("status", ["closed", "frozen"])
    def test_who_leaves_while_a_page_names_them_is_not_let_in(section, article, people, programme, status):
        page, user, reached = article(section), people["low"], Event()
        member = members.member_for(user, programme)

        def leave(go_on):
            with transaction.atomic():
                services.set_status(member=member, status=status)
                reached.set()
                go_on()

        meet(leave, lambda: publish(page, audience="named", guests=[("member", member)]), reached)
        assert access.may_see(user, page) is False
        assert list(access.differences()) == []

    @pytest.mark.django_db(transaction=True)
    def test_a_tier_goes_while_a_page_names_its_members(section, article, people, programme, tiers, closing):
        member = members.member_for(people["exact"], programme)
        page = article(section, slug="named")
        article(section, "gold")
        names = closing(page, guests=[("member", member)])
        meet(names, lambda: ladder.remove(tier=tiers["silver"]), closing.reached)
        member.refresh_from_db()
        assert member.tier == tiers["bronze"]
        assert access.may_see(people["exact"], page)
        assert list(access.differences()) == []
