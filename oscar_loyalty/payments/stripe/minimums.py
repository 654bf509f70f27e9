"""What Stripe charges at the least, from its table of minimum amounts (docs.stripe.com/currencies).

The amounts hold where a payment settles in the same currency. A currency that is not in the table has no minimum of its
own; Stripe then looks at its worth in the currency of settlement.
"""

from decimal import Decimal

MINIMUMS = {
    currency: Decimal(amount)
    for currency, amount in {
        "AED": "2.00",
        "AUD": "0.50",
        "BGN": "1.00",
        "BRL": "0.50",
        "CAD": "0.50",
        "CHF": "0.50",
        "CZK": "15.00",
        "DKK": "2.50",
        "EUR": "0.50",
        "GBP": "0.30",
        "HKD": "4.00",
        "HUF": "175.00",
        "INR": "0.50",
        "JPY": "50",
        "MXN": "10.00",
        "MYR": "2.00",
        "NOK": "3.00",
        "NZD": "0.50",
        "PLN": "2.00",
        "RON": "2.00",
        "SEK": "3.00",
        "SGD": "0.50",
        "THB": "10.00",
        "USD": "0.50",
    }.items()
}
#: With three digits after the point; Oscar stores two, so amounts in these would be rounded.
THREE_DECIMALS = ("BHD", "JOD", "KWD", "OMR", "TND")
#: Without minor units at Stripe.
ZERO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
#: Counted in hundredths as ever, and charged and refunded in whole ones since 2023
#: (https://support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds).
WHOLE_ONES = ("ISK",)


def minimum(currency: str) -> Decimal:
    """Return the least that Stripe charges in ``currency``."""
    return MINIMUMS.get(currency, Decimal(0))


def unit(currency: str) -> Decimal:
    """Return the smallest amount that Stripe charges in ``currency``, of which all that it charges are multiples."""
    return Decimal(1) if currency in (*ZERO_DECIMALS, *WHOLE_ONES) else Decimal("0.01")


def to_stripe(amount: Decimal, currency: str) -> int:
    """Return ``amount`` in Stripe's smallest unit, which is not always the currency's own minor unit.

    :raises ValueError: when it is finer than that.
    """
    if currency in THREE_DECIMALS:
        raise ValueError(f"Amounts in {currency} have three digits after the point; Oscar stores two.")
    scaled = amount if currency in ZERO_DECIMALS else amount * 100
    if scaled != int(scaled):
        raise ValueError(f"{amount} is finer than what Stripe charges in {currency}.")
    return int(scaled)


def from_stripe(units: int, currency: str) -> Decimal:
    """Return Stripe's smallest units as an amount."""
    return Decimal(units) if currency in ZERO_DECIMALS else Decimal(units) / 100
