"""Reports of faults, as pulses and text."""

from hal import feedback
from retrostep_core.constants import const

# As in hal/feedback.py.
_URGENT = const(1)
# As in retrostep_core/codes.py. A private constant takes no memory.
_FAULT_FLASH_SHORT = const(2)
_FAULT_FLASH_FULL = const(4)
_FAULT_LOG_DAMAGED = const(8)
_FAULT_MOUNT = const(32)
_FAULTS = (
    (
        _FAULT_FLASH_SHORT,
        feedback.FLASH_SHORT,
        "little flash is left: sync soon. The log leaves out single steps; all totals are kept",
    ),
    (
        _FAULT_FLASH_FULL,
        feedback.FAULT,
        "the flash is full or does not work: sync now. Steps and alerts continue, but they are not recorded",
    ),
    (_FAULT_LOG_DAMAGED, feedback.FAULT, "a log is damaged. Its valid records are kept"),
    (
        _FAULT_MOUNT,
        feedback.MOUNT,
        "the device is worn another way round than its mount says. Directions are corrected",
    ),
)


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
        bits = self.bits
        for fault, pattern, text in _FAULTS:
            if bits & fault and not self._reported & fault:
                self.report(text, pattern)
        self._reported = bits
