"""Logs on flash: on a board's own LittleFS where the interpreter has it, in a temporary folder otherwise."""

import os
import struct
from binascii import crc32

from disk import ON_LITTLEFS, Disk
from hal.store import Store
from retrostep_core.log import records


def write(store, session, data):
    file = store.create(session)
    file.write(data)
    file.flush()
    file.close()


def read(store, session, offset=0, length=4096):
    buf = bytearray(length)
    return bytes(buf[: store.read_into(session, offset, buf)])


def raises(kind, what):
    try:
        what()
    except kind:
        return True
    return False


def test_a_log_comes_back_as_it_was_written():
    disk = Disk()
    store = Store(disk.root)
    assert store.numbers() == [] and store.open_number == 0
    number = store.next_session()
    file = store.create(number)
    assert store.open_number == number
    file.write(b"RSL\x01")
    file.write(memoryview(bytearray(b"abcdef"))[:3])
    file.flush()
    assert store.size(number) == 7
    file.write(b"later")
    assert store.size(number) == 7, "what is not flushed is not promised"
    assert read(store, number) == b"RSL\x01abc"
    file.close()
    assert store.open_number == 0 and store.numbers() == [number]
    assert read(store, number) == b"RSL\x01abclater"
    assert disk.names() == ["%08d.rsl" % number]


def test_reading_in_parts_and_past_the_end():
    disk = Disk()
    store = Store(disk.root)
    data = bytes([i % 251 for i in range(5000)])
    write(store, 1, data)
    whole = b""
    while True:
        part = read(store, 1, len(whole), 700)
        if not part:
            break
        whole += part
    assert whole == data
    assert read(store, 1, 5000) == b"" and read(store, 1, 99999) == b""
    assert raises(OSError, lambda: read(store, 2))


def test_a_reader_follows_the_log_that_is_being_written():
    disk = Disk()
    store = Store(disk.root)
    file = store.create(1)
    for round in range(5):
        file.write(bytes([round]) * 300)
        file.flush()
        assert read(store, 1) == b"".join([bytes([i]) * 300 for i in range(round + 1)])
    file.close()


def test_numbers_rise_over_boots_and_are_never_given_again():
    disk = Disk()
    given = []
    boots = []
    for _ in range(4):
        store = Store(disk.root)
        boots.append(store.boot)
        for _ in range(3):
            given.append(store.next_session())
        disk.cut()
    assert given == list(range(1, 13))
    assert boots == [1, 2, 3, 4]
    assert not store.damaged


def test_damaged_state_is_replaced_by_what_the_logs_say():
    disk = Disk()
    store = Store(disk.root)
    payload = bytearray(255)
    n = records.pack_header(payload, (0, 1, 0), bytes(8), 41, 17, 0, 1, 0, 1, "+y+z+x", bytes(24), "RS-1", "B", 77)
    record = bytearray(300)
    size = records.pack_record(record, records.HEADER, 0, payload[:n])
    write(store, 41, records.MAGIC + record[:size])
    for broken in (b"", b"short", b"\xff" * 12, struct.pack("<III", 3, 2, 1)):
        disk.put("state.bin", broken)
        store = Store(disk.root)
        assert store.damaged
        assert store.boot == 18 and store.next_session() == 42
        assert store.life == 77


def test_state_that_lags_behind_the_logs_never_gives_a_number_twice():
    disk = Disk()
    store = Store(disk.root)
    write(store, 9, b"RSL\x01")
    body = struct.pack("<II", 5, 3)
    disk.put("state.bin", body + struct.pack("<I", crc32(body)))
    store = Store(disk.root)
    assert store.boot == 6 and store.next_session() == 10
    assert store.life == 0, "the state is of before there were lives, and the device goes on in its own"
    disk.cut()
    assert Store(disk.root).life == 0 and not store.damaged


def test_a_device_has_one_life_until_its_flash_is_erased():
    disk = Disk()
    lives = set()
    for _ in range(3):
        lives.add(Store(disk.root).life)
        disk.cut()
    assert len(lives) == 1
    disk.put("state.bin", b"\xff" * 16)
    lives.add(Store(disk.root).life)
    assert len(lives) == 2, "nothing tells which life it was, and numbers begin anew"
    for _ in range(3):
        lives.add(Store(Disk().root).life)
    assert len(lives) == 5 and min(lives) > 0 and max(lives) < 1 << 30


