from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.utils.translation import override
from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.earning import movement_selectors, orders, rules, selectors
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services


def award(order):
    return selectors.award_of_order(order)


def test_an_order_brings_points_that_wait(order, petals, later):
    assert petals() == (0, 172)
    later(days=13, hours=23)
    assert petals() == (0, 172)
    later(hours=1)
    assert petals() == (172, 0)


def test_an_award_keeps_the_versions_it_came_from(order, own, per_euro, haircut, petals):
    lines = {line.title: line for line in award(order).lines.all()}
    assert (lines["Haircut"].rule_version, lines["Haircut"].share, lines["Haircut"].points) == (own, 160, 160)
    assert (lines["Shampoo"].rule_version, lines["Shampoo"].quantity) == (per_euro, 1)
    rules.set_product_points(product=haircut, points=10)
    orders.review_order(order=order)
    assert petals() == (0, 172)
    assert [line["version"] for line in award(order).entry.explanation["lines"]] == [own.pk, per_euro.pk]


def test_reviewing_again_changes_nothing(order, petals, sweep):
    orders.review_order(order=order)
    orders.review_order(order=order)
    sweep()
    assert petals() == (0, 172)
    assert get_model("loyalty_earning", "Award").objects.count() == 1
    assert orders.unreviewed() == []


def test_the_days_are_those_of_the_shops_calendar(place, member, per_euro, shampoo, time, programme):
    services.save_programme(programme=programme, expiry_months=12)
    # Summer time begins on 29 March 2026 in Paris: the same time of day is one hour earlier in UTC.
    time.move_to(datetime(2026, 3, 20, 9, 30, tzinfo=UTC))
    made = orders.review_order(order=place((shampoo, 1)))
    assert made.usable_from == datetime(2026, 4, 3, 8, 30, tzinfo=UTC)
    lot = made.entry.lots.get()
    assert lot.expires_at == datetime(2027, 3, 20, 23, 0, tzinfo=UTC)


def test_rules_and_tier_are_those_of_the_orders_own_time(
    place, member, shampoo, programme, per_euro, time, later, petals
):
    gold = members.tiers(programme).get(code="gold")
    services.save_tier(programme=programme, code="gold", name=gold.name, rank=3, multiplier=D("2"))
    gold.refresh_from_db()
    early = place((shampoo, 1))
    later(days=1)
    services.set_tier(member=member, tier=gold, key="up")
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 5}, rule=per_euro.rule)
    late = place((shampoo, 1))
    assert orders.review_order(order=late).points == 125
    assert orders.review_order(order=early).points == 12
    assert (award(late).tier, award(late).multiplier) == (gold, 2)


def test_guests_strangers_and_late_joiners_earn_nothing(place, shampoo, programme, per_euro, user, later, time):
    guest, stranger = place((shampoo, 1), by=None), place((shampoo, 1))
    later(days=1)
    services.join(programme=programme, user=user)
    for order in (guest, stranger):
        assert orders.review_order(order=order) is None
    assert orders.review_order(order=place((shampoo, 1))).points == 12


@pytest.mark.parametrize("closed", ["programme", "member"])
def test_nothing_is_earned_while_closed_or_on_hold(closed, place, shampoo, programme, per_euro, member, time):
    if closed == "programme":
        services.save_programme(programme=programme, is_active=False)
    else:
        services.set_status(member=member, status="frozen")
    assert orders.review_order(order=place((shampoo, 1))) is None


def test_another_currency_brings_no_points_per_amount(place, haircut, shampoo, programme, own, per_euro, member, time):
    order = place((haircut, 1), (shampoo, 1))
    get_model("order", "Order").objects.filter(pk=order.pk).update(currency="USD")
    assert orders.review_order(order=order).points == 80


def test_points_come_at_the_status_the_owner_chose(place, shampoo, programme, per_euro, member, time, cancel, petals):
    services.save_programme(programme=programme, award_on_status="Complete")
    order = place((shampoo, 1))
    assert orders.review_order(order=order) is None
    cancel(order, "Being processed")
    assert petals() == (0, 0)
    time.advance(days=3)
    cancel(order, "Complete")
    assert petals() == (0, 12)
    assert award(order).happened_at == clock.now()


