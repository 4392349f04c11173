"""The store's tables of what coaches decide: accepted findings, and the alert limits of devices."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from retrostep.archive.schema import Base


class AcceptanceRow(Base):
    """A person accepted the findings of a rule about training of an athlete until `at_ms`, and later ones before `until_at_ms`."""

    __tablename__ = "acceptances"
    id: Mapped[int] = mapped_column(primary_key=True)
    athlete_id: Mapped[int] = mapped_column(ForeignKey("athletes.id"), index=True)
    rule: Mapped[str]
    at_ms: Mapped[int]
    until_at_ms: Mapped[int | None]
    who: Mapped[str]
    because: Mapped[str]
    revoked_at_ms: Mapped[int | None]
    revoked_who: Mapped[str | None]
    revoked_why: Mapped[str | None]


class DeviceLimitsRow(Base):
    """Alert limits that a person set for a device. They wait until they are sent, cancelled, or replaced by later ones."""

    __tablename__ = "device_limits"
    id: Mapped[int] = mapped_column(primary_key=True)
    device: Mapped[str] = mapped_column(index=True)
    limits: Mapped[str]
    """The 24 bytes of FORMATS.md, "limits", in hex."""
    athlete_id: Mapped[int | None] = mapped_column(ForeignKey("athletes.id"))
    at_ms: Mapped[int]
    who: Mapped[str]
    sent_at_ms: Mapped[int | None]
    cancelled_at_ms: Mapped[int | None]
    cancelled_who: Mapped[str | None]

    @property
    def is_waiting(self) -> bool:
        """Whether they have still to be sent."""
        return self.sent_at_ms is None and self.cancelled_at_ms is None
