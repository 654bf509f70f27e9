"""Each of the seven invariants notices a shop that breaks it: no world holds because nobody looks."""

from contextlib import suppress
from dataclasses import replace

import pytest
from django.db import connection

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import bookings, clawback, facts, gifts, orders
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import pages
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving
from oscar_loyalty.messaging import services as messaging
from oscar_loyalty.payments import closing, outcomes, sending
from oscar_loyalty.payments import services as payments
from oscar_loyalty.payments.stripe import tender as stripe
from oscar_loyalty.payments.tenders import own
from oscar_loyalty.rewards import services as rewards
from tests.simulation import actions, invariants, world
from tests.simulation.faults import Mail

STEPS = 30


@pytest.fixture
def said(restore, monkeypatch):
    """What is said of the first of so many worlds that does not hold, where ``often`` happens more than all else.

    The shop's own audit says nothing here: the invariants themselves must see it.
    """
    monkeypatch.setattr(invariants, "audited", lambda world: [])

    def said(seeds, *often):
        chosen = [each for each in actions.ACTIONS if each.__name__ in often]
        monkeypatch.setattr(actions, "ACTIONS", [*actions.ACTIONS, *chosen * 6])
        for seed in range(seeds):
            try:
                world.live(seed, restore, steps=STEPS)
            except world.Broken as broken:
                return " ".join(broken.problems)
        raise AssertionError(f"None of {seeds} worlds noticed.")

    return said


def deed(function):
    function.who, function.weight = "a bug", 8
    return function


# 1. Conservation


@deed
def helps_itself(world):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE loyalty_ledger_account SET balance = balance + 1 WHERE id = 1")
    return "done"


def test_a_point_out_of_nothing(said, monkeypatch):
    monkeypatch.setattr(actions, "ACTIONS", [*actions.ACTIONS, helps_itself])
    assert "account 1: entries" in said(3)


def test_a_spend_that_leaves_its_lots_as_they_were(said, monkeypatch):
    monkeypatch.setattr(pages.Page, "take", lambda self, *args, **named: None, raising=True)
    assert "lot" in said(10, "corrects_points", "claims_a_reward")


@deed
def owes_what_it_has(world):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_ledger_account SET debt = debt + 1"
            " WHERE id IN (SELECT account_id FROM loyalty_ledger_lot WHERE remaining > held)"
        )
    return "done"


def test_a_debt_that_is_left_beside_points(said, monkeypatch):
    monkeypatch.setattr(actions, "ACTIONS", [*actions.ACTIONS, owes_what_it_has])
    assert "that could pay" in said(3)


# 2. No overspend


def test_a_reward_that_is_given_more_often_than_it_is_there(said, monkeypatch):
    real = rewards._make

    def forgetful(row, member, **named):
        made = real(row, member, **named)
        # There is one, and whoever comes finds it.
        get_model("loyalty_rewards", "Reward").objects.filter(pk=row.pk).update(taken=0, stock=1)
        return made

    monkeypatch.setattr(rewards, "_make", forgetful)
    assert "claims of" in said(20, "claims_a_reward", "presents_a_reward", "gives_points")


def test_stock_that_is_sold_twice(said, monkeypatch):
    StockRecord = get_model("partner", "StockRecord")
    real = StockRecord.allocate
    # It does not look again what is left, and a retry within counts the piece anew.
    monkeypatch.setattr(StockRecord, "is_allocation_consumption_possible", lambda self, number: True)
    monkeypatch.setattr(StockRecord, "allocate", lambda self, quantity: [real(self, quantity) for _ in range(4)])
    assert "sold of 6" in said(30, "orders_as_a_guest", "places_the_order", "puts_something_into_the_basket")


# 3. A refused action changes nothing


def test_a_refusal_that_has_done_half_of_it(said, monkeypatch):
    real = giving.give

    def hasty(*, source, **named):
        type(source).objects.filter(pk=source.pk).update(greeting_name="in a hurry")
        return real(source=source, **named)

    monkeypatch.setattr(giving, "give", hasty)
    assert "a refused action changed loyalty_members_member" in said(20, "gives_points_away")


