"""A rescue without a process or a board: every answer of a stopped board, every file of a dump, and what becomes of each."""

import binascii
import io
import json
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from littlefs import LittleFS, UserContext
from retrostep.archive.store import Store
from retrostep.device import restart
from retrostep.device.progress import Progress, no_progress
from retrostep.errors import AppNotStarted, LinkLost, NoApp, NoImage, NoRepl
from retrostep.rescue import flash_image, rescue
from retrostep.rescue.carve import carve
from retrostep.rescue.flash_image import BLOCK, Folder, file_system_starts, read_image
from retrostep.rescue.repl_files import BATCH, FILES_MOST, LIST, TRIES, StoppedFile, StoppedFolder
from retrostep.rescue.rescue import Rescue, Rescued, rescue_image
from retrostep.sync.session_transfer import MAX_LOG_BYTES
from retrostep_core.codes import FORWARD
from retrostep_core.log import records
from retrostep_core.log.tail import PIECE_BYTES, pack_piece
from support.logs import DEVICE, LogBuilder, session_log

PORT = "/dev/fake"
LOGS = {1: session_log(1, forward_s=60), 2: session_log(2, forward_s=90), 3: session_log(3, forward_s=120, backward_s=30)}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'home' / 'store.sqlite'}") as opened:
        yield opened


def ok_file(log: bytes, length: int | None = None) -> bytes:
    """The file that confirms a log."""
    body = struct.pack("<II", len(log) if length is None else length, binascii.crc32(log))
    return body + struct.pack("<I", binascii.crc32(body))


# The prompt of a stopped board


class Prompt:
    """Answers the scripts as a board with `files` does (folder to name to content); `spoil` may change or drop each line."""

    def __init__(self, files: dict[str, dict[str, bytes]], spoil: Callable[[str], str | None] = lambda line: line) -> None:
        self.files, self.spoil = files, spoil
        self.port = PORT
        self.asked: list[list[tuple[int, str, int, int]]] = []
        self.list_ends = True
        self.lost_after: int | None = None  # the prompt is lost after so many lines of files

    def hear(self, script: str, on_line: Callable[[str], None]) -> None:
        folder = re.search(r"'(/\w+)'", script)
        assert folder
        for line in self._listing(folder[1]) if "ilistdir" in script else self._pieces(folder[1], script):
            if (spoiled := self.spoil(line)) is not None:
                on_line(spoiled)

    def _listing(self, folder: str) -> Iterator[str]:
        if folder not in self.files:
            yield "2"
            return
        yield from (json.dumps([name, len(content)]) for name, content in self.files[folder].items())
        if self.list_ends:
            yield '"complete"'

    def _pieces(self, folder: str, script: str) -> Iterator[str]:
        wanted = eval(re.search(r"in (\[.*\]):", script)[1])  # type: ignore[index]
        self.asked.append(wanted)
        for number, name, at, end in wanted:
            content = self.files[folder][name]
            while at < min(end, len(content)):
                if self.lost_after is not None:
                    self.lost_after -= 1
                    if self.lost_after < 0:
                        raise NoRepl("The prompt is lost.", port=PORT)
                piece = content[at : at + 384]
                yield f"{number} {at} {binascii.crc32(piece)} {binascii.b2a_base64(piece).decode().strip()}"
                at += len(piece)
            yield f"{number} {at} end"


def read_all(prompt: Prompt, folder: str = "/sessions") -> dict[str, tuple[bytes, str]]:
    stopped = StoppedFolder(prompt, folder)  # type: ignore[arg-type]
    return {file.name: (bytes(file.data), file.problem) for file in stopped.read(stopped.files, lambda *_: None)}


CONTENTS = {f"{number:08d}.rsl": bytes(range(256)) * (number % 5) + b"end" for number in range(1, BATCH + 12)}


def test_every_file_of_a_stopped_board_is_read_once() -> None:
    prompt = Prompt({"/sessions": CONTENTS})
    assert read_all(prompt) == {name: (content, "") for name, content in CONTENTS.items()}
    assert [len(batch) for batch in prompt.asked] == [BATCH, 11]
    assert prompt.asked[1][0] == (0, f"{BATCH + 1:08d}.rsl", 0, len(CONTENTS[f"{BATCH + 1:08d}.rsl"]))


def test_progress_counts_the_bytes_of_all_batches() -> None:
    stopped = StoppedFolder(Prompt({"/sessions": CONTENTS}), "/sessions")  # type: ignore[arg-type]
    calls: list[tuple[str, int, int]] = []
    list(stopped.read(stopped.files, lambda *call: calls.append(call)))
    total = sum(map(len, CONTENTS.values()))
    done = [call[1] for call in calls]
    assert done == sorted(done) and done[-1] == total and {call[2] for call in calls} == {total}
    assert calls[0] == ("00000001.rsl", 259, total) and calls[-1][0] == f"{BATCH + 11:08d}.rsl"


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda words: None,  # lost
        lambda words: " ".join([*words[:2], str(int(words[2]) ^ 1), words[3]]),  # another CRC
        lambda words: " ".join([*words[:3], "AAAA" + words[3][4:]]),  # other bytes
        lambda words: " ".join([*words[:3], words[3] + "?"]),  # no base64
        lambda words: " ".join([*words, "more"]),
        lambda words: " ".join([words[0], "7", *words[2:]]),  # another offset
        lambda words: " ".join(["99", *words[1:]]),  # no file with that number
        lambda words: " ".join(["-1", *words[1:]]),
        lambda words: " ".join(["0x0", *words[1:]]),
        lambda words: words[0],
    ],
)
def test_a_spoiled_line_is_asked_for_again_from_the_last_good_byte(spoiled: Callable[[list[str]], str | None]) -> None:
    content = bytes(range(256)) * 5
    seen = 0

    def spoil(line: str) -> str | None:
        nonlocal seen
        words = line.split()
        if len(words) == 4:
            seen += 1
            if seen == 2:
                return spoiled(words)
        return line

    prompt = Prompt({"/sessions": {"a.rsl": content}}, spoil)
    assert read_all(prompt) == {"a.rsl": (content, "")}
    assert prompt.asked == [[(0, "a.rsl", 0, 1_280)], [(0, "a.rsl", 384, 1_280)]]


