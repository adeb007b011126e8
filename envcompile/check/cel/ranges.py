"""Ranges of costs and sizes, as cel-go reckons with them: 64 bits without a sign, and never beyond the largest number.

Source: SizeEstimate and CostEstimate in checker/cost.go of github.com/google/cel-go.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

MANY: Final = 2**64 - 1


class Range(NamedTuple):
    """The least and the most that something costs or has."""

    low: int
    high: int

    def __add__(self, other: Range) -> Range:  # type: ignore[override]
        """Both together."""
        return Range(min(MANY, self.low + other.low), min(MANY, self.high + other.high))

    def __radd__(self, other: Range) -> Range:
        """The same, for `sum`."""
        return other + self

    def __mul__(self, other: Range) -> Range:  # type: ignore[override]
        """One of these for each of those."""
        return Range(min(MANY, self.low * other.low), min(MANY, self.high * other.high))

    def __or__(self, other: Range) -> Range:
        """What holds for either."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    def times(self, factor: float) -> Range:
        """So much for each, rounded up."""
        return Range(_times(self.low, factor), _times(self.high, factor))


def _times(count: int, factor: float) -> int:
    return MANY if float(count) * factor >= 2.0**64 else min(MANY, math.ceil(float(count) * factor))


def fixed(count: int) -> Range:
    """Neither less nor more."""
    return Range(count, count)


ZERO: Final = fixed(0)
ONE: Final = fixed(1)
UNKNOWN: Final = Range(0, MANY)