def test_a_confirmed_log_may_go_and_an_unconfirmed_one_never():
    disk = Disk()
    store = Store(disk.root)
    write(store, 1, b"first")
    write(store, 2, b"second")
    assert store.unsynced == 2
    assert raises(ValueError, lambda: store.erase(1))
    store.confirm(1, 5, crc32(b"first"))
    assert store.confirmed(1) and not store.confirmed(2) and store.unsynced == 1
    store = Store(disk.root)
    assert store.confirmed(1) and store.unsynced == 1
    store.erase(1)
    assert store.numbers() == [2] and disk.names() == ["00000002.rsl"]
    assert raises(ValueError, lambda: store.erase(2))
    assert read(store, 2) == b"second"


def test_a_confirmation_holds_for_the_whole_log_only():
    disk = Disk()
    store = Store(disk.root)
    write(store, 1, b"0123456789")
    store.confirm(1, 4, crc32(b"0123"))
    assert not store.confirmed(1)
    store.confirm(1, 10, crc32(b"0123456789"))
    assert store.confirmed(1)
    file = store.append(1)
    file.write(b"more")
    file.close()
    assert not store.confirmed(1) and not Store(disk.root).confirmed(1)


def test_a_torn_confirmation_confirms_nothing():
    disk = Disk()
    store = Store(disk.root)
    write(store, 1, b"data")
    store.confirm(1, 4, crc32(b"data"))
    for broken in (b"", b"\x04\0\0\0", bytes(12)):
        disk.put("sessions/00000001.ok", broken)
        assert not Store(disk.root).confirmed(1)


def test_a_log_that_was_read_before_it_grew_is_read_to_its_new_end():
    disk = Disk()
    store = Store(disk.root)
    write(store, 1, b"good")
    assert store.size(1) == 4 and read(store, 1) == b"good" and store.size(1) == 4
    file = store.append(1)
    file.write(b"|more")
    file.close()
    assert store.size(1) == 9 and read(store, 1) == b"good|more"
    assert raises(OSError, lambda: store.size(2))


def test_appending_leaves_what_is_there():
    disk = Disk()
    store = Store(disk.root)
    write(store, 1, b"good and torn")
    assert not store.truncate(1, 4)
    assert store.truncate(1, 13)
    file = store.append(1)
    assert store.open_number == 1
    file.write(b"|end")
    file.flush()
    assert read(store, 1) == b"good and torn|end"
    file.close()


def test_an_empty_log_can_be_cleared_away():
    disk = Disk()
    store = Store(disk.root)
    store.create(1).close()
    store.erase(1)
    assert store.numbers() == []


def test_a_log_is_never_begun_anew():
    disk = Disk()
    store = Store(disk.root)
    write(store, 1, b"kept")
    assert raises(OSError, lambda: store.create(1))
    assert read(store, 1) == b"kept"


def test_files_of_others_are_left_alone():
    disk = Disk()
    store = Store(disk.root)
    write(store, 1, b"ours")
    for name in ("sessions/notes.txt", "sessions/1.rsl", "sessions/0000000x.rsl", "sessions/00000002.tmp", "sessions/00000000.rsl"):
        disk.put(name, b"theirs")
    store = Store(disk.root)
    assert store.numbers() == [1]


def test_what_was_flushed_survives_a_cut():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = Store(disk.root)
    file = store.create(store.next_session())
    file.write(b"promised")
    file.flush()
    file.write(b"not promised")
    disk.cut()
    after = Store(disk.root)
    assert after.boot == 2
    assert read(after, 1) == b"promised"


