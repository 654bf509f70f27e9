from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from oscar_loyalty.giftcards import guard, services
from oscar_loyalty.giftcards.exceptions import CodeRefused, TooManyTries
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model

WRONG = "2222-2222-2222-2222-2222"


def wrong(who, times=1):
    for _time in range(times):
        with pytest.raises(CodeRefused):
            services.look_up(WRONG, who=who)


def test_every_code_that_cannot_be_used_is_answered_alike(card, who, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_ATTEMPTS = 100
    lost = services.issue(value=Decimal("10"), key="lost")
    code_of_lost = services.code_of(lost)
    services.disable(card=lost)
    empty = services.issue(value=Decimal("10"), key="empty")
    books.spend(account=empty.account, units=1000, key="all")
    tries = [
        (WRONG, {}),
        ("", {}),
        ("nonsense' OR 1=1", {}),
        (code_of_lost, {}),
        (services.code_of(empty), {}),
        (services.code_of(card), {"currency": "USD"}),
    ]
    seen = set()
    for code, fields in tries:
        with pytest.raises(CodeRefused) as caught:
            services.look_up(code, who=who, **fields)
        seen.add((type(caught.value), str(caught.value)))
    assert len(seen) == 1


def test_a_used_up_card_shows_its_balance(card, who):
    books.spend(account=card.account, units=5000, key="all")
    assert services.look_up(services.code_of(card), who=who, empty_ok=True) == card


def test_a_card_set_aside_by_a_checkout_is_still_known(time, card, who):
    books.hold(account=card.account, units=5000, key="h", until=time.at.replace(hour=13))
    assert services.look_up(services.code_of(card), who=who) == card


def test_after_too_many_wrong_codes_right_ones_are_refused_for_a_while(time, card, who):
    code = services.code_of(card)
    wrong(who, times=10)
    for typed in (WRONG, code):
        with pytest.raises(TooManyTries):
            services.look_up(typed, who=who)
    time.advance(minutes=59)
    with pytest.raises(TooManyTries):
        services.look_up(code, who=who)
    time.advance(minutes=2)
    assert services.look_up(code, who=who) == card


def test_right_codes_are_not_counted(card, who):
    for _time in range(25):
        services.look_up(services.code_of(card), who=who)
    wrong(who, times=10)


@pytest.mark.parametrize(
    "other",
    [
        Guard(user_id=7),
        Guard(session_key="a session"),
        Guard(address="192.0.2.1"),
        Guard(user_id=8, address="192.0.2.1"),
    ],
)
def test_account_session_and_address_are_each_counted(db, who, other):
    wrong(who, times=10)
    with pytest.raises(TooManyTries):
        services.look_up(WRONG, who=other)


def test_somebody_else_is_not_kept_out(card, who):
    wrong(who, times=10)
    other = Guard(user_id=8, session_key="another", address="192.0.2.2")
    assert services.look_up(services.code_of(card), who=other) == card


def test_being_kept_out_by_one_scope_costs_no_try_of_the_others(db, who):
    wrong(Guard(user_id=who.user_id), times=10)
    for _time in range(20):
        with pytest.raises(TooManyTries):
            services.look_up(WRONG, who=who)
    wrong(Guard(address=who.address), times=10)


def test_a_household_of_version_six_is_one_address(db):
    wrong(Guard(address="2001:db8:1:2::1"), times=10)
    with pytest.raises(TooManyTries):
        services.look_up(WRONG, who=Guard(address="2001:db8:1:2:ffff::9"))
    wrong(Guard(address="2001:db8:1:3::1"))


def test_nobody_is_nobody(db):
    with pytest.raises(ValueError, match="guard"):
        services.look_up(WRONG, who=Guard())


def test_no_address_is_stored(db, who):
    wrong(who)
    for row in get_model("loyalty_giftcards", "CodeAttempt").objects.all():
        assert len(row.who) == 64 and row.who[:3] != "192" and row.tries == 1


def test_old_tries_are_forgotten(time, db, who):
    wrong(who)
    assert services.forget_tries() == 0
    time.advance(hours=2)
    assert services.forget_tries() == 4


@pytest.mark.parametrize(
    ("proxies", "header", "found"),
    [
        (0, "203.0.113.5", "10.0.0.1"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "198.51.100.9, 203.0.113.5", "203.0.113.5"),
        (2, "198.51.100.9, 203.0.113.5", "198.51.100.9"),
        (2, "203.0.113.5", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        # With the port that some proxies add, which changes with each connection.
        (1, "203.0.113.5:4711", "203.0.113.5"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        # What is no address is not believed: else each word would have tries of its own.
        (1, "unknown", "10.0.0.1"),
        (1, "203.0.113.5, _hidden", "10.0.0.1"),
        (1, ", ,", "10.0.0.1"),
        (2, "anything, 203.0.113.5", "10.0.0.1"),
        (-1, "203.0.113.5", "10.0.0.1"),
    ],
)
def test_only_the_shops_own_proxies_are_believed(settings, proxies, header, found):
    settings.OSCAR_LOYALTY_TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=header)
    assert guard.address_of(request) == found


def test_the_guard_of_a_request(user):
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1")
    request.user = AnonymousUser()
    assert Guard.of_request(request) == Guard(address="10.0.0.1")
    request.user = user
    assert Guard.of_request(request).user_id == user.pk


def test_a_refusal_caught_inside_a_transaction_is_counted_a_rolled_back_one_is_not(db, who):
    from django.db import transaction

    with transaction.atomic():
        wrong(who, times=5)
    with pytest.raises(CodeRefused), transaction.atomic():
        services.look_up(WRONG, who=who)
    wrong(who, times=5)
    with pytest.raises(TooManyTries):
        services.look_up(WRONG, who=who)


def test_a_header_of_ones_own_invention_gives_no_more_tries(db, settings):
    settings.OSCAR_LOYALTY_TRUSTED_PROXIES = 1
    answers = []
    for number in range(12):
        request = RequestFactory().get(
            "/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.5:{4000 + number}"
        )
        request.user = AnonymousUser()
        try:
            services.look_up(WRONG, who=Guard.of_request(request))
        except (CodeRefused, TooManyTries) as error:
            answers.append(type(error))
    assert answers == [CodeRefused] * 10 + [TooManyTries] * 2


def test_one_address_in_both_spellings_is_one(db):
    wrong(Guard(address="192.0.2.1"), times=10)
    with pytest.raises(TooManyTries):
        services.look_up(WRONG, who=Guard(address="::ffff:192.0.2.1"))


def test_behind_a_socket_without_a_header_all_share_their_tries(db):
    request = RequestFactory().get("/", REMOTE_ADDR="")
    request.user = AnonymousUser()
    wrong(Guard.of_request(request), times=10)
    with pytest.raises(TooManyTries):
        services.look_up(WRONG, who=Guard.of_request(request))
