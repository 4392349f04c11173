"""One way into the archive and the store, for logs that came over the link and for those that were rescued."""

from retrostep.archive.digest import digest
from retrostep.archive.raw import RawLogs
from retrostep.archive.schema import SessionRow
from retrostep.archive.store import Store
from retrostep.errors import DamagedData


def keep(raw: RawLogs, store: Store, device: str, number: int, data: bytes, life: int = 0) -> SessionRow:
    """Archive and store the log of a session, one that `digest` can read; it is on the disk for good when its row is returned.

    Raises DamagedData where another log of that session is archived already: this one is then in quarantine. A whole log takes the place of
    a damaged copy of itself, which goes to quarantine instead.
    """
    held = raw.read(device, number, life) if raw.path(device, number, life).exists() else b""
    is_other = data[: len(held)] != held[: len(data)]
    if is_other and _is_better(device, number, data, held, life):
        raw.replace(device, number, data, "a whole copy of this log came later and took its place", life)
    raw.commit(device, number, data, life)
    return store.ingest(device, number, held if held.startswith(data) else data, life=life)


def _is_better(device: str, number: int, data: bytes, held: bytes, life: int) -> bool:
    """Whether `data` is whole and `held` is a damaged copy of it."""
    new = digest(device, number, data, life).session
    try:
        old = digest(device, number, held, life).session
    except DamagedData:
        return True
    is_same = all(old[name] == new[name] for name in ("boot", "start_ticks_ms", "core_hash", "limits"))
    return is_same and bool(old["damage"] or old["lost_records"]) and not (new["damage"] or new["lost_records"])
