"""What an editor sees and does in Wagtail's admin."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.utils import timezone
from oscar.apps.partner.strategy import US
from oscar.core.loading import get_class
from oscar.test.factories import create_product
from wagtail.models import GroupPagePermission, Revision
from wagtail.test.utils.form_data import nested_form_data, streamfield
from wagtail.users.models import UserProfile

from oscar_loyalty import clock
from oscar_loyalty.members.tiers import remove
from tests.club.conftest import SECRET
from wagtail_club import access
from wagtail_club.blocks import TierBlock
from wagtail_club.models import ClubArticlePage, ClubOfferPage

Selector = get_class("partner.strategy", "Selector")


@pytest.fixture
def boss(client, django_user_model):
    user = django_user_model.objects.create_superuser("boss", "boss@example.com", "x")
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    ("mode", "told"), [("", True), ("visitor", False), ("bronze", False), ("silver", True), ("gold", True)]
)
def test_a_preview_is_what_such_a_visitor_would_see(section, article, tiers, boss, mode, told):
    page = article(section)
    page.audience, page.minimum_tier = "tier", tiers["silver"]  # not saved: a preview is of what is typed
    modes = dict(page.preview_modes)
    assert list(modes.values()) == ["Everything", "A visitor", "Bronze", "Silver", "Gold"]
    key = f"tier-{tiers[mode].pk}" if mode in tiers else mode
    response = page.make_preview_request(preview_mode=key)
    assert (SECRET in response.content.decode()) == told


@pytest.mark.parametrize("kind", ["clubarticlepage", "clubofferpage", "clubsectionpage"])
def test_the_editors_screen_opens_with_the_tiers(section, tiers, boss, client, kind):
    text = client.get(f"/cms/pages/add/wagtail_club/{kind}/{section.pk}/").content.decode()
    assert "Who may see it" in text
    assert "Silver" in text


def test_products_and_members_are_found_by_their_words(boss, client, member):
    create_product(title="Silk scrunchies")
    create_product(title="Candle")
    text = client.get("/cms/club_products/results/?q=silk").content.decode()
    assert "Silk scrunchies" in text
    assert "Candle" not in text
    assert "Rose" in client.get("/cms/club_members/results/?q=rose+martin").content.decode()
    assert "Rose" not in client.get("/cms/club_members/results/?q=nobody").content.decode()
    # Whom one picks can be told from others of the same first name.
    text = client.get("/cms/club_members/results/?q=rose").content.decode()
    assert "Rose Martin" in text and "rose@example.com" in text


def test_an_offer_shows_its_code_while_it_runs(section, client, time):
    now = clock.now()
    page = ClubOfferPage(title="Sale", slug="sale", code="PETALE20", opens_at=now + timedelta(days=1))
    page.ends_at = now + timedelta(days=3)
    page.products = [("products", {"title": "", "products": [create_product(title="Candle")]})]
    section.add_child(instance=page)
    assert b"PETALE20" not in client.get(page.url).content
    time.advance(days=2)
    text = client.get(page.url).content.decode()
    assert "PETALE20" in text
    assert "Candle" in text


def test_products_are_shown_where_the_tax_is_known_at_the_checkout_only(section, client, monkeypatch):
    monkeypatch.setattr(Selector, "strategy", lambda selector, request=None, **kwargs: US(request))
    page = ClubOfferPage(title="Sale", slug="sale")
    page.products = [("products", {"title": "", "products": [create_product(title="Candle", price=D("9.50"))]})]
    section.add_child(instance=page)
    text = client.get(page.url).content.decode()
    assert "Candle" in text
    assert "9.50" in text


def test_the_editors_select_of_a_tier_is_told_what_it_understands(tiers):
    """A list of words: Wagtail's screen breaks on a number, and on nothing at all."""
    assert TierBlock().get_form_state(tiers["gold"]) == [str(tiers["gold"].pk)]
    assert TierBlock().get_form_state(tiers["gold"].pk) == [str(tiers["gold"].pk)]
    assert TierBlock().get_form_state(None) == [""]


def test_a_page_goes_through_the_workflow_and_is_closed_when_it_is_approved(section, tiers, client, django_user_model):
    from wagtail.models import GroupApprovalTask, Workflow, WorkflowPage, WorkflowTask

    writer = django_user_model.objects.create_user("writer", "writer@example.com")
    chief = django_user_model.objects.create_superuser("chief", "chief@example.com", "x")
    task = GroupApprovalTask.objects.create(name="A second pair of eyes")
    task.groups.add(Group.objects.create(name="Chiefs"))
    workflow = Workflow.objects.create(name="Read before it is out")
    WorkflowTask.objects.create(workflow=workflow, task=task)
    WorkflowPage.objects.create(workflow=workflow, page=section)
    page = ClubArticlePage(title=f"The {SECRET} guide", slug="guide", live=False)
    section.add_child(instance=page)
    page.audience, page.minimum_tier, page.teaser_title = "tier", tiers["silver"], "A guide"
    page.save_revision(user=writer)
    state = page.get_workflow().start(page, writer)
    assert client.get(page.url or "/club/care/guide/").status_code == 404
    state.current_task_state.approve(user=chief)
    page.refresh_from_db()
    assert page.live
    response = client.get(page.url)
    assert response.status_code == 403
    assert "A guide" in response.content.decode() and SECRET not in response.content.decode()


