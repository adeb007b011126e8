"""Reconciliations happen when the work queue and the informer's resync let them."""

from __future__ import annotations

from envcompile.scaling.hpa.clock import next_sync


def test_without_latency_syncs_stay_on_the_grid() -> None:
    """Every period, from the start on."""
    assert [next_sync(at, at, 15_000) for at in (0, 15_000, 30_000)] == [15_000, 30_000, 45_000]


def test_what_a_sync_lasts_comes_on_top() -> None:
    """The next is one period after the end, until the grid catches it."""
    assert next_sync(0, 900, 15_000) == 15_900
    assert next_sync(15_900, 16_800, 15_000) == 31_800
    assert next_sync(44_500, 45_400, 15_000) == 60_000


def test_an_extra_sync_leaves_an_earlier_instant_alone() -> None:
    """And sets one of its own where that is earlier."""
    assert next_sync(52_000, 52_000, 15_000, waiting=60_000) == 60_000
    assert next_sync(1_000, 1_000, 15_000, waiting=90_000) == 16_000
    assert next_sync(59_500, 60_500, 15_000, waiting=60_000) == 60_500
