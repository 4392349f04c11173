"""Training that was imported from files."""

import sqlalchemy as sa
from alembic import op

revision = "layout_14"
down_revision = "layout_13"
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Change the tables of layout 13."""
    op.create_table(
        "imports",
        sa.Column("number", _BIG, primary_key=True, autoincrement=False),
        sa.Column("athlete_id", _BIG, sa.ForeignKey("athletes.id"), nullable=True),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("file", "format", "sport", "digest")),
        sa.Column("at_ms", _BIG, nullable=False),
        sa.Column("who", _TEXT, nullable=False),
    )
    op.create_index("ix_imports_athlete_id", "imports", ["athlete_id"])
    op.create_index("ix_imports_digest", "imports", ["digest"])
