"""The faults that reports.py reports, as pulses and in words. Imported for a fault only."""

from hal import feedback
from retrostep_core.constants import const

# As in retrostep_core/codes.py. A private constant takes no memory.
_FAULT_FLASH_SHORT = const(2)
_FAULT_FLASH_FULL = const(4)
_FAULT_LOG_DAMAGED = const(8)
_FAULT_MOUNT = const(32)
# Bit, pulses, text.
FAULTS = (
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