def test_a_full_flash_is_an_error_and_the_logs_stay():
    if not ON_LITTLEFS:
        return
    disk = Disk(24)
    store = Store(disk.root)
    write(store, store.next_session(), b"before")
    file = store.create(store.next_session())
    free = store.free_bytes()

    def fill():
        while True:
            file.write(bytes(1000))
            file.flush()

    assert raises(OSError, fill)
    assert store.free_bytes() < free
    try:
        file.close()
    except OSError:
        assert store.open_number == 0
    assert store.open_number == 0
    assert read(store, 1) == b"before"
    after = Store(disk.root)
    assert read(after, 1) == b"before" and after.size(2) % 1000 == 0


def test_free_bytes_follow_what_is_written():
    disk = Disk()
    store = Store(disk.root)
    free = store.free_bytes()
    assert free > 0
    file = store.create(1)
    file.write(bytes(3000))
    assert store.free_bytes() == free - 3000
    file.close()


def test_what_the_tail_keeps_is_read_and_outlasts_a_cut():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = Store(disk.root)
    file = store.create(store.next_session())
    data = bytes([i % 251 for i in range(700)])
    file.write(data[:200])
    file.flush()
    for kept, count in ((0, 50), (50, 116), (116, 130), (130, 400)):
        assert file.keep(memoryview(data)[200 : 200 + count], kept)
        assert store.size(1) == 200 + count
        assert read(store, 1) == data[: 200 + count] and read(store, 1, 190, 300) == data[190:490][: 10 + count]
        assert read(store, 1, 340, 40) == data[340:380][: max(0, count - 140)]
    disk.cut()
    store = Store(disk.root)
    assert read(store, 1) == data[:600] and store.tail_of == 0
    disk.cut()
    assert read(Store(disk.root), 1) == data[:600], "it is not appended twice"


def test_a_tail_that_has_no_room_in_its_log_yet_is_nobody_elses():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = Store(disk.root)
    file = store.create(store.next_session())
    assert file.keep(memoryview(b"promised"), 0)
    settle = Store._settle

    def full(self):
        if self.tail_of:
            raise OSError(28)

    Store._settle = full
    try:
        disk.cut()
        store = Store(disk.root)
        assert store.stuck and store.tail_of == 1
        assert raises(OSError, lambda: store.confirm(1, 0, 0)), "it only looks empty"
        assert raises(OSError, lambda: store.append(1))
        other = store.create(store.next_session())
        assert not other.keep(memoryview(b"another's"), 0)
        other.write(b"another's")
        other.flush()
        other.close()
    finally:
        Store._settle = settle
    disk.cut()
    store = Store(disk.root)
    assert read(store, 1) == b"promised" and read(store, 2) == b"another's"


def test_a_torn_or_foreign_tail_adds_nothing():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = Store(disk.root)
    write(store, 1, b"whole")
    for session, offset, data in ((1, 4, b"!"), (1, 6, b"!"), (2, 5, b"!"), (1, 5, b"")):
        body = struct.pack("<II", session, offset) + data
        disk.put("tail/0", body + struct.pack("<I", crc32(body)))
        assert read(Store(disk.root), 1) == b"whole"
    for broken in (b"", b"x" * 7, b"x" * 60, b"x" * 4000):
        disk.put("tail/0", broken)
        assert read(Store(disk.root), 1) == b"whole"


def test_a_flash_that_cannot_be_read_whole_is_left_as_it_is():
    disk = Disk()
    write(Store(disk.root), 1, b"kept")
    os.rename(disk.root + "/sessions", disk.root + "/elsewhere")
    disk.put("sessions", b"no folder")
    with open(disk.root + "/state.bin", "rb") as file:
        state = file.read()
    store = Store(disk.root)
    assert store.broken and store.numbers() == []
    assert raises(OSError, store.next_session) and raises(OSError, lambda: store.append(1))
    with open(disk.root + "/state.bin", "rb") as file:
        assert file.read() == state


def test_numbers_of_more_digits_and_of_folders_are_taken():
    disk = Disk()
    store = Store(disk.root)
    write(store, 99999999, b"long ago")
    store = Store(disk.root)
    number = store.next_session()
    write(store, number, b"ours")
    assert number == 100000000
    os.mkdir(disk.root + "/sessions/100000001.rsl")
    store = Store(disk.root)
    assert store.numbers() == [99999999, 100000000] and store.next_session() == 100000002
