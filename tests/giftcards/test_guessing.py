"""A guesser learns nothing, slows nobody, and does not go unseen."""

import re
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import codes, guessing, services
from oscar_loyalty.giftcards.exceptions import CodeRefused, TooManyTries
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db
UNKNOWN = "ABCD-EFGH-JKLM-NPQR-STUV"


def tries():
    return get_model("loyalty_giftcards", "CodeAttempt").objects


def shape(queries):
    """The statements without what they ask for."""
    return [re.sub(r"'[^']*'|\"s\d+_x\d+\"|\b\d+(\.\d+)?\b", "?", query["sql"]) for query in queries]


@pytest.fixture
def wrong_codes(time):
    """Every way in which a code can be wrong, by name."""
    lost, old, empty, foreign = (
        services.issue(value=D(10), key=key, currency=currency)
        for key, currency in (("lost", "EUR"), ("old", "EUR"), ("empty", "EUR"), ("foreign", "USD"))
    )
    found = {
        "unknown": UNKNOWN,
        "nonsense": "'; DROP TABLE",
        "nothing": "",
        "too long": "A" * 500,
        "disabled": services.code_of(lost),
        "replaced": services.code_of(old),
        "used up": services.code_of(empty),
        "foreign": services.code_of(foreign),
    }
    services.disable(card=lost)
    services.reissue(card=old)
    books.spend(account=empty.account, units=1000, key="all")
    return found