# 4. Once and only once


def test_a_gift_that_forgets_its_key(said, monkeypatch):
    real, number = actions.staff.give_points, iter(range(1_000_000))
    forgetful = lambda *, reference, **named: real(reference=f"{reference}:{next(number)}", **named)  # noqa: E731
    forgetful.__name__ = "give_points"
    monkeypatch.setattr(actions.staff, "give_points", forgetful)
    assert "told twice" in said(20, "gives_points")


def test_an_award_that_comes_twice(said, monkeypatch):
    @deed
    def awards_again(world):
        Award = get_model("loyalty_earning", "Award")
        award = Award.objects.filter(source_type__in=["order", "booking"], void=False).first()
        if award is None:
            return "none there"
        gifts.give_points(member=award.member, points=5, reference=world.key(), why="gift")
        Award.objects.filter(pk=Award.objects.last().pk).update(
            source_type=award.source_type, source_id=award.source_id
        )
        return "done"

    monkeypatch.setattr(actions, "ACTIONS", [*actions.ACTIONS, awards_again])
    assert "award of" in said(20, "says_who_came", "books_a_time")


def test_a_worker_who_does_what_was_done(said, monkeypatch):
    real = due.run

    def tireless(pk):
        get_model("loyalty_due", "Due").objects.filter(pk=pk, state="done").update(state="waiting")
        return real(pk)

    monkeypatch.setattr(due, "run", tireless)
    monkeypatch.setattr(messaging, "send", lambda *, message: messaging._deliver(message))
    assert "mails for" in said(20, "does_a_task", "joins", "gives_points")


# 5. Every order is paid


def test_points_and_cards_that_are_never_taken(said, monkeypatch):
    monkeypatch.setattr(own.LedgerTender, "capture", lambda self, **named: None)
    problem = said(30, "puts_something_into_the_basket", "wishes_to_pay_with_points", "places_the_order")
    assert "is only held" in problem


