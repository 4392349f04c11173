"""One way into the archive, and into the store, for logs that came over the link and for those that were rescued."""

from retrostep.archive.digest import digest
from retrostep.archive.raw import RawLogs
from retrostep.archive.schema import SessionRow
from retrostep.archive.store import Store
from retrostep.errors import DamagedData


def archive(raw: RawLogs, device: str, number: int, data: bytes, life: int = 0) -> bytes:
    """Archive the log of a session, one that `digest` can read; on the disk for good when this returns all that is archived of it.

    Raises DamagedData where another log of that session is archived already: this one is then in quarantine. A whole log takes the place of
    a damaged copy of itself, which goes to quarantine instead.
    """
    held = raw.read(device, number, life) if raw.path(device, number, life).exists() else b""
    is_other = data[: len(held)] != held[: len(data)]
    if is_other and _is_better(device, number, data, held, life):
        raw.replace(device, number, data, "a whole copy of this log came later and took its place", life)
    raw.commit(device, number, data, life)
    return held if held.startswith(data) else data


def keep(raw: RawLogs, store: Store, device: str, number: int, data: bytes, life: int = 0) -> SessionRow:
    """As `archive`, and take it into the store; its row there."""
    return store.ingest(device, number, archive(raw, device, number, data, life), life=life)


def _is_better(device: str, number: int, data: bytes, held: bytes, life: int) -> bool:
    """Whether `data` is whole and `held` is a damaged copy of it."""
    new = digest(device, number, data, life).session
    try:
        old = digest(device, number, held, life).session
    except DamagedData:
        return True
    is_same = all(old[name] == new[name] for name in ("boot", "start_ticks_ms", "core_hash", "limits"))
    return is_same and bool(old["damage"] or old["lost_records"]) and not (new["damage"] or new["lost_records"])