def test_a_file_is_tried_three_times_and_no_more() -> None:
    content = bytes(1_000)
    prompt = Prompt({"/sessions": {"a.rsl": content, "b.rsl": b"b"}}, lambda line: None if line.startswith("0 384 ") else line)
    assert read_all(prompt) == {"a.rsl": (content[:384], "it did not arrive completely"), "b.rsl": (b"b", "")}
    assert [len(batch) for batch in prompt.asked] == [2, 1, 1] and TRIES == 3


def test_a_file_that_is_shorter_or_unreadable_says_so() -> None:
    def line(text: str) -> Callable[[str], str | None]:
        return lambda given: text if given == "0 1000 end" else given

    prompt = Prompt({"/sessions": {"a.rsl": bytes(1_000)}}, line("0 1000 error 5"))
    assert read_all(prompt) == {"a.rsl": (bytes(1_000), "the board cannot read it beyond byte 1000")}
    stopped = StoppedFolder(Prompt({"/sessions": {"a.rsl": bytes(1_000)}}), "/sessions")  # type: ignore[arg-type]
    stopped.files[0].size = 1_001
    (file,) = stopped.read(stopped.files, lambda *_: None)
    assert (len(file.data), file.problem) == (1_000, "the board sent 1000 of its 1001 bytes")
    (file,) = stopped.read([StoppedFile("a.rsl", 999)], lambda *_: None)
    assert (len(file.data), file.problem) == (768, "it did not arrive completely"), "a piece beyond the size is not taken"


@pytest.mark.parametrize(("lost_after", "complete"), [(0, []), (1, ["a.rsl"]), (3, ["a.rsl", "b.rsl"])])
def test_complete_files_come_before_the_loss_of_the_prompt(lost_after: int, complete: list[str]) -> None:
    prompt = Prompt({"/sessions": {"a.rsl": bytes(300), "b.rsl": bytes(700), "c.rsl": bytes(9)}})
    prompt.lost_after = lost_after
    stopped = StoppedFolder(prompt, "/sessions")  # type: ignore[arg-type]
    names = []
    with pytest.raises(NoRepl, match="The prompt is lost"):
        for file in stopped.read(stopped.files, lambda *_: None):
            names.append(file.name)
            assert file.problem == ""
    assert names == complete and len(prompt.asked) == 1


def test_the_list_of_a_folder_says_whether_it_is_complete() -> None:
    def listed(*lines: str) -> StoppedFolder:
        tool = SimpleNamespace(hear=lambda script, on_line: [on_line(line) for line in lines])
        return StoppedFolder(tool, "/sessions")  # type: ignore[arg-type]

    complete = listed('["a", 5]', '["b", -5]', '"complete"')
    assert [(file.name, file.size) for file in complete.files] == [("a", 5), ("b", 0)] and complete.problem == "" and complete.exists
    cut = listed('["a", 5]')
    assert cut.problem == "the board did not finish listing its files" and cut.exists and len(cut.files) == 1
    damaged = listed('["a", 5]', "84")
    assert damaged.problem == "the list of files is damaged on the board (error 84)" and damaged.exists
    absent = listed("2")
    assert (absent.exists, absent.problem, absent.files) == (False, "", [])
    noise = listed("boot: x", "[" * 9_999, '["a"]', '["a", "b"]', "[1, 2]", '{"a": 1}', '["a", 1, 2]', "null", '"complete"')
    assert noise.files == [] and noise.problem == ""
    many = listed(*[f'["{n}", 1]' for n in range(FILES_MOST + 2)], '"complete"')
    assert len(many.files) == FILES_MOST == 10_000 and many.problem == ""


# A board


