"""The store's tables. Times are milliseconds, UTC since 1970 where the name says `_at_ms`, since the session's start otherwise.

`LAYOUT` rises with every change of a table. A store of another layout is refused with the cure; migrations for stores that cannot
be made anew from raw logs (a club's PostgreSQL) belong beside this file.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

LAYOUT = 2


class Base(DeclarativeBase):
    """Base of every table."""

    type_annotation_map: ClassVar = {int: BigInteger().with_variant(Integer(), "sqlite")}


class StoreState(Base):
    """One row: the layout of the tables, and how far into the entries' journal they have come."""

    __tablename__ = "store_state"
    id: Mapped[int] = mapped_column(primary_key=True)
    layout: Mapped[int]
    entries_applied: Mapped[int]
    """Bytes of entries.jsonl that the tables hold."""
    entries_damaged: Mapped[int]
    """Lines of entries.jsonl that could not be read."""


class DeviceRow(Base):
    """A device that was seen or left logs."""

    __tablename__ = "devices"
    device: Mapped[str] = mapped_column(primary_key=True)
    board: Mapped[str]
    core_version: Mapped[str]
    core_hash: Mapped[str]
    boot: Mapped[int]
    last_seen_at_ms: Mapped[int | None]


class LifeRow(Base):
    """A life of a device, from one erasing of its flash to the next; `nth` is what people call it by, in the order they were seen."""

    __tablename__ = "lives"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    life: Mapped[int]
    nth: Mapped[int]
    __table_args__ = (UniqueConstraint("device", "life"), UniqueConstraint("device", "nth"))


class AthleteRow(Base):
    """Somebody who trains."""

    __tablename__ = "athletes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class AssignmentRow(Base):
    """Who wears a device from when to when; `from_at_ms` 0 is since ever, `to_at_ms` None is until further notice, no athlete is nobody."""

    __tablename__ = "assignments"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(index=True)
    athlete_id: Mapped[int | None] = mapped_column(ForeignKey("athletes.id"))
    from_at_ms: Mapped[int]
    to_at_ms: Mapped[int | None]
    __table_args__ = (UniqueConstraint("device", "from_at_ms"),)


class ClockFactRow(Base):
    """At `ticks_ms` of that boot it was `epoch_ms`; source 1 a host, 2 somebody by hand (FORMATS.md, "Codes")."""

    __tablename__ = "clock_facts"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    life: Mapped[int]
    boot: Mapped[int]
    ticks_ms: Mapped[int]
    epoch_ms: Mapped[int]
    source: Mapped[int]
    __table_args__ = (UniqueConstraint("device", "life", "boot", "ticks_ms", "epoch_ms", "source"),)


