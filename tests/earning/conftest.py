from datetime import timedelta
from decimal import Decimal

import pytest
from oscar.test.factories import create_order, create_product

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import rules
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit


@pytest.fixture(autouse=True)
def _proof(request, time):
    """The clock stands before anything is made; after every test with a programme, the audit finds nothing wrong."""
    proved = "programme" in request.fixturenames
    if proved:
        request.getfixturevalue("programme")
    yield
    if proved:
        report = audit.run(keep=False)
        assert report.clean, report.as_dict()


@pytest.fixture
def haircut(db):
    return create_product(title="Haircut", price=Decimal("45.00"), product_class="Service", num_in_stock=1000)


@pytest.fixture
def shampoo(db):
    return create_product(title="Shampoo", price=Decimal("12.50"), product_class="Care", num_in_stock=1000)


@pytest.fixture
def own(programme, haircut):
    """80 petals for each haircut."""
    return rules.set_product_points(product=haircut, points=80)


@pytest.fixture
def per_euro(programme):
    """One petal for each euro."""
    return rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})


@pytest.fixture
def basket_of(db):
    """A basket of products and quantities: ``basket_of((haircut, 2), owner=user)``."""
    from oscar.apps.partner.strategy import Selector

    def basket_of(*lines, owner=None):
        basket = get_model("basket", "Basket").objects.create(owner=owner)
        basket.strategy = Selector().strategy()
        for product, quantity in lines:
            basket.add_product(product, quantity)
        return basket

    return basket_of


@pytest.fixture
def place(basket_of, user):
    """Place an order as a checkout does, at the time of the clock."""

    def place(*lines, by=user, **fields):
        fields.setdefault("date_placed", clock.now())
        return create_order(basket=basket_of(*lines, owner=by), user=by, **fields)

    return place


@pytest.fixture
def order(place, haircut, shampoo, member, own, per_euro, time, django_capture_on_commit_callbacks):
    """Two haircuts and a shampoo, reviewed: 2 × 80 and 12 petals."""
    with django_capture_on_commit_callbacks(execute=True):
        return place((haircut, 2), (shampoo, 1), number="1001")


@pytest.fixture
def petals(member):
    """What the member has: ``(usable, pending)``."""

    def petals(of=member):
        balance = ledger.balance(of.account)
        return balance.usable, balance.pending

    return petals


@pytest.fixture
def cancel(django_capture_on_commit_callbacks):
    """Cancel an order or a line as the shop does."""

    def cancel(row, status="Cancelled"):
        with django_capture_on_commit_callbacks(execute=True):
            row.set_status(status)

    return cancel


@pytest.fixture
def sweep():
    return due.sweep


@pytest.fixture
def later(time):
    """Let days pass: ``later(14)``."""

    def later(days=0, hours=0):
        time.at += timedelta(days=days, hours=hours)

    return later
