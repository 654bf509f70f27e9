"""Nobody learns who is a member: the same words, and the same work, whoever is named."""

import re
from uuid import uuid4

import pytest
from django.contrib.sites.models import Site
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, services

NAMED = ["member@example.com", "nobody@example.com", "closed@example.com", "account@example.com", "alone@example.com"]


@pytest.fixture(autouse=True)
def _here(programme, settings):
    Site.objects.filter(pk=programme.site_id).update(domain="testserver")
    Site.objects.clear_cache()
    settings.OSCAR_LOYALTY_WORKER = "cron"
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=10)


@pytest.fixture
def people(programme, django_user_model):
    """A member, one who has left, an account without membership, a membership without account."""
    for name in ("member", "closed", "account"):
        user = django_user_model.objects.create_user(name, f"{name}@example.com", "petale-demo", first_name="Zoe")
        if name != "account":
            found = services.join(programme=programme, user=user)
        if name == "closed":
            services.set_status(member=found, status="closed")
    services.join(programme=programme, email="alone@example.com")
    numbers = [member.number for member in get_model("loyalty_members", "Member").objects.all()]
    return [*NAMED, numbers[-1], "000000000000"]


def asked(client, path, data):
    """What is answered, without what was typed."""
    response = client.post(path, data, follow=True)
    text = response.content.decode().replace(data["to"], "…")
    return response.status_code, re.findall(r'class="alert[^>]*>.*?</div>', text, re.DOTALL)


@pytest.mark.parametrize("step", ["preview", "confirm"])
def test_points_are_offered_to_anybody_alike(client, user, member, give, people, step):
    give(100_000)
    client.force_login(user)
    answers = {}
    for to in people:
        data = {"token": uuid4().hex, "to": to, "units": "10", "step": step, "password": "petale-demo"}
        get_model("loyalty_members", "Transfer").objects.filter(state="open").update(state="declined")
        answers[to] = asked(client, "/accounts/loyalty/give/", data)
    assert len(set(map(repr, answers.values()))) == 1, answers


def test_anybody_is_invited_to_a_household_alike(client, user, member, people, settings):
    client.force_login(user)
    answers = {}
    for to in people:
        get_model("loyalty_members", "HouseholdInvitation").objects.all().delete()
        answers[to] = asked(client, "/accounts/loyalty/household/", {"token": uuid4().hex, "to": to})
    assert len(set(map(repr, answers.values()))) == 1, answers


def test_the_work_is_the_same_for_a_member_and_for_nobody(client, user, member, give, people):
    """Counted in statements, not in time: what a slow machine adds says nothing."""
    give(100_000)
    client.force_login(user)
    forms = {
        "give": {"units": "10", "step": "confirm", "password": "petale-demo"},
        "household": {},
    }
    for page, data in forms.items():
        work = {}
        for to in ("warm@example.com", "member@example.com", "nobody@example.com"):
            with CaptureQueriesContext(connection) as queries:
                response = client.post(f"/accounts/loyalty/{page}/", {"token": uuid4().hex, "to": to, **data})
            assert response.status_code == 302
            work[to] = len(queries)
        assert work["member@example.com"] == work["nobody@example.com"], (page, work)
