"""What the app reports once, at its start. Imported only then."""

from retrostep_core.constants import const

# As in retrostep_core/codes.py. A private constant takes no memory.
_FAULT_LOG_DAMAGED = const(8)
_FAULT_SETTINGS = const(16)
_FAULT_RESTARTED = const(64)


def report_start(console: object, faults: object, store: object, board: object, resets: int) -> None:
    """Report as text, and as faults, what `store` found on the flash, what is wrong in `board`, and `resets` of the watchdog."""
    if resets:
        console.queue_text("retrostep: the program hung, and the watchdog has reset the board")
        faults.add(_FAULT_RESTARTED)
    for problem in board.problems:
        console.queue_text("retrostep: " + problem)
        faults.add(_FAULT_SETTINGS)
    if store.unreadable:
        console.queue_text("retrostep: the file system is damaged. Nothing is written to it, so that its sessions can be rescued")
        faults.add(_FAULT_LOG_DAMAGED)
    elif store.state_damaged:
        console.queue_text("retrostep: state.bin was damaged: session numbers continue after the highest one in the logs")
        faults.add(_FAULT_LOG_DAMAGED)
