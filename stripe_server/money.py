"""Amounts are whole numbers of a currency's smallest unit; these are Stripe's limits (docs.stripe.com/currencies)."""

from .errors import InvalidRequest

#: The least that can be charged, in the smallest unit.
MINIMUM = {
    **{"usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50},
    **{"gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50},
    **{"pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000},
}
#: Taken and given without hundredths.
ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)
#: Stripe takes more; these are the ones whose limits are written down here, and the zero-decimal ones.
CURRENCIES = frozenset(MINIMUM) | ZERO_DECIMAL
#: Eight digits.
MAXIMUM = 99_999_999
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def decimals(currency):
    return 0 if currency in ZERO_DECIMAL else 2


def plain(amount, currency):
    """As Stripe writes an amount in a sentence: "€12.50", "12.50 CHF"."""
    places = decimals(currency)
    number = f"{amount / 10**places:,.{places}f}"
    sign = SIGNS.get(currency)
    return f"{sign}{number}" if sign else f"{number} {currency.upper()}"


def written(amount, currency, language):
    """As a customer reads it on the page."""
    if language != "fr":
        return plain(amount, currency)
    places = decimals(currency)
    number = f"{amount / 10**places:,.{places}f}".replace(",", "\u202f").replace(".", ",")
    return f"{number}\u00a0{SIGNS.get(currency, currency.upper())}"


def check_charge(amount, currency, *, param, what="Amount"):
    least = MINIMUM.get(currency, 50)
    if amount < least:
        raise InvalidRequest(
            f"{what} must be at least {plain(least, currency)} {currency}", code="amount_too_small", param=param
        )
    if amount > MAXIMUM:
        raise InvalidRequest(
            f"{what} must be no more than {plain(MAXIMUM, currency)}", code="amount_too_large", param=param
        )
