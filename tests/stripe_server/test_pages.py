"""The hosted pages, as a browser without scripts uses them."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
import requests

from stripe_server.texts import TEXTS, language

from .promises import promises

MANUAL = {"capture_method": "manual"}
GOOD, BAD = "4242 4242 4242 4242", "4000 0000 0000 0002"


def post(url, **values):
    return requests.post(url, data=values, allow_redirects=False, timeout=10)


def get(url, language="en"):
    return requests.get(url, headers={"Accept-Language": language}, allow_redirects=False, timeout=10)


@pytest.fixture
def session(shop):
    return shop.session(payment_intent_data=MANUAL)


@promises(26)
def test_paying_leads_to_the_success_url(shop, session):
    page = get(session.url)
    assert page.status_code == 200
    assert "This is a demonstration: no real card, no real money." in page.text
    assert GOOD in page.text and "€25.00" in page.text and "Rose 0 × 2" in page.text
    answer = post(session.url, number=GOOD, action="pay", email="rose@example.com")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://shop.example/thanks?session={session.id}"
    found = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (found.status, found.payment_intent.status) == ("complete", "requires_capture")
    assert found.customer_details.email == "rose@example.com"


def test_a_declined_card_is_said_on_the_page_and_another_may_follow(shop, session):
    page = post(session.url, number=GOOD, action="declined")
    assert page.status_code == 200
    assert 'role="alert"' in page.text and "Your card was declined." in page.text
    page = post(session.url, number="4000000000009995", action="pay", email="rose@example.com")
    assert "insufficient funds" in page.text
    assert 'value="4000000000009995"' in page.text and 'value="rose@example.com"' in page.text
    page = post(session.url, number="1234", action="pay")
    assert "card number is incorrect" in page.text and 'value="1234"' in page.text
    assert post(session.url, number=GOOD, action="pay").status_code == 303


@pytest.mark.parametrize(("action", "status"), [("complete", "complete"), ("fail", "open")])
def test_the_banks_question(shop, session, action, status):
    answer = post(session.url, number=GOOD, action="three_d_secure")
    assert answer.status_code == 303
    question = f"{session.url}/3ds"
    assert question.endswith(answer.headers["Location"])
    assert "Do you confirm this payment of €25.00" in get(question).text
    assert "Do you confirm" in get(session.url).text
    answer = post(question, action=action)
    if action == "fail":
        assert "could not confirm that it is you" in answer.text and GOOD in answer.text
    else:
        assert answer.headers["Location"].startswith("https://shop.example/thanks")
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == status


def test_the_banks_question_answered_twice(session):
    post(session.url, number="4000002500003155", action="pay")
    answers = [post(f"{session.url}/3ds", action="complete") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]


def test_pressed_many_times_at_once_it_is_paid_once(control, session):
    barrier = threading.Barrier(8)

    def press(_):
        barrier.wait()
        return post(session.url, number=GOOD, action="pay")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, range(8)))
    assert {answer.headers["Location"] for answer in answers} == {f"https://shop.example/thanks?session={session.id}"}
    assert len(control.events("charge.succeeded")) == 1
    assert control.books()["currencies"]["eur"]["authorised"] == 2500


def test_a_page_that_is_over_says_so(shop, control, session):
    control.pay(session.id)
    page = get(session.url).text
    assert "This has been paid" in page and f"https://shop.example/thanks?session={session.id}" in page
    other = shop.session()
    shop.client.v1.checkout.sessions.expire(other.id)
    for page in (get(other.url), get(f"{other.url}")):
        assert "This page has expired" in page.text and "https://shop.example/basket" in page.text
    assert post(other.url, number=GOOD, action="pay").headers["Location"] == f"/c/pay/{other.id}"
    assert len(control.books()["payment_intents"]) == 1
    assert get(f"{shop.session().url}nothing").status_code == 404


def test_a_session_that_ran_out_of_time_cannot_be_paid(control, session):
    control.advance(24 * 3600)
    assert post(session.url, number=GOOD, action="pay").headers["Location"] == f"/c/pay/{session.id}"
    assert "expired" in get(session.url).text
    assert control.books()["payment_intents"] == {}


def test_in_french(shop):
    session = shop.session((123456, 1), locale="fr")
    page = get(session.url).text
    assert '<html lang="fr">' in page
    assert "Ceci est une démonstration\u00a0:" in page
    assert "Payer 1\u202f234,56\u00a0€" in page
    assert "Votre carte a été refusée." in post(session.url, number=BAD, action="pay").text
    assert '<html lang="fr">' in get(shop.session().url, "fr-BE,fr;q=0.9,en;q=0.5").text
    assert '<html lang="en">' in get(shop.session().url, "de,en;q=0.5,fr;q=0.4").text


@pytest.mark.parametrize(
    ("locale", "accepted", "found"),
    [("fr-CA", "en", "fr"), ("de", "fr", "en"), ("auto", "fr", "fr"), (None, "", "en"), (None, "en;q=x,fr", "fr")],
)
def test_which_language(locale, accepted, found):
    assert language(locale, accepted) == found


def test_both_languages_say_everything():
    assert TEXTS["en"].keys() == TEXTS["fr"].keys()
    for inner in ("errors", "states"):
        assert TEXTS["en"][inner].keys() == TEXTS["fr"][inner].keys()
    for key, text in TEXTS["en"].items():
        if isinstance(text, str):
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", TEXTS["fr"][key])), key


def test_behind_the_scenes(ours, shop):
    assert "Nobody has paid yet." in get(f"{ours.url}/").text
    for number in range(21):
        shop.intent(1000 + number)
    session = shop.session(client_reference_id="order <7>", payment_intent_data=MANUAL)
    ours.control.pay(session.id)
    page = get(f"{ours.url}/", "fr").text
    assert page.count("<tr>") == 1 + 20
    assert "order &lt;7&gt;" in page and "Réservé sur la carte" in page and "25,00\u00a0€" in page


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.labels, self.fields = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag == "label":
            self.labels.add(attributes["for"])
        if tag == "input":
            self.fields.append(attributes["id"])


def test_the_page_is_plain_labelled_and_asks_nobody_else(session, ours):
    page = Page(get(session.url).text)
    assert not [tag for tag, _ in page.tags if tag in ("script", "style", "img", "iframe")]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert page.fields and set(page.fields) == page.labels
    links = [attributes["href"] for tag, attributes in page.tags if tag == "link"]
    assert links == ["/assets/pay.css", "data:,"]
    assert get(f"{ours.url}/assets/pay.css").headers["Content-Type"].startswith("text/css")


def test_what_the_shop_names_its_goods_is_only_text(shop):
    params = {"price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "<b>Rose</b>"}}}
    session = shop.session(line_items=[{**params, "quantity": 1}])
    text = get(session.url).text
    assert "&lt;b&gt;Rose&lt;/b&gt;" in text and "<b>" not in text