def test_a_status_that_was_passed_counts(place, shampoo, programme, per_euro, member, time):
    services.save_programme(programme=programme, award_on_status="Being processed")
    order = place((shampoo, 1))
    order.set_status("Being processed")
    order.set_status("Complete")
    assert orders.review_order(order=order).points == 12


def test_a_cancelled_order_gives_everything_back_once(order, cancel, petals, sweep):
    cancel(order)
    assert petals() == (0, 0)
    sweep()
    orders.review_order(order=order)
    assert petals() == (0, 0)
    assert award(order).clawed_back == 172
    entries = award(order).entry.reversals.all()
    assert [entry.units for entry in entries] == [-172]


def test_a_cancelled_line_gives_its_share_back(order, cancel, petals):
    lines = {line.title: line for line in order.lines.all()}
    cancel(lines["Shampoo"])
    assert petals() == (0, 160)
    cancel(lines["Haircut"])
    assert petals() == (0, 0)
    assert award(order).clawed_back == 172


def test_points_for_the_whole_order_go_in_proportion(place, haircut, shampoo, programme, member, time, cancel, petals):
    rules.publish_rule(programme=programme, kind="order", spec={"points": 50})
    order = place((haircut, 1), (shampoo, 2))
    orders.review_order(order=order)
    assert petals() == (0, 50)
    cancel(order.lines.get(title="Shampoo"))
    # 25.00 of 70.00 euros: 17.86 of 50 petals.
    assert petals() == (0, 32)
    cancel(order)
    assert petals() == (0, 0)


def test_a_line_cancelled_before_brings_nothing(place, haircut, shampoo, own, per_euro, member, time, cancel, petals):
    order = place((haircut, 1), (shampoo, 1))
    order.lines.get(title="Haircut").set_status("Cancelled")
    orders.review_order(order=order)
    assert petals() == (0, 12)
    cancel(order)
    assert petals() == (0, 0)


def test_spent_points_become_debt_or_are_forgiven(order, cancel, petals, later, member, programme):
    later(days=14)
    books.spend(account=member.account, units=100, key="spent")
    cancel(order)
    assert petals() == (0, 0)
    member.account.refresh_from_db()
    assert (member.account.balance, member.account.debt) == (-100, 100)


def test_forgiven_points_are_written_off(order, cancel, later, member, programme):
    services.save_programme(programme=programme, clawback_policy="write_off")
    later(days=14)
    books.spend(account=member.account, units=100, key="spent")
    cancel(order)
    member.account.refresh_from_db()
    assert (member.account.balance, member.account.debt) == (0, 0)
    movement = selectors.history(member).object_list[0]
    assert movement.sentences == ["The order was cancelled", "Spent already, and forgiven: 100\xa0petals"]


def test_a_cancelled_order_asks_the_payments_to_return(order, cancel):
    cancel(order.lines.get(title="Shampoo"))
    cancel(order)
    rows = get_model("loyalty_due", "Due").objects.filter(kind="payments.return_lines").order_by("pk")
    shampoo, haircut = (order.lines.get(title=title) for title in ("Shampoo", "Haircut"))
    assert [row.payload["lines"] for row in rows] == [{str(shampoo.pk): 1}, {str(haircut.pk): 2, str(shampoo.pk): 1}]
    assert [row.payload["whole"] for row in rows] == [False, True]


def test_a_guests_cancelled_order_returns_what_paid_for_it_as_well(place, shampoo, programme, time, cancel):
    order = place((shampoo, 1), by=None)
    cancel(order)
    assert get_model("loyalty_due", "Due").objects.filter(kind="payments.return_lines").count() == 1


def test_a_gift_card_and_what_it_pays_bring_nothing(place, shampoo, per_euro, programme, member, time, user):
    card = create_product(title="Gift card", price=D("50.00"), product_class="Gift card", num_in_stock=10)
    card.product_class.slug = "loyalty-gift-card"
    card.product_class.save()
    order = place((card, 1), (shampoo, 2))
    site = members.programme_for().site
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.create(
        state="placed", order=order, site=site, currency="EUR", total=order.total_incl_tax, member=member,
        created_at=clock.now(), leased_until=clock.now(), expires_at=clock.now(),
    )  # fmt: skip
    tenders = get_model("loyalty_payments", "Tender").objects
    line = order.lines.get(title="Shampoo")
    for number, (kind, amount) in enumerate([("giftcard", D("10")), ("on_site", order.total_incl_tax - 10)]):
        tender = tenders.create(attempt=attempt, number=number, kind=kind, amount=amount, state="captured")
        tender.allotments.create(order_line=line, amount=amount)
    made = orders.review_order(order=order)
    assert made.points == 15
    sentences = selectors.preview_order(order).sentences
    assert sentences == ["1\xa0petal per €1 on €15", "€10 paid with points or a gift card brings nothing"]


