"""Logs that an earlier boot left open, and their end."""

from collections import namedtuple

from ..constants import const
from . import records as r

# As in retrostep_core/codes.py. A private constant takes no memory.
_FAULT_LOG_DAMAGED = const(8)

Recovery = namedtuple("Recovery", ("closed", "faults"))


def recover(store, number: int, boot: int = 0) -> Recovery:
    """Close the log of session `number` if an earlier boot left it open; Recovery(1 if closed, codes.FAULT_* bits).

    Nothing that can be read is rewritten. END(interrupted) is appended, with totals from the last EPOCH and what follows it. A torn tail
    is cut first if the store can cut. If not, readers skip it. A file without a valid record stays as it is; an empty one is removed.
    A log of `boot`, the number of this boot, stays open.
    """
    try:
        if number == store.open_number:
            return Recovery(0, 0)
        size = store.size(number)
        if size == 0:
            # The power was cut before its first flush: there is nothing in it for a host.
            store.erase(number)
        elif not store.confirmed(number) and not _has_end(store, number, size):
            # Imported here: it is seldom needed, and its imports take more memory than this module.
            from .interrupted import close

            return Recovery(*close(store, number, size, boot))
    except OSError:
        return Recovery(0, _FAULT_LOG_DAMAGED)
    return Recovery(0, 0)


def _has_end(store, number: int, size: int) -> bool:
    """Whether the log's last bytes are a valid END. So a log that was closed is not read completely."""
    length = r.END_BYTES + r.OVERHEAD
    if size < length:
        return False
    last = bytearray(length)
    view = memoryview(last)
    if store.read_into(number, size - length, view) != length:
        return False
    return last[0] == r.END and last[2] == r.END_BYTES and int.from_bytes(last[-4:], "little") == r.crc32(view[:-4])
