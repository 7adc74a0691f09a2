"""Amounts of EUR and percents as people write them, in the active language: "€38,400.00", in Russian "€38 400,00".

The one place for it. Only `Decimal` and whole numbers come in, never `float`; the spaces are no-break spaces.
"""

from decimal import ROUND_HALF_UP, Context, Decimal

from django.utils.translation import get_language

NO_BREAK = "\u00a0"
MINUS = "−"
CENT = Decimal("0.01")
COUNTING = Context(prec=60, rounding=ROUND_HALF_UP)


def euro(amount: Decimal) -> str:
    """An amount of EUR to the cent, rounded half up (domain §1.1): "€38,400.00", "€38 400,00", "−€0.50".

    Raises `TypeError` for a float and `ValueError` for what is not a finite number.
    """
    return _euros(COUNTING.quantize(_checked(amount), CENT))


def exact_euro(amount: Decimal) -> str:
    """The same with the parts of a cent where there are any, for arithmetic to be checked by hand: "€15.0045"."""
    exact = _checked(amount).normalize(COUNTING)
    return _euros(exact if _places(exact) > 2 else COUNTING.quantize(exact, CENT))


def percent(share: Decimal) -> str:
    """A percent without needless zeros: "25 %", "12.5 %", in Russian "12,5 %". Raises as `euro` does."""
    return f"{_localised(f'{_checked(share).normalize(COUNTING):f}')}{NO_BREAK}%"


def _euros(amount: Decimal) -> str:
    sign = MINUS if amount < 0 else ""  # "−0.00" is zero
    return f"{sign}€{_localised(f'{abs(amount):,f}')}"


def _localised(digits: str) -> str:
    if (get_language() or "ru").startswith("en"):
        return digits
    return digits.replace(",", NO_BREAK).replace(".", ",")


def _checked(amount: Decimal) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise TypeError(f"Money and percents are Decimal, not {amount!r}.")
    exact = Decimal(amount)
    if not exact.is_finite():
        raise ValueError(f"{amount} is not an amount.")
    return exact


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
