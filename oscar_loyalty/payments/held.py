"""What this room holds on a person: payments. What belongs to an order stays with it, as the law asks."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import Person, hold

#: What of a snapshot tells who and where somebody is.
PERSONAL = frozenset({"guest_email", "shipping_address", "billing_address"})


def _attempts(person: Person) -> Any:
    mine = Q(member__in=person.members) | Q(user=person.user, user__isnull=False)
    return get_model("loyalty_payments", "PaymentAttempt").objects.filter(mine)


def _forget_addresses(person: Person) -> None:
    """What no order came of, nobody has to keep an address for; what is still under way is looked at by its own."""
    for attempt in _attempts(person).filter(order__isnull=True).exclude(state="open"):
        kept = {name: value for name, value in attempt.snapshot.items() if name not in PERSONAL}
        if kept != attempt.snapshot:
            attempt.snapshot = kept
            attempt.save(update_fields=["snapshot"])


hold(
    "payments",
    _("Payments"),
    _attempts,
    without=["uuid", "leased_until", "giving_up"],
    columns=["loyalty_payments.PaymentAttempt.member", "loyalty_payments.PaymentAttempt.user"],
    erase=_forget_addresses,
)
hold(
    "payments.refunds",
    _("Refunds"),
    lambda person: get_model("loyalty_payments", "Refund").objects.filter(
        Q(order__payment_attempt__member__in=person.members) | Q(order__user=person.user, order__user__isnull=False)
    ),
    without=["uuid"],
    names=["order__number"],
    columns=[],
    keeps="what was refunded of an order has to be kept as long as the order",
)