def test_a_payment_that_forgets_the_cents(said, monkeypatch):
    real = payments._hold

    def rounding(attempt, number, plan, *others):
        return real(attempt, number, replace(plan, amount=plan.amount // 1), *others)

    monkeypatch.setattr(payments, "_hold", rounding)
    assert "was paid with" in said(20, "puts_something_into_the_basket", "places_the_order", "orders_as_a_guest")


def test_money_that_nobody_will_ask_for_any_more(said, monkeypatch):
    monkeypatch.setattr(outcomes, "carry_out", lambda *, attempt: None)
    monkeypatch.setattr(payments, "settle_soon", lambda attempt, at=None: None)
    often = ("puts_something_into_the_basket", "places_the_order", "pays_at_stripe", "comes_back_from_stripe")
    assert "its stripe is only held" in said(20, *often)


def test_an_order_whose_payment_is_left_for_later(said, monkeypatch):
    monkeypatch.setattr(payments, "complete", lambda *, attempt, order, basket=None: attempt)
    assert "never paid" in said(20, "puts_something_into_the_basket", "places_the_order", "orders_as_a_guest")


# 6. Every message once


def test_a_mail_that_goes_out_twice(said, monkeypatch):
    real = Mail.send_messages
    monkeypatch.setattr(Mail, "send_messages", lambda self, messages: real(self, [*messages, *messages]))
    assert "mails for message" in said(3)


def test_a_mail_that_counts_as_sent_and_never_went(said, monkeypatch):
    def swallowing(self, messages):
        with suppress(OSError):
            self.post.process.speak()
        return len(messages)

    monkeypatch.setattr(Mail, "send_messages", swallowing)
    assert "no mail went out" in said(3)


# 7. What is owed is done

SHOPPING = ("puts_something_into_the_basket", "places_the_order", "pays_at_stripe", "comes_back_from_stripe")


def test_a_refund_that_stripe_is_never_asked_for(said, monkeypatch):
    monkeypatch.setattr(stripe.Stripe, "give_back", lambda self, *, part: f"re_{part.pk}")
    assert "cents went back at Stripe" in said(6)


def test_a_refund_of_a_cent(said, monkeypatch):
    real = stripe._to_give_back
    monkeypatch.setattr(stripe, "_to_give_back", lambda part: min(1, real(part)))
    assert "1 cents went back at Stripe" in said(6)


def test_a_refund_that_is_written_and_left_there(said, monkeypatch):
    monkeypatch.setattr(sending, "leave", lambda part: None)
    assert "is waiting" in said(6)


def test_gift_cards_that_are_never_made(said, monkeypatch):
    monkeypatch.setattr(closing, "issue_cards", lambda order, attempt=None, lines=None: None)
    assert "gift cards has 0" in said(6, *SHOPPING)


def test_gift_cards_that_work_before_the_money_is_there(said, monkeypatch):
    def hasty(order, attempt=None, lines=None):
        for card in giftcards.issue_for_lines(order, lines=lines):
            giftcards.activate(card=card, key=f"order:{order.pk}")

    monkeypatch.setattr(closing, "issue_cards", hasty)
    assert "is not paid for" in said(6, *SHOPPING)


def test_gift_cards_that_never_come_to_work(said, monkeypatch):
    monkeypatch.setattr(payments, "mark_paid", lambda *, order: 0)
    assert "waits, and all is paid for" in said(10, *SHOPPING)


def test_a_mail_that_nobody_is_told_to_send(said, monkeypatch):
    real = due.leave
    monkeypatch.setattr(due, "leave", lambda **named: None if named["kind"] == messaging.SEND else real(**named))
    assert "is waiting" in said(3)


def test_awards_that_are_dropped(said, monkeypatch):
    monkeypatch.setattr(orders, "write", lambda grants, **named: [])
    assert "was reviewed, and brought nothing" in said(6, *SHOPPING)


def test_orders_that_nobody_looks_at(said, monkeypatch):
    monkeypatch.setattr(orders, "review_order", lambda *, order: None)
    assert "was never reviewed" in said(6, *SHOPPING)


VISITS = ("books_a_time", "says_who_came")


def test_visits_that_bring_nothing(said, monkeypatch):
    monkeypatch.setattr(bookings, "_award", lambda booking: None)
    assert "brought nothing" in said(6, *VISITS)


def test_visits_that_did_not_take_place_and_keep_their_points(said, monkeypatch):
    monkeypatch.setattr(bookings, "take_back", lambda **named: 0)
    assert "keeps its" in said(14, *VISITS)


def test_awards_of_ten_times_the_points(said, monkeypatch):
    real = orders.write

    def generous(grants, **named):
        more = [replace(each.outcome, points=each.outcome.points * 10) for each in grants]
        return real([replace(each, outcome=outcome) for each, outcome in zip(grants, more, strict=True)], **named)

    monkeypatch.setattr(orders, "write", generous)
    assert "points, not" in said(6, *SHOPPING)


def test_awards_that_forget_their_limit(said, monkeypatch):
    real = facts.policy_of
    monkeypatch.setattr(facts, "policy_of", lambda programme: replace(real(programme), cap=None))
    assert "at most 250 for an order" in said(20, *SHOPPING, "changes_the_limits")


def test_points_that_are_never_taken_back(said, monkeypatch):
    monkeypatch.setattr(clawback, "claw_back", lambda *args, **named: 0)
    assert "0 are taken back" in said(14, *SHOPPING[:2], "refunds_an_order")


def test_points_of_a_cancelled_order_that_stay(said, monkeypatch):
    real = clawback.claw_back

    def lenient(award, order, cancelled, gone, whole, **named):
        return 0 if whole else real(award, order, cancelled, gone, whole, **named)

    monkeypatch.setattr(clawback, "claw_back", lenient)
    assert "0 are taken back" in said(20, *SHOPPING[:2], "changes_an_order")
