"""Logs on flash: on a board's own LittleFS where the interpreter has it, in a temporary folder otherwise."""

import os
import struct
from binascii import crc32

from hal.store import LogStore
from retrostep_core.log import decoded, records
from support.disk import ON_LITTLEFS, Disk, numbers


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
    store = LogStore(disk.root)
    assert numbers(store) == [] and store.open_number == 0
    number = store.next_session()
    file = store.create(number)
    assert store.open_number == number
    file.write(b"RSL\x01")
    file.write(memoryview(bytearray(b"abcdef"))[:3])
    file.flush()
    assert store.size(number) == 7
    file.write(b"later")
    assert store.size(number) == 7, "unflushed bytes do not count"
    assert read(store, number) == b"RSL\x01abc"
    file.close()
    assert store.open_number == 0 and numbers(store) == [number]
    assert read(store, number) == b"RSL\x01abclater"
    assert disk.names() == ["%08d.rsl" % number]


def test_reading_in_parts_and_past_the_end():
    disk = Disk()
    store = LogStore(disk.root)
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
    store = LogStore(disk.root)
    file = store.create(1)
    for round in range(5):
        file.write(bytes([round]) * 300)
        file.flush()
        assert read(store, 1) == b"".join([bytes([i]) * 300 for i in range(round + 1)])
    file.close()


def test_numbers_rise_over_boots_and_are_never_used_twice():
    disk = Disk()
    given = []
    boots = []
    for _ in range(4):
        store = LogStore(disk.root)
        boots.append(store.boot)
        for _ in range(3):
            given.append(store.next_session())
        disk.cut()
    assert given == list(range(1, 13))
    assert boots == [1, 2, 3, 4]
    assert not store.state_damaged


def test_damaged_state_is_replaced_by_what_the_logs_say():
    disk = Disk()
    store = LogStore(disk.root)
    payload = bytearray(255)
    n = records.pack_header(payload, (0, 1, 0), bytes(8), 41, 17, 0, 1, 0, 1, "+y+z+x", bytes(24), "RS-1", "B", 77)
    record = bytearray(300)
    size = decoded.pack_record(record, records.HEADER, 0, payload[:n])
    write(store, 41, records.MAGIC + record[:size])
    for broken in (b"", b"short", b"\xff" * 12, struct.pack("<III", 3, 2, 1)):
        disk.put("state.bin", broken)
        store = LogStore(disk.root)
        assert store.state_damaged
        assert store.boot == 18 and store.next_session() == 42
        assert store.generation not in (0, 77), "session 42 of generation 77 may be synced and erased by now"
        generation = store.generation
        disk.cut()
        assert LogStore(disk.root).generation == generation


def test_state_that_lags_behind_the_logs_never_gives_a_number_twice():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 9, b"RSL\x01")
    body = struct.pack("<II", 5, 3)
    disk.put("state.bin", body + struct.pack("<I", crc32(body)))
    store = LogStore(disk.root)
    assert store.boot == 6 and store.next_session() == 10
    assert store.generation == 0, "a state without the field is of generation 0, and the device keeps it"
    disk.cut()
    assert LogStore(disk.root).generation == 0 and not store.state_damaged


def test_a_device_has_one_generation_until_its_flash_is_erased():
    disk = Disk()
    generations = set()
    for _ in range(3):
        generations.add(LogStore(disk.root).generation)
        disk.cut()
    assert len(generations) == 1
    disk.put("state.bin", b"\xff" * 16)
    generations.add(LogStore(disk.root).generation)
    assert len(generations) == 2, "an erased flash starts a new generation"
    for _ in range(3):
        generations.add(LogStore(Disk().root).generation)
    assert len(generations) == 5 and min(generations) > 0 and max(generations) < 1 << 30


def test_a_confirmed_log_may_go_and_an_unconfirmed_one_never():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 1, b"first")
    write(store, 2, b"second")
    assert store.unsynced == 2
    assert raises(ValueError, lambda: store.erase(1))
    store.confirm(1, 5)
    assert store.confirmed(1) and not store.confirmed(2) and store.unsynced == 1
    store = LogStore(disk.root)
    assert store.confirmed(1) and store.unsynced == 1
    store.erase(1)
    assert numbers(store) == [2] and disk.names() == ["00000002.rsl"]
    assert raises(ValueError, lambda: store.erase(2))
    assert read(store, 2) == b"second"


