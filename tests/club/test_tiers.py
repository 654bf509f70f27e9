"""The tiers that editors choose from, and what becomes of their pages when one is to go."""

import re

import pytest
from django.contrib.sites.models import Site
from django.urls import reverse
from django.utils.translation import override
from wagtail.models import Page
from wagtail.models import Site as WagtailSite
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services
from oscar_loyalty.members import tiers as ladder
from tests.club.conftest import SECRET
from wagtail_club import access
from wagtail_club.models import ClubArticlePage, ClubHomePage

OPTION = re.compile(r'<option value="([^"]*)"[^>]*>([^<]*)')


@pytest.fixture
def boss(client, django_user_model):
    user = django_user_model.objects.create_superuser("boss", "boss@example.com", "x")
    client.force_login(user)
    return user


def part(tier):
    return [("for_tier", {"tier": tier, "invitation": "", "content": [("text", "<p>Sunflower</p>")]})]


def test_a_tier_that_published_pages_are_for_is_not_removed(section, club, article, tiers, people, boss, client):
    silver, gold = tiers["silver"], tiers["gold"]
    page, other = article(section, "silver", title="Oils & more"), article(section, slug="other", title="Open to all")
    other.body = part(silver)
    other.save_revision().publish()
    page.create_alias(parent=club, update_slug="alias")
    article(section, "silver", slug="draft", title="Unpublished", body=part(silver)).unpublish()
    # What stands there from before, and says nothing.
    article(section, slug="left", title="Left", minimum_tier=silver)
    remove = reverse("loyalty-dashboard:loyalty-tier-remove", args=[silver.pk])
    for response in (client.get(remove), client.post(remove)):
        assert response.context["uses"] == ["the page “Oils & more” of the club", "the page “Open to all” of the club"]
        assert "the page “Oils &amp; more” of the club" in response.content.decode()
    with override("fr"):
        assert ladder.uses_of(silver)[0] == "la page «\xa0Oils & more\xa0» du club"
    assert response.status_code == 409
    assert access.may_see(people["higher"], page)
    for changed in (page, other):
        changed = ClubArticlePage.objects.get(pk=changed.pk)
        changed.minimum_tier, changed.body = (gold if changed == page else None), part(gold)
        draft = changed.save_revision()
        assert ladder.uses_of(silver) != []
        draft.publish()
    assert client.post(remove).status_code == 302
    assert access.may_see(people["higher"], page)
    assert ladder.uses_of(gold) != []


def test_of_many_pages_that_a_tier_is_for_some_are_named(section, article, tiers):
    for number in range(22):
        article(section, "silver", slug=f"nr-{number}", title=f"Nr {number}", body=[])
    said = ladder.uses_of(tiers["silver"])
    assert said[0] == "the page “Nr 0” of the club"
    assert said[-1] == "2 more pages of the club"
    assert len(said) == 21


def test_a_preview_opens_nothing_for_a_tier_that_is_gone(section, article, tiers, rf, boss):
    page = article(section, "silver", body=[])
    page.unpublish()
    ladder.remove(tier=tiers["silver"])
    request = rf.get("/cms/", HTTP_HOST="testserver")
    request.user = boss
    page = ClubArticlePage.objects.get(pk=page.pk)
    text = page.make_preview_request(request, f"tier-{tiers['gold'].pk}").content.decode()
    assert SECRET not in text
    assert "A guide for the hair" in text


@pytest.fixture
def spa(site, programme, settings):
    """A second Site with a club, and a programme of the same name; return the home page of the club."""
    del settings.SITE_ID
    settings.ALLOWED_HOSTS = ["*"]
    services.save_programme(programme=programme, name="Salon")
    Site.objects.filter(pk=programme.site_id).update(domain="testserver", name="Hair")
    Site.objects.clear_cache()
    other = Site.objects.create(domain="spa.example", name="Spa")
    made = services.create_programme(site=other, name="Salon", currency=programme.currency, tiers=False)
    for rank, name in enumerate(("Bronze", "Gold"), 1):
        services.save_tier(programme=made, code=name.lower(), name=name, rank=rank)
    front = Page.objects.get(depth=1).add_child(instance=Page(title="Spa", slug="spa"))
    WagtailSite.objects.create(hostname="spa.example", root_page=front)
    yield front.add_child(instance=ClubHomePage(title="Club of the spa", slug="club"))
    Site.objects.clear_cache()


