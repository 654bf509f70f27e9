"""What the plugin adds to Oscar's checkout, where there is nothing to redeem.

Shops of one server, one without the plugin, others with it and a member who has no points, place orders of one line in
turn: the POST that places the order, as a browser sends it. They sell what is kept in stock and shipped to an address.
Each shop is a process of its own (this module, with the settings of that shop), which places as many as it is told to
and answers what that took. What is done later is not counted: the award, which the page after it makes, and the mail
that confirms the order, which Oscar sends within the POST and the plugin leaves to its outbox. So that nobody takes
that mail for speed, the last shop has the plugin and sends it within the POST, too; both must keep the bound.
"""

import json
import os
import statistics
import subprocess
import sys

#: The most that the plugin may add: a part of the time of Oscar's own POST, and queries.
SHARE, QUERIES = 0.20, 15
PLUGIN = "benchmarks.plugin_shop"
#: For each shop its settings, and whether the plugin's checkout sends the confirmation itself.
SHOPS = {"Oscar": ("benchmarks.plain_shop", ""), "the plugin": (PLUGIN, ""), "the plugin, mail sent": (PLUGIN, "yes")}

ADDRESS = {
    "first_name": "Rose",
    "last_name": "Martin",
    "line1": "1 rue des Lilas",
    "line4": "Lyon",
    "postcode": "69001",
    "country": "FR",
}


class Shop:
    """One of the two, seen from outside."""

    def __init__(self, settings, mail):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.checkout"],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": settings, "BENCHMARK_MAIL": mail, "TEST_DB_SUFFIX": mail},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def place(self, orders):
        self.process.stdin.write(f"{orders}\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("{"):
            if not line:
                raise RuntimeError("The shop has closed.")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare(rounds, size):
    """Return for each shop the median milliseconds of a POST by clock and processor, its queries, and for those with
    the plugin both ratios."""
    from benchmarks.side_by_side import Ratio

    shops = {name: Shop(*how) for name, how in SHOPS.items()}
    found = {name: [] for name in shops}
    try:
        for number in range(rounds + 1):
            for name, shop in shops.items():
                answer = shop.place(size)
                if number:
                    found[name].append(answer)
    finally:
        for shop in shops.values():
            shop.close()
    told = {
        name: {what: statistics.median(answer[what] for answer in answers) for what in ("took", "cpu", "queries")}
        for name, answers in found.items()
    }
    bare, *others = SHOPS
    for name in others:
        pairs = list(zip(found[name], found[bare], strict=True))
        for what in ("took", "cpu"):
            told[name][f"ratio {what}"] = Ratio.of([(mine[what], least[what]) for mine, least in pairs])
    return told


def serve():
    """Place orders as told on standard input."""
    from decimal import Decimal

    from django.apps import apps
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from oscar.core.loading import get_class, get_model
    from oscar.test.factories import create_product, create_stockrecord

    from benchmarks.side_by_side import Watch

    kind = get_model("catalogue", "ProductClass").objects.create(name="Care", slug="care")
    product = create_product(title="Shampoo", product_class=kind.name)
    create_stockrecord(product, price=Decimal("30.00"), num_in_stock=1_000_000, partner_name="Salon")
    product.stockrecords.update(price_currency="EUR")
    get_model("address", "Country").objects.create(
        iso_3166_1_a2="FR", printable_name="France", name="France", is_shipping_country=True
    )
    user = get_user_model().objects.create_user(username="bench", email="bench@example.com")
    if apps.is_installed("oscar_loyalty.members"):
        from oscar_loyalty.members import services

        services.join(programme=services.create_programme(name="Benchmark"), user=user, source="bench")
    if os.environ.get("BENCHMARK_MAIL"):
        get_class("checkout.views", "PaymentDetailsView").mail_through_outbox = False
    client = Client()
    client.force_login(user)

    def ready():
        basket = get_model("basket", "Basket").open.get_or_create(owner=user)[0]
        basket.strategy = get_class("partner.strategy", "Selector")().strategy(user=user)
        basket.add_product(product, quantity=1)
        client.post("/checkout/shipping-address/", ADDRESS)
        client.get("/checkout/shipping-method/")

    def post():
        answer = client.post("/checkout/preview/", {"action": "place_order"})
        assert answer.status_code == 302 and "thank-you" in answer.url, answer  # noqa: S101

    for line in sys.stdin:
        took, cpu = [], []
        for _order in range(int(line)):
            ready()
            with Watch(connection.connection.info.backend_pid) as watch:
                post()
            took.append(watch.took * 1000)
            cpu.append(watch.cpu * 1000)
        ready()
        with CaptureQueriesContext(connection) as queries:
            post()
        words = [query["sql"].split()[0] for query in queries]
        told = {"took": statistics.median(took), "cpu": statistics.median(cpu)}
        asked = len([word for word in words if word not in ("BEGIN", "COMMIT")])
        print(json.dumps({**told, "queries": asked}), flush=True)


if __name__ == "__main__":
    import django

    from benchmarks.databases import of_its_own

    django.setup()
    with of_its_own():
        serve()