def test_unsynced_logs_are_closed_and_not_confirmed():
    disk = Disk()
    store = LogStore(disk.root)
    for session in range(1, 6):
        write(store, session, b"data")
        assert store.unsynced == session
    for session in (2, 4):
        store.confirm(session, 4)
    assert store.unsynced == 3
    file = store.create(6)
    assert store.unsynced == 3, "an open log does not count"
    file.write(b"data")
    file.close()
    assert store.unsynced == 4
    store.erase(2)
    assert store.unsynced == 4 and LogStore(disk.root).unsynced == 4


def test_nothing_is_erased_from_an_unreadable_file_system():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 1, b"data")
    store.confirm(1, 4)
    store.create(2).close()
    store.unreadable = True
    assert raises(OSError, lambda: store.erase(1)) and raises(OSError, lambda: store.erase(2))
    assert raises(OSError, lambda: store.confirm(2, 0))
    assert numbers(store) == [1, 2] and disk.names() == ["00000001.rsc", "00000002.rsl"]


def test_a_confirmation_holds_for_the_complete_log_only():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 1, b"0123456789")
    for length in (4, 11):
        store.confirm(1, length)
        assert not store.confirmed(1)
    store.confirm(1, 10)
    assert store.confirmed(1)
    file = store.append(1)
    file.write(b"more")
    file.close()
    assert not store.confirmed(1) and not LogStore(disk.root).confirmed(1)


def test_a_log_that_was_read_before_it_grew_is_read_to_its_new_end():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 1, b"good")
    assert store.size(1) == 4 and read(store, 1) == b"good" and store.size(1) == 4
    file = store.append(1)
    file.write(b"|more")
    file.close()
    assert store.size(1) == 9 and read(store, 1) == b"good|more"
    assert raises(OSError, lambda: store.size(2))


def test_appending_leaves_what_is_there():
    disk = Disk()
    store = LogStore(disk.root)
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
    store = LogStore(disk.root)
    store.create(1).close()
    store.erase(1)
    assert numbers(store) == []


def test_a_log_is_never_created_twice():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 1, b"kept")
    assert raises(OSError, lambda: store.create(1))
    assert read(store, 1) == b"kept"


def test_files_of_others_are_left_alone():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 1, b"ours")
    theirs = ("notes.txt", "1.rsl", "0000000x.rsl", "00000002.tmp", "00000000.rsl", "00000009.rsl")
    for name in theirs:
        disk.put("logs/00000000/" + name, b"theirs")
    store = LogStore(disk.root)
    assert numbers(store) == [1]
    while store.tend():
        assert numbers(store) == [1]
    assert all(name in disk.names() for name in theirs)


def test_what_was_flushed_survives_a_cut():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = LogStore(disk.root)
    file = store.create(store.next_session())
    file.write(b"promised")
    file.flush()
    file.write(b"not promised")
    disk.cut()
    after = LogStore(disk.root)
    assert after.boot == 2
    assert read(after, 1) == b"promised"


def test_a_full_flash_is_an_error_and_the_logs_stay():
    if not ON_LITTLEFS:
        return
    disk = Disk(24)
    store = LogStore(disk.root)
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
    after = LogStore(disk.root)
    assert read(after, 1) == b"before" and after.size(2) % 1000 == 0


def test_free_bytes_follow_what_is_written():
    disk = Disk()
    store = LogStore(disk.root)
    file = store.create(1)
    store.count_free()
    free = store.free_bytes()
    assert free > 0
    file.write(bytes(3000))
    assert store.free_bytes() == free - 3000
    file.close()


def test_the_tail_is_read_and_survives_a_cut():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = LogStore(disk.root)
    file = store.create(store.next_session())
    data = bytes([i % 251 for i in range(700)])
    file.write(data[:200])
    file.flush()
    for kept, count in ((0, 50), (50, 116), (116, 130), (130, 400)):
        assert file.write_tail(memoryview(data)[200 : 200 + count], kept)
        assert store.size(1) == 200 + count
        assert read(store, 1) == data[: 200 + count] and read(store, 1, 190, 300) == data[190:490][: 10 + count]
        assert read(store, 1, 340, 40) == data[340:380][: max(0, count - 140)]
    disk.cut()
    store = LogStore(disk.root)
    assert read(store, 1) == data[:600] and store.tail_session == 0
    disk.cut()
    assert read(LogStore(disk.root), 1) == data[:600], "it is not appended twice"


