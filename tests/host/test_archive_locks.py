"""Locks of the archive: one sync of a device at a time, whole lines in the journal, and no lock file that leads elsewhere."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from retrostep.archive.data_dir import DataDir
from retrostep.archive.event_journal import EventJournal
from retrostep.errors import RetrostepError, StoreBusy, SyncRunning
from retrostep.sync.device_lock import device_lock

DEVICE = "RS-3F2A"

HOLDER = """
import sys
from pathlib import Path
from retrostep.archive.data_dir import DataDir
from retrostep.sync.device_lock import device_lock

with device_lock(DataDir(Path(sys.argv[1])), sys.argv[2], "/dev/other"):
    print("held", flush=True)
    sys.stdin.readline()
"""

WRITER = """
import sys
from pathlib import Path
from retrostep.archive.event_journal import EventJournal

journal = EventJournal(Path(sys.argv[1]))
for number in range(50):
    journal.append(sys.argv[2], number, text="x" * 300)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path)


def test_a_second_board_with_the_same_name_is_refused_by_the_port_of_the_first(data_dir: DataDir) -> None:
    with device_lock(data_dir, DEVICE, "/dev/a"):
        with pytest.raises(SyncRunning, match="/dev/b and /dev/a both call themselves RS-3F2A"), device_lock(data_dir, DEVICE, "/dev/b"):
            pass
        with device_lock(data_dir, "RS-OTHER", "/dev/b"):
            pass
    with device_lock(data_dir, DEVICE, "/dev/b"):
        pass


def test_a_thread_of_this_process_waits_for_no_other(data_dir: DataDir) -> None:
    refused: list[str] = []

    def second() -> None:
        try:
            with device_lock(data_dir, DEVICE, "/dev/b"):
                pass
        except SyncRunning as error:
            refused.append(str(error))

    with device_lock(data_dir, DEVICE, "/dev/a"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(30)
    assert len(refused) == 1 and "/dev/a" in refused[0]


def test_another_process_is_refused_until_the_holder_ends(data_dir: DataDir) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir.path), DEVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(SyncRunning, match="Another program is syncing RS-3F2A"), device_lock(data_dir, DEVICE, "/dev/a"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with device_lock(data_dir, DEVICE, "/dev/a"):
        pass


def test_a_failed_sync_frees_its_device(data_dir: DataDir) -> None:
    with pytest.raises(ZeroDivisionError), device_lock(data_dir, DEVICE, "/dev/a"):
        raise ZeroDivisionError
    with device_lock(data_dir, DEVICE, "/dev/a"):
        pass


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot refuse to follow a link")
def test_a_lock_file_that_is_a_link_is_not_followed(data_dir: DataDir, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    data_dir.incoming.mkdir()
    (data_dir.incoming / f"{DEVICE}.lock").symlink_to(precious)
    with pytest.raises(RetrostepError), device_lock(data_dir, DEVICE, "/dev/a"):
        pass
    (tmp_path / "entries.jsonl.lock").symlink_to(precious)
    with pytest.raises(RetrostepError):
        EventJournal(data_dir.journal).append("one", 1)
    assert precious.read_text() == "mine" and not data_dir.journal.exists()


def test_lines_of_several_processes_stay_whole(data_dir: DataDir) -> None:
    command = [sys.executable, "-c", WRITER, str(data_dir.journal)]
    writers = [subprocess.Popen([*command, kind]) for kind in ("one", "two")]
    assert [writer.wait() for writer in writers] == [0, 0]
    entries = [line.entry for line in EventJournal(data_dir.journal).lines()]
    assert len(entries) == 100 and None not in entries
    assert [entry["at_ms"] for entry in entries if entry and entry["entry"] == "one"] == list(range(50))


def test_a_journal_that_another_program_holds_is_an_error_after_a_while(data_dir: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrostep.archive.event_journal.LOCK_WAIT_S", 0.1)
    journal = EventJournal(data_dir.journal)
    with EventJournal(data_dir.journal).locked(), pytest.raises(StoreBusy, match="wait for it"):
        journal.append("one", 1)
    journal.append("two", 2)
    assert [line.entry["entry"] for line in journal.lines() if line.entry] == ["two"]
