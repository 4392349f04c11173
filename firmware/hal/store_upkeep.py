"""Work on the flash between sessions: create the next log ahead, and free space. Unloaded during a session, to save RAM."""

import os

from retrostep_core.constants import const

from hal import unload

# As in hal/log_index.py.
_PRESENT = const(1)
_FOLDER_SESSIONS = const(8)
# Confirmed logs are erased, oldest first, to keep an eighth of the flash free and no more logs than this.
_LOGS_WANTED = const(128)
# The next log is created ahead only with so much free flash: it may need a new folder.
_AHEAD_BYTES = const(16384)


def step(store: object) -> bool:
    """Do one slice of the work on `store` (hal/store.py's LogStore); False if there was none. OSError where the flash fails."""
    return _prepare(store) or _move_old_log(store) or _make_room(store)


def _prepare(store: object) -> bool:
    """One slice of what the next session needs: its number, its folder, its log."""
    if store.ahead or store.free_bytes() < _AHEAD_BYTES:
        return False
    if not store.reserved:
        store.reserve()
    elif store.folder_made != store.reserved // _FOLDER_SESSIONS:
        store.make_folder(store.reserved)
    else:
        open(store.path(store.reserved, _PRESENT), "ab").close()
        store.ahead = store.reserved
    return True


def _move_old_log(store: object) -> bool:
    """Move one log from the old folder. Imported only where there is one."""
    if not store.has_old_logs:
        return False
    from hal import migration

    if not migration.move_one(store, store.root, store.index) and not migration.tidy(store.root, store.next_number):
        unload("migration folder", "hal.")
        store.has_old_logs = False
        store.must_count = True
    return True


def _make_room(store: object) -> bool:
    """Remove one empty folder or one confirmed log, or count the free space."""
    if store.empty_folders:
        first = store.empty_folders.pop()
        if not store.index.has_folder(first) and first // _FOLDER_SESSIONS < (store.ahead or store.next_number) // _FOLDER_SESSIONS:
            try:
                os.rmdir(store.folder(first))
            except OSError:
                return True  # it holds other files
        return True
    session = store.first_confirmed()
    if session and (store.free_bytes() < store.capacity >> 3 or store.index.count > _LOGS_WANTED):
        store.erase(session)
        return True
    if store.must_count:
        store.count_free()
        return True
    return False
