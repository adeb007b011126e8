"""What runs in clusters: objects with all their versions, events, and the usage of containers.

Times are microseconds since 1970. Events and usage grow with time, so they are partitioned by it: TimescaleDB's
hypertables where the extension is installed, PostgreSQL's own partitions where not; SQLite has plain tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_DAY = 86_400_000_000


def upgrade() -> None:
    """Create the tables."""
    _objects()
    _times()


def _objects() -> None:
    op.create_table(
        "live_cluster",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "live_kind",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("cluster_id", sa.Integer, sa.ForeignKey("live_cluster.id"), nullable=False),
        sa.Column("api_group", sa.Text, nullable=False),
        sa.Column("plural", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("short_names", sa.Text, nullable=False),
        sa.UniqueConstraint("cluster_id", "api_group", "plural"),
    )
    op.create_table(
        "live_position",
        sa.Column("kind_id", sa.Integer, sa.ForeignKey("live_kind.id"), nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("resource_version", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind_id", "namespace"),
    )
    op.create_table(
        "live_content",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "live_object",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("kind_id", sa.Integer, sa.ForeignKey("live_kind.id"), nullable=False),
        sa.Column("uid", sa.Text, nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("gone_at", sa.BigInteger),
        sa.Column("resource_version", sa.Text, nullable=False),
        sa.Column("managers", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("uid", "kind_id"),
    )
    op.create_index("live_object_by_name", "live_object", ["kind_id", "name", "namespace"])
    op.create_index("live_object_by_owner", "live_object", ["owner"])
    op.create_table(
        "live_version",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("object_id", _NUMBER, sa.ForeignKey("live_object.id"), nullable=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_to", sa.BigInteger),
        sa.Column("content_id", _NUMBER, sa.ForeignKey("live_content.id"), nullable=False),
        sa.Column("resource_version", sa.Text, nullable=False),
        sa.UniqueConstraint("object_id", "valid_from"),
    )
    op.create_index("live_version_by_time", "live_version", ["valid_from"])
    open_ones = sa.text("valid_to IS NULL")
    op.create_index(
        "live_version_open",
        "live_version",
        ["object_id"],
        unique=True,
        sqlite_where=open_ones,
        postgresql_where=open_ones,
    )
    op.create_index("live_version_by_content", "live_version", ["content_id"])
    op.create_table(
        "live_field",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("version_id", _NUMBER, sa.ForeignKey("live_version.id"), nullable=False, index=True),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("manager", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("written_at", sa.Text, nullable=False),
    )
    op.create_table(
        "live_series",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("cluster_id", sa.Integer, sa.ForeignKey("live_cluster.id"), nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("pod", sa.Text, nullable=False),
        sa.Column("container", sa.Text, nullable=False),
        sa.Column("workload", sa.Text, nullable=False),
        sa.UniqueConstraint("cluster_id", "namespace", "pod", "container"),
    )
    op.create_index("live_series_by_workload", "live_series", ["cluster_id", "namespace", "workload"])
    op.create_table(
        "live_setting",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


_EVENT = """CREATE TABLE live_event (
    cluster_id INTEGER NOT NULL, at BIGINT NOT NULL, uid TEXT NOT NULL, object_uid TEXT NOT NULL,
    namespace TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,
    source TEXT NOT NULL, times INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY (cluster_id, uid, at))"""
_USAGE = """CREATE TABLE live_usage (
    series_id INTEGER NOT NULL, at BIGINT NOT NULL, cpu DOUBLE PRECISION NOT NULL, memory BIGINT NOT NULL,
    PRIMARY KEY (series_id, at))"""
_ROLLED = """CREATE TABLE live_usage_{step} (
    series_id INTEGER NOT NULL, at BIGINT NOT NULL, cpu DOUBLE PRECISION NOT NULL, cpu_most DOUBLE PRECISION NOT NULL,
    memory BIGINT NOT NULL, memory_most BIGINT NOT NULL, samples INTEGER NOT NULL, PRIMARY KEY (series_id, at))"""


def _times() -> None:
    """Create the tables that grow with time, in the way that the database offers."""
    connection = op.get_bind()
    is_postgresql = connection.dialect.name == "postgresql"
    has_timescale = (
        is_postgresql
        and connection.execute(sa.text("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")).scalar() is not None
    )
    layout = "timescaledb" if has_timescale else "partitions" if is_postgresql else "plain"
    end = " PARTITION BY RANGE (at)" if layout == "partitions" else ""
    tables = {
        "live_event": (_EVENT, 7 * _DAY),
        "live_usage": (_USAGE, _DAY),
        "live_usage_5m": (_ROLLED.format(step="5m"), 30 * _DAY),
        "live_usage_1h": (_ROLLED.format(step="1h"), 365 * _DAY),
    }
    for name, (statement, span) in tables.items():
        op.execute(statement + end)
        if has_timescale:
            op.execute(f"SELECT create_hypertable('{name}', by_range('at', {span}), create_default_indexes => false)")
    op.create_index("live_event_by_object", "live_event", ["cluster_id", "object_uid", "at"])
    op.create_index("live_event_by_time", "live_event", ["cluster_id", "at"])
    setting = sa.table("live_setting", sa.column("name"), sa.column("value"))
    op.execute(setting.insert().values(name="layout", value=layout))
