"""Ways in which paying by card can be set up wrongly."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register

from oscar_loyalty.defaults import conf

#: Ways to take money that our checkout knows.
KNOWN = ("stripe", "on_site")
#: A session lives 31 minutes; what is set aside must outlive it, and the time to find out how it ended.
SHORTEST_HOLD = 45


@register()
def money(app_configs: Any, **kwargs: Any) -> list[Any]:
    """The rest of an order must be payable in some way."""
    found: list[Any] = []
    ways = conf.MONEY
    unknown = [way for way in ways if way not in KNOWN] if isinstance(ways, (list, tuple)) else [ways]
    if unknown or not ways:
        found.append(
            Error(
                f"OSCAR_LOYALTY_MONEY is {ways!r}.",
                hint='It is a list of "stripe" and "on_site", with at least one of them.',
                id="loyalty.E020",
            )
        )
    elif "stripe" in ways and not conf.STRIPE_SECRET_KEY:
        without = "the rest is paid at the salon only" if "on_site" in ways else "nobody can pay the rest of an order"
        found.append(
            Warning(
                f"OSCAR_LOYALTY_STRIPE_SECRET_KEY is empty: nobody can pay by card; {without}.",
                hint="Set it to the secret key of your Stripe account, from the environment.",
                id="loyalty.W030",
            )
        )
    return found


@register()
def stripe(app_configs: Any, **kwargs: Any) -> list[Any]:
    """Keys, secrets and times that do not fit together; nothing is said while there is no key."""
    found: list[Any] = []
    if not conf.STRIPE_SECRET_KEY:
        return found
    if find_spec("stripe") is None:
        found.append(
            Error(
                "OSCAR_LOYALTY_STRIPE_SECRET_KEY is set, and Stripe's client is not installed.",
                hint="pip install django-oscar-loyalty[stripe]",
                id="loyalty.E021",
            )
        )
    if not conf.STRIPE_SECRET_KEY.startswith(("sk_", "rk_")):
        found.append(
            Error(
                "OSCAR_LOYALTY_STRIPE_SECRET_KEY is no secret key.",
                hint="It begins with sk_live_, sk_test_ or rk_; the publishable key (pk_) is not needed.",
                id="loyalty.E022",
            )
        )
    if not conf.STRIPE_WEBHOOK_SECRET:
        found.append(
            Warning(
                "OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET is empty: what Stripe says is refused; the sweep is later.",
                hint="Add a webhook in Stripe's dashboard, and set this to its signing secret (whsec_…).",
                id="loyalty.W031",
            )
        )
    if conf.HOLD_MINUTES < SHORTEST_HOLD:
        found.append(
            Error(
                f"OSCAR_LOYALTY_HOLD_MINUTES is {conf.HOLD_MINUTES}: what is set aside would be free too early.",
                hint=f"A payment page lives 31 minutes: take {SHORTEST_HOLD} or more.",
                id="loyalty.E023",
            )
        )
    return found


@register(Tags.security)
def live(app_configs: Any, **kwargs: Any) -> list[Any]:
    """A live key together with what is meant for tests."""
    if "_live_" in conf.STRIPE_SECRET_KEY and (settings.DEBUG or conf.STRIPE_API_BASE):
        what = "DEBUG is on" if settings.DEBUG else "OSCAR_LOYALTY_STRIPE_API_BASE is set"
        return [
            Warning(
                f"OSCAR_LOYALTY_STRIPE_SECRET_KEY moves real money, and {what}.",
                hint="Use a test key (sk_test_…) until the shop is open.",
                id="loyalty.W032",
            )
        ]
    return []
