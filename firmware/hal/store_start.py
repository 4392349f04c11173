"""The start of the store: which logs there are, and the numbers in state.bin. Removed from RAM afterwards."""

import os
import struct
from binascii import crc32

from retrostep_core.constants import const

from hal.folder import FOLDER, entries

# As in hal/log_index.py.
_PRESENT = const(1)
_CONFIRMED = const(2)
_OLD_PLACE = const(4)
_FOLDER_SESSIONS = const(8)
# state.bin: boot, next session and generation, each 4 bytes, and a CRC. Older firmware wrote no generation.
_STATE_BYTES = const(12)
_OLD_STATE_BYTES = const(8)
# 30 bits are a small integer on every board.
_GENERATION_MASK = const(0x3FFFFFFF)
_NUMBER_DIGITS = const(8)


def find_logs(root: str, index: object) -> tuple:
    """Fill `index` in one pass over the folders; (highest session number in any name, whether that log is empty, empty folders).

    OSError where a folder cannot be read.
    """
    folder = root + "/logs"
    _make(folder)
    names = os.listdir(root or "/")
    highest = highest_bytes = 0
    empty = []
    for entry in entries(folder) if "logs" in names else ():
        first = _number(entry[0])
        if first < 0 or first % _FOLDER_SESSIONS or entry[1] != FOLDER or entry[0] != "%08d" % first:
            continue
        is_empty = True
        for name, kind, _, size in entries("%s/%s" % (folder, entry[0])):
            is_empty = False
            session = _session(name, ".rsl") or _session(name, ".rsc")
            if session // _FOLDER_SESSIONS * _FOLDER_SESSIONS != first or not session:
                continue
            if session > highest:
                highest, highest_bytes = session, size
            if kind != FOLDER:
                index.put(session, _PRESENT | _CONFIRMED if name[-1] == "c" and not index.get(session) else _PRESENT)
        if is_empty:
            empty.append(first)
    if "sessions" in names:
        highest = max(highest, _find_old_logs(root + "/sessions", index))
    return highest, highest > 0 and not highest_bytes and index.get(highest) == _PRESENT, empty


def _make(folder: str) -> None:
    """Make the folder of the logs, if there is none.

    This also completes a rename that a power cut interrupted. Until something is written, LittleFS hides another file of that folder.
    """
    try:
        os.mkdir(folder)
    except OSError:
        # There is one, or the flash is full.
        return


def _find_old_logs(folder: str, index: object) -> int:
    """Add the logs of the old folder, where older firmware wrote them. They count as unconfirmed until they are moved."""
    highest = 0
    try:
        found = list(entries(folder))
    except OSError:
        # Not a folder of ours.
        return 0
    for name, kind, _, _ in found:
        session = _session(name, ".rsl")
        highest = max(highest, session)
        if session and kind != FOLDER and not index.get(session):
            index.put(session, _PRESENT | _OLD_PLACE)
    return highest


def _number(name: str) -> int:
    """The number that `name` consists of; -1 if it is none."""
    try:
        return int(name) if len(name) >= _NUMBER_DIGITS else -1
    except ValueError:
        return -1


def _session(name: str, ending: str) -> int:
    """The session number in the name of a log; 0 for another name. Number 0 stands for no session."""
    number = _number(name[:-4]) if name.endswith(ending) else 0
    return number if 0 < number < 0xFFFFFFFF and name == "%08d%s" % (number, ending) else 0


def load_state(store: object, root: str, highest: int) -> tuple:
    """(boot, next session, generation, whether state.bin was damaged); `highest` is the highest session number in use."""
    try:
        with open(root + "/state.bin", "rb") as file:
            data = file.read(_STATE_BYTES + 5)
    except OSError:
        data = b""
    count = len(data) - 4
    if count in (_OLD_STATE_BYTES, _STATE_BYTES) and crc32(data[:count]) == struct.unpack_from("<I", data, count)[0]:
        boot, number = struct.unpack_from("<II", data)
        generation = struct.unpack_from("<I", data, 8)[0] if count == _STATE_BYTES else 0
        return boot, max(number, highest + 1), generation, False
    boot = generation = session = 0
    used = [0]
    while True:
        session = store.following(session)
        if not session:
            break
        header = _header(store, session)
        if header is not None:
            boot = max(boot, header.boot)
            generation = header.generation
            used.append(generation)
    # Which numbers the last generation used is not known: its later logs may be synced and erased. A store that cannot be written
    # uses no more numbers, and stays in the generation of its logs.
    if not store.unreadable:
        generation = int.from_bytes(os.urandom(4), "little") & _GENERATION_MASK
        while generation in used:
            generation = (generation + 1) & _GENERATION_MASK
    return boot, highest + 1, generation, bool(data or highest)


def _header(store: object, session: int) -> object:
    """decoded.Header of a log, or None. Imported here: only a start without a valid state.bin needs the decoder."""
    from retrostep_core.log import decoded, reader, records

    try:
        with open(store.path(session), "rb") as file:
            head = file.read(300)
        for _, kind, _, payload in reader.scan(head):
            if kind == records.HEADER:
                return decoded.decode(kind, payload)
    except (OSError, ValueError):
        return None
    return None
