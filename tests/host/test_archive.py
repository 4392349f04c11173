"""Raw logs are archived byte for byte, are on the disk when commit returns, and are never overwritten or dropped."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrostep.archive.data_dir import DataDir
from retrostep.archive.event_journal import EventJournal
from retrostep.archive.identifiers import device_name, session_number
from retrostep.archive.raw_logs import PartialLog, RawLogs
from retrostep.errors import DamagedData, DiskFull, NoAccess, UnsafeName
from support.logs import DEVICE, session_log


@pytest.fixture
def raw(tmp_path: Path) -> RawLogs:
    return RawLogs(DataDir(tmp_path / "home"))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_data_folder_is_the_one_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path / "club"))
    assert DataDir.from_environment().path == tmp_path / "club"
    assert DataDir.from_environment().store_url == f"sqlite:///{tmp_path}/club/store.sqlite"
    monkeypatch.delenv("RETROSTEP_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert DataDir.from_environment().path == tmp_path / "xdg/retrostep"


def test_a_log_is_archived_byte_for_byte(raw: RawLogs) -> None:
    data = session_log(7)
    path = raw.commit(DEVICE, 7, data)
    assert path == raw.data_dir.path / f"logs/{DEVICE}/00000007.rsl"
    assert path.read_bytes() == data
    assert raw.read(DEVICE, 7) == data
    assert raw.exists(DEVICE, 7) and not raw.exists(DEVICE, 8) and not raw.exists(DEVICE, 7, 1)
    assert everything(raw.data_dir.path) == {f"logs/{DEVICE}/00000007.rsl": data}


def test_file_and_folders_are_synced_before_commit_returns(raw: RawLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    honest = os.fsync

    def watched(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        honest(handle)

    monkeypatch.setattr(os, "fsync", watched)
    path = raw.commit(DEVICE, 1, b"data")
    content = next(place for place, name in enumerate(synced) if name.startswith(str(path.parent / ".")))
    assert str(path.parent) in synced[content + 1 :], "the folder is synced after the file has its name"
    assert str(raw.data_dir.logs) in synced, "the device's new folder is an entry of logs/"


def test_committing_again_changes_nothing(raw: RawLogs) -> None:
    path = raw.commit(DEVICE, 1, b"same")
    before = path.stat().st_mtime_ns
    assert raw.commit(DEVICE, 1, b"same") == path
    assert path.stat().st_mtime_ns == before


def test_a_log_that_has_grown_is_replaced_and_never_shortened(raw: RawLogs) -> None:
    raw.commit(DEVICE, 1, b"begin")
    raw.commit(DEVICE, 1, b"begin and end")
    assert raw.commit(DEVICE, 1, b"begin").read_bytes() == b"begin and end"


def test_other_bytes_under_the_same_number_are_kept_aside(raw: RawLogs) -> None:
    raw.commit(DEVICE, 1, b"first bytes")
    with pytest.raises(DamagedData, match="both are kept") as caught:
        raw.commit(DEVICE, 1, b"other bytes")
    assert caught.value.exit_status == 4
    assert raw.read(DEVICE, 1) == b"first bytes"
    (kept,) = raw.quarantined()
    assert kept.read_bytes() == b"other bytes" and str(kept) in str(caught.value)
    assert "another log of the same device" in kept.with_suffix(".txt").read_text()


def test_quarantine_keeps_the_same_bytes_once(raw: RawLogs) -> None:
    first = raw.quarantine(DEVICE, 3, b"\x00\xff", "not a log")
    assert raw.quarantine(DEVICE, 3, b"\x00\xff", "not a log") == first
    assert first.read_bytes() == b"\x00\xff"
    reason = first.with_suffix(".txt").read_text()
    assert "why: not a log" in reason and DEVICE in reason and "length: 2" in reason
    assert len(list(raw.data_dir.quarantine.iterdir())) == 2
    raw.quarantine(DEVICE, 3, b"\x00\xff", "later, for another reason")
    assert first.with_suffix(".txt").read_text() == reason, "the first reason stays"
    # A quarantined log that rotted is written again.
    first.write_bytes(b"\x01\xff")
    assert raw.quarantine(DEVICE, 3, b"\x00\xff", "rotted") == first
    assert first.read_bytes() == b"\x00\xff" and "why: rotted" in first.with_suffix(".txt").read_text()


@pytest.mark.parametrize("device", ["", ".", "..", "../../etc", "a/b", "a\\b", "a" * 33, "né", "a b", "x\n", "\x1b[2J", "a\x00"])
def test_an_unsafe_device_name_never_becomes_a_path(raw: RawLogs, device: str) -> None:
    for use in (raw.path, raw.partial, raw.read):
        with pytest.raises(UnsafeName):
            use(device, 1)
    with pytest.raises(UnsafeName) as caught:
        raw.commit(device, 1, b"x")
    assert str(caught.value).isprintable()
    kept = raw.quarantine(device, 1, b"x", "unsafe name")
    assert kept.parent == raw.data_dir.quarantine and kept.name.startswith("unnamed-")
    assert set(raw.data_dir.path.iterdir()) == {raw.data_dir.quarantine}


@pytest.mark.parametrize("number", [0, -1, 2**32])
def test_an_impossible_session_number_never_becomes_a_path(raw: RawLogs, number: int) -> None:
    with pytest.raises(UnsafeName):
        raw.commit(DEVICE, number, b"x")


@given(st.text())
def test_only_harmless_names_pass(text: str) -> None:
    try:
        name = device_name(text)
    except UnsafeName:
        return
    assert name == text and name.isascii() and 1 <= len(name) <= 32 and not set(name) & set("./\\ \n\x00")


def test_all_lists_archived_logs_and_ignores_other_files(raw: RawLogs) -> None:
    for device, number in (("b", 2), ("a", 1), ("b", 1), ("b", session_number(2**32 - 1))):
        raw.commit(device, number, b"x")
    (raw.data_dir.logs / "b" / "notes.txt").write_text("mine")
    (raw.data_dir.logs / "b" / "000000003.rsl").write_text("not how a 3 is written")
    (raw.data_dir.logs / "not a device").mkdir()
    (raw.data_dir.logs / "file").write_text("x")
    assert [(log.device, log.session) for log in raw.all()] == [("a", 1), ("b", 1), ("b", 2), ("b", 2**32 - 1)]


def test_a_partial_log_continues_where_it_was_cut(raw: RawLogs) -> None:
    with raw.partial(DEVICE, 1) as part:
        assert part.offset == 0
        part.append(b"abc")
        part.append(memoryview(b"def"))
    with raw.partial(DEVICE, 1) as part:
        assert (part.offset, part.data()) == (6, b"abcdef")
        part.append(b"g")
        assert (part.offset, part.data()) == (7, b"abcdefg")
        part.discard()
    with raw.partial(DEVICE, 1) as part:
        assert (part.offset, part.data()) == (0, b"")


def test_a_full_disk_is_one_sentence_and_leaves_no_trace(raw: RawLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    raw.commit(DEVICE, 1, b"safe")
    before = everything(raw.data_dir.path)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="free some space") as caught:
        raw.commit(DEVICE, 2, b"too much")
    assert str(raw.path(DEVICE, 2)) in str(caught.value)
    assert everything(raw.data_dir.path) == before


def test_a_partial_log_on_a_disk_that_is_really_full() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(DiskFull):
        PartialLog(Path("/dev/full")).append(b"x")


def test_no_access_is_one_sentence(raw: RawLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    raw.commit(DEVICE, 1, b"x")

    def refused(*args: object, **more: object) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(NoAccess, match="change its permissions"):
        raw.read(DEVICE, 1)


def kinds(entries: EventJournal, start: int = 0) -> list[object]:
    return [None if line.entry is None else line.entry["entry"] for line in entries.lines(start)]


def test_entries_are_read_back_in_order_from_anywhere(tmp_path: Path) -> None:
    entries = EventJournal(tmp_path / "deep/entries.jsonl")
    assert kinds(entries) == [] and entries.size() == 0
    entries.append("one", 1, text="line\nbreak \u202e \x1b")
    middle = entries.size()
    entries.append("two", 2)
    assert kinds(entries) == ["one", "two"]
    assert kinds(entries, middle) == ["two"]
    assert [line.end for line in entries.lines()] == [middle, entries.size()]
    assert entries.path.read_bytes().isascii() and entries.path.read_bytes().count(b"\n") == 2


def test_only_the_torn_entry_is_lost(tmp_path: Path) -> None:
    entries = EventJournal(tmp_path / "entries.jsonl")
    entries.append("one", 1)
    with open(entries.path, "ab") as file:
        file.write(b'{"entry":"tor')
    assert kinds(entries) == ["one"], "a line that is being written is not there yet"
    entries.append("three", 3)
    assert kinds(entries) == ["one", "three"]


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[1]", b'"x"', b"{}", b'{"entry": 1, "at_ms": 1}', b'{"entry": "x"}', b"[" * 100_000])
def test_a_damaged_line_is_reported_and_skipped(tmp_path: Path, line: bytes) -> None:
    entries = EventJournal(tmp_path / "entries.jsonl")
    entries.path.write_bytes(line + b"\n")
    entries.append("next", 1)
    assert kinds(entries) == [None, "next"]


def test_a_failed_append_leaves_the_journal_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = EventJournal(tmp_path / "entries.jsonl")
    entries.append("one", 1)
    before = entries.path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull):
        entries.append("two", 2)
    assert entries.path.read_bytes() == before


FULL_DISK = """
import sys
from pathlib import Path
from retrostep.archive.data_dir import DataDir
from retrostep.archive.raw_logs import RawLogs
from retrostep.errors import DiskFull

raw = RawLogs(DataDir(Path(sys.argv[1])))
raw.commit("a1", 1, b"small")
try:
    raw.commit("a1", 2, bytes(1_000_000))
except DiskFull as error:
    print(error)
print(sorted(path.name for path in raw.data_dir.path.rglob("*") if path.is_file()))
raw.commit("a1", 3, b"small too")
print([raw.read("a1", number) for number in (1, 3)])
"""


def test_a_disk_that_is_really_full_loses_nothing_archived(tmp_path: Path) -> None:
    script = tmp_path / "full.py"
    script.write_text(FULL_DISK)
    folder = tmp_path / "disk"
    folder.mkdir()
    command = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" "$3" "$1"'
    ready = subprocess.run(["unshare", "-rm", "true"], capture_output=True) if shutil.which("unshare") else None
    if ready is None or ready.returncode:
        pytest.skip("this system does not let a user mount a small disk, so none can be filled")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, "sh", str(folder), sys.executable, str(script)], capture_output=True, text=True, check=True
    )
    sentence, files, kept = done.stdout.splitlines()
    assert sentence.startswith("No room left for ") and "00000002.rsl" in sentence
    assert files == "['00000001.rsl']"
    assert kept == "[b'small', b'small too']"