class StoppedBoard:
    """A board whose app is stopped: its port, its prompt and its app."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, files: dict[str, dict[str, bytes]]) -> None:
        self.prompt = Prompt(files)
        self.resets = 0
        self.opened: list[str] = []
        self.waited_s: list[float] = []
        self.answer: Exception | None = None
        for module in (rescue, restart):
            monkeypatch.setattr(module, "SerialPort", self._open)
            monkeypatch.setattr(module, "DeviceClient", lambda line: self._client())

    def rescue(self, store: Store, progress: Progress = no_progress) -> Rescue:
        with restart.restarted_on_error(PORT):
            return rescue.rescue_board(self.prompt, store, progress)

    def _open(self, port: str) -> SimpleNamespace:
        self.opened.append(port)
        return SimpleNamespace(close=lambda: None)

    def _client(self) -> AbstractContextManager[SimpleNamespace]:
        def reset() -> None:
            self.resets += 1

        def hello(wait_s: float) -> SimpleNamespace:
            self.waited_s.append(wait_s)
            if self.answer is not None:
                raise self.answer
            return SimpleNamespace(device="RS-1", board="BOARD")

        return nullcontext(SimpleNamespace(soft_reset=reset, hello=hello))


def sessions_of(found: Rescue) -> list[tuple[str, str, str | None]]:
    return [(one.file, one.outcome, one.session) for one in found.sessions]


def files_of(logs: dict[int, bytes]) -> dict[str, bytes]:
    return {f"{number:08d}.rsl": log for number, log in logs.items()}


def test_a_board_is_rescued_and_its_app_started_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {**files_of(LOGS), "00000001.ok": ok_file(LOGS[1]), "00000002.ok": ok_file(LOGS[2], 5), "notes.txt": b"not a log"}
    board = StoppedBoard(monkeypatch, {"/sessions": dict(reversed(files.items()))})
    calls: list[tuple[str, int, int]] = []
    found = board.rescue(store, lambda *call: calls.append(call))
    assert sessions_of(found) == [(f"{n:08d}.rsl", "rescued", f"{DEVICE}/{n}") for n in LOGS]
    assert [one.synced_before for one in found.sessions] == [True, False, False]
    assert (found.source, found.device, found.board, found.app, found.problem) == (PORT, "RS-1", "BOARD", "runs", None)
    assert found.exit_status == 0 and not found.warnings
    assert {log.session: store.raw.read(DEVICE, log.session) for log in store.raw.all()} == LOGS
    assert {row.number for row, _ in store.sessions()} == set(LOGS)
    assert board.resets == 1 and board.waited_s == [6.0] and board.opened == [PORT]
    assert calls[-1][1] == calls[-1][2] == sum(len(content) for name, content in files.items() if name != "notes.txt")
    assert sessions_of(board.rescue(store)) == [(f"{n:08d}.rsl", "had", f"{DEVICE}/{n}") for n in LOGS]


def test_a_file_that_cannot_be_read_is_reported_and_the_status_is_4(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the only thing that went wrong, so it alone decides."""
    board = StoppedBoard(monkeypatch, {"/sessions": files_of({1: LOGS[1], 2: LOGS[2]})})
    board.prompt.spoil = lambda line: "1 0 error 5" if line.startswith("1 ") else line
    found = board.rescue(store)
    assert sessions_of(found) == [("00000001.rsl", "rescued", f"{DEVICE}/1"), ("00000002.rsl", "unread", None)]
    unread = found.sessions[1]
    assert (unread.length, unread.why) == (0, "Nothing of it can be read: the board cannot read it beyond byte 0.")
    assert found.exit_status == 4 and found.as_dict()["unread"] == 1 and found.as_dict()["rescued"] == 1


@pytest.mark.parametrize(("length", "is_read"), [(MAX_LOG_BYTES, True), (MAX_LOG_BYTES + 1, False)])
def test_a_file_with_an_impossible_length_is_not_read(store: Store, monkeypatch: pytest.MonkeyPatch, length: int, is_read: bool) -> None:
    board = StoppedBoard(monkeypatch, {"/sessions": files_of({1: LOGS[1]})})
    board.prompt.spoil = lambda line: json.dumps(["00000001.rsl", length]) if line.startswith("[") else line
    found = board.rescue(store)
    assert bool(board.prompt.asked) == is_read and found.exit_status == 4
    if not is_read:
        assert [(one.file, one.length, one.outcome, one.why) for one in found.sessions] == [
            ("00000001.rsl", length, "unread", f"Its directory entry says {length} bytes, more than a log can have.")
        ]


@pytest.mark.parametrize(("more", "unread"), [(0, []), (-1, ["00000002.rsl"])])
def test_no_more_is_read_than_any_flash_holds(store: Store, monkeypatch: pytest.MonkeyPatch, more: int, unread: list[str]) -> None:
    monkeypatch.setattr(rescue, "MAX_LISTED_BYTES", len(LOGS[1]) + len(LOGS[2]) + more)
    board = StoppedBoard(monkeypatch, {"/sessions": files_of({1: LOGS[1], 2: LOGS[2]})})
    found = board.rescue(store)
    assert [one.file for one in found.of("unread")] == unread and len(found.of("rescued")) == 2 - len(unread)
    assert [one.why for one in found.of("unread")] == ["The files before it are more than any flash holds."] * len(unread)
    assert found.exit_status == (4 if unread else 0)


