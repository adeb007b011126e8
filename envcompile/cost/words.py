"""Costs in words: every figure with its unit, money with currency, period and price list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.cost.estimate import MICRO
from envcompile.cost.prices import HOURS_A_MONTH

if TYPE_CHECKING:
    from envcompile.cost.causes import Cause
    from envcompile.cost.prices import PriceList


def figure(micros: int) -> str:
    """Money with two digits, as `1,234.50`."""
    return f"{micros / MICRO:,.2f}"


def signed(micros: int) -> str:
    """Money that is added or saved, as `+59.00`."""
    return f"{micros / MICRO:+,.2f}"


def said_of_prices(prices: PriceList) -> str:
    """The list in one line: every figure stands on it."""
    return f"{prices.currency} a month of {HOURS_A_MONTH} hours, estimated with {prices.name} ({prices.as_of})"


def said_of_cause(cause: Cause) -> str:
    """The field with its value before and after."""
    if not cause.field:
        return "the whole resource"
    old, new = ("nothing" if value is None else str(value) for value in (cause.old, cause.new))
    return f"{cause.field}: {old} -> {new}"
