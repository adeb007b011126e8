"""Commits, environments, their revisions, and the contents of resources."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables that hold what was recorded."""
    op.create_table(
        "recorded_commit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("first_parent", sa.Text, nullable=False, index=True),
        sa.Column("parents", sa.Text, nullable=False),
        sa.Column("author_name", sa.Text, nullable=False),
        sa.Column("author_email", sa.Text, nullable=False),
        sa.Column("authored_at", sa.BigInteger, nullable=False),
        sa.Column("committer_name", sa.Text, nullable=False),
        sa.Column("committer_email", sa.Text, nullable=False),
        sa.Column("committed_at", sa.BigInteger, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "environment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "content",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "resource",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("environment_id", sa.Integer, sa.ForeignKey("environment.id"), nullable=False),
        sa.Column("api_group", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("environment_id", "kind", "name", "namespace", "api_group"),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("commit_id", sa.Integer, sa.ForeignKey("recorded_commit.id"), nullable=False),
        sa.Column("environment_id", sa.Integer, sa.ForeignKey("environment.id"), nullable=False),
        sa.Column("base_id", sa.Integer, sa.ForeignKey("revision.id"), nullable=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("resources", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.UniqueConstraint("commit_id", "environment_id"),
    )
    op.create_index("revision_of_environment", "revision", ["environment_id", "base_id"])
    op.create_table(
        "resource_change",
        sa.Column("revision_id", sa.Integer, sa.ForeignKey("revision.id"), primary_key=True),
        sa.Column("resource_id", sa.Integer, sa.ForeignKey("resource.id"), primary_key=True),
        sa.Column("content_id", sa.Integer, sa.ForeignKey("content.id"), nullable=True),
        sa.Column("file", sa.Text, nullable=False),
    )
    op.create_index("change_of_resource", "resource_change", ["resource_id", "revision_id"])