def test_a_list_that_is_not_complete_is_a_warning_and_the_status_is_4(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    board = StoppedBoard(monkeypatch, {"/sessions": files_of({1: LOGS[1]})})
    board.prompt.list_ends = False
    found = board.rescue(store)
    assert found.warnings == ["Some files of the board may be missing: the board did not finish listing its files."]
    assert found.exit_status == 4 and len(found.of("rescued")) == 1


def test_a_log_of_which_the_rest_cannot_be_read_counts_as_far_as_it_goes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = session_log(1, forward_s=600)
    board = StoppedBoard(monkeypatch, {"/sessions": files_of({1: log})})
    board.prompt.spoil = lambda line: None if line.startswith("0 768 ") else line
    found = board.rescue(store)
    assert [(one.outcome, one.session, one.length, one.why) for one in found.sessions] == [
        ("damaged", f"{DEVICE}/1", 768, "Only its first 768 bytes can be read (it did not arrive completely); they count.")
    ]
    assert store.raw.read(DEVICE, 1) == log[:768] and found.exit_status == 4


def test_logs_of_both_places_are_rescued_in_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/logs": {"00000000/00000003.rsl": LOGS[3], "00000000/00000002.rsc": LOGS[2]},
        "/sessions": {"00000001.rsl": LOGS[1], "00000001.ok": ok_file(LOGS[1])},
    }
    board = StoppedBoard(monkeypatch, files)
    found = board.rescue(store)
    assert [(one.file, one.outcome, one.synced_before) for one in found.sessions] == [
        ("00000001.rsl", "rescued", True),
        ("00000002.rsc", "rescued", True),
        ("00000003.rsl", "rescued", False),
    ]
    assert {log.session: store.raw.read(DEVICE, log.session) for log in store.raw.all()} == LOGS


class Lines:
    """Stands in for Mpremote: the lines that a script printed."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def hear(self, script: str, on_line: Callable[[str], int]) -> None:
        for line in self._lines:
            on_line(line)


def test_the_script_lists_inner_folders_and_completes_a_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run by this interpreter on a folder that stands for the board's."""
    (tmp_path / "logs/00000000/deeper").mkdir(parents=True)
    (tmp_path / "logs/00000000/00000001.rsl").write_bytes(b"12345")
    (tmp_path / "logs/notes.txt").write_bytes(b"1")
    made: list[str] = []
    monkeypatch.setattr(os, "mkdir", lambda path: made.append(path))
    entries = lambda path: [(e.name, 0x4000 if e.is_dir() else 0, 0, e.stat().st_size) for e in os.scandir(path)]  # noqa: E731
    monkeypatch.setattr(os, "ilistdir", entries, raising=False)
    for folder, listed in ((f"{tmp_path}/logs", {"00000000/00000001.rsl": 5, "notes.txt": 1}), (f"{tmp_path}/none", {})):
        made.clear()
        output = io.StringIO()
        with redirect_stdout(output):
            exec(LIST.format(folder=folder), {})
        tool = Lines(output.getvalue())
        stopped = StoppedFolder(tool, folder)  # type: ignore[arg-type]
        assert ({file.name: file.size for file in stopped.files}, stopped.problem) == (listed, "")
        assert made == ([folder] if listed else []) and stopped.exists == bool(listed)


