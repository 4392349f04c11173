"""The tables as they were before there were migrations: layout 13, which only files had."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "layout_13"
down_revision = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables in an empty database."""
    op.create_table("assignment_numbers", text("device"), integer("last"), sa.PrimaryKeyConstraint("device"))
    op.create_table(
        "athletes",
        integer("id"),
        text("name"),
        text("key"),
        text("likeness"),
        flag("removed"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_athletes_likeness", "athletes", ["likeness"])
    op.create_table(
        "clock_facts",
        integer("id"),
        text("device"),
        integer("generation"),
        integer("boot"),
        integer("ticks_ms"),
        integer("epoch_ms"),
        integer("source"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device", "generation", "boot", "ticks_ms", "epoch_ms", "source"),
    )
    op.create_table(
        "datings",
        text("device"),
        integer("generation"),
        integer("boot"),
        integer("started_ms"),
        integer("ran_until_ms", nullable=True),
        integer("reached_ms", nullable=True),
        integer("ended_ms"),
        integer("behind_until_ms"),
        sa.PrimaryKeyConstraint("device", "generation"),
    )
    op.create_table(
        "devices",
        text("device"),
        text("board"),
        text("core_version"),
        text("core_hash"),
        integer("boot"),
        integer("last_seen_at_ms", nullable=True),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_table("entries", integer("id"), integer("end"), blob("line"), integer("crc"), sa.PrimaryKeyConstraint("id"))
    op.create_index("ix_entries_crc", "entries", ["crc"])
    op.create_table("folders", text("device"), integer("generation"), integer("mtime_ns"), sa.PrimaryKeyConstraint("device", "generation"))
    op.create_table(
        "generations",
        integer("id"),
        text("device"),
        integer("generation"),
        integer("nth"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device", "generation"),
        sa.UniqueConstraint("device", "nth"),
    )
    op.create_table(
        "history",
        integer("id"),
        text("device"),
        integer("generation"),
        integer("number"),
        integer("at_ms"),
        text("what"),
        text("before"),
        text("after"),
        text("who"),
        text("why"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("history_by_session", "history", ["device", "generation", "number"])
    op.create_table(
        "notes",
        integer("id"),
        text("device"),
        integer("generation"),
        integer("number"),
        integer("nth"),
        flag("withdrawn"),
        integer("noted_at_ms"),
        integer("pain", nullable=True),
        integer("rpe", nullable=True),
        flag("next_day"),
        flag("limp"),
        flag("swelling"),
        text("text"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notes_by_session", "notes", ["device", "generation", "number", "nth"])
    op.create_table(
        "receipts",
        text("device"),
        integer("generation"),
        integer("number"),
        integer("length"),
        integer("crc"),
        integer("received_at_ms", nullable=True),
        sa.PrimaryKeyConstraint("device", "generation", "number"),
    )
    op.create_table(
        "store_state",
        integer("id"),
        integer("layout"),
        integer("entries_applied"),
        integer("entries_damaged"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "acceptances",
        integer("id"),
        integer("athlete_id"),
        text("rule"),
        integer("at_ms"),
        integer("until_at_ms", nullable=True),
        text("who"),
        text("because"),
        integer("revoked_at_ms", nullable=True),
        text("revoked_who", nullable=True),
        text("revoked_why", nullable=True),
        sa.ForeignKeyConstraint(
            ["athlete_id"],
            ["athletes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_acceptances_athlete_id", "acceptances", ["athlete_id"])
    op.create_table(
        "assignments",
        integer("id"),
        text("device"),
        integer("number"),
        integer("athlete_id", nullable=True),
        integer("from_at_ms"),
        integer("to_at_ms", nullable=True),
        text("who"),
        text("why"),
        sa.ForeignKeyConstraint(
            ["athlete_id"],
            ["athletes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device", "from_at_ms"),
    )
    op.create_index("assignments_by_number", "assignments", ["device", "number"])
    op.create_table(
        "corrections",
        integer("id"),
        text("device"),
        integer("generation"),
        integer("number"),
        text("excluded_why", nullable=True),
        flag("has_athlete"),
        integer("athlete_id", nullable=True),
        flag("warm_up_mark", nullable=True),
        flag("stretch_mark", nullable=True),
        sa.ForeignKeyConstraint(
            ["athlete_id"],
            ["athletes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device", "generation", "number"),
    )
    op.create_table(
        "device_limits",
        integer("id"),
        text("device"),
        text("limits"),
        integer("athlete_id", nullable=True),
        integer("at_ms"),
        text("who"),
        integer("sent_at_ms", nullable=True),
        integer("cancelled_at_ms", nullable=True),
        text("cancelled_who", nullable=True),
        sa.ForeignKeyConstraint(
            ["athlete_id"],
            ["athletes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_device_limits_device", "device_limits", ["device"])
    op.create_table(
        "overrides",
        integer("id"),
        text("rule"),
        integer("athlete_id", nullable=True),
        real("warn", nullable=True),
        real("fail", nullable=True),
        flag("enabled"),
        integer("from_at_ms"),
        integer("to_at_ms", nullable=True),
        text("who"),
        text("why"),
        text("reset_who", nullable=True),
        text("reset_why", nullable=True),
        sa.ForeignKeyConstraint(
            ["athlete_id"],
            ["athletes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "sessions",
        integer("id"),
        integer("generation"),
        integer("boot"),
        integer("start_ticks_ms"),
        integer("not_after_ms"),
        text("dated"),
        integer("clock_spread_ms"),
        integer("received_at_ms"),
        integer("forward_steps"),
        integer("backward_steps"),
        integer("unknown_steps"),
        integer("longest_backward_ms"),
        integer("ramp_warns"),
        integer("gaps"),
        text("board"),
        integer("placement"),
        integer("side"),
        text("mount"),
        text("found_mount"),
        integer("trigger"),
        text("excluded_why", nullable=True),
        integer("log_length"),
        integer("log_crc"),
        integer("athlete_id", nullable=True),
        text("device"),
        integer("number"),
        integer("started_at_ms", nullable=True),
        integer("not_before_ms", nullable=True),
        integer("placed_at_ms"),
        integer("duration_ms"),
        integer("forward_ms"),
        integer("backward_ms"),
        integer("first_backward_ms", nullable=True),
        integer("warm_up_ms"),
        integer("backward_walk_ms"),
        integer("backward_stage"),
        integer("backward_contacts"),
        integer("backward_impact_g8"),
        integer("backward_cadence_x10"),
        integer("ramp_stops"),
        flag("warm_up_mark"),
        flag("stretch_mark"),
        integer("pain", nullable=True),
        integer("pain_next_day", nullable=True),
        flag("limp"),
        flag("swelling"),
        integer("gap_ms"),
        integer("gap_reasons"),
        integer("end_reason"),
        integer("damage"),
        integer("lost_records"),
        flag("contradictory"),
        text("core_version"),
        text("core_hash"),
        text("limits"),
        integer("nth_generation"),
        sa.ForeignKeyConstraint(
            ["athlete_id"],
            ["athletes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device", "generation", "number"),
    )
    op.create_index("sessions_by_athlete", "sessions", ["athlete_id", "placed_at_ms"])
    op.create_index("sessions_by_boot", "sessions", ["device", "generation", "boot"])
    op.create_index("sessions_by_date", "sessions", ["placed_at_ms"])
    op.create_table(
        "alerts",
        integer("id"),
        integer("session_id"),
        integer("at_ms"),
        integer("kind"),
        integer("severity"),
        integer("measured"),
        integer("limit"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_alerts_session_id", "alerts", ["session_id"])
    op.create_table(
        "bouts",
        integer("id"),
        integer("session_id"),
        integer("start_ms"),
        integer("end_ms"),
        integer("direction"),
        integer("steps"),
        integer("cadence_mean_x10"),
        integer("cadence_max_x10"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_bouts_session_id", "bouts", ["session_id"])
    op.create_table(
        "epochs",
        integer("id"),
        integer("session_id"),
        integer("t_ms"),
        integer("forward_steps"),
        integer("backward_steps"),
        integer("unknown_steps"),
        integer("forward_ms"),
        integer("backward_ms"),
        integer("cadence_x10"),
        integer("peak_mg"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_epochs_session_id", "epochs", ["session_id"])
    op.create_table(
        "gaps",
        integer("id"),
        integer("session_id"),
        integer("from_ms"),
        integer("to_ms"),
        integer("reason"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_gaps_session_id", "gaps", ["session_id"])
    op.create_table(
        "loads",
        integer("id"),
        integer("session_id"),
        integer("t_ms"),
        integer("direction"),
        integer("count"),
        integer("clipped"),
        integer("axial_mean_g8"),
        integer("axial_max_g8"),
        integer("resultant_mean_g8"),
        integer("resultant_max_g8"),
        integer("rise_mean_4g_s"),
        integer("rise_max_4g_s"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_loads_session_id", "loads", ["session_id"])
    op.create_table(
        "marks",
        integer("id"),
        integer("session_id"),
        integer("at_ms"),
        integer("mark"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_marks_session_id", "marks", ["session_id"])


def integer(name: str, nullable: bool = False) -> sa.Column[Any]:
    """A column of integers."""
    return sa.Column(name, _BIG, nullable=nullable)


def text(name: str, nullable: bool = False) -> sa.Column[Any]:
    """A column of texts."""
    return sa.Column(name, _TEXT, nullable=nullable)


def real(name: str, nullable: bool = False) -> sa.Column[Any]:
    """A column of real numbers."""
    return sa.Column(name, sa.Double(), nullable=nullable)


def flag(name: str, nullable: bool = False) -> sa.Column[Any]:
    """A column of yes and no."""
    return sa.Column(name, sa.Boolean(), nullable=nullable)


def blob(name: str, nullable: bool = False) -> sa.Column[Any]:
    """A column of bytes."""
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)