def typed(**fields):
    empty = {"title": "One", "slug": "one", "introduction": "", "audience": "same", "guests": streamfield([])}
    empty |= {"guest_passes": 0, "guest_pass_days": 7, "action-publish": "action-publish"}
    return nested_form_data({**empty, "body": streamfield([]), "comments": streamfield([]), **fields})


@pytest.mark.parametrize(
    ("language", "choose", "nothing"),
    [
        ("en", "Choose the tier.", "Choose “Members of a tier, and of all higher ones” here"),
        (
            "fr",
            "Choisissez le palier.",
            "Choisissez ici «\u00a0Les membres d’un palier et de tous les paliers supérieurs\u00a0»",
        ),
    ],
)
def test_an_editor_is_asked_for_tier_and_audience_together(
    section, tiers, boss, client, settings, language, choose, nothing
):
    UserProfile.objects.create(user=boss, preferred_language=language)
    add, silver = f"/cms/pages/add/wagtail_club/clubarticlepage/{section.pk}/", tiers["silver"].pk
    assert choose in client.post(add, typed(audience="tier")).content.decode()
    for audience in ("same", "named"):
        assert nothing in client.post(add, typed(audience=audience, minimum_tier=silver)).content.decode()
    assert not ClubArticlePage.objects.exists()
    client.post(add, typed(audience="tier", minimum_tier=silver))
    page = ClubArticlePage.objects.get()
    assert not access.may_see(None, page)
    # A page is opened again by its audience alone: the tier may stay where it stands.
    edit = f"/cms/pages/{page.pk}/edit/"
    client.post(edit, typed(audience="same", minimum_tier=silver))
    assert access.may_see(None, page)
    assert nothing in client.post(edit, typed(audience="same", minimum_tier=tiers["gold"].pk)).content.decode()


@pytest.mark.parametrize("how", ["removed", "deleted"])
def test_a_page_planned_for_a_tier_that_is_gone_keeps_no_other_waiting(section, tiers, how):
    def plan(slug, **wish):
        page = ClubArticlePage(title=slug, slug=slug, live=False, **wish)
        section.add_child(instance=page)
        Revision.objects.filter(pk=page.save_revision().pk).update(approved_go_live_at=timezone.now())
        return page

    planned = plan("one", audience="tier", minimum_tier=tiers["silver"]), plan("two")
    if how == "removed":
        remove(tier=tiers["silver"])
    else:
        tiers["silver"].delete()
    call_command("publish_scheduled")
    first, second = (ClubArticlePage.objects.get(pk=page.pk) for page in planned)
    assert first.live and second.live
    assert not access.may_see(None, first) and access.may_see(None, second)
    assert [row.group for row in first.club_permissions.all()] == [first.club_access.guest_group]  # of nobody


@pytest.fixture
def preview(client, rf, boss):
    """Ask for a preview as Wagtail does, from the request of whoever is signed in."""

    def preview(page, mode, user=boss):
        client.force_login(user)
        request = rf.get("/cms/", HTTP_HOST="testserver", HTTP_COOKIE=client.cookies.output(header="", sep=";").strip())
        request.user = user
        return page.make_preview_request(request, mode).content.decode()

    return preview


@pytest.mark.parametrize(
    ("mode", "told"), [("", True), ("visitor", False), ("bronze", False), ("silver", True), ("gold", True)]
)
def test_lists_in_a_preview_are_those_of_such_a_visitor(section, club, article, tiers, preview, mode, told):
    page = article(section, "silver")
    key = f"tier-{tiers[mode].pk}" if mode in tiers else mode
    other = article(section, slug="other", title="Brushes", body=[])
    for shown in (section, club, other):
        text = preview(shown, key)
        assert (page.title in text) == told
        assert ("A guide for the hair" in text) == (not told)


def test_a_preview_shows_no_page_that_its_editor_must_not_know(section, article, tiers, preview, editor, editors):
    """The editor works on one article; those beside it are somebody else's."""
    hidden = article(section, "silver")
    own = article(section, slug="own", title="Brushes", body=[])
    permission = Permission.objects.get(content_type__app_label="wagtailcore", codename="change_page")
    GroupPagePermission.objects.create(group=editors, page=own, permission=permission)
    for mode in ("", "visitor", f"tier-{tiers['gold'].pk}"):
        text = preview(own, mode, editor)
        assert hidden.title not in text
        assert "A guide for the hair" in text


def test_the_groups_of_pages_are_no_groups_to_edit_and_those_of_tiers_none_to_delete(
    section, article, guest_list, tiers, boss, client
):
    page = article(section, "silver", guests=guest_list)
    kept = page.club_access.guest_group
    text = client.get("/cms/groups/").content.decode()
    assert kept.name not in text
    assert str(tiers["silver"].group) in text
    for address in (f"/cms/groups/edit/{kept.pk}/", f"/cms/groups/delete/{kept.pk}/"):
        assert client.get(address).status_code == client.post(address).status_code == 404
    address = f"/cms/groups/delete/{tiers['silver'].group_id}/"
    assert client.get(address).status_code == 200
    assert "cannot be deleted: a tier or a page needs it" in client.post(address, follow=True).content.decode()
    free = Group.objects.create(name="Press")
    client.post(f"/cms/groups/delete/{free.pk}/")
    assert set(Group.objects.filter(pk__in=[kept.pk, tiers["silver"].group_id, free.pk])) == {
        kept,
        tiers["silver"].group,
    }