class SessionRow(Base):
    """One session of one device: what its log adds up to, when it was, and whose it is."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    life: Mapped[int]
    """FORMATS.md, "Beside the logs"; 0 for logs that tell none."""
    nth_life: Mapped[int]
    number: Mapped[int]
    athlete_id: Mapped[int | None] = mapped_column(ForeignKey("athletes.id"))
    """Whose session it is; None while the device was nobody's, or while the session's bounds allow for several wearers."""

    boot: Mapped[int]
    start_ticks_ms: Mapped[int]
    started_at_ms: Mapped[int | None]
    """None where no clock fact tells, or where facts contradict each other."""
    not_before_ms: Mapped[int | None]
    not_after_ms: Mapped[int]
    placed_at_ms: Mapped[int]
    """`started_at_ms`, or the latest it can have been: what the session is sorted and looked up by."""
    dated: Mapped[str]
    """`measured`, `manual`, `bounded` (between two instants) or `undated` (only: not after)."""
    clock_spread_ms: Mapped[int]
    """How far the clock facts of this boot disagree about the start."""
    received_at_ms: Mapped[int]

    duration_ms: Mapped[int]
    forward_steps: Mapped[int]
    backward_steps: Mapped[int]
    unknown_steps: Mapped[int]
    forward_ms: Mapped[int]
    backward_ms: Mapped[int]
    longest_backward_ms: Mapped[int]
    """Length of the longest backward bout."""
    first_backward_ms: Mapped[int | None]
    """Start of the first backward bout that counts."""
    warm_up_ms: Mapped[int]
    """Forward time before that bout; all forward time where there is none."""
    backward_cadence_x10: Mapped[int]
    """Median over backward steps, in 0.1 steps a minute; 0 none."""
    ramp_warns: Mapped[int]
    ramp_stops: Mapped[int]
    warm_up_mark: Mapped[bool]
    stretch_mark: Mapped[bool]
    pain: Mapped[int | None]
    """The worst that was noted, 0 to 10; this and the next three are told from the notes."""
    pain_next_day: Mapped[int | None]
    limp: Mapped[bool]
    swelling: Mapped[bool]

    gaps: Mapped[int]
    gap_ms: Mapped[int]
    end_reason: Mapped[int]
    """FORMATS.md, "end of a session"; 0 where the log has no end."""
    damage: Mapped[int]
    """Bytes of the log that were damaged and skipped."""
    lost_records: Mapped[int]
    contradictory: Mapped[bool]
    """Whether the totals cannot be."""
    core_version: Mapped[str]
    core_hash: Mapped[str]
    board: Mapped[str]
    placement: Mapped[int]
    side: Mapped[int]
    trigger: Mapped[int]
    limits: Mapped[str]
    """The limits that were in force on the device, as the log holds them, in hex."""
    log_length: Mapped[int]
    log_crc: Mapped[int]

    __table_args__ = (
        UniqueConstraint("device", "life", "number"),
        Index("sessions_by_athlete", "athlete_id", "placed_at_ms"),
        Index("sessions_by_date", "placed_at_ms"),
    )


class BoutRow(Base):
    """An unbroken stretch of one direction."""

    __tablename__ = "bouts"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    direction: Mapped[int]
    steps: Mapped[int]
    cadence_mean_x10: Mapped[int]
    cadence_max_x10: Mapped[int]


class EpochRow(Base):
    """Totals since the session's start, cadence and peak acceleration, every 10 s."""

    __tablename__ = "epochs"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    t_ms: Mapped[int]
    forward_steps: Mapped[int]
    backward_steps: Mapped[int]
    unknown_steps: Mapped[int]
    forward_ms: Mapped[int]
    backward_ms: Mapped[int]
    cadence_x10: Mapped[int]
    peak_mg: Mapped[int]


class AlertRow(Base):
    """An alert the device gave while it was worn."""

    __tablename__ = "alerts"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    at_ms: Mapped[int]
    kind: Mapped[int]
    severity: Mapped[int]
    measured: Mapped[int]
    limit: Mapped[int]


class GapRow(Base):
    """A stretch without samples."""

    __tablename__ = "gaps"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    from_ms: Mapped[int]
    to_ms: Mapped[int]
    reason: Mapped[int]


class MarkRow(Base):
    """A press of the button that means something."""

    __tablename__ = "marks"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    at_ms: Mapped[int]
    mark: Mapped[int]


class NoteRow(Base):
    """What somebody noted about a session; later notes add to earlier ones."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    life: Mapped[int]
    number: Mapped[int]
    noted_at_ms: Mapped[int]
    pain: Mapped[int | None]
    """0 to 10."""
    rpe: Mapped[int | None]
    """Rate of perceived exertion, 0 to 10."""
    next_day: Mapped[bool]
    """Whether the pain is that of the day after."""
    limp: Mapped[bool]
    swelling: Mapped[bool]
    text: Mapped[str]
    __table_args__ = (Index("notes_by_session", "device", "life", "number"),)


class OverrideRow(Base):
    """A rule's limits as somebody set them, for one athlete or (no athlete) for all; the latest that is in force counts."""

    __tablename__ = "overrides"
    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    athlete_id: Mapped[int | None] = mapped_column(ForeignKey("athletes.id"))
    warn: Mapped[float | None]
    fail: Mapped[float | None]
    enabled: Mapped[bool]
    from_at_ms: Mapped[int]
    to_at_ms: Mapped[int | None]
    who: Mapped[str]
    why: Mapped[str]
