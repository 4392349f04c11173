"""A log that a power cut left open: read once, and closed with END(interrupted)."""

from . import records as r
from .account import Account
from .decoded import decode
from .journal import Journal
from .reader import walk


def close(store, number: int, size: int, boot: int):
    """(1 if the log was closed, faults)."""

    def read(offset, into):
        return store.read_into(number, offset, into)

    buf = bytearray(512)
    end = 0
    seq = -1
    kind = 0
    fault = 0
    said = None
    here = before = (0, None)  # the last two epochs, and the direction that held there
    for offset, kind, found, payload in walk(read, size, buf):
        if found != (seq + 1) & 255:
            fault = r.FAULT_LOG_DAMAGED
        seq = found
        end = offset + len(payload) + r.OVERHEAD
        try:
            if kind == r.HEADER and decode(kind, payload).boot == boot:
                return 0, 0
            if kind == r.DIRECTION:
                said = decode(kind, payload)
        except ValueError:
            fault = r.FAULT_LOG_DAMAGED
        if kind == r.EPOCH:
            before = here
            here = (offset, said)
    if end == 0:
        return 0, r.FAULT_LOG_DAMAGED
    if end < size and store.truncate(number, end):
        size = end
    if kind == r.END:
        return 0, fault
    account = _account(read, end, buf, before)
    try:
        journal = Journal(store.append(number), seq=seq + 1, length=size)
    except OSError:
        return 0, fault | r.FAULT_FLASH_FULL
    payload = bytearray(25)
    journal.add(r.END, memoryview(payload), r.pack_end(payload, account.moved_ms, r.INTERRUPTED, *account.totals()))
    if not journal.close():
        return 0, fault | r.FAULT_FLASH_FULL
    return 1, fault


def _account(read, size: int, buf, since) -> Account:
    """Totals from an epoch on: no late correction reaches further back than the last but one."""
    account = Account()
    start, said = since
    account.take(r.DIRECTION, said)
    for _offset, kind, _seq, payload in walk(read, size, buf, start):
        try:
            account.take(kind, decode(kind, payload))
        except ValueError:
            continue  # counted as damage already
    return account