def test_a_tail_without_room_in_its_log_stays_with_its_session():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = LogStore(disk.root)
    file = store.create(store.next_session())
    assert file.write_tail(memoryview(b"promised"), 0)
    honest = LogStore._append_tail

    def full(self):
        if self.tail_session:
            raise OSError(28)

    LogStore._append_tail = full
    try:
        disk.cut()
        store = LogStore(disk.root)
        assert store.write_failed and store.tail_session == 1
        assert store.size(1) == 8 and read(store, 1) == b"promised" and read(store, 1, 3, 2) == b"mi" and read(store, 1, 8) == b""
        assert raises(OSError, lambda: store.append(1))
        other = store.create(store.next_session())
        assert not other.write_tail(memoryview(b"other log"), 0)
        other.write(b"other log")
        other.flush()
        other.close()
        assert store.size(1) == 8 and read(store, 1) == b"promised"
        assert raises(ValueError, lambda: store.erase(1))
        store.confirm(1, 8)
        assert store.confirmed(1) and not store.confirmed(2)
        disk.cut()
        assert LogStore(disk.root).confirmed(1)
    finally:
        LogStore._append_tail = honest
    disk.cut()
    store = LogStore(disk.root)
    assert store.tail_session == 0 and store.confirmed(1)
    assert read(store, 1) == b"promised" and read(store, 2) == b"other log"


def test_a_log_that_its_file_did_not_take_is_synced_and_erased():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = LogStore(disk.root)
    file = store.create(store.next_session())
    data = bytes([i % 251 for i in range(420)])
    file.write(data[:120])
    file.flush()
    assert file.write_tail(memoryview(data)[120:], 0)
    honest = LogStore._append_tail
    LogStore._append_tail = lambda self: None
    try:
        file.close()
        assert store.open_number == 0 and store.tail_session == 1
        assert store.size(1) == 420 and read(store, 1) == data and read(store, 1, 100, 200) == data[100:300]
        assert read(store, 1, 300) == data[300:] and read(store, 1, 420) == b"" and store.size(1) == 420
        store.confirm(1, 420)
        assert store.confirmed(1)
        store.erase(1)
        assert store.tail_session == 0 and numbers(store) == []
        disk.cut()
        store = LogStore(disk.root)
        assert store.tail_session == 0 and store.next_session() == 2
        other = store.create(2)
        assert other.write_tail(memoryview(b"the tail is free"), 0)
    finally:
        LogStore._append_tail = honest


def test_a_torn_or_foreign_tail_adds_nothing():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 1, b"whole")
    for session, offset, data in ((1, 4, b"!"), (1, 6, b"!"), (2, 5, b"!"), (1, 5, b"")):
        body = struct.pack("<II", session, offset) + data
        disk.put("tail/0", body + struct.pack("<I", crc32(body)))
        assert read(LogStore(disk.root), 1) == b"whole"
    for broken in (b"", b"x" * 7, b"x" * 60, b"x" * 4000):
        disk.put("tail/0", broken)
        assert read(LogStore(disk.root), 1) == b"whole"


def test_an_unreadable_flash_is_not_written():
    disk = Disk()
    write(LogStore(disk.root), 1, b"kept")
    os.rename(disk.root + "/logs", disk.root + "/elsewhere")
    disk.put("logs", b"no folder")
    with open(disk.root + "/state.bin", "rb") as file:
        state = file.read()
    store = LogStore(disk.root)
    assert store.unreadable and numbers(store) == []
    assert raises(OSError, store.next_session) and raises(OSError, lambda: store.append(1))
    with open(disk.root + "/state.bin", "rb") as file:
        assert file.read() == state


def test_numbers_of_more_digits_and_of_folders_are_taken():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 99999999, b"long ago")
    store = LogStore(disk.root)
    number = store.next_session()
    write(store, number, b"ours")
    assert number == 100000000
    os.mkdir(disk.root + "/logs/100000000/100000001.rsl")
    store = LogStore(disk.root)
    assert numbers(store) == [99999999, 100000000] and store.next_session() == 100000002


def tend(store):
    slices = 0
    while store.tend():
        slices += 1
        assert slices < 100
    return slices


