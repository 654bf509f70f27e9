"""What of the payments follows a member into another, and what has to be over first."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.merging import mover, obstacle


@obstacle("payments.attempts")
def checkout_under_way(source: Any, target: Any) -> str:
    """Whoever is paying at this moment does so as the member they are."""
    attempts = get_model("loyalty_payments", "PaymentAttempt").objects.filter(state="open")
    if attempts.filter(member__in=[source.pk, target.pk]).exists():
        return _("One of both is at the checkout at this moment. Please try again once it is over.")
    return ""


@mover(
    "payments.attempts",
    title=gettext_lazy("Payments"),
    count=lambda member: member.payment_attempts.count(),
    columns=["loyalty_payments.PaymentAttempt.member"],
    locked="before",
)
def move_attempts(source: Any, target: Any) -> int:
    return int(get_model("loyalty_payments", "PaymentAttempt").objects.filter(member=source).update(member=target))
