"""Every address of ours, tried by those who have no business there, or without what a browser sends along.

The walk is by the list of pages: one that is added later is tried too.
"""

from django.urls import NoReverseMatch, reverse

from oscar_loyalty.loading import get_model


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
