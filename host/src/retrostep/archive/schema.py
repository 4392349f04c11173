"""The store's tables. Times are milliseconds, UTC since 1970 where the name says `_at_ms`, from the session's start otherwise.

`LAYOUT` rises with every change of a table, and a migration (migrations/versions) carries older stores along. A newer store is refused.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Integer, PrimaryKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retrostep.archive.identifiers import session_id

LAYOUT = 15


class Base(DeclarativeBase):
    """Base of every table."""

    type_annotation_map: ClassVar = {
        float: Double(),
        int: BigInteger().with_variant(Integer(), "sqlite"),
        str: String().with_variant(String(collation="C"), "postgresql"),  # names sort alike everywhere
    }


class StoreState(Base):
    """One row: the layout of the tables, and how much of the event journal they hold."""

    __tablename__ = "store_state"
    id: Mapped[int] = mapped_column(primary_key=True)
    layout: Mapped[int]
    entries_applied: Mapped[int]
    """Bytes of entries.jsonl that were applied to the tables."""
    entries_damaged: Mapped[int]
    """Lines of entries.jsonl that could not be read."""
    moved_to: Mapped[str | None]
    """Where the store was moved to: nothing is entered here any more."""


class MigrationRow(Base):
    """One row: the newest migration that the tables have, as Alembic writes it."""

    __tablename__ = "alembic_version"
    version_num: Mapped[str] = mapped_column(String(32))
    __table_args__ = (PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),)


class EntryRow(Base):
    """One applied line of the event journal: a copy, from which a shortened or lost journal is restored."""

    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    end: Mapped[int]
    """The offset of the line's end in entries.jsonl."""
    line: Mapped[bytes]
    crc: Mapped[int] = mapped_column(index=True)
    """CRC-32 of the line: a damaged copy restores nothing."""


class ReceiptRow(Base):
    """Which log the journal knows to be archived: the length and CRC of the bytes received last, and when they were received."""

    __tablename__ = "receipts"
    device: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    length: Mapped[int]
    crc: Mapped[int]
    received_at_ms: Mapped[int | None]
    """The first possible moment in the journal; None where the host's clock showed an impossible one each time."""


class FolderRow(Base):
    """A folder of logs, and its time when it was last compared with the receipts; 0: it must be compared."""

    __tablename__ = "folders"
    device: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    mtime_ns: Mapped[int]


class DeviceRow(Base):
    """A device that was connected here, or whose logs are here."""

    __tablename__ = "devices"
    device: Mapped[str] = mapped_column(primary_key=True)
    board: Mapped[str]
    core_version: Mapped[str]
    core_hash: Mapped[str]
    boot: Mapped[int]
    last_seen_at_ms: Mapped[int | None]


class GenerationRow(Base):
    """A generation of a device: the time between two erasures of its flash. `nth` is its number for people: 1, 2, ... in the order seen."""

    __tablename__ = "generations"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    generation: Mapped[int]
    nth: Mapped[int]
    __table_args__ = (UniqueConstraint("device", "generation"), UniqueConstraint("device", "nth"))


class AthleteRow(Base):
    """An athlete."""

    __tablename__ = "athletes"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    key: Mapped[str] = mapped_column(unique=True)
    """The name as the journal tells people apart (identifiers.person_key)."""
    likeness: Mapped[str] = mapped_column(index=True)
    """The name as new names are compared (identifiers.person_likeness). People of an older journal may share it."""
    removed: Mapped[bool]
    """A removed athlete is in no list, and has no sessions. Everything comes back when the athlete is restored."""


class AssignmentRow(Base):
    """Who wears a device, from when to when. `from_at_ms` 0: from its first session on. `to_at_ms` None: still. No athlete: unassigned."""

    __tablename__ = "assignments"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    number: Mapped[int]
    """1, 2, ... of the device, in the order entered. A number is not used again."""
    athlete_id: Mapped[int | None] = mapped_column(ForeignKey("athletes.id"))
    from_at_ms: Mapped[int]
    to_at_ms: Mapped[int | None]
    who: Mapped[str]
    why: Mapped[str]
    __table_args__ = (UniqueConstraint("device", "from_at_ms"), Index("assignments_by_number", "device", "number"))


class AssignmentNumberRow(Base):
    """The last number that an assignment of a device got, whether or not the assignment was withdrawn."""

    __tablename__ = "assignment_numbers"
    device: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class ClockFactRow(Base):
    """At `ticks_ms` of that boot it was `epoch_ms`. Source 1: a host's clock; 2: a manual date (FORMATS.md, "Codes")."""

    __tablename__ = "clock_facts"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    generation: Mapped[int]
    boot: Mapped[int]
    ticks_ms: Mapped[int]
    epoch_ms: Mapped[int]
    source: Mapped[int]
    __table_args__ = (UniqueConstraint("device", "generation", "boot", "ticks_ms", "epoch_ms", "source"),)


