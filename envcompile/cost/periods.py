"""What an environment cost in a period: its states one after the other, at the prices of each day."""

from __future__ import annotations

from datetime import UTC, datetime, time
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.cost.estimate import Money, Parts
from envcompile.cost.prices import HOURS_A_MONTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from envcompile.cost.prices import Rates, Sheet

_MONTH: Final = HOURS_A_MONTH * 3600
"""Seconds."""


class Held(NamedTuple):
    """A state from a time on."""

    since: int
    """Seconds since 1970."""
    monthly: Callable[[Rates], Money]
    """What it costs a month with prices of an hour."""


def spent(states: Sequence[Held], sheet: Sheet, start: int, end: int) -> Money:
    """What was spent in a period: each second at what a month cost then, by the seconds of a month of 730 hours.

    A change of prices holds from midnight in UTC, so it is told apart from a change of the configuration.

    Args:
        states: the states of an environment, the oldest first; before the first one it cost nothing.
        sheet: its prices.
        start: where the period begins, in seconds since 1970.
        end: where it ends.
    """
    turns = {start, end, *(held.since for held in states), *(_midnight(dated.since) for dated in sheet.dated)}
    kept = sorted(turn for turn in turns if start <= turn <= end)
    sums = [[0] * len(Parts._fields) for _ in Money._fields]  # amounts of a month times seconds, which are whole
    begun = sorted(range(len(states)), key=lambda position: states[position].since)
    at, newest = 0, -1  # the last of the states that have begun; clocks of committers may run backwards
    for first, last in pairwise(kept):
        while at < len(begun) and states[begun[at]].since <= first:
            newest = max(newest, begun[at])
            at += 1
        if newest < 0:
            continue
        money = states[newest].monthly(sheet.at(datetime.fromtimestamp(first, UTC).date()))
        for total, parts in zip(sums, money, strict=True):
            for position, amount in enumerate(parts):
                total[position] += amount * (last - first)
    return Money(*(Parts(*(round(Fraction(amount, _MONTH)) for amount in total)) for total in sums))


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
