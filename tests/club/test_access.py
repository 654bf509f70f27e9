"""Who may see a page: what the editor wishes, and what becomes of it when pages and people move."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone
from guardian.core import ObjectPermissionChecker
from wagtail.models import (
    GroupApprovalTask,
    Locale,
    Page,
    PageLogEntry,
    PageViewRestriction,
    Revision,
    Workflow,
    WorkflowTask,
)

from oscar_loyalty.members import merging, services
from oscar_loyalty.members import selectors as members
from oscar_loyalty.reports import audit
from wagtail_club import access
from wagtail_club.models import ClubArticlePage, ClubSectionPage, PageAccess, PageGroupPermission

READERS = {"exact", "higher"}


def readers(page, people):
    return {name for name, user in people.items() if access.may_see(user, page)}


def agreed():
    return list(access.differences()) == []


@pytest.fixture
def silver(section, article):
    return article(section, "silver")


def test_a_page_is_for_its_tier_and_all_higher_ones(silver, people):
    assert readers(silver, people) == READERS
    assert agreed()


def test_decision_and_mirror_name_the_same_groups(silver, tiers):
    groups = set(silver.club_permissions.values_list("group", flat=True))
    assert groups == {tiers["silver"].group_id}
    assert set(silver.view_restrictions.get().groups.values_list("pk", flat=True)) == groups


def test_guardian_says_the_same_of_the_page_and_of_its_base(silver, people):
    base = Page.objects.get(pk=silver.pk)
    for name, user in people.items():
        if user is not None:
            for page in (silver, base):
                expected = name in READERS
                assert ObjectPermissionChecker(user).has_perm(access.SEE, page) == expected
                assert user.has_perm(f"wagtailcore.{access.SEE}", page) == expected


def test_a_guest_comes_in_whatever_the_tier_and_a_former_member_does_not(section, article, people, guest_list):
    page = article(section, "silver", guests=guest_list)
    assert readers(page, people) == {*READERS, "guest"}
    assert agreed()


def test_a_named_group_comes_in(section, article, people):
    group = Group.objects.create(name="Press")
    people["low"].groups.add(group)
    assert readers(article(section, "gold", guests=[("group", group)]), people) == {"higher", "low"}


def test_only_those_who_are_named(section, article, people, guest_list):
    page = article(section, audience="named", guests=guest_list)
    assert readers(page, people) == {"guest"}
    nobody = article(section, slug="nobody", audience="named")
    assert readers(nobody, people) == set()
    assert agreed()


def test_a_guest_of_a_page_comes_in_below_a_closed_section(section, article, people, guest_list, tiers, client):
    section.audience, section.minimum_tier = "tier", tiers["gold"]
    section.save()
    page = article(section, "silver", guests=guest_list)
    assert readers(page, people) == {"higher", "guest"}
    client.force_login(people["guest"])
    assert client.get(page.url).status_code == 200


def test_a_guest_stays_one_when_the_membership_is_joined_with_another(section, article, people, guest_list, programme):
    page = article(section, "gold", guests=guest_list)
    named, other = (members.member_for(people[name], programme) for name in ("guest", "low"))
    merging.merge(source=named, target=other, key="one of two")
    assert readers(page, people) == {"higher", "low"}
    assert agreed()


def test_who_leaves_a_tier_is_out_at_once(silver, people, programme, tiers):
    member = members.member_for(people["exact"], programme)
    services.set_tier(member=member, tier=tiers["bronze"], key="down")
    assert readers(silver, people) == {"higher"}


def test_who_closes_the_membership_leaves_the_guest_lists(section, article, people, guest_list, programme):
    page = article(section, "silver", guests=guest_list)
    member = members.member_for(people["guest"], programme)
    services.set_status(member=member, status="closed")
    assert "guest" not in readers(page, people)
    services.set_status(member=member, status="active")
    assert "guest" in readers(page, people)
    assert agreed()


def test_closing_a_section_closes_what_is_below_at_once(section, article, people, tiers):
    page = article(section)
    below = article(page, slug="below")
    assert readers(below, people) == set(people)
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save_revision().publish()
    assert readers(page, people) == readers(below, people) == READERS
    section.audience, section.minimum_tier = "same", None
    section.save_revision().publish()
    assert readers(below, people) == set(people)
    assert agreed()
    assert not PageViewRestriction.objects.exists()


def test_a_page_never_opens_further_than_the_section_above_it(section, article, people, tiers):
    page = article(section, "bronze")
    section.audience, section.minimum_tier = "tier", tiers["gold"]
    section.save()
    assert readers(page, people) == {"higher"}


def test_pages_of_other_types_below_a_closed_section_are_closed(section, people, tiers, client):
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save()
    plain = section.add_child(instance=Page(title="Plain moonflower", slug="plain"))
    assert readers(plain, people) == READERS
    response = client.get(plain.url)
    assert response.status_code == 403
    assert b"moonflower" not in response.content


def test_a_draft_changes_nothing_until_it_is_published(silver, people, tiers):
    silver.audience, silver.minimum_tier = "same", None
    revision = silver.save_revision()
    assert readers(silver, people) == READERS
    revision.publish()
    assert readers(silver, people) == set(people)


def test_an_alias_is_as_closed_as_its_source_before_and_after(section, club, article, people, tiers):
    page = article(section)
    alias = page.create_alias(parent=club, update_slug="alias")
    assert readers(alias, people) == set(people)
    page.audience, page.minimum_tier = "tier", tiers["silver"]
    page.save_revision().publish()
    later = page.create_alias(parent=club, update_slug="later")
    assert readers(alias, people) == readers(later, people) == READERS
    assert agreed()


def test_an_alias_of_a_page_closed_by_its_section(section, club, article, people, tiers):
    page = article(section)
    alias = page.create_alias(parent=club, update_slug="alias")
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save()
    assert readers(alias, people) == READERS
    plain = ClubArticlePage.objects.get(pk=alias.pk)
    plain.alias_of = None
    plain.save()
    assert readers(plain, people) == set()
    assert agreed()


@pytest.mark.parametrize("recursive", [True, False])
def test_a_copy_is_as_closed_as_what_was_copied(section, club, article, people, tiers, recursive):
    article(section, "silver")
    section.audience, section.minimum_tier = "tier", tiers["bronze"]
    section.save()
    copy = section.copy(recursive=recursive, to=club, update_attrs={"slug": "copy"})
    assert readers(copy, people) == {"low", "exact", "higher", "guest"}
    for below in copy.get_children():
        assert readers(below, people) == READERS
    assert copy.get_children().count() == int(recursive)
    assert agreed()


def test_a_copy_out_of_a_closed_section_stays_closed_until_it_is_published_there(section, club, article, people, tiers):
    page = article(section)
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save()
    page.refresh_from_db()
    copy = page.copy(to=club, update_attrs={"slug": "copy"})
    assert readers(copy, people) == set()
    copy.get_latest_revision().publish()
    assert readers(copy, people) == set(people)
    assert agreed()


def test_a_page_moved_out_of_a_closed_section_stays_closed_until_it_is_published_there(
    section, club, article, people, tiers
):
    page = article(section)
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save()
    page.refresh_from_db()
    page.move(club, pos="last-child")
    page = ClubArticlePage.objects.get(pk=page.pk)
    assert readers(page, people) == set()
    page.get_latest_revision().publish()
    assert readers(page, people) == set(people)


def test_a_page_moved_into_a_closed_section_is_closed(section, club, article, people, tiers):
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save()
    page = article(club)
    page.move(ClubSectionPage.objects.get(pk=section.pk), pos="last-child")
    assert readers(page, people) == READERS
    assert agreed()


def test_a_translation_is_as_closed_as_the_original(section, club, article, people, site):
    page = article(section, "silver")
    french = Locale.objects.get(language_code="fr")
    for above in (site.root_page, club, section):
        above.copy_for_translation(french).save_revision().publish()
    translation = page.copy_for_translation(french)
    translation.save_revision().publish()
    assert readers(translation, people) == READERS
    assert agreed()


def test_a_page_with_the_number_of_a_deleted_one_is_nobody_elses(section, article, people, guest_list):
    page = article(section, "silver", guests=guest_list)
    number = page.pk
    page.delete()
    assert not PageAccess.objects.filter(page=number).exists()
    assert not PageGroupPermission.objects.exists()
    assert not Group.objects.filter(name__startswith="Club:").exists()
    section.refresh_from_db()
    again = ClubArticlePage(pk=number, title="Again", slug="again", audience="named")
    section.add_child(instance=again)
    assert readers(again, people) == set()


def test_a_page_of_a_tier_that_is_gone_is_for_nobody(section, article, tiers, user):
    page = article(section, "gold")
    tiers["gold"].group.user_set.add(user)
    assert access.may_see(user, page)
    tiers["gold"].delete()
    assert not access.may_see(user, page)
    assert agreed()


def test_the_audit_names_what_somebody_else_changed(silver, section, tiers):
    assert [finding for finding in audit.run(keep=False).findings if finding.check == "club.access"] == []
    PageViewRestriction.objects.all().delete()
    PageGroupPermission.objects.create(
        content_object_id=silver.pk, permission=access.permission(), group=tiers["bronze"].group
    )
    details = [finding.detail for finding in audit.run(keep=False).findings if finding.check == "club.access"]
    assert any("permits groups" in detail for detail in details)
    assert any("not mirrored" in detail for detail in details)
    call_command("club_access")
    assert agreed()


def _other_group():
    return Group.objects.get_or_create(name="Others")[0]


def _no_wish(page):
    ClubArticlePage.objects.filter(pk=page.pk).update(audience="same", minimum_tier=None)


def _more_in_the_group(page, people):
    page.club_access.guest_group.user_set.add(people["low"])


def _mirror_for_others(page):
    through = PageViewRestriction.groups.through
    through.objects.bulk_create([through(pageviewrestriction=page.view_restrictions.get(), group=_other_group())])


#: What somebody might change behind the club's back, and what the audit says of it.
DISAGREEMENTS = {
    "wish opened": (lambda page, people: _no_wish(page), "is closed, and should be open"),
    "decision opened": (lambda page, people: PageAccess.objects.update(closed=False), "is open, and should be closed"),
    "decision gone": (
        lambda page, people: PageAccess.objects.filter(page=page).delete(),
        "is open, and should be closed",
    ),
    "permission gone": (lambda page, people: PageGroupPermission.objects.all().delete(), "permits groups []"),
    "permission more": (
        lambda page, people: PageGroupPermission.objects.create(
            content_object_id=page.pk, permission=access.permission(), group=_other_group()
        ),
        "permits groups",
    ),
    "permission of open": (
        lambda page, people: PageGroupPermission.objects.create(
            content_object_id=page.get_parent().pk, permission=access.permission(), group=_other_group()
        ),
        "permits groups",
    ),
    "mirror gone": (lambda page, people: page.view_restrictions.all().delete(), "is not mirrored"),
    "mirror of others": (lambda page, people: _mirror_for_others(page), "is not mirrored"),
    "mirror of nobody": (lambda page, people: page.view_restrictions.get().groups.clear(), "is not mirrored"),
    "mirror for a login": (
        lambda page, people: page.view_restrictions.update(restriction_type="login"),
        "is not mirrored",
    ),
    "a second mirror": (
        lambda page, people: PageViewRestriction.objects.create(page=page, restriction_type="login"),
        "has a view restriction that is not the club's",
    ),
    "guests more": (_more_in_the_group, "has other people in the group of its guests"),
    "guests less": (
        lambda page, people: page.club_access.guest_group.user_set.clear(),
        "has other people in the group of its guests",
    ),
    "tier of the decision": (
        lambda page, people: PageAccess.objects.filter(page=page).update(tier=None),
        "names another tier",
    ),
    "announced": (lambda page, people: PageAccess.objects.filter(page=page).update(teased=False), "is not announced"),
}


@pytest.mark.parametrize("what", DISAGREEMENTS)
def test_the_audit_names_each_disagreement_and_a_rebuild_mends_it(what, section, article, people, guest_list):
    page = article(section, "silver", guests=guest_list)
    change, said = DISAGREEMENTS[what]
    change(page, people)
    details = [detail for _page, detail in access.differences()]
    assert any(said in detail for detail in details), details
    call_command("club_access")
    assert list(access.differences()) == []


def test_the_audit_finds_a_closed_page_in_the_search_index(section, article, django_capture_on_commit_callbacks):
    from wagtail.search.backends import get_search_backend

    def found():
        return [row.row for row in audit.run(keep=False).findings if row.check == "club.index"]

    with django_capture_on_commit_callbacks(execute=True):
        page = article(section, "silver")
        article(section, slug="open")
    assert found() == []
    get_search_backend().add(page)
    assert found() == [f"page {page.pk}"]
    with django_capture_on_commit_callbacks(execute=True):
        call_command("club_access")
    assert found() == []


def test_a_rebuild_finds_pages_that_were_saved_past_it(silver, people):
    ClubArticlePage.objects.filter(pk=silver.pk).update(audience="same")
    assert not agreed()
    access.rebuild()
    assert agreed()
    assert readers(silver, people) == set(people)


def test_a_superuser_sees_all_and_an_editor_does_not(silver, django_user_model):
    boss = django_user_model.objects.create_superuser("boss", "boss@example.com", "x")
    assert access.may_see(boss, silver)
    staff = django_user_model.objects.create_user("staff", "staff@example.com", is_staff=True)
    assert not access.may_see(staff, silver)


def _close(section, tiers):
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save_revision().publish()


def test_who_is_on_hold_leaves_the_guest_lists_until_it_ends(section, article, people, guest_list, programme):
    page = article(section, "silver", guests=guest_list)
    member = members.member_for(people["guest"], programme)
    services.set_status(member=member, status="frozen")
    assert readers(page, people) == READERS
    assert agreed()
    services.set_status(member=member, status="active")
    assert readers(page, people) == {*READERS, "guest"}


@pytest.mark.django_db(transaction=True)
def test_a_page_may_name_a_group_that_is_gone(section, article, people, tiers):
    group = Group.objects.create(name="Press")
    people["low"].groups.add(group)
    page = article(section, "gold", guests=[("group", group)])
    assert readers(page, people) == {"higher", "low"}
    group.delete()
    assert agreed()
    tiers["silver"].save()
    call_command("club_access")
    _close(section, tiers)
    assert readers(section, people) == READERS
    ClubArticlePage.objects.get(pk=page.pk).save_revision().publish()
    assert readers(page, people) == {"higher"}
    assert agreed()


def test_a_page_of_another_type_moved_out_stays_closed_with_what_is_below(
    section, club, article, people, tiers, client
):
    _close(section, tiers)
    folder = section.add_child(instance=Page(title="A folder of moonflower", slug="folder"))
    pages = [folder, article(folder), article(folder, slug="second")]
    inside = article(pages[1], slug="inside")
    folder = Page.objects.get(pk=folder.pk)
    folder.move(club, pos="last-child")
    for page in (*pages, inside):
        assert readers(page, people) == set()
        response = client.get(Page.objects.get(pk=page.pk).url)
        assert response.status_code == 403
        assert b"moonflower" not in response.content
    assert agreed()
    # Neither a draft of it nor what is published below it opens it.
    Page.objects.get(pk=folder.pk).save_revision()
    ClubArticlePage.objects.get(pk=pages[1].pk).save_revision().publish()
    call_command("club_access")
    assert all(readers(page, people) == set() for page in (*pages, inside))
    Page.objects.get(pk=folder.pk).save_revision().publish()
    assert all(readers(page, people) == set(people) for page in (*pages, inside))
    assert agreed()
    assert not PageViewRestriction.objects.filter(page__path__startswith=Page.objects.get(pk=folder.pk).path).exists()


@pytest.fixture
def plain(section, tiers):
    """A page of another type in a closed section."""
    _close(section, tiers)
    return section.add_child(instance=Page(title="A moonflower", slug="plain"))


@pytest.fixture
def staff_room(site):
    """A place that somebody has closed with Wagtail's own settings."""
    page = site.root_page.add_child(instance=Page(title="Staff", slug="staff"))
    PageViewRestriction.objects.create(page=page, restriction_type="login")
    return page