class RecordingColumns:
    """The columns of a session that rules use. They are listed here only: `SessionRow` and `queries.Recording` both have them.

    A recording is one device's log of one session. One training session of an athlete is one or more recordings.
    """

    athlete_id: Mapped[int | None] = mapped_column(ForeignKey("athletes.id"))
    """None while the device was unassigned, or where the session's bounds allow for several athletes."""
    device: Mapped[str]
    number: Mapped[int]
    started_at_ms: Mapped[int | None]
    """None where there is no clock fact, or where facts contradict each other."""
    not_before_ms: Mapped[int | None]
    placed_at_ms: Mapped[int]
    """`started_at_ms`, or the latest possible start. Sessions are sorted and selected by it."""
    duration_ms: Mapped[int]
    forward_ms: Mapped[int]
    backward_ms: Mapped[int]
    first_backward_ms: Mapped[int | None]
    """Start of the first backward bout that is long enough to end the warm-up."""
    warm_up_ms: Mapped[int]
    """Forward time before that bout; all forward time where there is none."""
    backward_walk_ms: Mapped[int]
    """Backward time that was walking; the rest of `backward_ms` was jogging or running (backward_gait)."""
    backward_stage: Mapped[int]
    """The fastest backward gait that was reached: 0 none, 1 walk, 2 jog, 3 run (backward_gait)."""
    backward_contacts: Mapped[int]
    """Backward contacts of the worn leg whose impact was measured."""
    backward_impact_g8: Mapped[int]
    """Sum of their peaks along the shank, in 1/8 g."""
    backward_cadence_x10: Mapped[int]
    """Median over backward steps, in 0.1 steps a minute; 0 none."""
    ramp_stops: Mapped[int]
    warm_up_mark: Mapped[bool]
    stretch_mark: Mapped[bool]
    pain: Mapped[int | None]
    """Worst pain in the notes, 0 to 10. This and the next three come from the notes."""
    pain_next_day: Mapped[int | None]
    limp: Mapped[bool]
    swelling: Mapped[bool]
    gap_ms: Mapped[int]
    gap_reasons: Mapped[int]
    """A bit for each reason of a gap, 1 << codes.GAP_*; 0 where there are no gaps."""
    end_reason: Mapped[int]
    """FORMATS.md, "end of a session"; 0 where the log has no end."""
    damage: Mapped[int]
    """Bytes of the log that were damaged and skipped."""
    lost_records: Mapped[int]
    contradictory: Mapped[bool]
    """Whether the totals are impossible."""
    core_version: Mapped[str]
    core_hash: Mapped[str]
    limits: Mapped[str]
    """The alert limits in force on the device, as the log holds them, in hex."""
    nth_generation: Mapped[int]
    """The device's generation as people count it: 1, 2, ... in the order seen here."""


