"""A log that a power cut left open is read once and closed with END(interrupted)."""

from ..constants import const
from . import records as r
from .decoded import decode
from .reader import records_in
from .record_writer import RecordWriter
from .totals_from_log import TotalsFromLog

# As in retrostep_core/codes.py. A private constant takes no memory.
_END_INTERRUPTED = const(3)
_FAULT_FLASH_FULL = const(4)
_FAULT_LOG_DAMAGED = const(8)
_BUFFER_BYTES = 512


def close(store, number: int, size: int, boot: int):
    """Close the log of session `number`, which has `size` bytes: (1 if END was appended, codes.FAULT_* bits).

    A log of boot number `boot` is left open, as it is of this boot. OSError where the log cannot be read.
    """

    def read(offset, into):
        return store.read_into(number, offset, into)

    buf = bytearray(_BUFFER_BYTES)
    end = 0
    last_seq = -1
    kind = 0
    faults = 0
    direction = None
    # (offset of the EPOCH, DIRECTION that held there) of the last two epochs.
    last = last_but_one = (0, None)
    for offset, kind, seq, payload in records_in(read, size, buf):
        if seq != (last_seq + 1) & 255:
            faults = _FAULT_LOG_DAMAGED
        last_seq = seq
        end = offset + len(payload) + r.OVERHEAD
        try:
            if kind == r.HEADER and decode(kind, payload).boot == boot:
                return 0, 0
            if kind == r.DIRECTION:
                direction = decode(kind, payload)
        except ValueError:
            faults = _FAULT_LOG_DAMAGED
        if kind == r.EPOCH:
            last_but_one = last
            last = (offset, direction)
    if end == 0:
        return 0, _FAULT_LOG_DAMAGED
    if end < size and store.truncate(number, end):
        size = end
    if kind == r.END:
        return 0, faults
    # No late direction reaches further back than the last but one epoch.
    counted = _count(read, end, buf, last_but_one)
    try:
        writer = RecordWriter(store.append(number), seq=last_seq + 1, length=size)
    except OSError:
        return 0, faults | _FAULT_FLASH_FULL
    payload = bytearray(r.END_BYTES)
    writer.add(r.END, memoryview(payload), r.pack(payload, r.END, counted.end_ms(), _END_INTERRUPTED, *counted.totals()))
    if not writer.close():
        return 0, faults | _FAULT_FLASH_FULL
    return 1, faults


def _count(read, size: int, buf, since) -> TotalsFromLog:
    """The totals, counted from an epoch on. `since` is its offset and the direction that held there."""
    start, direction = since
    counted = TotalsFromLog()
    counted.add(r.DIRECTION, direction)
    for _offset, kind, _seq, payload in records_in(read, size, buf, start):
        try:
            record = decode(kind, payload)
        except ValueError:
            # A damaged record; close() has reported it if it is of a kind that matters here.
            record = None
        counted.add(kind, record)
    return counted
