from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from oscar_loyalty.giftcards import selectors, services
from oscar_loyalty.giftcards.exceptions import CodeRefused, TooManyTries
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(number, function):
    """Call ``function(n)`` in ``number`` threads that start together; return what each returned or raised."""
    barrier = Barrier(number)

    def one(n):
        try:
            connection.ensure_connection()
            barrier.wait(20)
            return function(n)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_parallel_guesses_are_all_counted():
    who = Guard(user_id=1, session_key="s", address="192.0.2.1")
    with pytest.raises(CodeRefused):
        services.look_up("2222-2222-2222-2222-2222", who=who)
    results = at_once(20, lambda n: services.look_up("2222-2222-2222-2222-2222", who=who))
    kinds = sorted(type(result).__name__ for result in results)
    assert kinds == ["CodeRefused"] * 9 + ["TooManyTries"] * 11


def test_the_first_guesses_of_somebody_new_are_all_counted():
    who = Guard(address="192.0.2.1")
    results = at_once(20, lambda n: services.look_up("2222-2222-2222-2222-2222", who=who))
    assert sorted(type(result).__name__ for result in results) == ["CodeRefused"] * 10 + ["TooManyTries"] * 10


def test_parallel_guesses_from_crossed_scopes_do_not_deadlock():
    def guess(n):
        who = Guard(user_id=n % 2 + 1, session_key=f"s{n % 3}", address=f"192.0.2.{n % 2}")
        return services.look_up("2222-2222-2222-2222-2222", who=who)

    for result in at_once(12, guess):
        assert isinstance(result, CodeRefused | TooManyTries), result


def test_activating_at_once_loads_once():
    card = services.issue(value=Decimal("10"), key="w", activate=False)
    GiftCard = get_model("loyalty_giftcards", "GiftCard")
    results = at_once(10, lambda n: services.activate(card=GiftCard.objects.get(pk=card.pk)))
    assert not [result for result in results if isinstance(result, Exception)]
    card.refresh_from_db()
    assert selectors.balance(card).amount == 10
    assert card.events.filter(kind="activated").count() == 1


def test_issuing_at_once_with_one_key_makes_one_card():
    results = at_once(10, lambda n: services.issue(value=Decimal("10"), key="same"))
    assert not [result for result in results if isinstance(result, Exception)], results
    assert len({card.pk for card in results}) == 1
    assert selectors.balance(results[0]).amount == 10
    assert get_model("loyalty_ledger", "Account").objects.count() == 1


def test_disabling_while_it_is_spent_never_loses_or_makes_money():
    from oscar_loyalty.ledger import books
    from oscar_loyalty.ledger.exceptions import InsufficientUnits

    card = services.issue(value=Decimal("10"), key="c")
    GiftCard = get_model("loyalty_giftcards", "GiftCard")

    def act(n):
        own = GiftCard.objects.get(pk=card.pk)
        if n % 2:
            return services.disable(card=own)
        return books.spend(account=own.account, units=300, key=f"s{n}")

    results = at_once(8, act)
    spent = sum(not isinstance(result, Exception) for result in results[::2])
    assert all(isinstance(r, InsufficientUnits) for r in results if isinstance(r, Exception)), results
    services.enable(card=card)
    assert selectors.balance(card).amount == 10 - 3 * spent


def test_sending_and_changing_the_day_at_once_is_one_or_the_other():
    from datetime import timedelta

    from django.core import mail

    from oscar_loyalty import clock
    from oscar_loyalty.due import services as due
    from oscar_loyalty.giftcards import delivery
    from oscar_loyalty.giftcards.exceptions import TooLate

    day = delivery.today() + timedelta(days=3)
    cards = [
        services.issue(
            value=Decimal("10"), key=f"day {n}", recipient_email=f"a{n}@example.com", deliver_at=delivery.moment(day)
        )
        for n in range(3)
    ]
    with clock.frozen(delivery.moment(day) + timedelta(minutes=1)):

        def act(n):
            if n < 3:
                return services.set_delivery_day(card=cards[n], day=delivery.today() + timedelta(days=1))
            return due.sweep()

        results = at_once(6, act)
        due.sweep()
        for n in range(3):
            letters = [letter for letter in mail.outbox if letter.to == [f"a{n}@example.com"]]
            changed = not isinstance(results[n], Exception)
            assert changed or isinstance(results[n], TooLate), results[n]
            assert len(letters) == (0 if changed else 1)
    with clock.frozen(delivery.moment(day) + timedelta(days=2)):
        at_once(4, lambda n: due.sweep())
    for n in range(3):
        assert len([letter for letter in mail.outbox if letter.to == [f"a{n}@example.com"]]) == 1
