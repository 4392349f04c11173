"""The right to sync a device: one sync of a device at a time, in this process and in every other one on this computer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrostep.archive.data_dir import DataDir
from retrostep.archive.durable_files import acquire_lock, make_folder
from retrostep.archive.identifiers import device_name
from retrostep.errors import SyncRunning

_ports: dict[Path, str] = {}
"""The ports of the devices that this process has locked, by lock file."""
_ports_lock = threading.Lock()


@contextmanager
def device_lock(data_dir: DataDir, device: str, port: str) -> Iterator[None]:
    """Hold the right to sync `device`, which is at `port`, into `data_dir`. Raises SyncRunning where another sync has it.

    Where that is another port of this process, the error names it: two boards may have the same name.
    """
    path = data_dir.incoming / f"{device_name(device)}.lock"
    make_folder(path.parent)
    with _ports_lock:
        other = _ports.get(path)
        if other is None:
            _ports[path] = port
    if other is not None:
        raise SyncRunning(
            f"The boards at {port} and {other} both call themselves {device}, and the one at {other} is being synced. If it is one board "
            "on two cables, all is well. If they are two boards, unplug one of them and sync again."
        )
    try:
        lock = acquire_lock(path, 0)
        if lock is None:
            raise SyncRunning(f"Another program is syncing {device}: wait until it is done, then sync again.")
        try:
            yield
        finally:
            lock.release()
    finally:
        with _ports_lock:
            del _ports[path]
