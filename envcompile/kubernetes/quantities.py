"""Amounts as Kubernetes writes them, and whether two of them are one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,2})|([KMGTPE]i|[numkMGTPE])?)")
_SUFFIXES: Final[Mapping[str, tuple[int, int]]] = {
    "": (1, 1),
    **{suffix: (1024**power, 1) for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{suffix: (1000**power, 1) for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{suffix: (1, 1000**power) for power, suffix in enumerate(("m", "u", "n"), 1)},
}
"""By what a number is multiplied and divided."""


def quantity(value: Any) -> Fraction | None:
    """A quantity as Kubernetes writes it (`250m`, `1.5Gi`, `2`); None for what is none.

    Source: k8s.io/apimachinery/pkg/api/resource, the grammar above `type Quantity`.
    """
    return _amount(str(value)) if isinstance(value, str | int | float) and value is not True else None


def sign(value: Any) -> int | None:
    """1 for a quantity above zero, -1 for one below it, 0 for zero; None for what is no quantity."""
    is_one = isinstance(value, str | int | float) and value is not True
    match = _QUANTITY.fullmatch(str(value)) if is_one else None
    if match is None:
        return None
    number = match[1]
    return 0 if not number.strip("+-.0") else -1 if number[0] == "-" else 1


@lru_cache(maxsize=4096)
def _amount(text: str) -> Fraction | None:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    from fractions import Fraction

    number, exponent, suffix = match.groups()
    return Fraction(number + (exponent or "")) * Fraction(*_SUFFIXES[suffix or ""])