class SessionRow(RecordingColumns, Base):
    """One session of one device: what its log contains, when it took place, and which athlete it belongs to."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    generation: Mapped[int]
    """FORMATS.md, "Generations"; 0 for logs without one."""
    boot: Mapped[int]
    start_ticks_ms: Mapped[int]
    not_after_ms: Mapped[int]
    dated: Mapped[str]
    """`measured`, `manual`, `bounded` (between two instants) or `undated` (only a latest start is known)."""
    clock_spread_ms: Mapped[int]
    """How far the clock facts of this boot differ about the start."""
    received_at_ms: Mapped[int]
    forward_steps: Mapped[int]
    backward_steps: Mapped[int]
    unknown_steps: Mapped[int]
    longest_backward_ms: Mapped[int]
    """Length of the longest backward bout."""
    ramp_warns: Mapped[int]
    gaps: Mapped[int]
    board: Mapped[str]
    placement: Mapped[int]
    side: Mapped[int]
    mount: Mapped[str]
    found_mount: Mapped[str]
    """The mount that strides showed; empty where there is none but the declared one."""
    trigger: Mapped[int]
    excluded_why: Mapped[str | None]
    """Why a person left the session out of the check; None where it is not excluded."""
    log_length: Mapped[int]
    log_crc: Mapped[int]

    __table_args__ = (
        UniqueConstraint("device", "generation", "number"),
        *(Index("sessions_by_athlete", "athlete_id", "placed_at_ms"), Index("sessions_by_date", "placed_at_ms")),
        Index("sessions_by_boot", "device", "generation", "boot"),
    )

    @property
    def name(self) -> str:
        """As people write it: `DEVICE/NUMBER`, `DEVICE.2/NUMBER`."""
        return session_id(self.device, self.number, self.nth_generation)


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
    """An alert that the device gave."""

    __tablename__ = "alerts"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    at_ms: Mapped[int]
    kind: Mapped[int]
    severity: Mapped[int]
    measured: Mapped[int]
    limit: Mapped[int]


class GapRow(Base):
    """A stretch of unknown movement."""

    __tablename__ = "gaps"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    from_ms: Mapped[int]
    to_ms: Mapped[int]
    reason: Mapped[int]


class LoadRow(Base):
    """Contacts of the worn leg in one direction since the row before: peaks of the tibial acceleration in 1/8 g (FORMATS.md, LOAD).

    `clipped` contacts are counted apart from `count`: they are in no mean and no maximum.
    """

    __tablename__ = "loads"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    t_ms: Mapped[int]
    direction: Mapped[int]
    count: Mapped[int]
    clipped: Mapped[int]
    axial_mean_g8: Mapped[int]
    axial_max_g8: Mapped[int]
    resultant_mean_g8: Mapped[int]
    resultant_max_g8: Mapped[int]
    rise_mean_4g_s: Mapped[int]
    """The fastest rise between two samples, in 4 g a second: a lower bound of the loading rate."""
    rise_max_4g_s: Mapped[int]


class MarkRow(Base):
    """A mark that the athlete set with the button."""

    __tablename__ = "marks"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    at_ms: Mapped[int]
    mark: Mapped[int]


class CorrectionRow(Base):
    """What people corrected about a session. It is kept here because the session's row is written again with every copy of its log."""

    __tablename__ = "corrections"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    generation: Mapped[int]
    number: Mapped[int]
    excluded_why: Mapped[str | None]
    has_athlete: Mapped[bool]
    """Whether a person chose the athlete. If not, the assignment of the device says who it was."""
    athlete_id: Mapped[int | None] = mapped_column(ForeignKey("athletes.id"))
    warm_up_mark: Mapped[bool | None]
    """None: as logged. The same holds for the stretch mark."""
    stretch_mark: Mapped[bool | None]
    __table_args__ = (UniqueConstraint("device", "generation", "number"),)


class HistoryRow(Base):
    """One thing that a person entered or corrected about a session."""

    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    generation: Mapped[int]
    number: Mapped[int]
    at_ms: Mapped[int]
    what: Mapped[str]
    """`excluded`, `athlete`, `warm_up`, `stretch`, `date`, or `note N`."""
    before: Mapped[str]
    """What was there, as JSON."""
    after: Mapped[str]
    who: Mapped[str]
    """Login name; empty where it is not known."""
    why: Mapped[str]
    __table_args__ = (Index("history_by_session", "device", "generation", "number"),)


class NoteRow(Base):
    """A note about a session. A session may have several."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str]
    generation: Mapped[int]
    number: Mapped[int]
    nth: Mapped[int]
    """1, 2, ... within the session, in the order entered."""
    withdrawn: Mapped[bool]
    """A withdrawn note is kept for the history only."""
    noted_at_ms: Mapped[int]
    pain: Mapped[int | None]
    """0 to 10."""
    rpe: Mapped[int | None]
    """Rate of perceived exertion, 0 to 10."""
    next_day: Mapped[bool]
    """Whether the pain was felt on the day after the session."""
    limp: Mapped[bool]
    swelling: Mapped[bool]
    text: Mapped[str]
    __table_args__ = (Index("notes_by_session", "device", "generation", "number", "nth"),)


class ImportRow(Base):
    """An activity that a person imported from a file. It is the session IMPORT/`number` (identifiers.IMPORTED)."""

    __tablename__ = "imports"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    athlete_id: Mapped[int | None] = mapped_column(ForeignKey("athletes.id"), index=True)
    """None where the athlete was forgotten and the session is another one's."""
    file: Mapped[str]
    """The file's name, without its folder."""
    format: Mapped[str]
    """`FIT`, `TCX` or `CSV`."""
    sport: Mapped[str]
    """As the file has it; empty where it names none."""
    digest: Mapped[str] = mapped_column(index=True)
    """The beginning of the file's SHA-256, and the number of the activity in the file."""
    at_ms: Mapped[int]
    who: Mapped[str]


class OverrideRow(Base):
    """Limits of a rule that a coach set, for one athlete or (no athlete) for all. The latest one in force counts."""

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
    reset_who: Mapped[str | None]
    """Who reset the rule at `to_at_ms`; None where the limits were not reset."""
    reset_why: Mapped[str | None]
