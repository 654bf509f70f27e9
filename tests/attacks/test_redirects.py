"""No address of ours sends anybody to another host, whatever it is asked to go on to."""

from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from tests.attacks import addresses, pages
from tests.attacks.test_odd_words import keys

HOST = "evil.example"
#: How browsers are led away; what they understand is written behind each.
EVIL = [
    f"https://{HOST}/",
    f"//{HOST}/",
    f"https:{HOST}",  # the same as with //, from a page of HTTPS
    f"/\\{HOST}/",
    f"\\\\{HOST}/",
    f"/\t/{HOST}/",  # tabs and line breaks are left out
    f"\x01//{HOST}/",
    f"///{HOST}/",
    f"http:///{HOST}/",
    f"//alpha.example@{HOST}/",
    f"//{HOST}\\@alpha.example/",
    f"javascript:location='//{HOST}'",
    f"data:text/html,<script>location='//{HOST}'</script>",
    f"/x\r\nLocation: //{HOST}/",
    f"/%0d%0aLocation:%20//{HOST}/",
]
#: Names that programs give to such a field, beside those that stand in our own forms.
NAMES = ["next", "return", "return_url", "return_to", "back", "came_from", "url", "redirect", "to", "continue", "goto"]


def leads_away(response, path):
    """Whether a browser would end on another host."""
    assert "\n" not in str(response.headers.get("Location", ""))
    to = response.headers.get("Location", "")
    plain = "".join(sign for sign in to if sign > " ").replace("\\", "/")
    parts = urlsplit(urljoin(f"http://alpha.example{path}", plain))
    return bool(to) and (HOST in parts.netloc or parts.scheme not in ("http", "https") or plain.startswith("///"))


def fields_of(found):
    """Fields of our forms that hold an address: whoever forges the form writes another into them."""
    return {name for form in found for name, value in form.values.items() if name != "token" and value.startswith("/")}


@pytest.mark.parametrize("who", ["the owner", "a member"])
def test_no_address_leads_to_another_host(doors, full, boss, people, strict, who):
    client = full[0].client(boss) if who == "the owner" else people["a member"]
    if who == "the owner":
        paths = [urls[0] for urls in doors.dashboard.values() if urls]
    else:
        known = {**keys(full), "slug": ["x"]}
        found = [one for one in addresses.every() if "dashboard" not in one.route]
        paths = [one.fill([known[kind][0] for _word, kind in one.holes]) for one in found]
    undone, told, asked, redirected = addresses.Undone(client), [], 0, 0
    for number, path in enumerate(paths):
        page = undone("get", path)
        posted = [form for form in pages.forms(page) if form.method == "post" and "logout" not in form.action]
        names = [*NAMES, *fields_of(posted)]
        ways = dict.fromkeys(names, EVIL[number % len(EVIL)])
        answers = [undone("get", path, ways)]
        for form in [pages.Form("post", ""), *posted[:2]]:
            answers.append(undone("post", urljoin(path, form.action.split("#")[0]), {**form.filled(), **ways}))
        for response in answers:
            asked += 1
            redirected += response.status_code in (301, 302, 303, 307, 308)
            if leads_away(response, path):
                told.append(f"{path} {ways['next']!r}: {response.headers['Location']}")
    assert not told, "\n".join(told)
    assert asked > 100, asked
    assert redirected > 20, redirected


def test_those_that_go_on_somewhere_go_on_in_the_shop(full, boss, people):
    """The addresses that are asked to go on: choosing a programme, and joining."""
    owner, member = full[0].client(boss), people["a member"]
    choose = {"programme": full[0].programme.pk}
    asked = [
        (owner, "/dashboard/loyalty/programmes/choose/", choose),
        (member, "/accounts/loyalty/join/", {"terms": "on", "agree": "on"}),
        (people["a stranger"], "/accounts/loyalty/join/", {}),
    ]
    for evil in EVIL:
        for client, path, data in asked:
            for query in ("", f"?{urlencode({'next': evil})}"):
                response = client.post(path + query, {**data, "next": evil})
                assert not leads_away(response, path), (evil, response.headers["Location"])
    assert owner.post(asked[0][1], choose | {"next": "/dashboard/loyalty/tiers/"}).url == "/dashboard/loyalty/tiers/"


def test_the_way_back_after_signing_in_is_the_shops_own(people):
    for path in ("/accounts/loyalty/", "/dashboard/loyalty/", "//evil.example/accounts/loyalty/"):
        assert not leads_away(people["a stranger"].get(path), path)