def test_every_wrong_code_costs_the_same(wrong_codes, monkeypatch, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_KEYS = {**settings.OSCAR_LOYALTY_GIFTCARD_KEYS, "second": "x" * 40}
    macs = []
    real = codes.hmac.new

    def mac(key, msg, *args, **kwargs):
        macs.append(len(msg))
        return real(key, msg, *args, **kwargs)

    monkeypatch.setattr(codes.hmac, "new", mac)
    seen = set()
    for number, code in enumerate(wrong_codes.values()):
        macs.clear()
        who = Guard(address=f"192.0.2.{number}", session_key=f"s{number}")
        with (
            CaptureQueriesContext(
                connection,
            ) as queries,
            pytest.raises(CodeRefused) as caught,
        ):
            services.look_up(code, who=who, currency="EUR")
        seen.add((tuple(shape(queries.captured_queries)), tuple(macs), str(caught.value)))
    assert len(seen) == 1


def test_the_forms_answer_alike(wrong_codes):
    from types import SimpleNamespace

    from django.contrib.auth.models import AnonymousUser
    from django.test import RequestFactory

    from oscar_loyalty.checkout.cards import CodeForm

    seen = set()
    for number, code in enumerate(wrong_codes.values()):
        request = RequestFactory().post("/", REMOTE_ADDR=f"192.0.2.{number}")
        request.user, request.session = AnonymousUser(), SimpleNamespace(session_key="", get=lambda *args: [])
        form = CodeForm({"code": code or "-"}, request=request, basket=SimpleNamespace(currency="EUR"))
        assert not form.is_valid()
        if len(code) < 60:
            seen.add(str(form.errors["code"]))
    assert len(seen) == 1


def test_one_code_is_not_tried_from_everywhere(time, settings):
    """A disabled card's code, from ten addresses and more: the code itself has no try left then."""
    card = services.issue(value=D(10), key="lost")
    code = services.code_of(card)
    services.disable(card=card)
    for number in range(10):
        with pytest.raises(CodeRefused):
            services.look_up(code, who=Guard(address=f"192.0.2.{number}"))
    services.enable(card=card)
    # The answer is the same as for every wrong code: it does not tell that there is a card.
    with pytest.raises(CodeRefused):
        services.look_up(code, who=Guard(address="192.0.2.99"))
    time.advance(minutes=61)
    assert services.look_up(code, who=Guard(address="192.0.2.99")) == card


def test_the_old_code_does_not_lock_the_new_one(time):
    card = services.issue(value=D(10), key="moved")
    old = services.code_of(card)
    services.reissue(card=card)
    for number in range(20):
        with pytest.raises(CodeRefused):
            services.look_up(old, who=Guard(address=f"192.0.2.{number}"))
    assert tries().get(scope="card", tries__gte=10).tries == 10
    assert services.look_up(services.code_of(card), who=Guard(address="192.0.2.99")) == card


def test_many_guesses_fill_no_table_and_slow_nobody(time):
    """A hundredth of what ``benchmarks/guessing.py`` tries: each address has ten tries, however many codes."""
    card = services.issue(value=D(10), key="right")
    code = services.code_of(card)
    found = kept_out = 0
    for number in range(1000):
        guess = codes.make(uuid=card.uuid, generation=number + 100, key_id="test")
        try:
            services.look_up(guess, who=Guard(address=f"198.51.{number % 50}.1"))
            found += 1
        except TooManyTries:
            kept_out += 1
        except CodeRefused:
            pass
    assert (found, kept_out) == (0, 500)
    assert tries().filter(scope="address").count() == 50
    assert tries().filter(scope="card").count() <= 256
    with CaptureQueriesContext(connection) as queries:
        assert services.look_up(code, who=Guard(address="203.0.113.7")) == card
    assert len(queries) <= 20
    time.advance(minutes=61)
    services.forget_tries()
    assert not tries().exists()


def guess(number, start=0):
    for each in range(start, start + number):
        with pytest.raises(CodeRefused):
            services.look_up(UNKNOWN, who=Guard(address=f"198.51.100.{each}"))


def test_the_owner_is_told_at_most_once_an_hour(time, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_ALERT_TRIES = 20
    settings.OSCAR_LOYALTY_GIFTCARD_ALERT_EMAIL = "owner@example.com"
    guess(19)
    due.sweep()
    assert mail.outbox == [] and guessing.seen().colour == "green"
    guess(1, start=19)
    for _minute in range(30):
        due.sweep()
        time.advance(minutes=1)
    [letter] = mail.outbox
    assert letter.to == ["owner@example.com"]
    assert "20 wrong gift-card codes" in letter.body
    assert "from 20 addresses" in letter.body
    assert guessing.seen().colour == "red"
    time.advance(minutes=29)
    guess(30, start=100)
    due.sweep()
    assert len(mail.outbox) == 1
    time.advance(minutes=2)
    due.sweep()
    due.sweep()
    assert len(mail.outbox) == 2
    time.advance(minutes=90)
    assert guessing.seen().colour == "amber"
    time.advance(hours=25)
    assert guessing.seen().colour == "green"


def test_without_an_address_the_first_superuser_is_told(time, settings, django_user_model):
    settings.OSCAR_LOYALTY_GIFTCARD_ALERT_TRIES = 1
    settings.OSCAR_LOYALTY_GIFTCARD_ALERT_EMAIL = ""
    django_user_model.objects.create_superuser("owner", "boss@example.com", "petale-demo")
    guess(1)
    due.sweep()
    due.sweep()
    assert [letter.to for letter in mail.outbox] == [["boss@example.com"]]


def test_managers_in_either_spelling_are_told(settings):
    from oscar_loyalty.defaults import conf

    settings.MANAGERS = [("Rose", "rose@example.com")]
    assert conf.GIFTCARD_ALERT_EMAIL == "rose@example.com"
    settings.MANAGERS = ["anna@example.com"]
    assert conf.GIFTCARD_ALERT_EMAIL == "anna@example.com"


def test_alerts_are_an_hour_apart_over_the_hours_border(time, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_ALERT_TRIES = 1
    time.advance(minutes=58)
    guess(1)
    assert guessing.watch() == 1
    time.advance(minutes=4)
    assert guessing.watch() == 0
    assert get_model("loyalty_giftcards", "GuessingAlert").objects.get().at == clock.now() - timedelta(minutes=4)
