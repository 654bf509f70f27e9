"""Staff with some of the rights: what a page offers them is what they may open."""

import re

import pytest
from django.core.management import call_command

from oscar_loyalty.earning import drafts, rules
from oscar_loyalty.earning.beginning import Beginning
from oscar_loyalty.members import services as members
from oscar_loyalty.rewards import services as rewards
from tests.dashboard.test_rewards import reward  # noqa: F401

pytestmark = pytest.mark.django_db
RIGHTS = ["view_loyalty", "manage_programme", "adjust_points", "approve_points", "manage_cards", "refund_orders"]


@pytest.fixture
def draft(programme):
    per_euro = rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"}).rule
    draft = drafts.start(programme=programme, name="Christmas")
    drafts.put(draft=draft, rule=per_euro, spec={"points": 2, "per": "1"})
    return draft


def offered(client, page):
    """The addresses of the plugin that a page leads to and sends its forms to, below the menu."""
    response = client.get(page)
    if response.status_code == 403:
        return set(), set()
    text = response.content.decode().replace("&amp;", "&").partition("page-header")[2]
    found = [set(re.findall(rf'{name}="(/dashboard/[^"#]*)', text)) for name in ("href", "action")]
    return {address for address in found[0] if "/loyalty" in address}, found[1]


@pytest.mark.parametrize("rights", [("view_loyalty",), ("manage_programme",), ("view_loyalty", "manage_programme")])
def test_nobody_is_led_where_they_may_not_go(client, url, staff, draft, many, rights):
    many(2)
    call_command("loyalty_run", verbosity=0)
    client.force_login(staff(*rights))
    for page in (url("start"), url("drafts"), url("draft", draft.pk), url("tiers"), url("tiers-preview")):
        for address in offered(client, page)[0]:
            assert client.get(address).status_code != 403, (page, address)


def test_the_way_to_a_running_programme_ends_where_one_may_go(client, url, staff, draft, monkeypatch):
    from oscar_loyalty.dashboard.start import views

    done = Beginning(programme=True, rules=True, published=True, tried=True)
    monkeypatch.setattr(views, "beginning_of", lambda programme: done)
    client.force_login(staff("manage_programme"))
    assert "Your programme runs" in client.get(url("start")).content.decode()
    assert url("overview") not in offered(client, url("start"))[0]
    # A coffee card ends on the form of goals.
    assert url("preset", "coffee") not in offered(client, url("start"))[0]
    client.force_login(staff("view_loyalty", "manage_programme", username="manager"))
    assert {url("overview"), url("preset", "coffee")} <= offered(client, url("start"))[0]


@pytest.mark.parametrize("by_mail", [False, True])
def test_ones_own_membership_offers_nothing_that_is_refused(client, url, staff, programme, member, reward, by_mail):  # noqa: F811
    colleague = staff(*RIGHTS)
    who = {"email": colleague.email} if by_mail else {"user": colleague}
    own = members.join(programme=programme, source="test", **who)
    claim = rewards.give(reward=reward(), member=own, key="k")
    client.force_login(colleague)
    for pk, here in ((own.pk, False), (member.pk, True)):
        links, _forms = offered(client, url("member", pk))
        for name in ("member-stamp", "member-reward"):
            assert (url(name, pk) in links) == here
        assert ("Give this tier by hand" in client.get(url("member", pk)).content.decode()) == here
    assert url("reward-cancel", claim.uuid) not in offered(client, url("reward-claim", claim.uuid))[1]
    gold = programme.tiers.get(code="gold")
    asked = {"tier": gold.pk, "reason": "Because", "token": "a" * 32}
    assert client.post(url("member-tier", own.pk), asked).status_code == 403
    assert client.post(url("member-tier-end", own.pk), asked).status_code == 403
    assert client.get(url("member-status", own.pk, "frozen")).status_code == 403


def test_a_closed_membership_is_given_no_reward(owner, url, member):
    type(member).objects.filter(pk=member.pk).update(status="closed")
    assert url("member-reward", member.pk) not in offered(owner, url("member", member.pk))[0]
