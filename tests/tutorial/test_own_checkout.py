"""The same tutorial in a shop that has forked Oscar's apps before; docs/howto/own-checkout.md adds to them."""

import os
import re
from contextlib import contextmanager

import pytest

from tests.tutorial import steps
from tests.tutorial.project import OWN_CHECKOUT, ROOMS, Project

#: A shop of its own on each.
pytestmark = pytest.mark.both_databases

#: What the shop has forked: the label, and Oscar's line in its INSTALLED_APPS without "oscar.apps.".
FORKED = {
    "checkout": "checkout.apps.CheckoutConfig",
    "basket": "basket.apps.BasketConfig",
    "partner": "partner.apps.PartnerConfig",
    "dashboard": "dashboard.apps.DashboardConfig",
    "catalogue_dashboard": "dashboard.catalogue.apps.CatalogueDashboardConfig",
}
#: Classes of its own, without which a fork would be none.
OWN = {
    "checkout/views.py": """
from oscar.apps.checkout import views


class PaymentDetailsView(views.PaymentDetailsView):
    pass


class ThankYouView(views.ThankYouView):
    pass
""",
    "partner/strategy.py": """
from decimal import Decimal

from oscar.apps.partner import strategy


class ShopStrategy(strategy.UseFirstStockRecord, strategy.StockRequired, strategy.FixedRateTax, strategy.Structured):
    rate = Decimal("0.20")


class Selector(strategy.Selector):
    def strategy(self, request=None, user=None, **kwargs):
        return ShopStrategy(request)
""",
}
#: What check names when the mixins are missing.
MISSING = {"loyalty.W001", "loyalty.W002", "loyalty.W010", "loyalty.W020"}


def named(said):
    return set(re.findall(r"\((loyalty\.\w+)\)", said))


@contextmanager
def database():
    """The settings of the shop's own database, on the server of DATABASE_URL where that is PostgreSQL."""
    url = os.environ.get("DATABASE_URL", "sqlite:")
    if not url.startswith("postgres"):
        yield ""
        return
    import psycopg
    from psycopg import conninfo, sql

    name = f"loyalty_tutorial_{os.getpid()}{os.environ.get('TEST_DB_SUFFIX', '')}"
    server = psycopg.connect(conninfo.make_conninfo(url, dbname="postgres"), autocommit=True)
    try:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        parts = conninfo.conninfo_to_dict(url)
        fields = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
        settings = {key: str(parts.get(field, "")) for key, field in fields.items()}
        settings |= {"ENGINE": "django.db.backends.postgresql", "NAME": name}
        yield f'DATABASES = {{"default": {settings!r}}}\n'
    finally:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.close()


@pytest.fixture
def shop(tmp_path):
    project = Project(tmp_path)
    with database() as settings:
        project.make_shop()
        project.append("frobshop/settings.py", settings)
        project.shell(
            "from django.core.management import call_command\n"
            f"for label in {list(FORKED)}: call_command('oscar_fork_app', label, 'forks')"
        )
        for name, own in OWN.items():
            (project.home / "forks" / name).write_text(own, encoding="utf-8")
        for config in FORKED.values():
            project.append(
                "frobshop/settings.py",
                f'INSTALLED_APPS[INSTALLED_APPS.index("oscar.apps.{config}")] = "forks.{config}"\n',
            )
        project.said = project.install_plugin()
        project.fill_shop()
        yield project


def test_own_checkout(shop, browse):
    # The tutorial alone: the shop runs, and is told what is missing.
    assert named(shop.said["python manage.py check"]) == MISSING
    assert "LoyaltyPaymentMixin: no points or gift cards at checkout." in shop.said["python manage.py check"]

    blocks = [block for block in OWN_CHECKOUT.blocks if block.caption and block.heading != ROOMS]
    assert {block.caption for block in blocks} == {
        "forks/checkout/views.py",
        "forks/partner/strategy.py",
        "forks/dashboard/catalogue/forms.py",
        "forks/dashboard/catalogue/views.py",
    }
    for block in blocks:
        shop.write(block, whole=True)
    assert "System check identified no issues (0 silenced)." in shop.run("python manage.py check")
    assert "No changes detected" in shop.run("python manage.py makemigrations --check --dry-run")

    with shop.served() as address:
        with browse(address) as page:
            steps.make_programme(page)
            # The shop's own product form asks for points.
            steps.set_points(page, "Haircut", 80)
            steps.sell_gift_card(page, "10.00", "1000")
        with browse(address) as page:
            steps.join(page)
            shop.shell(
                "from oscar_loyalty import clock; from oscar_loyalty.ledger import books;"
                "from oscar_loyalty.members.models import Member;"
                "books.earn(account=Member.objects.get().account, units=1200, key='test', kind='adjust',"
                " usable_from=clock.now())"
            )
            steps.fill_basket(page, "Haircut", "80 points")
            page.goto("/gift-cards/")
            page.get_by_role("button", name="Pay with points: 1,000 points").click()
            page.get_by_text("Paid with 1,000 points").first.wait_for()
            steps.check_out(page)
            # The haircut with its tax is paid in money; the card has none, and is paid with points.
            paid = steps.text(page.locator(".card", has_text="How it was paid"))
            assert paid.split("\n")[1:] == [
                *("1,000 points for gift cards", "€10.00"),
                *("Payment", "€36.00"),
                *("Total", "€46.00"),
            ]
            assert page.locator(".loyalty-secret").count() == 1
            steps.open_account(page)
            facts = steps.text(page.locator(".loyalty-overview"))
            assert "200 points" in facts
            assert "80 points from" in facts
    assert (
        shop.shell(
            "from oscar.core.loading import get_model;"
            "order = get_model('order', 'Order').objects.get();"
            "print(order.total_incl_tax, order.total_excl_tax,"
            " *sorted((source.source_type.name, str(source.amount_debited)) for source in order.sources.all()))"
        )
        == "46.00 40.00 ('Points', '10.00')"
    )
    assert "The books agree." in shop.run("python manage.py loyalty_audit")
