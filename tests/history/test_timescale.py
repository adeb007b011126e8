"""The same tables as hypertables, where TimescaleDB is installed: old chunks go whole, older ones are compressed."""

from __future__ import annotations

from envcompile.history.livegc import Retention, collect
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import DAY, SECOND, Measured
from tests.history.clusters import START, Filled


def test_hypertables(new_timescale: str) -> None:
    """Usage lies in chunks of a day; old ones go whole, older ones are compressed, and answers stay as they are."""
    filled = Filled(new_timescale)
    assert filled.times.layout == "timescaledb"
    for day in range(6):
        rows = [
            Measured("shop", "p", "c", "", START + day * DAY + minute * 60 * SECOND, float(minute), 1)
            for minute in range(30)
        ]
        filled.times.add_usage(filled.cluster, rows)
    filled.times.roll_up(START, START + 1800 * SECOND)
    collected = collect(filled.database, Retention(usage=5), START + 6 * DAY)
    assert collected.usage >= 1
    assert collected.compressed >= 1
    assert collect(filled.database, Retention(usage=5), START + 6 * DAY).compressed == 0
    reader = LiveReader(filled.database)
    kept = reader.usage(filled.cluster, "live_usage", START + 2 * DAY, START + 7 * DAY)
    assert len(kept) == 4 * 30
    five = reader.usage(filled.cluster, "live_usage_5m", START - DAY, START + DAY)
    assert sum(one.samples for one in five) == 30
    filled.close()
