"""Quantities and whole numbers are Kubernetes' and Go's."""

from __future__ import annotations

import math

import pytest

from envcompile.errors import EnvcError
from envcompile.scaling.quantities import approximate, ceil_int32, ceil_int64, int32, int64, milli, quotient


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("250m", 250),
        ("1", 1000),
        (2, 2000),
        (0.5, 500),
        ("1.5Gi", 1_610_612_736_000),
        ("100n", 1),
        ("-100n", -1),
        ("1e3", 1_000_000),
        ("5E", 5 * 10**21),
        (".5", 500),
        ("0", 0),
    ],
)
def test_a_quantity_is_in_milli_units_rounded_away_from_zero(text: object, amount: int) -> None:
    """As `Quantity.MilliValue` gives it."""
    assert milli(text) == amount


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1Mb", "one", True, None, [], "1e999", "nan"])
def test_what_is_no_quantity_is_told(text: object) -> None:
    """An error of the configuration, with the value."""
    with pytest.raises(EnvcError, match="no quantity"):
        milli(text)


def test_a_tolerance_is_a_double_of_digits_times_a_power_of_ten() -> None:
    """As `Quantity.AsApproximateFloat64` computes it."""
    assert [approximate(text) for text in ("0.1", "50m", "1", "0.15", "1Ki")] == [0.1, 0.05, 1.0, 0.15, 1024.0]


def test_whole_numbers_are_gos() -> None:
    """Division goes towards zero, conversions cut, and what does not fit is the smallest number."""
    assert [quotient(7, 2), quotient(-7, 2), quotient(7, -2)] == [3, -3, -3]
    assert [int32(2**31), int64(2**63)] == [-(2**31), -(2**63)]
    assert [ceil_int32(1.2), ceil_int32(2.0**31), ceil_int32(math.nan)] == [2, -(2**31), -(2**31)]
    assert [ceil_int64(-0.5), ceil_int64(math.inf)] == [0, -(2**63)]
