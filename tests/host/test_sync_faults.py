"""Sessions reach the archive and the store whole, once, and are confirmed only when they are safe."""

import errno
import os
import random
import struct
import time
from pathlib import Path

import pytest
from filelock import FileLock
from retrostep.archive import raw_logs as raw_module
from retrostep.archive.raw_logs import RawLogs
from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.errors import ClockBehind, DiskFull, LinkLost, NotFound, OtherCore, RetrostepError, SyncRunning, UnsafeName
from retrostep.sync.session_transfer import SessionTransfer
from retrostep.sync.sync import SyncResult, contents, sync_board
from retrostep_core.link import frames, messages, payloads
from support.fake_board import DEVICE, FakeBoard, Noise
from support.logs import at, session_log

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'home' / 'store.sqlite'}")


@pytest.fixture
def fake(tmp_path: Path) -> FakeBoard:
    """A board with three sessions; the second is too long for one request."""
    board = FakeBoard(tmp_path / "flash")
    for number, log in LOGS.items():
        board.put(number, log)
    return board


LOGS = {
    1: session_log(1, forward_s=300),
    2: session_log(2, forward_s=6000, backward_s=2400, boot=2),
    3: session_log(3, forward_s=400, backward_s=60, boot=2, start_ticks_ms=20_000_000),
}


def sync(fake: FakeBoard, store: Store, **kwargs) -> SyncResult:  # type: ignore[no-untyped-def]
    return sync_board(DeviceClient(fake), store, **kwargs)


def outcomes(result: SyncResult) -> dict[int, str]:
    return {session.session: session.outcome for session in result.sessions}


def reads(fake: FakeBoard) -> list[bytes]:
    return [line for line in fake.asked if b" READ " in line]


def assert_all_is_well(fake: FakeBoard, store: Store, logs: dict[int, bytes]) -> None:
    """Every log is archived as it was, stored, confirmed, and nothing is left lying about."""
    assert {log.session: log.path.read_bytes() for log in store.raw.all() if log.device == DEVICE} == logs
    assert {row.number for row, _ in store.sessions()} == set(logs)
    assert all(fake.flash.confirmed(number) for number in logs)
    assert not list(store.data_dir.incoming.rglob("*.part"))


def test_everything_is_received_once(fake: FakeBoard, store: Store) -> None:
    first = sync(fake, store)
    assert outcomes(first) == {1: "received", 2: "received", 3: "received"}
    assert first.received_bytes == sum(map(len, LOGS.values())) and first.exit_status == 0
    assert_all_is_well(fake, store, LOGS)
    fake.asked.clear()
    again = sync(fake, store)
    assert outcomes(again) == {1: "had", 2: "had", 3: "had"}
    assert again.received_bytes == 0 and reads(fake) == []


def test_a_board_differs_once_there_is_something_to_sync(fake: FakeBoard, store: Store) -> None:
    sync(fake, store)
    after = contents(DeviceClient(fake).hello())
    sync(fake, store)
    assert contents(DeviceClient(fake).hello()) == after, "a look and a sync without news change nothing"
    fake.put(4, session_log(4, boot=2, start_ticks_ms=30_000_000))
    assert contents(DeviceClient(fake).hello()) != after


def test_progress_rises_to_the_end(fake: FakeBoard, store: Store) -> None:
    calls: list[tuple[int, int]] = []
    sync(fake, store, progress=lambda what, done, total: calls.append((done, total)))
    total = sum(map(len, LOGS.values()))
    assert calls == sorted(calls) and calls[-1] == (total, total) and len(calls) > 6