def test_the_open_log_is_continued_by_its_tail(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = bytes(LogBuilder(3).bout(FORWARD, 300).data)
    cut = len(log) - 2 * PIECE_BYTES
    pieces = [pack_piece(3, at, log[at : at + PIECE_BYTES]) for at in (cut, cut + PIECE_BYTES)]
    files = {"/tail": {"1": pieces[1], "0": pieces[0], "9": b"no piece"}, "/sessions": files_of({1: LOGS[1], 3: log[:cut]})}
    found = StoppedBoard(monkeypatch, files).rescue(store)
    assert store.raw.read(DEVICE, 3) == log and store.raw.read(DEVICE, 1) == LOGS[1]
    assert [one.length for one in found.sessions] == [len(LOGS[1]), len(log)]
    # What could not be read completely is not continued: the tail does not follow it.
    with Store(f"sqlite:///{store.data_dir.path}/elsewhere/store.sqlite") as elsewhere:
        board = StoppedBoard(monkeypatch, files)
        board.prompt.spoil = lambda line: None if re.match(rf"\d {cut // 384 * 384} ", line) else line
        board.rescue(elsewhere)
        assert elsewhere.raw.read(DEVICE, 3) == log[: cut // 384 * 384]


def test_only_pieces_of_the_tail_are_read(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    read: list[tuple[str, int]] = []

    class Watched(StoppedFolder):
        def read(self, files: list[StoppedFile], progress: Callable[[str, int, int], None]) -> Iterator[StoppedFile]:
            read.extend((file.name, file.size) for file in files)
            return super().read(files, progress)

    most = rescue.PIECE_FILE_BYTES
    tail = {"0": bytes(most), "1": bytes(most + 1), "9": b"no piece", "2": b"short"}
    board = StoppedBoard(monkeypatch, {"/tail": tail, "/sessions": {}})
    monkeypatch.setattr(rescue, "StoppedFolder", Watched)
    board.rescue(store)
    assert sorted(read) == [("0", most), ("2", 5)]


def test_a_log_that_was_never_flushed_is_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    board = StoppedBoard(monkeypatch, {"/sessions": {"00000001.rsl": b""}})
    found = board.rescue(store)
    assert (found.sessions, found.exit_status) == ([], 0)


def test_what_is_no_log_goes_to_quarantine_under_the_device_that_the_others_name(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"00000005.rsl": b"\0" * 500, "renamed.rsl": LOGS[2], "00000004.rsl": LOGS[1], "00000009.rsl": LOGS[3][4:]}
    board = StoppedBoard(monkeypatch, {"/sessions": files})
    found = board.rescue(store)
    outcomes = {one.file: (one.outcome, one.session) for one in found.sessions}
    assert outcomes == {
        "00000004.rsl": ("quarantined", None),  # the log of another session
        "00000005.rsl": ("quarantined", None),
        "00000009.rsl": ("quarantined", None),
        "renamed.rsl": ("rescued", f"{DEVICE}/2"),
    }
    assert found.exit_status == 4 and found.as_dict()["quarantined"] == len(found.of("quarantined"))
    kept = {path.read_bytes(): path for path in store.raw.quarantined()}
    for one in found.of("quarantined"):
        path = kept[files[one.file]]
        assert path.name.startswith(f"{DEVICE}-{int(one.file[:8]):08d}-") and one.why.endswith(f" It is kept in {path}.")


def test_a_damaged_log_counts_and_another_one_of_the_same_name_does_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.raw.commit(DEVICE, 2, LOGS[2])
    hurt = bytearray(LOGS[1])
    hurt[len(hurt) // 2] ^= 1
    other = session_log(2, forward_s=777)
    board = StoppedBoard(monkeypatch, {"/sessions": files_of({1: bytes(hurt), 2: other})})
    found = board.rescue(store)
    first, second = found.sessions
    assert (first.outcome, first.session) == ("damaged", f"{DEVICE}/1") and first.why.endswith("; the rest counts.")
    assert second.outcome == "quarantined" and "both are kept" in second.why
    assert store.raw.read(DEVICE, 1) == bytes(hurt) and store.raw.read(DEVICE, 2) == LOGS[2]
    again = board.rescue(store)
    assert [one.outcome for one in again.sessions] == ["damaged", "quarantined"], "damage is reported each time"


def test_the_app_is_started_again_whatever_happens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    board = StoppedBoard(monkeypatch, {"/sessions": files_of(LOGS)})
    board.prompt.lost_after = 1 + len(LOGS[1]) // 384
    with pytest.raises(NoRepl, match=r"^The prompt is lost\. Saved already: 1 session\.$") as lost:
        board.rescue(store)
    assert lost.value.facts == {"port": PORT} and board.resets == 1
    assert {log.session for log in store.raw.all()} == {1}
    board.prompt.lost_after = None
    monkeypatch.setattr(rescue, "archive_log", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        board.rescue(store)
    assert board.resets == 2


def test_an_app_that_does_not_start_is_named_with_its_board(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    board = StoppedBoard(monkeypatch, {"/sessions": files_of({1: LOGS[1]})})
    board.answer = NoApp("It is silent.")
    found = board.rescue(store)
    assert type(found.problem) is AppNotStarted and found.problem.facts == {"port": PORT, "board": "VIRTUAL"}
    assert found.app == str(found.problem) and found.app.endswith(" The rescued sessions are safe.")
    assert (found.device, found.board, found.exit_status) == (DEVICE, "VIRTUAL", 0)
    board.prompt.files = {"/sessions": {}}
    found = board.rescue(store)
    assert found.problem is not None and found.problem.facts == {"port": PORT}
    board.answer = LinkLost("The board is gone.")
    found = board.rescue(store)
    assert found.problem is board.answer and found.app == "The board is gone." and "problem" not in found.as_dict()


@pytest.mark.parametrize(
    ("outcomes", "warnings", "status"),
    [([], [], 0), (["rescued", "had"], [], 0), (["damaged"], [], 4), (["quarantined"], [], 4), (["unread"], [], 4), (["had"], ["w"], 4)],
)
def test_exit_status(outcomes: list[str], warnings: list[str], status: int) -> None:
    found = Rescue("x", sessions=[Rescued("f", 1, outcome) for outcome in outcomes], warnings=warnings)
    assert found.exit_status == status
    assert {name: found.as_dict()[name] for name in ("rescued", "had", "damaged", "quarantined", "unread")} == {
        name: outcomes.count(name) for name in ("rescued", "had", "damaged", "quarantined", "unread")
    }


# A dump

BLOCKS = 64


def image_of(files: dict[str, bytes], blocks: int = BLOCKS) -> bytes:
    """A littlefs image with these files, by path."""
    flash = LittleFS(UserContext(blocks * BLOCK), block_size=BLOCK, block_count=blocks)
    for path, content in files.items():
        flash.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)
        with flash.open(path, "wb") as file:
            file.write(content)
    return bytes(flash.context.buffer)


def in_sessions(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"sessions/{name}": content for name, content in files.items()}


def test_a_dump_is_rescued_with_the_tail_of_its_open_log(store: Store, tmp_path: Path) -> None:
    log = bytes(LogBuilder(3).bout(FORWARD, 300).data)
    cut = len(log) - PIECE_BYTES
    files = {
        **in_sessions(files_of({1: LOGS[1], 3: log[:cut]})),
        "tail/0": pack_piece(3, cut, log[cut:]),
        "sessions/00000001.ok": ok_file(LOGS[1]),
    }
    path = tmp_path / "dump.bin"
    path.write_bytes(image_of(files))
    calls: list[tuple[str, int, int]] = []
    found = rescue_image(path, store, lambda *call: calls.append(call))
    assert [(one.file, one.outcome, one.synced_before) for one in found.sessions] == [
        ("00000001.rsl", "rescued", True), ("00000003.rsl", "rescued", False),
    ]  # fmt: skip
    assert store.raw.read(DEVICE, 3) == log and (found.exit_status, found.app, found.source) == (0, "", str(path))
    total = 12 + len(LOGS[1]) + cut
    assert calls == [("00000001.ok", 12, total), ("00000001.rsl", 12 + len(LOGS[1]), total), ("00000003.rsl", total, total)]


def test_a_log_was_synced_before_only_if_its_confirmation_is_valid(store: Store, tmp_path: Path) -> None:
    logs = {number: session_log(number, forward_s=60) for number in range(1, 9)}
    confirmations = {
        1: ok_file(logs[1]),
        2: ok_file(logs[2], len(logs[2]) - 1),  # of a part of it
        3: ok_file(logs[1], len(logs[3])),  # of another log
        4: ok_file(logs[4])[:-1],
        5: ok_file(logs[5]) + b"\0",
        6: ok_file(logs[6])[:-1] + b"\0",
        7: b"",
    }
    path = tmp_path / "dump.bin"
    files = {**files_of(logs), **{f"{number:08d}.ok": content for number, content in confirmations.items()}}
    path.write_bytes(image_of(in_sessions(files)))
    found = rescue_image(path, store)
    assert {one.file: one.synced_before for one in found.sessions} == {f"{number:08d}.rsl": number == 1 for number in logs}


def test_a_file_system_without_sessions_is_no_error(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dump.bin"
    path.write_bytes(image_of({"main.py": b"x"}))
    found = rescue_image(path, store)
    assert (found.sessions, found.warnings, found.exit_status) == ([], [], 0)


@pytest.mark.parametrize(
    ("problem", "of_files", "is_searched"),
    [
        ("", ["", ""], False),
        ("", ["a block is damaged", ""], True),
        ("", ["", "a block is damaged"], True),
        ("a folder is damaged", ["", ""], True),
    ],
)
def test_the_blocks_are_searched_where_a_part_of_the_file_system_cannot_be_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: str, of_files: list[str], is_searched: bool
) -> None:
    class FakeFolder:
        """Two logs in the folder of logs, and an empty tail."""

        def __init__(self, data: bytes, start: int, folder: str, *rest: object) -> None:
            self.is_mounted = self.exists = True
            self.problem = problem if folder == rescue.FOLDERS[0] else ""
            self.files = files_of({1: LOGS[1], 2: LOGS[2]}) if folder == rescue.FOLDERS[0] else {}
            self.sizes = {name: len(content) for name, content in self.files.items()}

        def __enter__(self) -> "FakeFolder":
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def read(self) -> Iterator[SimpleNamespace]:
            for (name, content), of_file in zip(self.files.items(), of_files, strict=False):
                yield SimpleNamespace(name=name, data=content, problem=of_file)

    path = tmp_path / "dump.bin"
    path.write_bytes(image_of(in_sessions(files_of({1: LOGS[1]}))))
    searched: list[list[int]] = []
    monkeypatch.setattr(rescue, "carve", lambda data, starts: searched.append(starts) or [])
    monkeypatch.setattr(rescue, "Folder", FakeFolder)
    found = rescue_image(path, store)
    assert bool(searched) == is_searched and [one.file for one in found.sessions] == ["00000001.rsl", "00000002.rsl"]
    assert [one.outcome for one in found.sessions] == ["damaged" if of_file else "rescued" for of_file in of_files]


LONG = session_log(6, forward_s=3_000, backward_s=900)


def lost_file_system(logs: dict[int, bytes]) -> bytes:
    """An image of which both superblocks are gone."""
    return b"\xff" * (2 * BLOCK) + image_of(in_sessions(files_of(logs)))[2 * BLOCK :]


def test_without_a_file_system_long_logs_are_pieced_together(store: Store, tmp_path: Path) -> None:
    assert len(LONG) > 2 * BLOCK
    path = tmp_path / "dump.bin"
    path.write_bytes(lost_file_system({6: LONG}))
    found = rescue_image(path, store)
    assert found.warnings == ["The file system is damaged. Logs were pieced together from its blocks."] and found.exit_status == 4
    (one,) = found.sessions
    (kept,) = store.raw.quarantined()
    assert (one.file, one.length, one.outcome, one.session, found.device) == ("", len(LONG), "quarantined", f"{DEVICE}/6", DEVICE)
    assert one.why == f"It was pieced together from the blocks of a damaged file system, complete. It is kept in {kept}."
    assert kept.read_bytes() == LONG and not list(store.raw.all())
    # What the archive has need not be kept again.
    store.raw.commit(DEVICE, 6, LONG)
    found = rescue_image(path, store)
    assert found.sessions == [] and found.exit_status == 4 and found.warnings, "it is a dump all the same"


def test_a_pieced_log_without_its_end_says_so(store: Store, tmp_path: Path) -> None:
    cut = LONG[: len(LONG) - 40]
    path = tmp_path / "dump.bin"
    path.write_bytes(lost_file_system({6: cut}))
    (one,) = rescue_image(path, store).sessions
    assert "damaged file system, without its end. It is kept in " in one.why and cut.startswith(store.raw.quarantined()[0].read_bytes())


@pytest.mark.parametrize("content", [b"", b"\xff" * 9_999, bytes(9_999), b"text " * 2_000])
def test_what_is_no_dump_is_refused(store: Store, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dump.bin"
    path.write_bytes(content)
    with pytest.raises(NoImage):
        rescue_image(path, store)


def test_a_dump_of_any_size_up_to_that_of_the_largest_flash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert flash_image.IMAGE_MOST_BYTES == 128 << 20
    monkeypatch.setattr(flash_image, "IMAGE_MOST_BYTES", 1_000)
    path = tmp_path / "dump.bin"
    path.write_bytes(b"x" * 1_000)
    assert read_image(path) == b"x" * 1_000
    path.write_bytes(b"x" * 1_001)
    with pytest.raises(NoImage, match="larger than any board's flash"):
        read_image(path)
    for blank in (b"\xff" * 900, bytes(900), b""):
        path.write_bytes(blank)
        with pytest.raises(NoImage, match="is blank"):
            read_image(path)
    for content in (b"\xff" * 500 + b"x", bytes(500) + b"\xff"):
        path.write_bytes(content)
        assert read_image(path) == content


# Where a file system may start


def table(*entries: tuple[int, int, int]) -> bytes:
    """A partition table of (type, subtype, offset)."""
    return b"".join(struct.pack("<HBBII16sI", 0x50AA, kind, subtype, at, 0x1000, b"name", 0) for kind, subtype, at in entries)


def flash_with(entries: bytes, *superblocks: int, length: int = 64 * BLOCK) -> bytes:
    data = bytearray(b"\xff" * length)
    data[0x8000 : 0x8000 + len(entries)] = entries
    for at in superblocks:
        data[at + 8 : at + 16] = b"littlefs"
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "starts"),
    [
        (flash_with(b""), []),
        (flash_with(table((1, 0x81, 0x10000), (1, 0x82, 0x20000), (1, 0x83, 0x30000))), [0x10000, 0x20000, 0x30000]),
        (flash_with(table((1, 0x80, 0x10000), (1, 0x84, 0x20000), (0, 0x81, 0x30000))), []),
        (flash_with(table((1, 0x81, 0x10800))), []),  # not at the start of a block
        (flash_with(table((1, 0x81, 63 * BLOCK), (1, 0x82, 64 * BLOCK))), [63 * BLOCK]),  # the end of the dump
        (flash_with(table((1, 0x81, 0x10000)) + b"\0" * 32 + table((1, 0x81, 0x20000))), [0x10000]),  # the table ends there
        (flash_with(b"", 0x10000), [0x10000, 0xF000]),
        (flash_with(b"", 0), [0]),
        (flash_with(b"", BLOCK), [BLOCK, 0]),
        (flash_with(b"", 0x10010), []),
        (flash_with(table((1, 0x81, 0x10000)), 0x10000, 0x11000), [0x10000, 0xF000, 0x11000]),
        (flash_with(b"", 0)[:0x8000], [0]),
        (flash_with(table((1, 0x81, 0)), length=0x8000 + 31)[: 0x8000 + 31], []),
        (flash_with(table((1, 0x81, 0)))[: 0x8000 + 32], [0]),
        (b"littlefs" + flash_with(b""), []),
    ],
)
def test_file_systems_start_at_partitions_and_superblocks(data: bytes, starts: list[int]) -> None:
    assert file_system_starts(data) == starts


def test_the_number_of_starts_is_bounded() -> None:
    found = file_system_starts(flash_with(b"", *range(0, 60 * BLOCK, 2 * BLOCK)))
    assert 16 <= len(found) <= 18
    full = table(*[(1, 0x81, n * BLOCK) for n in range(120)])
    assert len(file_system_starts(flash_with(full, length=200 * BLOCK))) == 95


# The files of a dump


def read_folder(
    image: bytes, most_bytes: int = 10_000, endings: tuple[str, ...] = (".rsl",), offset: int = 0
) -> tuple[Folder, dict[str, tuple[bytes, str]]]:
    with Folder(image, offset, "/sessions", endings, most_bytes) as folder:
        return folder, {read.name: (read.data, read.problem) for read in folder.read()}


def test_the_files_of_a_folder_by_their_endings() -> None:
    files = {"b.rsl": b"b" * 5_000, "a.rsl": b"", "c.ok": b"c", "d.txt": b"d"}
    image = image_of({**in_sessions(files), "sessions/inner.rsl/x": b"a folder", "other/e.rsl": b"e"})
    folder, read = read_folder(image, endings=(".rsl", ".ok"))
    assert (folder.is_mounted, folder.exists, folder.problem) == (True, True, "")
    assert folder.sizes == {"a.rsl": 0, "b.rsl": 5_000, "c.ok": 1} and list(read) == ["a.rsl", "b.rsl", "c.ok"]
    assert read == {"a.rsl": (b"", ""), "b.rsl": (b"b" * 5_000, ""), "c.ok": (b"c", "")}
    folder, read = read_folder(b"?" * (3 * BLOCK) + image, offset=3 * BLOCK)
    assert list(read) == ["a.rsl", "b.rsl"]
    folder, read = read_folder(image_of({"x": b"y"}))
    assert (folder.is_mounted, folder.exists, read) == (True, False, {})
    folder, read = read_folder(b"\xff" * (4 * BLOCK))
    assert (folder.is_mounted, folder.exists, read) == (False, False, {}) and folder.problem


def test_the_files_of_inner_folders_are_found() -> None:
    image = image_of({"sessions/00000008/00000009.rsl": b"nine", "sessions/00000008/deep/a.rsl": b"", "sessions/00000001.rsl": b"one"})
    _, read = read_folder(image)
    assert read == {"00000001.rsl": (b"one", ""), "00000008/00000009.rsl": (b"nine", "")}


class PowerCut(UserContext):
    """Keeps a copy of the flash after each of its programs."""

    def __init__(self, buffer: bytearray) -> None:
        super().__init__(buffer=buffer)
        self.copies: list[bytes] = []

    def prog(self, cfg: Any, block: int, off: int, data: bytes) -> int:
        done: int = super().prog(cfg, block, off, data)
        self.copies.append(bytes(self.buffer))
        return done


def test_a_rename_that_was_interrupted_hides_no_log() -> None:
    """Between its two steps littlefs hides another file of the folder, until something is written."""
    names = [f"{number:08d}.rsl" for number in range(1, 5)]
    flash = PowerCut(bytearray(image_of({**in_sessions({name: b"log" for name in names}), "logs/none": b""})))
    files = LittleFS(flash, mount=False, block_size=BLOCK, block_count=0)
    files.mount()
    flash.copies.clear()
    files.rename("/sessions/00000002.rsl", "/logs/00000002.rsl")
    assert len(flash.copies) >= 2
    for copy in flash.copies:
        _, old = read_folder(copy)
        with Folder(copy, 0, "/logs", (".rsl",), 100) as folder:
            assert sorted([*old, *(read.name for read in folder.read())]) == names


@pytest.mark.parametrize(
    ("most", "kept", "problem"),
    [(5_000, 5_000, "it is longer than 5000 bytes"), (5_001, 5_000, ""), (4_096, 4_096, "it is longer than 4096 bytes")],
)
def test_no_more_of_a_file_is_read_than_a_log_can_have(most: int, kept: int, problem: str) -> None:
    _, read = read_folder(image_of(in_sessions({"b.rsl": b"b" * 5_000})), most)
    assert read == {"b.rsl": (b"b" * kept, problem)}


def test_a_file_beyond_the_end_of_the_dump_is_read_up_to_it() -> None:
    content = bytes(n % 251 for n in range(4_000))
    image = image_of(in_sessions({"a.rsl": b"a" * 9_000, "b.rsl": content}))
    at = image.find(content)
    assert at > 0 and at % BLOCK == 0
    _, read = read_folder(image[:at])
    assert read["b.rsl"] == (b"", "the dump ends before it")
    _, read = read_folder(image[: at + 100])
    assert read["b.rsl"] == (b"", "the dump ends before it")
    _, read = read_folder(image[: at + BLOCK])
    assert read["b.rsl"] == (content, "")


def test_a_file_system_on_which_littlefs_loops_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    image = image_of(in_sessions({"a.rsl": b"a"}))
    assert flash_image.SILENCE_S == 30
    monkeypatch.setattr(flash_image, "SILENCE_S", 0.0)
    folder, read = read_folder(image)
    assert (folder.is_mounted, folder.problem, read) == (False, "littlefs loops in the damaged file system there", {})


# Logs without a file system


def test_the_longest_copy_of_each_log_is_pieced_together() -> None:
    image = lost_file_system({6: LONG, 7: session_log(7, forward_s=2_500, backward_s=900)})
    found = carve(image, [0])
    assert [(log.header.session, log.is_ended) for log in found] == [(6, True), (7, True)] and found[0].data == LONG
    # A shorter copy elsewhere changes nothing, wherever it is.
    beginning = LONG[:3_000] + b"\xff" * 1_096
    for copies in (beginning + image, image + beginning):
        starts = [len(copies) - len(image) if copies.startswith(beginning) else 0, 0]
        assert [log.data for log in carve(copies, starts) if log.header.session == 6] == [LONG]


def test_block_pointers_count_from_the_start_of_their_file_system() -> None:
    image = lost_file_system({6: LONG})
    shifted = b"\xff" * (5 * BLOCK) + image
    assert [log.data for log in carve(shifted, [5 * BLOCK])] == [LONG]
    assert [log.data for log in carve(shifted, [0, 5 * BLOCK])] == [LONG]
    (beginning,) = carve(shifted, [0])
    assert LONG.startswith(beginning.data) and not beginning.is_ended and len(beginning.data) > BLOCK - 300


def test_records_are_proven_one_by_one() -> None:
    log = session_log(1, forward_s=60)

    def carved(data: bytes) -> tuple[bytes, bool]:
        (one,) = carve(data + b"\xff" * 200, [0])
        return one.data, one.is_ended

    assert carved(log) == (log, True) and carved(b"??" + log) == (log, True), "at any byte"
    ends = []
    at = len(records.MAGIC)
    while at < len(log):
        at += 7 + log[at + 2]
        ends.append(at)
    assert ends[-1] == len(log)
    for n, start in enumerate(ends[:-1], 1):
        hurt = bytearray(log)
        hurt[start + 4] ^= 1
        assert carved(bytes(hurt)) == (log[:start], False), n
        missing = log[: ends[n - 1]] + log[ends[n] :]
        if n < len(ends) - 1:
            assert carved(missing)[0] == log[: ends[n - 1]], "a record is missing: the numbers do not continue"
        assert carved(log[: start + 5])[0] == log[:start]
    assert carve(log[: ends[0] - 1], [0]) == [] and carve(b"\xff" * BLOCK, [0]) == [] and carve(b"", [0]) == []
    no_header = records.MAGIC + log[ends[0] :]
    assert carve(no_header, [0]) == []


def test_a_stopped_file_is_not_complete_until_it_is() -> None:
    assert StoppedFile("a", 5).problem == "it did not arrive completely"
