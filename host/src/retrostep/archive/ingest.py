"""The way of a log into the archive, for logs that were synced and for those that were rescued. A log is parsed once, by the caller."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from retrostep.archive.log_summary import LogSummary, summarize_log
from retrostep.errors import DamagedData

if TYPE_CHECKING:  # the database takes a second to load
    from retrostep.archive.store import Store


def archive_log(store: Store, summary: LogSummary, data: bytes) -> LogSummary:
    """Archive the log `data` with the summary `summary`, and record its receipt. Return the summary of the archived log.

    The log and the receipt are on the disk then. A longer archived copy of this log stays, and the summary is that of the copy. An
    undamaged log replaces a damaged copy of itself, which goes to quarantine. So does a log with the received bytes replace an archived
    one that has others. Raises DamagedData where a different log of that session is archived; `data` is in quarantine then.
    """
    raw, conflict = store.raw, None
    device, number, generation = summary.key
    with raw.together():
        archived = raw.archived(device, number, generation)
        if not data.startswith(archived):
            if not is_as_received(store, summary.key, archived) and _has_received_bytes(store, summary.key, data):
                raw.replace(device, number, data, "its bytes had changed on this computer, and the received ones came again", generation)
            elif archived.startswith(data):
                raw.make_durable(raw.path(device, number, generation))
                return summarize_log(archived, device, number, generation)
            elif _is_repaired_copy(summary, data, archived):
                raw.replace(device, number, data, "an undamaged copy of this log came later and took its place", generation)
        try:
            raw.commit(device, number, data, generation)
        except DamagedData as error:
            conflict = error  # raised below: the log in quarantine stays
        else:
            store.record_receipt(summary)
    if conflict is not None:
        raise conflict
    return summary


def is_as_received(store: Store, key: tuple[str, int, int], archived: bytes) -> bool:
    """Whether an archived log has the bytes that its receipt is for. True where there is no receipt: nothing else is known then."""
    receipt = store.receipt(key)
    return receipt is None or (len(archived), binascii.crc32(archived)) == (receipt.length, receipt.crc)


def _has_received_bytes(store: Store, key: tuple[str, int, int], data: bytes) -> bool:
    """Whether `data` is the log that the receipt is for, or a longer version of it."""
    receipt = store.receipt(key)
    return receipt is not None and len(data) >= receipt.length and binascii.crc32(data[: receipt.length]) == receipt.crc


def _is_repaired_copy(summary: LogSummary, data: bytes, archived: bytes) -> bool:
    """Whether the archived log is a damaged copy of the log `data`, and holds no more."""
    try:
        old = summarize_log(archived, *summary.key)
    except DamagedData:
        return True
    is_same = all(old.session[name] == summary.session[name] for name in ("boot", "start_ticks_ms", "core_hash", "limits"))
    is_shorter = len(data) < len(archived) - old.damage[0]
    return is_same and old.is_damaged and not summary.is_damaged and not is_shorter
