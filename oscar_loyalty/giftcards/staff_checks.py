"""System checks of the shop's side of gift cards: numbers that are none, and codes that are easy to guess."""

from django.core.checks import Error, Tags, Warning, register

from oscar_loyalty.defaults import conf


@register()
def staff_numbers(app_configs, **kwargs):
    """The limit is an amount, the days are whole; nothing is below zero."""
    problems = []
    try:
        wrong = not conf.GIFTCARD_TOPUP_LIMIT.is_finite() or conf.GIFTCARD_TOPUP_LIMIT < 0
    except ArithmeticError:
        wrong = True
    if wrong:
        problems.append(
            Error(
                "OSCAR_LOYALTY_GIFTCARD_TOPUP_LIMIT is no amount of money.",
                hint='Write it as a number or a text: 500, "99.50".',
                id="loyalty.E050",
            )
        )
    for name in ("GIFTCARD_REMIND_DAYS", "GIFTCARD_GRACE_DAYS"):
        days = getattr(conf, name)
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            problems.append(Error(f"OSCAR_LOYALTY_{name} is no whole number of days, zero or more.", id="loyalty.E051"))
    return problems


@register(Tags.security)
def foreign_codes(app_configs, **kwargs):
    """Codes of other systems may be short: they bear few guesses."""
    if not conf.GIFTCARD_FOREIGN_CODES or conf.GIFTCARD_ATTEMPTS <= 10:
        return []
    return [
        Warning(
            "Gift-card codes of other systems are accepted, which may be short, and more than ten wrong codes as well.",
            hint="Lower OSCAR_LOYALTY_GIFTCARD_ATTEMPTS, or give those cards codes of ours.",
            id="loyalty.W050",
        )
    ]
