"""What the host talks through to a board: a serial port, or a model of one in a test."""

from typing import Protocol


class Transport(Protocol):
    """What a DeviceClient talks through, such as a SerialPort. Its methods raise LinkLost once the other end is gone."""

    path: str

    def read(self, timeout_s: float) -> bytes:
        """The bytes that have arrived; b"" if none arrives within `timeout_s`."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""

    def close(self) -> None:
        """Close the transport."""
