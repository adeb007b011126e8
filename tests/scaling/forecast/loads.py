"""Loads to forecast: made from a few lines, so that what should come is known."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np

from envcompile.scaling.forecast.calendar import wall_clock
from envcompile.scaling.forecast.grid import DAY, Grid

if TYPE_CHECKING:
    from envcompile.scaling.forecast.grid import Floats

STEP: Final = 1800
MONDAY: Final = wall_clock(dt.datetime(2026, 6, 1), "UTC")  # ruff: ignore[call-datetime-without-tzinfo] - wall-clock time


def weekly(weeks: int, *, noise: float = 0.03, seed: int = 1, growth: float = 0.0) -> Floats:
    """A busy evening every day, busier at weekends, half an hour a value."""
    random = np.random.default_rng(seed)
    slots = np.arange(weeks * 7 * DAY // STEP)
    hours, days = slots * STEP % DAY / 3600, slots * STEP // DAY
    evening = np.exp(-(((hours - 21) / 1.5) ** 2))
    level = (100 + 700 * evening) * np.where(days % 7 >= 5, 1.3, 1.0) * (1 + growth * days / 7)
    out: Floats = level * np.exp(random.normal(0, noise, len(slots)))
    return out


def grid(values: Floats) -> Grid:
    """A load that begins on a Monday at midnight."""
    return Grid(MONDAY, STEP, values)