def test_the_clock_is_set_and_dates_the_sessions_of_that_boot(fake: FakeBoard, store: Store) -> None:
    fake.flash.boot = 2
    now = at("2026-11-20 18:00") / 1000
    result = sync(fake, store, now_s=lambda: now)
    assert result.clock_set_ms == at("2026-11-20 18:00") and result.clock_was_off_ms is None
    dated = {row.number: row.dated for row, _ in store.sessions()}
    assert dated[2] == dated[3] == "measured" and dated[1] != "measured"
    assert sync(fake, store, now_s=lambda: now - 3600).clock_was_off_ms == pytest.approx(3_600_000, abs=2_000)


def test_a_computer_whose_clock_is_put_right_dates_what_came_before(fake: FakeBoard, store: Store) -> None:
    """A week back at the first sync, as a computer without a battery for its clock; right at the next one."""
    fake.flash.boot = 2
    fake.wearable.clock.began -= 86_400  # on for a day: its sessions are over
    now_s = time.time()
    sync(fake, store, now_s=lambda: now_s - 7 * 86_400)
    result = sync(fake, store, now_s=lambda: now_s)
    assert result.clock_was_off_ms == pytest.approx(-7 * 86_400_000, abs=2_000)
    now_ms, ticks_ms = int(now_s * 1_000), fake.wearable.clock.ticks_ms()
    for row in (row for row, _ in store.sessions() if row.boot == 2):
        assert row.dated == "measured" and row.started_at_ms == pytest.approx(now_ms - ticks_ms + row.start_ticks_ms, abs=2_000)
    store.rebuild()
    assert [row.dated for row, _ in store.sessions() if row.boot == 2] == ["measured", "measured"]


@pytest.mark.parametrize("now_s", [86_400.0, 5e9])
def test_a_wrong_computer_clock_is_not_passed_on(fake: FakeBoard, store: Store, now_s: float) -> None:
    result = sync(fake, store, now_s=lambda: now_s)
    assert result.clock_set_ms is None and "This computer's clock is wrong" in str(result.warnings[0])
    assert fake.wearable.clock.epoch_ms() == 0
    assert_all_is_well(fake, store, LOGS)


def test_the_result_names_the_athlete(fake: FakeBoard, store: Store) -> None:
    store.add_athlete("Ada")
    store.assign(DEVICE, "Ada")
    assert sync(fake, store).athlete == "Ada"


def test_another_core_is_a_warning_and_is_synced(tmp_path: Path, store: Store) -> None:
    fake = FakeBoard(tmp_path / "flash", core=b"\1\2\3\4\5\6\7\x08")
    fake.put(1, LOGS[1])
    result = sync(fake, store)
    assert result.core == "other" and result.exit_status == 0
    [warning] = result.warnings
    assert "runs another firmware version (0.1.0, 0102030405060708)" in str(warning)
    assert isinstance(warning, OtherCore) and warning.facts == {"board": "VIRTUAL", "port": "/dev/fake"}
    assert_all_is_well(fake, store, {1: LOGS[1]})


def test_a_noisy_line_brings_the_same_bytes(tmp_path: Path, store: Store) -> None:
    noise = Noise(drop=1e-4, flip=1e-4, double=1e-4, hold=0.01)
    fake = FakeBoard(tmp_path / "flash", seed=5, down=noise, up=Noise(drop=2e-3, flip=2e-3, double=2e-3))
    for number, log in LOGS.items():
        fake.put(number, log)
    assert set(outcomes(sync(fake, store)).values()) == {"received"}
    assert_all_is_well(fake, store, LOGS)


