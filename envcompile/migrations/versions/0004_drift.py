"""What ran otherwise than the sources said, from when to when; times are seconds since 1970."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "drift_look",
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("context", sa.Text, nullable=False),
        sa.Column("looked_at", sa.BigInteger, nullable=False),
        sa.Column("compared", sa.Integer, nullable=False),
    )
    op.create_table(
        "drift",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("api_group", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("want", sa.Text, nullable=False),
        sa.Column("have", sa.Text, nullable=False),
        sa.Column("manager", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("found_at", sa.BigInteger, nullable=False),
        sa.Column("gone_at", sa.BigInteger),
    )
    op.create_index("drift_of_environment", "drift", ["environment", "gone_at"])