def test_an_order_whose_payment_is_being_written_waits(
    place, shampoo, per_euro, programme, member, time, petals, sweep
):
    order = place((shampoo, 1))
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.create(
        basket=order.basket, site=programme.site, currency="EUR", total=order.total_incl_tax, member=member,
        created_at=time.at, leased_until=time.at + timedelta(minutes=5), expires_at=time.at + timedelta(hours=1),
    )  # fmt: skip
    assert orders.review_order(order=order) is None
    assert orders.unreviewed() == [order]
    attempt.state = "cancelled"
    attempt.save()
    sweep()
    assert petals() == (0, 12)


def test_why_is_told_in_the_readers_language(order, member, programme):
    (movement,) = selectors.history(member).object_list
    assert movement.title == "Order 1001"
    assert movement.sentences == [
        "2 × 80\xa0petals for Haircut",
        "1\xa0petal per €1 on €12.50",
        "rounded down from 172.5",
    ]
    assert movement.pending and movement.usable_from == award(order).usable_from
    with override("fr"):
        (movement,) = selectors.history(member).object_list
        assert "pétales" in movement.sentences[0]
        assert "12,50\xa0€" in movement.sentences[1]
    (movement,) = selectors.history(member, staff=True).object_list
    assert "version 1" in movement.sentences[1]


def test_the_history_costs_the_same_for_one_order_or_ten(place, order, shampoo, member, django_assert_max_num_queries):
    for _number in range(10):
        orders.review_order(order=place((shampoo, 1)))
    with django_assert_max_num_queries(7):
        page = selectors.history(member, per_page=20)
        assert len(page.object_list) == 11
    with django_assert_max_num_queries(7):
        rows = movement_selectors.movements(member.programme)[:20]
        assert len(selectors.describe(rows, member.programme, staff=True)) == 11
        assert {row.account.member for row in rows} == {member}


def test_movements_are_filtered(place, order, shampoo, haircut, member, time, later):
    later(days=1)
    second = orders.review_order(order=place((shampoo, 1)))
    entries = list(movement_selectors.movements(member.programme))
    assert entries == [second.entry, award(order).entry]
    assert list(movement_selectors.movements(member.programme, product=haircut)) == [award(order).entry]
    assert list(movement_selectors.movements(member.programme, since=time.at)) == [second.entry]
    assert list(movement_selectors.movements(member.programme, until=time.at)) == [award(order).entry]
    assert (
        list(movement_selectors.movements(member.programme, words="rose martin", member=member, kind="earn")) == entries
    )
    assert list(movement_selectors.movements(member.programme, words="nobody")) == []


def test_many_orders_are_awarded_at_once(
    place, shampoo, haircut, programme, user, own, per_euro, time, django_assert_max_num_queries
):
    past = [
        place((shampoo, 1), (haircut, 1), date_placed=time.at - timedelta(days=100 + number)) for number in range(20)
    ]
    services.join(programme=programme, user=user)
    assert orders.award_orders(programme=programme, orders=past) == []
    with django_assert_max_num_queries(45):
        made = orders.award_orders(programme=programme, orders=past, joined=False, rules_at=time.at)
    assert [award.points for award in made] == [92] * 20
    assert orders.award_orders(programme=programme, orders=past, joined=False, rules_at=time.at) == []
    assert made[0].happened_at == min(order.date_placed for order in past)


def test_bulk_and_single_awards_agree(place, order, shampoo, haircut, programme, member, time):
    again = place((haircut, 2), (shampoo, 1))
    (bulk,) = orders.award_orders(programme=programme, orders=[again])
    single = award(order)
    assert bulk.points == single.points
    assert [line.share for line in bulk.lines.all()] == [line.share for line in single.lines.all()]