@pytest.mark.parametrize("where", ["club", "staff_room"])
def test_a_copy_of_a_page_of_another_type_is_held_with_what_is_below(
    plain, article, people, client, where, request, django_capture_on_commit_callbacks
):
    article(plain)
    plain.add_child(instance=Page(title="Another moonflower", slug="below"))
    with django_capture_on_commit_callbacks(execute=True):
        copy = Page.objects.get(pk=plain.pk).copy(
            to=request.getfixturevalue(where), recursive=True, update_attrs={"slug": "copy"}
        )
    copies = list(copy.get_descendants(inclusive=True))
    client.force_login(people["customer"])
    for page in copies:
        assert readers(page, people) == set()
        response = client.get(page.url)
        assert response.status_code == 403
        assert b"moonflower" not in response.content
    assert agreed()
    assert list(Page.objects.search("moonflower")) == []
    Page.objects.get(pk=copy.pk).save_revision().publish()
    assert all(readers(page, people) == set(people) for page in copies)
    assert client.get(copy.url).status_code == 200
    assert agreed()
    # Nothing of the closed section's is left there; what a shop closes itself stays.
    assert not PageViewRestriction.objects.filter(page__path__startswith=copy.path).exists()


def test_a_copy_keeps_what_somebody_closed_with_wagtails_own_settings(plain, club, tiers):
    """Be it to the same groups."""
    for groups in (tiers["silver"].group, tiers["gold"].group):
        PageViewRestriction.objects.create(page=plain, restriction_type="groups").groups.add(groups)
    copy = plain.copy(to=club, update_attrs={"slug": "copy"})
    Page.objects.get(pk=copy.pk).save_revision().publish()
    kept = [list(row.groups.all()) for row in PageViewRestriction.objects.filter(page=copy)]
    assert [tiers["silver"].group] in kept
    assert [tiers["gold"].group] in kept
    assert agreed()


