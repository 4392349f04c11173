"""The recovery of all logs of a store at once. The app checks the newest at its start, and the others one by one."""

from retrostep_core.log import recovery

from support.disk import numbers


def recover(store, boot=0):
    """Check every log of `store`; recovery.Recovery(how many were closed, faults)."""
    closed = faults = 0
    for number in numbers(store):
        done = recovery.recover(store, number, boot)
        closed += done.closed
        faults |= done.faults
    return recovery.Recovery(closed, faults)
