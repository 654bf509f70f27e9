"""Every address of ours, tried by those who have no business there, or without what a browser sends along.

The walk is by the list of pages: one that is added later is tried too.
"""

import re
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from oscar_loyalty.loading import get_model

EVIL = "https://evil.example/"


def outside(response):
    return "evil.example" in response.headers.get("Location", "")


def test_the_dashboard_opens_to_nobody_else(doors, people, unchanged):
    told = []
    with unchanged("somebody without the right changed something"):
        for who, client in people.items():
            for name, url in doors.all():
                for ask in (client.get, client.post):
                    response = ask(url)
                    away = response.status_code == 302 and "/login" in response.headers["Location"]
                    if not away and response.status_code not in (403, 404, 405):
                        told.append(f"{who} {ask.__name__} {name} {url}: {response.status_code}")
    assert not told, "\n".join(told)


def test_nothing_is_changed_without_the_forms_own_token(doors, strict, boss, unchanged):
    client, told = strict(boss), []
    with unchanged("a page of another site changed something"):
        for name, url in doors.all():
            response = client.post(url)
            if response.status_code not in (403, 404, 405):
                told.append(f"{name} {url}: {response.status_code}")
    assert not told, "\n".join(told)


def test_nothing_is_changed_by_looking(doors, full, boss, unchanged):
    client, seen = full[0].client(boss), 0
    with unchanged("looking at a page changed something"):
        for _name, url in doors.all():
            seen += client.get(url).status_code == 200
    assert seen > 40


def account_urls(doors):
    for name in doors.account:
        try:
            yield name, reverse(f"loyalty-account:{name}")
        except NoReverseMatch:
            continue


def test_the_account_is_the_members_own(doors, people, strict, unchanged):
    member = get_model("loyalty_members", "Member").objects.get(email="alpha0@example.com").user
    with unchanged("a page of the account"):
        for name, url in account_urls(doors):
            response = people["a stranger"].get(url)
            assert response.status_code in (302, 404, 405), (name, response.status_code)
            if response.status_code == 302:
                assert "login" in response.headers["Location"], name
            people["a member"].get(url)
            assert strict(member).post(url).status_code in (403, 404, 405), name


def test_no_door_leads_to_another_host(doors, full, boss, people):
    ways = dict.fromkeys(("next", "return", "return_url", "back", "came_from", "url"), EVIL)
    told = []
    for client in (full[0].client(boss), people["a member"]):
        for name, url in [*[(name, urls[0]) for name, urls in doors.dashboard.items() if urls], *account_urls(doors)]:
            for ask in (client.get, client.post):
                if outside(ask(url, ways)) or outside(ask(f"{url}?{urlencode(ways)}")):
                    told.append(f"{ask.__name__} {name}")
    assert not told, "\n".join(told)


#: What people may type: any text of ours that has no choices and is no key.
PAYLOAD = '"><script>alert(1)</script>'
FORMULA = "=1+cmd"
OURS_ALONE = re.compile(
    r"key|code|kind|state|status|digest|reference|token|lookup|language|currency|country|type|_id|"
    r"number|metric|window|policy|version|rounding|channel|uuid|email|to$|colour|serial|source|reason_code|design|tax|action|why$|given_why|unit"
)


def poison(text):
    """Write ``text`` into whatever somebody may have typed; return how many columns that were."""
    from django.contrib.auth import get_user_model
    from django.db import models

    from tests.sites.test_leaks import ours

    done = 0
    User = get_user_model()
    User.objects.update(first_name=text[:150], last_name=text[:150])
    for model in ours():
        if model._meta.db_table.startswith("loyalty_ledger_entry") or model._meta.label_lower.endswith(".due"):
            continue
        for field in model._meta.concrete_fields:
            if type(field) not in (models.CharField, models.TextField) or field.choices or field.unique:
                continue
            if OURS_ALONE.search(field.name):
                continue
            try:
                done += bool(model._base_manager.update(**{field.name: text[: field.max_length or 200]}))
            except Exception:  # noqa: S112  (a rule of the database: nobody can have typed it)
                continue
    return done


def test_what_somebody_typed_is_never_a_script(doors, full, boss, people):
    member = get_model("loyalty_members", "Member").objects.get(email="alpha0@example.com")
    assert poison(PAYLOAD) > 10
    told, seen = [], 0
    pages = [(full[0].client(boss), name, url) for name, url in doors.all()]
    pages += [(people["a member"], name, url) for name, url in account_urls(doors)]
    for client, name, url in pages:
        response = client.get(url)
        if response.status_code != 200 or "html" not in response.headers["Content-Type"]:
            continue
        text = response.content.decode()
        seen += "&lt;script&gt;alert(1)" in text
        if "<script>alert(1)" in text or '"><script' in text:
            told.append(f"{name} {url}: {re.search(r'.{60}<script>alert.{20}', text, re.DOTALL)}")
    assert not told, "\n".join(told)
    # Else nothing of it was on any page, and the walk proved nothing.
    assert seen > 20, seen
    assert member.user.first_name


def test_no_export_holds_a_formula(doors, full, boss):
    assert poison(FORMULA) > 10
    client, seen, told = full[0].client(boss), 0, []
    for name, url in doors.all():
        response = client.get(url)
        if response.status_code != 200 or "csv" not in response.headers["Content-Type"]:
            continue
        content = b"".join(response.streaming_content) if response.streaming else response.content
        text = content.decode("utf-8-sig")
        seen += FORMULA in text
        told += [f"{name}: {line}" for line in text.splitlines() if re.search(r'(^|[,;\t]|")=1\+cmd', line)]
    assert not told, "\n".join(told)
    assert seen > 1, seen
