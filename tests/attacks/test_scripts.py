"""What somebody typed stands on every page, in every mail and on every paper as they typed it, and never runs."""

import io
import itertools
import json
import zipfile

import jwt
import pytest
from django.core import mail

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, services
from oscar_loyalty.messaging import registry
from oscar_loyalty.messaging import services as outbox
from tests.attacks import addresses, belongings, planted
from tests.attacks.conftest import Doors
from tests.browser.within import Within
from tests.sites.test_leaks import keys_of
from tests.wallet.conftest import apple_on, authority, google_on, own  # noqa: F401

PEOPLE = {"rose": "alpha0", "lea": "alpha1", "noa": "", "eve": "", "ben": ""}
#: Pages of Oscar's: what breaks the policy on them is in its own frame.
OSCARS = ["/", "/accounts/profile/", "/basket/", "/dashboard/users/", "/dashboard/offers/"]


@pytest.fixture
def rich(full, time, django_user_model):
    """Members of the first shop, each with something of every kind, all of it made of names that are planted."""
    programme = full[0].programme
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=10)
    found = {}
    for name, known in PEOPLE.items():
        users = django_user_model.objects
        user = users.get(username=known) if known else users.create_user(name, f"{name}@example.com", "x")
        found[name] = services.join(programme=programme, user=user, source="test")
        books.earn(
            account=found[name].account, units=50_000, key=f"rich:{name}", kind="adjust", usable_from=clock.now()
        )
    planted.plant(planted.TEXT)
    belongings.give(programme, found)
    due.sweep()
    planted.plant(planted.TEXT, planted.MAIL)
    return found


def members_pages(client, keys):
    """Yield the addresses of pages that are no owner's and open to the member."""
    for address in addresses.every():
        if "dashboard" in address.route:
            continue
        choices = [keys[kind] for _word, kind in address.holes]
        for values in itertools.islice(itertools.product(*choices), 12):
            path = address.fill(values)
            if client.get(path).status_code == 200:
                yield address.name, path
                break


@pytest.fixture
def all_pages(rich, full, boss):
    """Who asks for which pages: of each kind of page one or two."""
    keys = keys_of(full[1].far, False)
    codes = get_model("loyalty_earning", "Invitation").objects.values_list("code", flat=True)
    owner, member = full[0].client(boss), full[0].client(rich["rose"].user)
    inner = [(owner, name, url) for name, url in Doors(full, boss, "rich").all()]
    keys |= {"str": [*codes], "slug": ["x"]}
    return [*inner, *((member, name, url) for name, url in members_pages(member, keys))]


def test_no_page_runs_what_somebody_typed_or_breaks_a_strict_policy(all_pages, full, browser):
    window = browser.new_context().new_page()
    told, seen, done, oscars = [], 0, {}, set()
    try:
        looking = Within(window, None, full[0].site.domain)
        for looking.client, name, url in all_pages:
            for language in ("en", "fr") if name not in done else ("fr",):
                looking.client.cookies["django_language"] = language
                page = looking.client.get(url)
                if page.status_code != 200 or "html" not in page.headers["Content-Type"]:
                    continue
                text = page.content.decode()
                seen += planted.SCRIPT in text
                told += [f"{language} {name} {url}: {each}" for each in planted.running(text)]
                if name not in done:
                    for path in OSCARS if not done or looking.client not in done.values() else ():
                        oscars |= looking.open(path, looking.client.get(path, follow=True))
                    done[name] = looking.client
                    broken = looking.open(url, page) - oscars
                    told += [f"{name} {url} in the browser: {each}" for each in broken]
                    if window.evaluate("window.hacked"):
                        told.append(f"{name} {url}: it ran")
    finally:
        window.context.close()
    assert not told, "\n".join(told)
    assert not looking.asked
    # Else nothing of it was on any page, and the walk proved nothing.
    assert seen > 150, seen
    assert len(done) > 80, len(done)


def test_no_mail_runs_it(rich, full):
    message, kinds = get_model("loyalty_messaging", "Message"), set()
    for language in ("en", "fr"):
        message.objects.update(language=language)
        for row in message.objects.exclude(context={}):
            letter = outbox.write(row) if row.kind in registry.builders else None
            if letter is not None:
                kinds |= {row.kind} if planted.SCRIPT in letter.html else set()
                assert not planted.running(letter.html), (row.kind, language)
                assert "\n" not in letter.subject
    for sent in mail.outbox:
        parsed = sent.message()
        assert "Bcc" not in parsed
        for text, kind in sent.alternatives:
            assert kind != "text/html" or not planted.running(text), sent.subject
    assert len(kinds) > 5, kinds


def test_no_card_for_a_telephone_or_on_paper_holds_more_than_words(rich, full, apple_on, google_on):  # noqa: F811
    client = full[0].client(rich["rose"].user)
    planted.plant('"},"voided":true,"x":{"y":"' + planted.TEXT)
    card = "/accounts/loyalty/card/"
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{card}card.pkpass").content))
    body = json.loads(archive.read("pass.json"))
    assert planted.SCRIPT in body["organizationName"]
    assert body["voided"] is False
    response = client.get(f"{card}google/")
    assert response.status_code == 302, response.content.decode()[:2000]
    claims = jwt.decode(response.url.rpartition("/")[2], google_on, algorithms=["RS256"], audience="google")
    assert planted.SCRIPT in claims["payload"]["loyaltyClasses"][0]["programName"]
    paper = client.get(f"{card}card.pdf")
    assert paper.content.startswith(b"%PDF-")
    assert not {word for word in (b"/JavaScript", b"/JS", b"/OpenAction", b"/URI") if word in paper.content}