def test_a_cable_pulled_anywhere_loses_nothing_and_is_resumed(tmp_path: Path) -> None:
    """Pulled after different numbers of bytes: each sync resumes where the one before it stopped."""
    total = sum(map(len, LOGS.values()))
    chance = random.Random(7)
    for cut in [*range(0, total + 3000, 3301), *(chance.randrange(total) for _ in range(5))]:
        home = tmp_path / str(cut)
        fake = FakeBoard(tmp_path / f"flash{cut}", cut_after=cut)
        for number, log in LOGS.items():
            fake.put(number, log)
        with Store(f"sqlite:///{home / 'store.sqlite'}") as store:
            lost = False
            try:
                sync(fake, store)
            except LinkLost:
                lost = True
            assert lost == (fake.reached_host >= cut), "the cable was not pulled"
            for number in LOGS:  # whatever was confirmed is here, and whatever is here is whole
                archived = store.raw.path(DEVICE, number)
                assert not fake.flash.confirmed(number) or archived.exists()
                assert not archived.exists() or archived.read_bytes() == LOGS[number]
            received = sum(path.stat().st_size for path in home.rglob("*.part")) + sum(log.path.stat().st_size for log in store.raw.all())
            fake.cut_after, fake.reached_host = None, 0
            result = sync(fake, store)
            assert result.received_bytes == total - received, "what had come was asked for again"
            assert_all_is_well(fake, store, LOGS)


STATIONS = [
    (RawLogs, "commit", "before"),
    (RawLogs, "commit", "after"),
    (SessionTransfer, "confirmed", "before"),
    (SessionTransfer, "confirmed", "after"),
    (Store, "add_log", "before"),
    (Store, "add_log", "after"),
    (raw_module.PartialLog, "discard", "before"),
    (raw_module.PartialLog, "discard", "after"),
    (raw_module.PartialLog, "append", "before"),
    (raw_module.PartialLog, "append", "after"),
]


@pytest.mark.parametrize("call", [0, 1, 2])
@pytest.mark.parametrize(("owner", "method", "when"), STATIONS, ids=[f"{when} {method}" for _, method, when in STATIONS])
def test_a_host_killed_anywhere_leaves_nothing_or_a_whole_session(
    fake: FakeBoard, tmp_path: Path, owner: type, method: str, when: str, call: int
) -> None:
    """A child process is killed outright (as by kill -9) at the `call`-th passing of a station; the next sync completes all."""
    url = f"sqlite:///{tmp_path / 'home' / 'store.sqlite'}"
    passed = 0
    true = getattr(owner, method)
    child = os.fork()
    if not child:

        def dies(*args, **kwargs):  # type: ignore[no-untyped-def]
            nonlocal passed
            passed += 1
            if passed > call and when == "before":
                os._exit(99)
            result = true(*args, **kwargs)
            if passed > call:
                os._exit(99)
            return result

        try:
            setattr(owner, method, dies)
            sync(fake, Store(url))
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 99, "the station was not passed"
    board = FakeBoard(tmp_path / "flash")  # what the child confirmed is on its flash
    with Store(url) as store:
        for number in LOGS:
            archived = store.raw.path(DEVICE, number)
            assert not archived.exists() or archived.read_bytes() == LOGS[number]
            assert not board.flash.confirmed(number) or archived.exists()
        assert sync(board, store).exit_status == 0
        assert_all_is_well(board, store, LOGS)


def test_an_open_session_is_read_and_not_confirmed(fake: FakeBoard, store: Store) -> None:
    log = session_log(4, forward_s=3000, boot=2, start_ticks_ms=40_000_000)
    file = fake.flash.create(4)
    part = _boundary(log, 3000)
    file.write(log[:part])
    file.flush()
    result = sync(fake, store)
    assert outcomes(result)[4] == "open" and result.exit_status == 0
    assert not any(b" CONFIRM 4 " in line for line in fake.asked)
    file.write(log[part:])
    file.close()
    fake.asked.clear()
    again = sync(fake, store)
    assert outcomes(again)[4] == "received" and again.received_bytes == len(log) - part
    assert_all_is_well(fake, store, {**LOGS, 4: log})


