"""The tiers that editors choose from, and what becomes of their pages when one is to go."""

import pytest
from django.urls import reverse
from django.utils.translation import override

from oscar_loyalty.members import tiers as ladder
from tests.club.conftest import SECRET
from wagtail_club import access
from wagtail_club.models import ClubArticlePage


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
