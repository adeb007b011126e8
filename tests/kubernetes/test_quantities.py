"""Amounts as Kubernetes writes them: what they are worth, and their sign."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.kubernetes.quantities import quantity, sign


@given(
    st.from_regex(r"[+-]?[0-9]{0,2}\\.?[0-9]{0,2}([eE][+-]?[0-9]|Ki|m|k|x)?", fullmatch=True)
    | st.integers()
    | st.booleans()
)
def test_the_sign_of_a_quantity_is_that_of_its_amount(value: object) -> None:
    """It is told without the amount, which takes exact fractions."""
    amount = quantity(value)
    assert sign(value) == (None if amount is None else (amount > 0) - (amount < 0))


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("250m", Fraction(1, 4)),
        ("1.5Gi", Fraction(3 * 2**29)),
        (2, Fraction(2)),
        ("1e3", Fraction(1000)),
        ("5k", Fraction(5000)),
        ("soon", None),
        (True, None),
        (None, None),
    ],
)
def test_quantities(text: object, due: Fraction | None) -> None:
    """As Kubernetes writes them; anything else is no quantity."""
    assert quantity(text) == due