def choices(text, start):
    """The words of the select that begins there, without those of no choice."""
    select = text[text.index(start) :]
    return [word.strip() for value, word in OPTION.findall(select[: select.index("</select>")]) if value]


def address(parent, kind="clubarticlepage"):
    return f"/cms/pages/add/wagtail_club/{kind}/{parent.pk}/"


def written(body=(), **fields):
    data = {"title": "New", "slug": "new", "audience": "same", "guest_passes": 0, "guest_pass_days": 7, **fields}
    return nested_form_data({**data, "guests": streamfield([]), "body": streamfield(body), "action-publish": "1"})


@pytest.mark.parametrize("host", ["testserver", "spa.example"])
def test_a_new_page_is_for_the_tiers_of_its_site(section, spa, tiers, boss, client, host):
    for parent, programme, names in [
        (section, "Salon · Hair", ["Bronze", "Silver", "Gold"]),
        (spa, "Salon · Spa", ["Bronze", "Gold"]),
    ]:
        text = client.get(address(parent), headers={"host": host}).content.decode()
        assert choices(text, 'name="minimum_tier"') == [f"{name} ({programme})" for name in names]
        assert choices(text, 'data-w-preview-target="mode"') == ["A visitor", *names]
    # For a part of a page there are those of both, each with its programme.
    assert r"Gold (Salon \u00b7 Hair)" in text
    assert r"Gold (Salon \u00b7 Spa)" in text


def test_with_one_programme_tiers_are_named_as_they_are(section, tiers, boss, client):
    text = client.get(address(section)).content.decode()
    assert choices(text, 'name="minimum_tier"') == ["Bronze", "Silver", "Gold"]
    assert choices(text, 'data-w-preview-target="mode"') == ["A visitor", "Bronze", "Silver", "Gold"]


def test_the_form_refuses_a_tier_of_another_programme(section, spa, tiers, boss, client):
    def block(tier):
        content = streamfield([("text", rich_text("<p>Sunflower</p>"))])
        return [("for_tier", {"tier": tier.pk, "invitation": "", "content": content})]

    theirs = members.tiers(members.programme_of(Site.objects.get(domain="spa.example"))).get(code="gold")
    for data in (written(audience="tier", minimum_tier=theirs.pk), written(block(theirs))):
        response = client.post(address(section), data)
        assert response.status_code == 200
        assert not ClubArticlePage.objects.exists()
        # The page stands nowhere yet, and its previews are those of its Site all the same.
        assert choices(response.content.decode(), 'data-w-preview-target="mode"')[1:] == ["Bronze", "Silver", "Gold"]
    assert "choose one of “Salon · Hair”." in str(response.context["form"].errors["body"])
    own = tiers["gold"]
    client.post(address(section), written(block(own), audience="tier", minimum_tier=own.pk))
    page = ClubArticlePage.objects.get()
    assert page.minimum_tier == own
    # What stands there stays when the page comes to another Site, until somebody chooses anew.
    page.move(spa, pos="last-child")
    edit = f"/cms/pages/{page.pk}/edit/"
    assert "Gold (Salon · Spa)" in choices(client.get(edit).content.decode(), 'name="minimum_tier"')
    client.post(edit, written(block(own), audience="tier", minimum_tier=own.pk, title="Moved"))
    page = ClubArticlePage.objects.get()
    assert (page.title, page.minimum_tier) == ("Moved", own)
    assert client.post(edit, written(block(own), audience="tier", minimum_tier=tiers["silver"].pk)).status_code == 200
