"""Whatever changes something asks for the token that only our own pages have, except where a program asks."""

from django.urls import get_resolver

from oscar_loyalty.loading import get_model
from oscar_loyalty.wallet import services as wallet
from tests.attacks import addresses, pages
from tests.attacks.test_odd_words import keys
from tests.attacks.test_slow import views
from tests.wallet.conftest import TYPE, apple_on, authority, own  # noqa: F401

#: All that asks for no token, and what it asks for in its place.
EXEMPT = {
    "stripe-webhook": "Stripe's signature",
    "registration": "the token of the pass, which its telephone sends as a header",
    "changed": "only looks",
    "latest": "the token of the pass",
    "log": "nothing: what it writes has an end",
    "unsubscribe": "the signed link of a mail",
}


def test_what_asks_for_no_token_is_named_here():
    found = {one.name for one in views(get_resolver().url_patterns) if getattr(one.callback, "csrf_exempt", False)}
    assert found == set(EXEMPT)


def test_a_telephone_has_no_token_of_ours_and_is_served(strict, full, apple_on):  # noqa: F811
    found, _contents = wallet.pass_of(member=full[0].member)
    path, data = f"/loyalty/wallet/v1/devices/d1/registrations/{TYPE}/{found.serial}", {"pushToken": "ab12"}
    for token, answer in ((found.token[:-1], 401), (found.token, 201)):
        headers = {"authorization": f"ApplePass {token}"}
        response = strict().post(path, data, content_type="application/json", headers=headers)
        assert response.status_code == answer


def refused(client, path, method, data, headers):
    response = getattr(client, method)(path, data, headers=headers)
    return response.status_code == 403


def test_nothing_is_changed_without_the_forms_own_token(doors, strict, boss, full, unchanged):
    known, member = keys(full), get_model("loyalty_members", "Member").objects.get(email="alpha0@example.com").user
    owner, told, asked = strict(boss), [], 0
    forged = [
        ({}, {}),
        # What a page of another site can send along: its cookie is not known to it, nor is the token within.
        ({"csrfmiddlewaretoken": "a" * 64}, {}),
        ({"csrfmiddlewaretoken": ""}, {"origin": "https://evil.example", "x-csrftoken": "b" * 32}),
    ]
    # An owner who has the pages open, and with them the cookie.
    assert owner.get("/dashboard/loyalty/").status_code == 200
    customer = strict(member)
    customer.get("/accounts/loyalty/")
    everything = [(owner, name, urls[0]) for name, urls in doors.dashboard.items() if urls]
    for address in addresses.every():
        if "dashboard" not in address.route and address.name.rpartition(":")[2] not in EXEMPT:
            for client in (customer, strict(None)):
                everything.append((client, address.name, address.fill([known[kind][0] for _w, kind in address.holes])))
    with unchanged("a page of another site changed something"):
        for client, name, path in everything:
            for data, headers in forged:
                for method in ("post", "put", "delete", "patch"):
                    asked += 1
                    if not refused(client, path, method, data, headers):
                        told.append(f"{method} {name} {path}")
    assert not told, "\n".join(told)
    assert asked > 1500, asked


def test_with_the_token_it_is_done(strict, boss, doors):
    """Else the refusals above would prove nothing."""
    client = strict(boss)
    path = "/dashboard/loyalty/programme/"
    form = next(form for form in pages.forms(client.get(path)) if form.method == "post" and len(form.names) > 4)
    assert form.values["csrfmiddlewaretoken"]
    assert client.post(path, form.filled()).status_code != 403
