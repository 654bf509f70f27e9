"""How much an award asks of the database: it must not grow again."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty.earning import orders, rules
from oscar_loyalty.earning.limits import save_limits
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services, statuses

# A transaction of its own, as in the shop: within a test's it would be one more savepoint.
pytestmark = pytest.mark.django_db(transaction=True)
#: BEGIN and COMMIT ask for nothing; savepoints are counted.
FRAMES = ("BEGIN", "COMMIT")
MOST = 12


@pytest.fixture
def asked():
    """Review an order: ``asked(order)`` gives the award and what was asked for it, by each statement's first word."""

    def asked(order):
        with CaptureQueriesContext(connection) as queries:
            award = orders.review_order(order=order)
        return award, [query["sql"] for query in queries if not query["sql"].startswith(FRAMES)]

    return asked


@pytest.fixture
def leave(place):
    """Place an order that nobody has reviewed yet."""

    def leave(*lines, **fields):
        with transaction.atomic():
            order = place(*lines, **fields)
            connection.run_on_commit = []
        return order

    return leave


@pytest.fixture
def five(shampoo, haircut):
    """Five products: plain ones, and a variant of one."""
    parent = create_product(title="Soap", structure="parent", product_class="Care", price=None)
    variant = get_model("catalogue", "Product").objects.create(structure="child", parent=parent, upc="soap-1")
    create_stockrecord(variant, price=Decimal("9.00"), num_in_stock=1000)
    others = [
        create_product(title=f"Thing {n}", price=Decimal("12.50"), product_class="Care", num_in_stock=1000)
        for n in range(2)
    ]
    return [(product, 1) for product in (haircut, shampoo, variant, *others)]


@pytest.fixture
def hair(haircut):
    Category = get_model("catalogue", "Category")
    category = Category.add_root(name="Salon").add_child(name="Hair")
    get_model("catalogue", "ProductCategory").objects.create(product=haircut, category=category)
    return category.get_parent()


def test_the_plainest_programme(member, per_euro, leave, five, asked):
    award, queries = asked(leave(*five, number="1"))
    assert award.points == 91
    assert len(queries) <= 10, queries


def test_a_programme_as_it_is_in_life(member, own, per_euro, programme, hair, five, leave, asked, time):
    """A tier that was reached once, a product's own points, a category, a booster, caps of all kinds and a budget."""
    gold = programme.tiers.get(code="gold")
    gold.multiplier = 2
    gold.save()
    services.set_tier(member=member, tier=gold, key="up")
    statuses.set_status(member=member, status="frozen", key="ill", reason="ill")
    statuses.set_status(member=member, status="active", key="well", reason="well")
    time.advance(days=3)
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 2, "when": {"channels": ["order"]}})
    rules.publish_rule(
        programme=programme,
        kind="booster",
        target="category",
        target_object=hair,
        spec={"plus": 7, "caps": {"day": 10}},
    )
    save_limits(programme=programme, cap_order=900, cap_day=950, cap_member=2000, budget=1000)
    first, _queries = asked(leave(*five, number="1"))
    award, queries = asked(leave(*five, number="2"))
    assert award.tier == gold and first.points > 0
    assert award.points == award.entry.units == sum(line.points for line in award.lines.all())
    assert sum(line.share for line in award.lines.all()) == award.points
    told = {line.explanation["rule"]: line.explanation for line in award.lines.all()}
    assert told["booster"]["brought"] and "capped" in str([line.explanation for line in award.lines.all()])
    assert len(queries) <= MOST, queries
    policy = get_model("loyalty_earning", "EarningPolicy").objects.get(programme=programme)
    assert policy.budget_used == first.points + award.points <= 1000


def test_a_status_to_wait_for(member, programme, per_euro, five, leave, asked, settings):
    """The review is there already when the order reaches the status that gives points."""
    programme.award_on_status = "Complete"
    programme.save()
    order = leave(*five, number="1", status="Pending")
    award, queries = asked(order)
    assert award is None and len(queries) <= 4, queries
    type(order).objects.filter(pk=order.pk).update(status="Complete")
    award, queries = asked(order)
    assert award.points == 91
    assert len(queries) <= 16, queries
    award, queries = asked(order)
    assert award.points == 91 and len(queries) <= 14, queries


def test_somebody_who_is_no_member(programme, per_euro, user, five, leave, asked):
    award, queries = asked(leave(*five, number="1"))
    assert award is None
    assert len(queries) <= 6, queries
