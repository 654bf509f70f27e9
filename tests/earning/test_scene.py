"""Orders that nobody has reviewed yet, as they stood when they were placed: what is read of them at once is right."""

from datetime import timedelta

import pytest

from oscar_loyalty import clock
from oscar_loyalty.earning import orders, rules
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services, statuses


def test_an_order_that_was_given_to_somebody_else_meanwhile(
    member, per_euro, place, shampoo, programme, django_user_model
):
    other = services.join(
        programme=programme,
        user=django_user_model.objects.create_user(username="other", email="other@example.com"),
        source="test",
    )
    order = place((shampoo, 1), number="1")
    type(order).objects.filter(pk=order.pk).update(user=other.user_id)
    assert orders.review_order(order=order).member == other


def test_the_tier_and_the_standing_of_then_count(member, per_euro, place, shampoo, programme, time):
    before = place((shampoo, 4), number="1")
    time.advance(hours=1)
    statuses.set_status(member=member, status="frozen", key="ill", reason="ill")
    during = place((shampoo, 4), number="2")
    time.advance(hours=1)
    statuses.set_status(member=member, status="active", key="well", reason="well")
    gold = programme.tiers.get(code="gold")
    gold.multiplier = 2
    gold.save()
    services.set_tier(member=member, tier=gold, key="up")
    time.advance(hours=1)
    after = place((shampoo, 4), number="3")
    first, last = orders.review_order(order=before), orders.review_order(order=after)
    assert first.tier != gold and first.points == 50
    assert orders.review_order(order=during) is None
    assert last.tier == gold and last.points == 100


def test_lines_of_one_product_and_of_none(member, own, place, haircut, shampoo):
    rules.publish_rule(programme=own.rule.programme, kind="amount", spec={"points": 1, "per": "1"})
    order = place((haircut, 1), (shampoo, 1), number="1")
    Line = get_model("order", "Line")
    twice = Line.objects.get(order=order, product=haircut)
    twice.pk = None
    twice.save()
    type(order).objects.filter(pk=order.pk).update(total_incl_tax="102.50", total_excl_tax="102.50")
    shampoo.delete()
    award = orders.review_order(order=order)
    assert award.points == 80 + 80 + 12
    told = {(line.product_id, line.points) for line in award.lines.all()}
    assert told == {(haircut.pk, 80), (None, 12)}


def test_what_falls_due_is_posted_first(member, per_euro, place, shampoo, time):
    books.earn(
        account=member.account,
        units=10,
        key="old",
        usable_from=clock.now(),
        expires_at=clock.now() + timedelta(days=1),
    )
    time.advance(days=2)
    entry = orders.review_order(order=place((shampoo, 4), number="1")).entry
    assert entry.balance_after == 50
    kinds = type(entry).objects.filter(account=member.account).order_by("sequence").values_list("kind", flat=True)
    assert list(kinds) == ["earn", "expire", "earn"]


def test_a_key_that_was_used_already_awards_nothing(member, per_euro, place, shampoo, user):
    order = place((shampoo, 4), number="1")
    books.earn(account=member.account, units=1, key=f"award:order:{order.pk}", usable_from=clock.now())
    with pytest.raises(KeyConflict):
        orders.review_order(order=order)
    assert not get_model("loyalty_earning", "Award").objects.exists()
    assert not get_model("loyalty_earning", "OrderReview").objects.exists()


def test_a_review_of_a_payment_under_way_stays_open(member, per_euro, place, shampoo):
    order = place((shampoo, 4), number="1")
    Attempt = get_model("loyalty_payments", "PaymentAttempt")
    times = dict.fromkeys(("created_at", "leased_until", "expires_at"), clock.now())
    attempt = Attempt.objects.create(basket_id=order.basket_id, site=order.site, currency="EUR", total=0, **times)
    assert orders.review_order(order=order) is None
    assert order in orders.unreviewed()
    attempt.state = "placed"
    attempt.save()
    assert orders.review_order(order=order).points == 50
    assert order not in orders.unreviewed()
