"""What an award costs the shop: the whole way from a placed order to its points, the engine included."""

import statistics
import time
from collections import Counter
from decimal import Decimal

#: What the award of an order of five lines may take: our own processor time, and queries.
MILLISECONDS, QUERIES = 8, 12
#: These begin and end what is done; they ask for nothing.
FRAMES = ("BEGIN", "COMMIT")


def order_of(lines, products, user, number):
    """Place an order as a checkout does, and keep what follows for later."""
    from django.db import connection, transaction
    from oscar.apps.partner.strategy import Selector
    from oscar.core.loading import get_model
    from oscar.test.factories import create_order

    with transaction.atomic():
        basket = get_model("basket", "Basket").objects.create(owner=user)
        basket.strategy = Selector().strategy()
        for product in products[:lines]:
            basket.add_product(product, 1)
        order = create_order(basket=basket, user=user, number=f"bench{number}")
        connection.run_on_commit = []
    return order


def award(rounds):
    """Return the milliseconds of our own processor time of one award, and its queries by their first word."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from oscar.test.factories import create_product

    from oscar_loyalty.earning import orders, rules
    from oscar_loyalty.members import services

    programme = services.create_programme(name="Benchmark")
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})
    user = get_user_model().objects.create_user(username="bench", email="bench@example.com")
    services.join(programme=programme, user=user, source="bench")
    products = [
        create_product(title=f"Thing {n}", price=Decimal("12.50"), product_class="Thing", num_in_stock=10_000)
        for n in range(5)
    ]
    took = []
    for number in range(rounds + 2):
        order = order_of(5, products, user, number)
        began = time.process_time()
        made = orders.review_order(order=order)
        if number >= 2:
            took.append(time.process_time() - began)
        assert made is not None and made.points == 62, made  # noqa: S101
    order = order_of(5, products, user, "counted")
    with CaptureQueriesContext(connection) as queries:
        orders.review_order(order=order)
    asked = [query["sql"] for query in queries if not query["sql"].startswith(FRAMES)]
    return statistics.median(took) * 1000, Counter(" ".join(text.split()[:1]) for text in asked)
