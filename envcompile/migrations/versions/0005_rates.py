"""Rates of requests beside usage; and roll-ups that TimescaleDB makes by itself, as continuous aggregates.

A table of roll-ups that holds rows already stays a table: raw rows are not kept for as long as it goes back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_DAY = 86_400_000_000
_RATE = """CREATE TABLE live_rate (
    series_id INTEGER NOT NULL, at BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL, PRIMARY KEY (series_id, at))"""
_ROLLED = """CREATE TABLE live_rate_{step} (
    series_id INTEGER NOT NULL, at BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL,
    value_most DOUBLE PRECISION NOT NULL, samples INTEGER NOT NULL, PRIMARY KEY (series_id, at))"""
_NOW = """CREATE OR REPLACE FUNCTION live_now() RETURNS BIGINT LANGUAGE SQL STABLE AS
    $$ SELECT CAST(EXTRACT(EPOCH FROM now()) * 1000000 AS BIGINT) $$"""
_SPANS = {"5m": 30 * _DAY, "1h": 365 * _DAY}
_WIDTHS = {"5m": 300_000_000, "1h": 3_600_000_000}
_FIGURES = {
    "live_usage": (
        "AVG(cpu) AS cpu, MAX(cpu) AS cpu_most, CAST(AVG(memory) AS BIGINT) AS memory, MAX(memory) AS memory_most, "
        "COUNT(*) AS samples"
    ),
    "live_rate": "AVG(value) AS value, MAX(value) AS value_most, COUNT(*) AS samples",
}


def upgrade() -> None:
    """Create the tables."""
    connection = op.get_bind()
    layout = connection.execute(sa.text("SELECT value FROM live_setting WHERE name = 'layout'")).scalar()
    end = " PARTITION BY RANGE (at)" if layout == "partitions" else ""
    op.execute(_RATE + end)
    if layout == "timescaledb":
        op.execute(f"SELECT create_hypertable('live_rate', by_range('at', {_DAY}), create_default_indexes => false)")
    aggregates = layout == "timescaledb" and _may_aggregate(connection)
    if aggregates:
        # TimescaleDB asks which of the rows of a table by numbers are old.
        op.execute(_NOW)
        for table in _FIGURES:
            op.execute(f"SELECT set_integer_now_func('{table}', 'live_now')")
    for step, span in _SPANS.items():
        if aggregates:
            _aggregate("live_rate", step)
            continue
        op.execute(_ROLLED.format(step=step) + end)
        if layout == "timescaledb":
            op.execute(
                f"SELECT create_hypertable('live_rate_{step}', by_range('at', {span}), create_default_indexes => false)"
            )
    if aggregates:
        for step in _SPANS:
            op.execute(f"DROP TABLE live_usage_{step}")
            _aggregate("live_usage", step)
    setting = sa.table("live_setting", sa.column("name"), sa.column("value"))
    op.execute(setting.insert().values(name="rollups", value="aggregates" if aggregates else "tables"))


def _may_aggregate(connection: sa.Connection) -> bool:
    """Whether the server has continuous aggregates, which are no part of the Apache edition, and nothing is lost."""
    licence = connection.execute(sa.text("SELECT current_setting('timescaledb.license', true)")).scalar()
    held = any(
        connection.execute(sa.text(f"SELECT 1 FROM live_usage_{step} LIMIT 1")).scalar()  # ruff: ignore[hardcoded-sql-expression] - names of ours
        for step in _SPANS
    )
    return licence == "timescale" and not held


def _aggregate(table: str, step: str) -> None:
    op.execute(
        f"CREATE MATERIALIZED VIEW {table}_{step} WITH (timescaledb.continuous) AS "  # ruff: ignore[hardcoded-sql-expression] - names of ours
        f"SELECT series_id, time_bucket(CAST({_WIDTHS[step]} AS BIGINT), at) AS at, {_FIGURES[table]} "
        f"FROM {table} GROUP BY 1, 2 WITH NO DATA"
    )
