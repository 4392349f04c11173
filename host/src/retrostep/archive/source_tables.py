"""What the folders of a data folder hold, as tables of a store on a server: raw logs and quarantine. They are never derived again.

The event journal is the table `entries` there (schema.EntryRow).
"""

from typing import ClassVar

from sqlalchemy import Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retrostep.archive.schema import Base


class SourceBase(DeclarativeBase):
    """Base of the tables that only a store on a server has."""

    type_annotation_map: ClassVar = Base.type_annotation_map


class LogRow(SourceBase):
    """A raw log, byte for byte as the device wrote it."""

    __tablename__ = "raw_logs"
    device: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes]
    length: Mapped[int]
    written_at_ms: Mapped[int]


class WaitingLogRow(SourceBase):
    """A raw log that was added, or grew, since the tables were derived. Opening a store reads this table and not all logs."""

    __tablename__ = "waiting_logs"
    device: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


class QuarantineRow(SourceBase):
    """A damaged or foreign log, or a damaged piece of a journal, and why it is here."""

    __tablename__ = "quarantine"
    name: Mapped[str] = mapped_column(primary_key=True)
    device: Mapped[str]
    """Empty where the device has no valid name."""
    number: Mapped[int]
    data: Mapped[bytes]
    reason: Mapped[str]
    __table_args__ = (Index("quarantine_by_log", "device", "number"),)
