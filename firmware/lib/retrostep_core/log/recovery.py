"""Logs that an earlier boot left open, found and closed. Needed at the start only: the app lets go of it."""

from collections import namedtuple

from . import records as r

Recovery = namedtuple("Recovery", ("closed", "faults"))


def recover(store, boot: int = 0) -> Recovery:
    """At boot: close the sessions that an earlier boot left open, without rewriting anything that is sound.

    END(interrupted) is appended, with totals from the last epoch and what followed it; a torn tail is cut first if the store can cut, and
    skipped by readers if not. Files without a single sound record are left alone. Logs of boot number `boot`, the present one, are not
    touched. Recovery(closed, faults): how many were closed, and records.FAULT_* for what could not be read or written.
    """
    closed = 0
    faults = 0
    for number in store.numbers():
        try:
            if number == store.open_number:
                continue
            size = store.size(number)
            if size == 0:
                # Created, and cut before its first flush: there is nothing that a host could miss.
                store.confirm(number, 0, 0)
                store.erase(number)
            elif not store.confirmed(number) and not _has_end(store, number, size):
                from .interrupted import close  # seldom needed, and as large as all of this

                done, fault = close(store, number, size, boot)
                closed += done
                faults |= fault
        except OSError:
            faults |= r.FAULT_LOG_DAMAGED
    return Recovery(closed, faults)


def _has_end(store, number: int, size: int) -> bool:
    """Whether the last bytes of a log are a sound END; saves reading all of every log at each boot."""
    length = 25 + r.OVERHEAD
    if size < length:
        return False
    tail = bytearray(length)
    view = memoryview(tail)
    if store.read_into(number, size - length, view) != length:
        return False
    return tail[0] == r.END and tail[2] == 25 and int.from_bytes(tail[-4:], "little") == r.crc32(view[:-4])
