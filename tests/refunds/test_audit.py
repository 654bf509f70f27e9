"""The audit names a refund that does not agree with what went back."""

from decimal import Decimal as D

import pytest
from django.db import transaction
from oscar.core.loading import get_model

from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import refunds
from oscar_loyalty.reports import audit

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("Refund", {"amount": D("31.00")}, {"refunds.lines", "refunds.parts"}),
        ("Refund", {"shipping": D("1.00")}, {"refunds.lines"}),
        ("RefundLine", {"quantity": 3}, {"refunds.line"}),
        ("RefundLine", {"amount": D("61.00")}, {"refunds.lines", "refunds.line"}),
        ("TenderReturn", {"amount": D("29.00")}, {"refunds.parts", "refunds.returned"}),
        ("Allotment", {"returned_amount": D("31.00")}, {"refunds.returned"}),
    ],
)
def test_what_does_not_agree_is_named(shopper, programme, haircut, name, change, found):
    shopper.add(haircut, quantity=2)
    shopper.place()
    order = Order.objects.get()
    refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    with transaction.atomic():
        assert get_loyalty_model("loyalty_payments", name).objects.update(**change) == 1
        assert {finding.check for finding in audit.run(keep=False).findings} == found
        transaction.set_rollback(True)