def test_an_entry_without_a_number_is_reported_and_the_others_are_synced(
    fake: FakeBoard, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = payloads.pack_list

    def pack_list(buf: memoryview, count: int, more: bool) -> int:
        payloads.pack_entry(buf, count, 0, 500, 0)
        return int(honest(buf, count + 1, more))

    monkeypatch.setattr(payloads, "pack_list", pack_list)
    result = sync(fake, store)
    (without,) = result.of("damaged")
    assert without.session == 0 and "number 0" in without.why and result.exit_status == 4
    assert outcomes(result) == {0: "damaged"} | {number: "received" for number in LOGS}
    assert_all_is_well(fake, store, LOGS)


def test_a_damaged_log_is_kept_and_reported_and_the_others_continue(fake: FakeBoard, store: Store) -> None:
    torn = bytearray(LOGS[2])
    torn[len(torn) // 2] ^= 0x10
    fake.put(2, bytes(torn))
    result = sync(fake, store)
    assert outcomes(result) == {1: "received", 2: "damaged", 3: "received"} and result.exit_status == 4
    assert "The log of session aabbccddeeff/2 is damaged on the board" in result.of("damaged")[0].why
    assert_all_is_well(fake, store, {**LOGS, 2: bytes(torn)})
    assert sync(fake, store).exit_status == 0, "it was reported once"


@pytest.mark.parametrize("log", [b"", b"\0" * 700, b"RSL\x63" + b"?" * 300, session_log(9), session_log(2, device="other")])
def test_a_log_that_cannot_be_read_is_quarantined(fake: FakeBoard, store: Store, log: bytes) -> None:
    fake.put(2, log)
    result = sync(fake, store)
    assert outcomes(result) == {1: "received", 2: "damaged", 3: "received"} and result.exit_status == 4
    [kept] = store.raw.quarantined()
    assert kept.read_bytes() == log and str(kept) in result.of("damaged")[0].why
    assert fake.flash.confirmed(2)
    assert outcomes(sync(fake, store)) == {1: "had", 2: "had", 3: "had"}
    assert sync(fake, store).exit_status == 0


def test_a_log_that_the_flash_cannot_read_is_reported_and_not_confirmed(
    fake: FakeBoard, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_into = fake.flash.read_into

    def broken(session: int, offset: int, buf: memoryview) -> int:
        if session == 2 and offset >= 2048:
            raise OSError(errno.EIO, "bad block")
        return int(read_into(session, offset, buf))

    monkeypatch.setattr(fake.flash, "read_into", broken)
    result = sync(fake, store)
    assert outcomes(result) == {1: "received", 2: "damaged", 3: "received"} and result.exit_status == 4
    assert "flash" in result.of("damaged")[0].why and not fake.flash.confirmed(2)
    monkeypatch.undo()
    assert sync(fake, store).received_bytes == len(LOGS[2]) - 2048
    assert_all_is_well(fake, store, LOGS)


@pytest.mark.parametrize(
    "other", [session_log(2, forward_s=777, boot=1), session_log(2, forward_s=6000, backward_s=2400, boot=1)], ids=["shorter", "as long"]
)
def test_after_an_erased_board_counts_from_one_again_both_logs_are_kept(fake: FakeBoard, store: Store, other: bytes) -> None:
    sync(fake, store)
    fake.put(2, other)
    result = sync(fake, store)
    assert outcomes(result)[2] == "damaged" and result.exit_status == 4
    assert "board was erased" in result.of("damaged")[0].why
    assert store.raw.read(DEVICE, 2) == LOGS[2] and [path.read_bytes() for path in store.raw.quarantined()] == [other]


def test_a_computer_with_an_earlier_clock_than_before_is_a_warning(fake: FakeBoard, store: Store) -> None:
    """Its sessions were dated by a clock that another contradicts now: nothing is believed without a word."""
    assert not sync(fake, store).warnings
    fake.flash.boot += 1
    [warning] = sync(fake, store, now_s=lambda: time.time() - 90 * 86_400).warnings
    assert isinstance(warning, ClockBehind) and "2160.0 hours earlier" in str(warning)
    assert {row.dated for row, _ in store.sessions()} <= {"bounded", "undated"}


def test_a_board_whose_flash_was_erased_has_another_generation(fake: FakeBoard, store: Store, tmp_path: Path) -> None:
    """Its numbers start at 1 again. Every session counts, under its own name, with its own notes and clock facts."""
    sync(fake, store)
    store.note(DEVICE, 2, pain=4)
    store.add_clock_fact(DEVICE, 2, 0, at("2026-11-20 18:00"))
    generations = [0x2BADCAFE, 0x00C0FFEE]
    for generation in generations:
        erased = FakeBoard(tmp_path / f"erased{generation}", generation=generation)
        logs = {n: session_log(n, forward_s=100 * n + generation % 7, boot=2, generation=generation) for n in (1, 2)}
        for number, log in logs.items():
            erased.put(number, log)
        result = sync(erased, store)
        assert outcomes(result) == {1: "received", 2: "received"} and result.exit_status == 0
        assert outcomes(sync(erased, store)) == {1: "had", 2: "had"}
        assert {n: store.raw.path(DEVICE, n, generation).read_bytes() for n in logs} == logs
    assert not store.raw.quarantined() and store.raw.read(DEVICE, 2) == LOGS[2]

    names = {f"{DEVICE}/{n}" for n in (1, 2, 3)} | {f"{DEVICE}.{nth}/{n}" for nth in (2, 3) for n in (1, 2)}
    before = {row.name: (row.generation, row.dated, row.pain) for row, _ in store.sessions()}
    assert set(before) == names
    assert before[f"{DEVICE}/2"] == (0, "measured", 4) and before[f"{DEVICE}.3/2"] == (generations[1], "undated", None), (
        "boot 2 is another one"
    )
    assert store.find_session(f"{DEVICE}/2").generation == 0 and store.find_session(f"{DEVICE[:6]}.2/2").generation == generations[0]
    with pytest.raises(NotFound, match=f"{DEVICE}.2/2"):
        store.find_session("2")
    with pytest.raises(NotFound):
        store.find_session(f"{DEVICE}.9/2")
    store.note(DEVICE, 2, pain=7, generation=generations[1])
    store.rebuild()
    after = {row.name: (row.generation, row.dated, row.pain) for row, _ in store.sessions()}
    assert after == before | {f"{DEVICE}.3/2": (generations[1], "undated", 7)}


def test_a_log_of_an_older_generation_on_a_new_device_keeps_its_generation(store: Store, tmp_path: Path) -> None:
    fake = FakeBoard(tmp_path / "new", generation=77)
    new, old = session_log(1, generation=77), session_log(2, generation=5)
    fake.put(1, new)
    fake.put(2, old)
    assert outcomes(sync(fake, store)) == {1: "received", 2: "received"}
    assert outcomes(sync(fake, store)) == {1: "had", 2: "had"}
    assert {row.name for row, _ in store.sessions()} == {f"{DEVICE}/1", f"{DEVICE}.2/2"}
    assert store.find_session(f"{DEVICE}/2").generation == 5, "where only one is of that number, it is meant"


def test_a_partial_log_that_was_changed_on_the_disk_is_read_again(fake: FakeBoard, store: Store) -> None:
    with store.raw.partial(DEVICE, 2) as part:
        part.append(LOGS[2][:4000] + b"?" + LOGS[2][4001:9000])
    result = sync(fake, store)
    assert outcomes(result)[2] == "received" and result.received_bytes > sum(map(len, LOGS.values()))
    assert_all_is_well(fake, store, LOGS)


def test_a_partial_log_of_another_session_is_discarded(fake: FakeBoard, store: Store) -> None:
    other = session_log(2, forward_s=6000, backward_s=2400, boot=1)
    assert len(other) == len(LOGS[2])  # its records fit the others to the byte
    with store.raw.partial(DEVICE, 2) as part:
        part.append(other[:8000])
    assert outcomes(sync(fake, store))[2] == "received"
    with store.raw.partial(DEVICE, 3) as part:
        part.append(b"?" * 100_000)
    store.raw.path(DEVICE, 3).unlink()
    assert outcomes(sync(fake, store))[3] == "received"
    assert_all_is_well(fake, store, LOGS)


class FullDisk:
    """A disk on which only so many bytes are left; it replaces os.fsync and files' writes for a while."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        append = raw_module.PartialLog.append
        self.left = room

        def limited(part: raw_module.PartialLog, data: bytes) -> None:
            if len(data) > self.left:
                with raw_module.file_errors(part.path):
                    raise OSError(errno.ENOSPC, "No space left on device")
            self.left -= len(data)
            append(part, data)

        monkeypatch.setattr(raw_module.PartialLog, "append", limited)


@pytest.mark.parametrize("room", [0, 500, 2_000, 5_000])
def test_a_full_disk_is_one_sentence_and_nothing_is_confirmed_that_is_not_here(
    fake: FakeBoard, store: Store, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    FullDisk(monkeypatch, room)
    with pytest.raises(DiskFull, match="No room left.*free some space"):
        sync(fake, store)
    for number, log in LOGS.items():
        assert fake.flash.confirmed(number) == (store.raw.path(DEVICE, number).exists())
        assert not fake.flash.confirmed(number) or store.raw.read(DEVICE, number) == log
    monkeypatch.undo()
    sync(fake, store)
    assert_all_is_well(fake, store, LOGS)


@pytest.mark.parametrize("fails", ["write", "fsync"])
def test_a_disk_that_fails_while_archiving_confirms_nothing(
    fake: FakeBoard, store: Store, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    fsync = os.fsync
    seen: list[str] = []

    def full(handle: int) -> None:
        seen.append(os.readlink(f"/proc/self/fd/{handle}"))
        if seen[-1].endswith(".rsl.new") or ".rsl." in seen[-1]:
            raise OSError(errno.ENOSPC if fails == "write" else errno.EDQUOT, "full")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull):
        sync(fake, store)
    assert any(".rsl" in path for path in seen)
    assert not any(fake.flash.confirmed(number) for number in LOGS) and not list(store.raw.all())
    monkeypatch.undo()
    sync(fake, store)
    assert_all_is_well(fake, store, LOGS)


def test_the_log_and_its_folder_are_on_the_disk_before_it_is_confirmed(
    fake: FakeBoard, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace, confirm = os.fsync, os.replace, fake.flash.confirm
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name), fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (steps.append(f"rename {Path(b).name}"), replace(a, b))[1])
    monkeypatch.setattr(fake.flash, "confirm", lambda *args: (steps.append(f"confirm {args[0]}"), confirm(*args))[1])
    sync(fake, store)
    for number in LOGS:
        name = f"{number:08d}.rsl"
        renamed = steps.index(f"rename {name}")
        confirmed = steps.index(f"confirm {number}")
        assert any(step.startswith(f".{name}") for step in steps[:renamed])
        assert DEVICE in steps[renamed:confirmed]


def test_two_syncs_of_one_device_do_not_meet(fake: FakeBoard, store: Store) -> None:
    store.data_dir.incoming.mkdir(parents=True)
    with FileLock(store.data_dir.incoming / f"{DEVICE}.lock"), pytest.raises(SyncRunning, match="wait until it is done"):
        sync(fake, store)
    sync(fake, store)
    assert_all_is_well(fake, store, LOGS)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "", "x" * 32 + "y", "a b", "\x1b[2J"])
def test_a_device_with_an_impossible_name_writes_nowhere(tmp_path: Path, store: Store, name: str) -> None:
    fake = FakeBoard(tmp_path / "flash", device=name)
    fake.put(1, LOGS[1])
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    try:
        sync(fake, store)
    except UnsafeName as error:
        assert str(error).isprintable()
    else:
        assert len(name) > 32  # the core cuts it to what a HELLO can hold
        return
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_what_a_killed_sync_archived_is_stored_though_the_board_has_erased_it(fake: FakeBoard, store: Store) -> None:
    store.raw.commit(DEVICE, 4, session_log(4, forward_s=900, boot=3))  # and there a sync was killed
    store.raw.path(DEVICE, 5).write_bytes(b"rot")
    with Store(store.url) as again:
        added, unreadable = again.notices
        assert "lacked 1 session" in str(added) and "1 raw log is unreadable" in str(unreadable)
        assert sync(fake, again).warnings == []
        assert {row.number for row, _ in again.sessions()} == {1, 2, 3, 4}


def test_a_log_confirmed_to_another_computer_is_received_here_too(fake: FakeBoard, store: Store) -> None:
    for number, log in LOGS.items():
        fake.flash.confirm(number, len(log))
    assert set(outcomes(sync(fake, store)).values()) == {"received"}
    assert_all_is_well(fake, store, LOGS)


class Liar(FakeBoard):
    """A board that answers every request whole and in time, with payloads that are drawn by lot."""

    def write(self, data: bytes | memoryview) -> int:
        if isinstance(data, memoryview):
            return super().write(data)
        name, encoder = data.split()[1].split(b"*")[0], frames.FrameEncoder()
        kinds = {b"HELLO": messages.HELLO, b"LIST": messages.LIST, b"READ": messages.DATA}
        if self.chance.random() < 0.5 or name == b"HELLO":
            super().write(data)  # the truth
            return len(data)
        payload = self.chance.randbytes(self.chance.choice([0, 1, 4, 9, 60, 1000]))
        if name == b"LIST" and self.chance.random() < 0.7:
            numbers = sorted(self.chance.randrange(1 << 32) for _ in range(20))
            lengths = [self.chance.choice([0, 9, 1 << 30]) for _ in numbers]
            payload = bytes([1, 20]) + b"".join(
                struct.pack("<IIB", *one, self.chance.randrange(4)) for one in zip(numbers, lengths, strict=True)
            )
        encoder.payload[: len(payload)] = payload
        kind = kinds.get(name, messages.OK) if self.chance.random() < 0.8 else self.chance.choice([255, 1, 2, 3, 4, 5, 6, 7, 99])
        self._line += encoder.view[: encoder.finish(kind, int(data[1:3], 16), len(payload))]
        return len(data)


@pytest.mark.parametrize("seed", range(15))
def test_random_answers_of_a_board_end_in_one_sentence_and_change_nothing(
    tmp_path: Path, store: Store, seed: int
) -> None:
    fake = Liar(tmp_path / "flash", seed=seed)
    fake.put(1, LOGS[1])
    outside = {path for path in tmp_path.rglob("*") if "home" not in path.parts and "flash" not in path.parts}
    try:
        for session in sync(fake, store).sessions:
            assert session.why.isprintable()
    except RetrostepError as error:
        assert str(error).isprintable()
    assert {path for path in tmp_path.rglob("*") if "home" not in path.parts and "flash" not in path.parts} == outside
    archived = store.raw.path(DEVICE, 1)
    assert not archived.exists() or archived.read_bytes() == LOGS[1]
    assert not fake.flash.confirmed(1) or archived.exists()


def test_counts_for_json(fake: FakeBoard, store: Store) -> None:
    found = sync(fake, store).as_dict()
    assert (found["device"], found["received"], found["had"], found["damaged"], found["open"]) == (DEVICE, 3, 0, 0, 0)
    assert found["received_bytes"] == sum(map(len, LOGS.values())) and found["seconds"] >= 0
    assert [session["session"] for session in found["sessions"]] == [1, 2, 3]


def _boundary(log: bytes, near: int) -> int:
    """The first end of a record behind `near`."""
    place = 4
    while place < near:
        place += 3 + log[place + 2] + 4
    return place
