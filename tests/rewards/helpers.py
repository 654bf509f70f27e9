from datetime import timedelta

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model


def attempt(basket, member, codes):
    """A checkout that is under way."""
    return get_model("loyalty_payments", "PaymentAttempt").objects.create(
        basket=basket,
        user=member.user,
        member=member,
        site=member.programme.site,
        currency="EUR",
        total=15,
        snapshot={"vouchers": codes},
        created_at=clock.now(),
        leased_until=clock.now(),
        expires_at=clock.now() + timedelta(hours=1),
    )
