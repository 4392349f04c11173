"""Reports of faults, as pulses and text."""

from hal import feedback, unload
from retrostep_core.constants import const

# As in hal/feedback.py.
_URGENT = const(1)
# The faults that `poll` reports: FLASH_SHORT, FLASH_FULL, LOG_DAMAGED and MOUNT of retrostep_core/codes.py.
_REPORTED = const(46)


class Faults:
    """The faults of the program and of `session`, as bits codes.FAULT_*."""

    def __init__(self, session: object, console: object, feedback: object, clock: object) -> None:
        self._session = session
        self._console = console
        self._feedback = feedback
        self._clock = clock
        self._bits = 0
        self._reported = 0

    @property
    def bits(self) -> int:
        """The faults that exist now."""
        return self._bits | self._session.faults

    def add(self, fault: int) -> None:
        """`fault` exists from now on."""
        self._bits |= fault

    def remove(self, fault: int) -> None:
        """`fault` no longer exists."""
        self._bits &= ~fault

    def report(self, text: str, pattern: tuple = feedback.FAULT) -> None:
        """Report a fault as text and by pulses."""
        self._console.queue_text("retrostep: " + text)
        self._feedback.play(pattern, self._clock.ticks_ms(), _URGENT)

    def poll(self) -> None:
        """Report the faults of the flash and of the logs that are new since the last call."""
        bits = self.bits & _REPORTED
        if bits & ~self._reported:
            # Imported here: only a fault needs their texts.
            from fault_text import FAULTS

            for fault, pattern, text in FAULTS:
                if bits & ~self._reported & fault:
                    self.report(text, pattern)
            unload("fault_text")
        self._reported = bits
