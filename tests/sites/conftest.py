"""One shop with two Sites, told apart by their domains, each with a programme; Rose is a member of both."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sites.models import Site
from django.test import Client
from oscar.apps.partner.strategy import Selector
from oscar.test.factories import create_order, create_product

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import rules
from oscar_loyalty.fields import localized
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.reports import audit


@dataclass
class House:
    """A Site with its programme, and Rose's membership of it."""

    site: Any
    programme: Any
    member: Any
    name: str
    far: int = 0

    def client(self, user=None):
        """A browser on this Site."""
        client = Client(headers={"host": self.site.domain})
        if user is not None:
            client.force_login(user)
        return client

    @property
    def points(self):
        """What Rose has, usable or still to wait."""
        found = ledger.balance(self.member.account)
        return found.usable + found.pending

    def give(self, units, key="given"):
        key = f"{self.name}:{key}"
        books.earn(account=self.member.account, units=units, key=key, kind="adjust", usable_from=clock.now())


@pytest.fixture(autouse=True)
def _by_domain(settings, time):
    """One process for all Sites."""
    from oscar_loyalty.dashboard.navigation import NAVIGATION

    del settings.SITE_ID
    settings.OSCAR_DASHBOARD_NAVIGATION = [*settings.OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]
    Site.objects.clear_cache()
    yield
    Site.objects.clear_cache()


@pytest.fixture
def houses(db, user):
    """``A`` is the default Site. Whatever a test does, the audit finds nothing wrong."""

    def house(name, site):
        programme = members.create_programme(
            site=site,
            name=f"Programme-{name}",
            points_name_one=localized(en=f"{name}-point", fr=f"point-{name}"),
            points_name_many=localized(en=f"{name}-points", fr=f"points-{name}"),
            cancelled_order_statuses=["Cancelled"],
        )
        return House(site, programme, members.join(programme=programme, user=user, source="test"), name)

    first = Site.objects.order_by("pk").first()
    Site.objects.filter(pk=first.pk).update(domain="alpha.example", name="Shop Alpha")
    first.refresh_from_db()
    yield house("Alpha", first), house("Beta", Site.objects.create(domain="beta.example", name="Shop Beta"))
    report = audit.run(keep=False)
    assert report.clean, report.as_dict()


@pytest.fixture
def a(houses):
    return houses[0]


@pytest.fixture
def b(houses):
    return houses[1]


@pytest.fixture
def haircut(db):
    return create_product(title="Haircut", price=Decimal("45.00"), product_class="Service", num_in_stock=1000)


@pytest.fixture
def own(houses, haircut):
    """A haircut brings 80 points at Alpha, and 5 at Beta."""
    for house, points in zip(houses, (80, 5), strict=True):
        rules.set_product_points(product=haircut, points=points, programme=house.programme)


@pytest.fixture
def place(user, haircut, django_capture_on_commit_callbacks):
    """An order of a haircut at a Site, with all that follows."""

    def place(house, number, **fields):
        basket = get_model("basket", "Basket").objects.create(owner=fields.get("by", user))
        basket.strategy = Selector().strategy()
        basket.add_product(haircut, 1)
        by = fields.pop("by", user)
        with django_capture_on_commit_callbacks(execute=True):
            order = create_order(
                basket=basket, user=by, number=number, site=house.site, date_placed=clock.now(), **fields
            )
        due.sweep()
        return order

    return place


@pytest.fixture
def boss(db, django_user_model):
    return django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="petale")
