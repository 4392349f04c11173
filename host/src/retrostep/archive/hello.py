"""What a device reports about itself, as the store records it."""

from typing import Protocol


class Hello(Protocol):
    """What a device reports about itself (retrostep_core.link.answers.Hello)."""

    @property
    def device(self) -> str:
        """Name of the device."""

    @property
    def board(self) -> str:
        """Name of its kind of board."""

    @property
    def core_version(self) -> tuple[int, ...]:
        """Version of its core, three numbers."""

    @property
    def core_hash(self) -> bytes:
        """Hash of its core, 8 bytes."""

    @property
    def boot(self) -> int:
        """Number of the present boot, from 1."""

    @property
    def generation(self) -> int:
        """Its generation; 0 where it reports none."""
