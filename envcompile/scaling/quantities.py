"""Quantities of Kubernetes as whole milli-units, and whole numbers as Go computes them."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from envcompile.errors import fail

_QUANTITY: Final = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2})|([KMGTPE]i|[numkMGTPE]))?")
_POWERS: Final = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}

LARGEST_INT32: Final = 2**31 - 1
SMALLEST_INT32: Final = -(2**31)
LARGEST_INT64: Final = 2**63 - 1
SMALLEST_INT64: Final = -(2**63)


def milli(value: Any, what: str = "a quantity") -> int:
    """A quantity in milli-units, rounded away from zero as `Quantity.MilliValue` rounds.

    Raises:
        EnvcError: the value is no quantity.
    """
    amount = amount_of(value, what) * 1000
    rounded = math.ceil(abs(amount))
    return rounded if amount >= 0 else -rounded


def amount_of(value: Any, what: str = "a quantity") -> Fraction:
    """A quantity as an exact number.

    Source: k8s.io/apimachinery/pkg/api/resource, the grammar above `type Quantity`.

    Raises:
        EnvcError: the value is no quantity.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _no_quantity(value, what)
    return _amount(str(value), what)


@lru_cache(maxsize=4096)
def _amount(text: str, what: str) -> Fraction:
    match = _QUANTITY.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        raise _no_quantity(text, what)
    sign, whole, rest, exponent, suffix = match.groups()
    number = Fraction(int(f"{whole}{rest or ''}"), 10 ** len(rest or ""))
    if suffix in _BINARY:
        number *= 2 ** _BINARY[suffix]
    else:
        number *= Fraction(10) ** (int(exponent) if exponent else _POWERS.get(suffix or "", 0))
    return -number if sign == "-" else number


def approximate(value: Any, what: str = "a quantity") -> float:
    """A quantity as the double that `Quantity.AsApproximateFloat64` gives: digits times a power of ten, in doubles."""
    match = _QUANTITY.fullmatch(str(value))
    if match is None or match[5] in _BINARY:
        return float(amount_of(value, what))
    sign, whole, rest, exponent, suffix = match.groups()
    power = (int(exponent) if exponent else _POWERS.get(suffix or "", 0)) - len(rest or "")
    digits = float(int(f"{sign}{whole}{rest or ''}"))
    return digits * float(f"1e{power}") if power else digits


def _no_quantity(value: Any, what: str) -> Exception:
    return fail(
        f"{what} is {value!r}, which is no quantity", "write a number with a unit of Kubernetes: 250m, 1.5, 64Mi"
    )


def quotient(dividend: int, divisor: int) -> int:
    """Division of whole numbers as Go has it: towards zero."""
    result = abs(dividend) // abs(divisor)
    return result if (dividend < 0) == (divisor < 0) else -result


def int32(number: int) -> int:
    """A whole number cut to 32 bits, as Go's conversion `int32(n)` cuts it."""
    return (number + 2**31) % 2**32 - 2**31


def int64(number: int) -> int:
    """A whole number cut to 64 bits: what an overflow leaves."""
    return (number + 2**63) % 2**64 - 2**63


def ceil_int32(number: float) -> int:
    """`int32(math.Ceil(x))`; what does not fit gives the smallest number, as x86-64 computes it."""
    if math.isnan(number) or math.isinf(number):
        return SMALLEST_INT32
    rounded = math.ceil(number)
    return rounded if SMALLEST_INT32 <= rounded <= LARGEST_INT32 else SMALLEST_INT32


def ceil_int64(number: float) -> int:
    """`int64(math.Ceil(x))`; what does not fit gives the smallest number, as x86-64 computes it."""
    if math.isnan(number) or math.isinf(number):
        return SMALLEST_INT64
    rounded = math.ceil(number)
    return rounded if SMALLEST_INT64 <= rounded <= LARGEST_INT64 else SMALLEST_INT64
