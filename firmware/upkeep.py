"""Checks that the logs of earlier boots are closed. Imported until all of them are checked."""

from retrostep_core.log.recovery import recover


def check_log(store: object, below: int, faults: object, console: object) -> int:
    """Close the newest log with a number below `below` if a power cut left it open. Return its number; 0 once there is none.

    The first call, at the start, checks the newest log of all: the others were closed before it was created, unless the flash failed.
    """
    number = store.preceding(below)
    if number:
        recovery = recover(store, number, store.boot)
        faults.add(recovery.faults)
        if recovery.closed:
            console.queue_text("retrostep: session %d was interrupted. It is closed" % number)
    return number
