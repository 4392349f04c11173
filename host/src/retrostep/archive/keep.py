"""One way into the archive and the store, for logs that came over the link and for those that were rescued."""

from retrostep.archive.digest import digest
from retrostep.archive.raw import RawLogs
from retrostep.archive.store import Store
from retrostep.errors import DamagedData


def keep(raw: RawLogs, store: Store, device: str, number: int, data: bytes) -> None:
    """Archive and store the log of a session, one that `digest` can read; it is on the disk for good when this returns.

    Raises DamagedData where another log of that session is archived already: this one is then in quarantine. A whole log takes the place of
    a damaged copy of itself, which goes to quarantine instead.
    """
    held = raw.read(device, number) if raw.path(device, number).exists() else b""
    is_other = data[: len(held)] != held[: len(data)]
    if is_other and _is_better(device, number, data, held):
        raw.replace(device, number, data, "a whole copy of this log came later and took its place")
    raw.commit(device, number, data)
    store.ingest(device, number, held if held.startswith(data) else data)


def _is_better(device: str, number: int, data: bytes, held: bytes) -> bool:
    """Whether `data` is whole and `held` is a damaged copy of it."""
    new = digest(device, number, data).session
    try:
        old = digest(device, number, held).session
    except DamagedData:
        return True
    is_same = all(old[name] == new[name] for name in ("boot", "start_ticks_ms", "core_hash", "limits"))
    return is_same and bool(old["damage"] or old["lost_records"]) and not (new["damage"] or new["lost_records"])
