"""What the shop answers is for whoever asked, on the host that was asked, and no cache gives it to others."""

import pytest
from django.contrib.sites.models import Site
from django.urls import NoReverseMatch, reverse

from oscar_loyalty.account.apps import AccountConfig

EVIL = "evil.example"


@pytest.fixture(autouse=True)
def _here(programme, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    Site.objects.filter(pk=programme.site_id).update(domain="testserver")
    Site.objects.clear_cache()


def pages():
    for pattern in AccountConfig.create("oscar_loyalty.account").get_urls():
        try:
            yield pattern.name, reverse(f"loyalty-account:{pattern.name}")
        except NoReverseMatch:
            continue


@pytest.mark.parametrize("header", ["host", "x-forwarded-host", "x-original-url", "x-rewrite-url", "forwarded"])
def test_no_page_names_another_host(client, user, member, header):
    client.force_login(user)
    for name, url in pages():
        response = client.get(url, headers={header: EVIL if header != "forwarded" else f"host={EVIL}"})
        if header == "host":
            assert response.status_code in (400, 405), name
        assert EVIL not in response.content.decode("utf-8", "replace"), name
        assert EVIL not in str(response.headers), name


def test_no_cache_keeps_a_members_page(client, user, member):
    client.force_login(user)
    seen = 0
    for name, url in pages():
        response = client.get(url)
        said = response.headers.get("Cache-Control", "")
        if response.status_code == 200:
            seen += 1
            assert "private" in said or "no-store" in said, (name, said)
    assert seen > 12


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace", "options", "head"])
def test_other_methods_do_nothing(client, user, member, method):
    client.force_login(user)
    for name, url in pages():
        response = getattr(client, method)(url)
        # Django takes a form that is put like one that is posted: empty, it is refused on its page.
        allowed = (302, 404, 405) if method in ("patch", "delete") else (200, 302, 404, 405)
        assert response.status_code in allowed, (name, response.status_code)
    member.refresh_from_db()
    assert member.status == "active"