def test_the_next_log_is_created_ahead_and_is_no_log_before_its_session():
    disk = Disk()
    store = LogStore(disk.root)
    assert tend(store) and not tend(store)
    assert disk.names() == ["00000001.rsl"] and numbers(store) == [] and store.unsynced == 0
    for _ in range(2):
        disk.cut()
        store = LogStore(disk.root)
        assert numbers(store) == [] and not tend(store), "a restart uses it again"
    assert store.next_session() == 1
    write(store, 1, b"first")
    assert read(store, 1) == b"first" and numbers(store) == [1]
    file = store.create(store.next_session())
    assert not store.tend(), "nothing is done while a log is open"
    file.write(b"second")
    file.close()
    tend(store)
    disk.cut()
    store = LogStore(disk.root)
    assert numbers(store) == [1, 2] and store.next_session() == 3


def test_a_log_whose_only_bytes_are_in_the_tail_is_not_taken_for_an_empty_one():
    if not ON_LITTLEFS:
        return
    disk = Disk()
    store = LogStore(disk.root)
    tend(store)
    file = store.create(store.next_session())
    assert file.write_tail(memoryview(b"promised"), 0)
    disk.cut()
    store = LogStore(disk.root)
    assert numbers(store) == [1] and read(store, 1) == b"promised" and store.next_session() == 2


def test_confirmed_logs_and_empty_folders_make_room_and_unconfirmed_logs_stay():
    disk = Disk()
    store = LogStore(disk.root)
    for _ in range(20):
        session = store.next_session()
        write(store, session, b"log %d" % session)
        if session not in (3, 20):
            store.confirm(session, store.size(session))
    store.free_bytes = lambda: 20000
    tend(store)
    store = LogStore(disk.root)
    assert numbers(store) == [3, 20] and read(store, 3) == b"log 3" and read(store, 20) == b"log 20"
    assert sorted(os.listdir(disk.root + "/logs")) == ["00000000", "00000016"]


def old_layout(disk):
    """Logs as older firmware stored them: 1 and 2 are confirmed, 3 was when it was shorter, 4 never, 5 has a torn confirmation."""
    os.mkdir(disk.root + "/sessions")
    for session in range(1, 13):
        disk.put("sessions/%08d.rsl" % session, b"log %d" % session)
    for session, length, crc in ((1, 5, 0), (2, 5, 0), (3, 4, 0), (5, 5, 1), (9, 5, 0)):
        body = struct.pack("<II", length, 7)
        disk.put("sessions/%08d.ok" % session, body + struct.pack("<I", crc32(body) ^ crc))
    os.remove(disk.root + "/sessions/00000009.rsl")
    disk.put("sessions/notes.txt", b"of others")


def test_logs_of_the_old_folder_are_there_at_once_and_move():
    disk = Disk()
    LogStore(disk.root)
    old_layout(disk)
    store = LogStore(disk.root)
    expected = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]
    assert numbers(store) == expected and store.next_session() == 13
    moves = 0
    while store.tend():
        moves += 1
        assert numbers(store) == expected
        for session in expected:
            assert read(store, session) == b"log %d" % session
        if moves == 7:
            disk.cut()
            store = LogStore(disk.root)
    for _ in range(2):
        assert [session for session in expected if store.confirmed(session)] == [1, 2]
        assert disk.names("sessions") == ["notes.txt"]
        assert disk.names("logs/00000008")[1:4] == ["00000010.rsl", "00000011.rsl", "00000012.rsl"]
        store = LogStore(disk.root)


def test_a_log_of_the_old_folder_can_be_continued_confirmed_and_erased_before_it_has_moved():
    disk = Disk()
    LogStore(disk.root)
    old_layout(disk)
    store = LogStore(disk.root)
    file = store.append(12)
    file.write(b"|end")
    file.close()
    store.confirm(12, store.size(12))
    assert store.confirmed(12) and read(store, 12) == b"log 12|end"
    store.erase(12)
    assert raises(ValueError, lambda: store.erase(4))
    store = LogStore(disk.root)
    assert numbers(store)[-1] == 11 and read(store, 4) == b"log 4"


def test_a_log_never_replaces_another_one_when_it_moves():
    disk = Disk()
    store = LogStore(disk.root)
    write(store, 5, b"the new one")
    old_layout(disk)
    store = LogStore(disk.root)
    tend(store)
    assert read(store, 5) == b"the new one"
    with open(disk.root + "/sessions/00000005.rsl", "rb") as file:
        assert file.read() == b"log 5", "the old one stays for a rescue"
