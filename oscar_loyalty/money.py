"""Money between the shop, which counts in decimals, and the ledger, which counts whole minor units."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision
from django.db import connection


def exponent(currency: str) -> int:
    """Return how many digits the currency has after the point: 2 for EUR, 0 for JPY."""
    return get_currency_precision(currency)


def to_minor(amount: Decimal, currency: str) -> int:
    """Return ``amount`` in the currency's minor units: 10.50 euros are 1050.

    :raises ValueError: when the amount is finer than the currency, or not a number.
    """
    return _whole(amount, exponent(currency), f"the currency {currency}")


def _whole(amount: Decimal, digits: int, what: str) -> int:
    if not amount.is_finite():
        raise ValueError("An amount of money is a finite number.")
    scaled = amount.scaleb(digits)
    units = int(scaled)
    if units != scaled:
        raise ValueError(f"{amount} is finer than {what}.")
    return units


def from_minor(units: int, currency: str) -> Decimal:
    """Return minor units as an amount: 1050 are 10.50 euros."""
    return Decimal(units).scaleb(-exponent(currency))


def hundredths(currency: str) -> int:
    """Return how many of the hundredths that Oscar stores make one minor unit: 1 cent of a euro, 100 of a yen."""
    return 10 ** max(0, 2 - exponent(currency))


def as_stored(amount: Decimal) -> Decimal:
    """Return ``amount`` as the database has it once Oscar has saved it: with two decimals.

    Oscar rounds neither a surcharge of some percent nor the total with it; the database does.
    """
    # SQLite keeps all digits, and Django rounds what it reads; the others round what they are given.
    rounding = ROUND_HALF_EVEN if connection.vendor == "sqlite" else ROUND_HALF_UP
    return Decimal(amount).quantize(Decimal("0.01"), rounding)


def to_hundredths(amount: Decimal) -> int:
    """Return a stored amount in the hundredths that Oscar counts in, whatever the currency: 904.50 yen are 90450.

    :raises ValueError: when the amount is finer than that, or not a number.
    """
    return _whole(amount, 2, "what is stored")


def from_hundredths(units: int) -> Decimal:
    """Return hundredths as an amount, whatever the currency: 90450 are 904.50."""
    return Decimal(units).scaleb(-2)


def format_money(amount: Decimal, currency: str) -> str:
    """Write an amount in the active language, as the shop's own prices are written: "€10.00", "10,00 €"."""
    from oscar.templatetags.currency_filters import currency as oscar_currency

    return oscar_currency(amount, currency)


@dataclass(frozen=True)
class Money:
    """An amount with its currency; written, it reads as the shop's prices do in the active language."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return format_money(self.amount, self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)
