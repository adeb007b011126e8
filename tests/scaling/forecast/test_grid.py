"""Samples with all that can be wrong with them become one value a slot, and what was left out is counted."""

from __future__ import annotations

import time

import numpy as np

from envcompile.scaling.forecast.grid import DAY, filled, grid_of


def test_each_slot_has_its_largest_sample_or_the_mean() -> None:
    """Capacity is for the largest."""
    times, values = np.array([0, 60, 899, 900, 2700]), np.array([1.0, 5.0, 3.0, 2.0, 4.0])
    assert grid_of(times, values, 900).values.tolist()[:2] == [5.0, 2.0]
    assert grid_of(times, values, 900, peaks=False).values.tolist()[:2] == [3.0, 2.0]


def test_a_gap_stays_known_as_one() -> None:
    """Nothing is made up where nothing was recorded."""
    found = grid_of(np.array([0, 2700]), np.array([1.0, 4.0]), 900)
    assert np.isnan(found.values).tolist() == [False, True, True, False]
    assert (found.oddities.missing_slots, found.known()) == (2, 0.5)


def test_what_cannot_be_is_left_out_and_counted() -> None:
    """NaN, infinity, below zero, and a clock that goes back or stands."""
    times = np.array([0, 60, 120, 180, 240, 180, 240, 300])
    values = np.array([1.0, np.nan, -5.0, np.inf, 2.0, 99.0, 99.0, 3.0])
    found = grid_of(times, values, 60)
    assert found.values[[0, 4, 5]].tolist() == [1.0, 2.0, 3.0]
    assert found.oddities == (2, 1, 2, 3)


def test_nothing_recorded_is_an_empty_grid() -> None:
    """So is nothing usable."""
    assert len(grid_of(np.zeros(0), np.zeros(0), 60).values) == 0
    assert len(grid_of(np.array([1.0]), np.array([np.nan]), 60).values) == 0


def test_holes_are_filled_with_the_same_time_of_other_weeks() -> None:
    """What no week knows is a line between neighbours."""
    week = 4
    values = np.array([1.0, 2, 3, np.nan, 1, np.nan, 3, np.nan, 9, 4, 3, np.nan])
    out = filled(values, week)
    # The median of 2 and 4, between 3 and 1, and what was there.
    assert out[[5, 3, 0, 8]].tolist() == [3.0, 2.0, 1.0, 9.0]
    assert filled(np.full(8, np.nan), 4).tolist() == [0.0] * 8


def test_a_year_of_minutes_takes_less_than_five_seconds() -> None:
    """525,600 rows, of CPU time; it is far below."""
    times = np.arange(0, 525_600 * 60, 60, dtype=np.float64)
    values = np.abs(np.sin(np.arange(525_600) / 700)) * 100
    began = time.process_time()
    found = grid_of(times, values, 900)
    assert time.process_time() - began < 5
    assert (len(found.values), found.day) == (365 * 96, DAY // 900)
