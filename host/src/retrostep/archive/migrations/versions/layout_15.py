"""A store knows where it was moved to. On a server, raw logs and quarantine are tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "layout_15"
down_revision = "layout_14"
_TEXT = sa.String(collation="C")


def upgrade() -> None:
    """Change the tables of layout 14."""
    op.add_column("store_state", sa.Column("moved_to", sa.String().with_variant(_TEXT, "postgresql"), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        return
    op.create_table(
        "raw_logs",
        *_key(),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("written_at_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table("waiting_logs", *_key())
    op.create_table(
        "quarantine",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("device", _TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
    )
    op.create_index("quarantine_by_log", "quarantine", ["device", "number"])


def _key() -> list[sa.Column[Any]]:
    whole = sa.BigInteger()
    columns: list[tuple[str, Any]] = [("device", _TEXT), ("generation", whole), ("number", whole)]
    return [sa.Column(name, kind, primary_key=True, autoincrement=False) for name, kind in columns]
