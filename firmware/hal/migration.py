"""Moves logs from /sessions, where older firmware wrote them, to the folders of /logs. Imported only while there are some.

A rename is one step for LittleFS, so a power cut leaves each log in one of the two places. The next start continues.
"""

import os
import struct
from binascii import crc32

from retrostep_core.constants import const

from hal.folder import entries

# As in hal/log_index.py.
_PRESENT = const(1)
_CONFIRMED = const(2)
_OLD_PLACE = const(4)
# .ok: length and CRC of the log, and a CRC.
_OK_BYTES = const(8)


def move_one(store: object, root: str, index: object) -> bool:
    """Move the oldest log and remove its confirmation; False if no log is left. OSError where the flash is full or fails."""
    session = index.following(0, _OLD_PLACE)
    if not session:
        return False
    move(store, root, index, session, _was_confirmed(store, root, session))
    try:
        os.remove(_ok_path(root, session))
    except OSError:
        # There was none.
        return True
    return True


def move(store: object, root: str, index: object, session: int, confirmed: bool) -> None:
    """Move one log, and mark it as `confirmed`. Its .ok file stays: without its log it does no harm. OSError where the flash fails."""
    before = store.path(session)
    store.make_folder(session)
    os.rename(before, store.path(session, _PRESENT | _CONFIRMED if confirmed else _PRESENT))
    index.put(session, _PRESENT | _CONFIRMED if confirmed else _PRESENT)


def tidy(root: str, next_session: int) -> bool:
    """Remove one old confirmation, then the old folder once it is empty; False if nothing of ours is left. Files of others stay."""
    folder = root + "/sessions"
    try:
        for entry in entries(folder):
            name = entry[0]
            number = name[:-3]
            if name.endswith(".ok") and number.isdigit() and int(number) < next_session:
                os.remove("%s/%s" % (folder, name))
                return True
        os.rmdir(folder)
    except OSError:
        # It has files of others, or it is gone.
        return False
    return False


def _ok_path(root: str, session: int) -> str:
    return "%s/sessions/%08d.ok" % (root, session)


def _was_confirmed(store: object, root: str, session: int) -> bool:
    """Whether a host has archived all of the log, by its .ok file."""
    try:
        with open(_ok_path(root, session), "rb") as file:
            data = file.read(_OK_BYTES + 5)
    except OSError:
        return False
    if len(data) != _OK_BYTES + 4 or crc32(data[:_OK_BYTES]) != struct.unpack_from("<I", data, _OK_BYTES)[0]:
        return False
    return struct.unpack_from("<I", data)[0] == store.size(session)
