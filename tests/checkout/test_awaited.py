"""The award of an order follows once its customer is answered: made by whoever comes first, once, before they look."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.management import call_command
from django.urls import reverse
from oscar.apps.order.utils import OrderCreator
from oscar.core.loading import get_model

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import awaited, orders, rules
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import merging
from oscar_loyalty.members import services as members
from oscar_loyalty.payments import refunds
from oscar_loyalty.reports import audit

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _proof(db):
    yield
    report = audit.run(keep=False)
    assert report.clean, report.findings


@pytest.fixture
def per_euro(programme):
    return rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})


@pytest.fixture
def bought(per_euro, member, shopper, haircut):
    """An order of 30 euros, of which its customer has seen nothing yet."""
    shopper.add(haircut)
    assert shopper.place().url == "/checkout/thank-you/"
    return Order.objects.get()


def awards(**fields):
    return get_loyalty_model("loyalty_earning", "Award").objects.filter(**fields)


def row_of(order):
    return get_loyalty_model("loyalty_due", "Due").objects.get(kind=awaited.REVIEW, key=str(order.pk))


def balance(member):
    found = ledger.balance(member.account)
    return int(found.usable) + int(found.pending)


def sweep():
    call_command("loyalty_run", verbosity=0)


# Whoever comes first


def test_one_row_is_left_with_the_order(bought, member):
    assert not awards().exists()
    assert (row_of(bought).state, row_of(bought).payload) == ("waiting", {"order": bought.pk})
    sweep()
    assert awards().get().points == 30
    assert row_of(bought).state == "done"


def test_the_page_after_the_order_makes_the_award(bought, member, shopper):
    page = shopper.client.get("/checkout/thank-you/").content.decode()
    assert awards().get().points == 30 == balance(member)
    assert "30" in page
    assert row_of(bought).state == "done"
    assert awaited.KEY not in shopper.client.session
    shopper.client.get("/checkout/thank-you/")
    sweep()
    assert awards().count() == 1
    assert balance(member) == 30


@pytest.mark.parametrize("page", ["overview", "history"])
def test_so_does_the_account_of_whoever_never_saw_that_page(bought, member, shopper, page):
    text = shopper.client.get(reverse(f"loyalty-account:{page}")).content.decode()
    assert "30" in text
    assert awards().get().points == 30


def test_an_inline_shop_makes_it_at_once(settings, per_euro, member, shopper, haircut):
    settings.OSCAR_LOYALTY_WORKER = "inline"
    shopper.add(haircut)
    shopper.place()
    assert awards().get().points == 30
    assert row_of(Order.objects.get()).state == "done"


def test_a_celery_worker_gets_it_and_the_customer_need_not_wait_for_it(
    settings, monkeypatch, per_euro, member, shopper, haircut
):
    pytest.importorskip("celery")
    from oscar_loyalty.due import tasks

    settings.OSCAR_LOYALTY_WORKER = "celery"
    handed = []
    monkeypatch.setattr(tasks.handle, "delay", handed.append)
    shopper.add(haircut)
    shopper.place()
    row = row_of(Order.objects.get())
    assert row.pk in handed and not awards().exists()
    shopper.client.get("/checkout/thank-you/")
    assert awards().get().points == 30
    # The worker comes late.
    assert not due.run(row.pk)
    assert awards().count() == 1


def test_a_worker_that_is_at_it_is_waited_for(bought, member, shopper):
    """Its lease says so; the order's own lock is what one waits for."""
    rows = get_loyalty_model("loyalty_due", "Due").objects.filter(pk=row_of(bought).pk)
    rows.update(leased_until=clock.now() + timedelta(minutes=5))
    shopper.client.get("/checkout/thank-you/")
    assert awards().get().points == 30


def test_a_broken_award_breaks_no_page(bought, member, shopper, monkeypatch):
    def broken(**_order):
        raise RuntimeError("no")

    with monkeypatch.context() as patched:
        patched.setattr(orders, "review_order", broken)
        assert shopper.client.get("/checkout/thank-you/").status_code == 200
        assert shopper.client.get(reverse("loyalty-account:overview")).status_code == 200
    row = row_of(bought)
    assert (row.state, row.tries) == ("waiting", 1)
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        sweep()
    assert awards().get().points == 30


# What comes before it


def test_an_order_that_is_cancelled_first_brings_nothing(bought, member, shopper):
    bought.set_status("Cancelled")
    shopper.client.get("/checkout/thank-you/")
    sweep()
    assert not awards(points__gt=0, void=False).exists()
    assert balance(member) == 0


def test_what_is_refunded_first_is_left_out(bought, member, shopper):
    refunds.refund(order=bought, key="half", amount=D("15.00"))
    shopper.client.get("/checkout/thank-you/")
    sweep()
    assert balance(member) == 15


def test_a_membership_that_is_joined_with_another_first(bought, member, shopper, programme, django_user_model):
    other = members.join(
        programme=programme,
        user=django_user_model.objects.create_user(username="o", email="o@example.com"),
        source="test",
    )
    merging.merge(source=member, target=other, key="merge")
    shopper.client.get("/checkout/thank-you/")
    sweep()
    assert awards().get().member == other
    assert balance(other) == 30


def test_a_shop_that_makes_two_orders_of_one_basket(per_euro, member, shopper, haircut, monkeypatch):
    """The second has no attempt, and all rows of its own."""
    place = OrderCreator.place_order

    def two(self, **named):
        order = place(self, **named)
        Order.objects.create(
            number=f"{order.number}-2",
            user=order.user,
            site=order.site,
            currency=order.currency,
            total_incl_tax=0,
            total_excl_tax=0,
        )
        return order

    monkeypatch.setattr(OrderCreator, "place_order", two)
    shopper.add(haircut)
    shopper.place()
    first, second = Order.objects.order_by("pk")
    left = get_loyalty_model("loyalty_due", "Due").objects.order_by("kind", "key").values_list("kind", "key")
    assert [row for row in left if row[0].endswith(("review_order", "order_placed"))] == [
        (awaited.REVIEW, str(first.pk)),
        (awaited.REVIEW, str(second.pk)),
        ("payments.order_placed", str(second.pk)),
    ]
    sweep()


# What is forgotten


def test_the_audit_finds_an_order_that_nobody_will_look_at(bought, member):
    rows = get_loyalty_model("loyalty_due", "Due").objects.filter(pk=row_of(bought).pk)
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert audit.run(keep=False).clean
        rows.delete()
        found = audit.run(keep=False).findings
        assert [(finding.check, finding.row) for finding in found] == [("orders.forgotten", f"order {bought.number}")]
        # The sweep does not need the row.
        sweep()
        assert audit.run(keep=False).clean
    assert awards().get().points == 30