@pytest.mark.parametrize("where", ["club", "staff_room"])
def test_an_alias_of_a_page_of_another_type_is_as_closed_as_its_source(
    plain, section, people, client, where, request, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        alias = plain.create_alias(parent=request.getfixturevalue(where), update_slug="alias")
    assert readers(alias, people) == READERS
    client.force_login(people["low"])
    response = client.get(Page.objects.get(pk=alias.pk).url)
    assert response.status_code == 403
    assert b"moonflower" not in response.content
    client.force_login(people["exact"])
    assert client.get(Page.objects.get(pk=alias.pk).url).status_code == 200
    assert list(Page.objects.search("moonflower")) == []
    assert agreed()
    section = ClubSectionPage.objects.get(pk=section.pk)
    section.audience = "same"
    section.save_revision().publish()
    assert readers(alias, people) == set(people)
    assert not PageViewRestriction.objects.filter(page=alias).exists()
    assert agreed()


def test_a_translation_of_a_page_of_another_type_is_held_where_its_section_is_open(plain, section, club, people, site):
    french = Locale.objects.get(language_code="fr")
    for above in (site.root_page, club):
        above.copy_for_translation(french).save_revision().publish()
    open_section = Page.objects.get(pk=section.pk).specific.copy_for_translation(french)
    open_section.audience, open_section.minimum_tier = "same", None
    open_section.save_revision().publish()
    translation = Page.objects.get(pk=plain.pk).copy_for_translation(french)
    assert readers(translation, people) == set()
    translation.save_revision().publish()
    assert readers(translation, people) == set(people)
    assert agreed()


@pytest.mark.parametrize("kind", ["of the club", "of another type"])
def test_what_is_held_stays_so_when_the_place_is_closed_and_opened_again(section, club, article, people, tiers, kind):
    page = article(section) if kind == "of the club" else section.add_child(instance=Page(title="Plain", slug="plain"))
    _close(section, tiers)
    page.specific_class.objects.get(pk=page.pk).move(club, pos="last-child")
    club.refresh_from_db()
    _close(club, tiers)
    assert readers(page, people) == READERS
    club.audience = "same"
    club.save_revision().publish()
    assert readers(page, people) == set()
    page.specific_class.objects.get(pk=page.pk).save_revision().publish()
    assert readers(page, people) == set(people)
    assert agreed()


@pytest.mark.parametrize("kind", ["of the club", "of another type"])
def test_what_was_planned_in_a_closed_section_opens_nothing_elsewhere(section, club, article, people, tiers, kind):
    _close(section, tiers)
    page = article(section) if kind == "of the club" else section.add_child(instance=Page(title="Plain", slug="plain"))
    page = page.specific_class.objects.get(pk=page.pk)
    page.go_live_at = timezone.now() + timedelta(hours=1)
    revision = page.save_revision()
    revision.publish()
    assert page.approved_schedule
    # Its hour comes once the page lies elsewhere.
    Revision.objects.filter(pk=revision.pk).update(approved_go_live_at=timezone.now() - timedelta(minutes=1))
    page.move(club, pos="last-child")
    page = page.specific_class.objects.get(pk=page.pk)
    assert not page.approved_schedule
    call_command("publish_scheduled")
    assert readers(page, people) == set()
    assert PageLogEntry.objects.filter(page=page.pk, action="wagtail.schedule.cancel").exists()
    # What an editor plans here is another matter.
    page.go_live_at = timezone.now() + timedelta(hours=1)
    revision = page.save_revision()
    revision.publish()
    content = {**revision.content, "go_live_at": None}
    Revision.objects.filter(pk=revision.pk).update(approved_go_live_at=timezone.now(), content=content)
    call_command("publish_scheduled")
    assert readers(page, people) == set(people)
    assert agreed()


def test_a_workflow_that_began_in_a_closed_section_opens_nothing_elsewhere(
    section, club, article, people, tiers, django_user_model
):
    writer = django_user_model.objects.create_user("writer", "writer@example.com")
    task = GroupApprovalTask.objects.create(name="A second pair of eyes")
    workflow = Workflow.objects.create(name="Read before it is out")
    WorkflowTask.objects.create(workflow=workflow, task=task)
    _close(section, tiers)
    page = article(section)
    page.save_revision(user=writer)
    state = workflow.start(page, writer)
    ClubArticlePage.objects.get(pk=page.pk).move(club, pos="last-child")
    state.refresh_from_db()
    assert state.status == state.STATUS_CANCELLED
    assert readers(page, people) == set()
