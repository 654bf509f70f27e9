"""What the passes do in the background."""

from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.loading import get_model
from oscar_loyalty.wallet import apple, push, services
from oscar_loyalty.wallet.exceptions import Unregistered


@handler("wallet.push", atomic=False)
def tell_device(row):
    registration = get_model("loyalty_wallet", "Registration").objects.filter(pk=row.payload["registration"]).first()
    if registration is None or not apple.is_on():
        return
    try:
        push.tell(push_token=registration.push_token)
    except Unregistered:
        services.forget(registration=registration)


@sweeper("wallet passes")
def look_around():
    return services.refresh_stale() if apple.is_on() else 0
