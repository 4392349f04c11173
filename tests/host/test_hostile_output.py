"""Every command with hostile names, notes, logs, files and boards: nothing controls a terminal, and nothing is written elsewhere."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from retrostep.archive.event_journal import EventJournal
from retrostep.archive.moments import now_ms
from retrostep.archive.store import Store
from retrostep.cli import _bars, calibrate, devices, monitor, run
from retrostep.cli import sync as sync_command
from retrostep.device import boards as known_boards
from retrostep.device.ports import FoundPort
from retrostep_core.codes import BACKWARD, FORWARD
from retrostep_core.gait.limits import Limits
from retrostep_core.link import answers
from support.fake_board import FakeBoard
from support.logs import DEVICE, LogBuilder, at, session_log
from support.stored import receive
from support.waiting_time import Clock

TRICKS = {
    "terminal": "\x1b[2J\x1b]0;owned\x07 \x1b]8;;http://evil\x1b\\Ada\x1b]8;;\x1b\\ \x9b2J\x90q\x9c\x85",
    "hiding": "\u202egnp.exe\u2066\u200f\u061c A\u200bd\u00ada\ufeff\U000e0041\ue000\x00\x7f",
    "lines": "Ada\r\nOK      Ben\x0bok\x0c\x1c\u2028ok\u2029",
    "markup": "[red]Ada[/red] [link=http://evil]x[/link] [/] :smile: <script>alert(1)</script><!--&lt;",
    "path": "../../../etc/passwd",
    "absolute": "/etc/passwd",
    "windows": "C:\\con\\..\\NUL.txt:stream",
    "formula": "=cmd|'/c calc'!A1,\"\t+1 `id`;$(touch owned)|x&'\"",
    "joiners": "\u200dA\u200dda\u200c B\u200c\u200cen \U0001f469\u200d",
    "bytes": "caf\udce9 \udcff",
}
ALL = " ".join(TRICKS.values())

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("RETROSTEP_HOME", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def retrostep(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command as the shell would, on a wide terminal: (exit status, stdout, stderr)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["retrostep", *arguments])
        monkeypatch.setenv("COLUMNS", "4000")
        status = 0
        try:
            run()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def no_tricks(text: str) -> bool:
    """Whether a terminal would only print it."""
    return all(char.isprintable() or char == "\n" for char in text)


def files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file() or path.is_symlink()}


def enter(home: Path, trick: str) -> None:
    """What people entered, as a foreign hand would write it into the journal: names that no command would take."""
    journal = EventJournal(home / "entries.jsonl")
    text = trick.encode("utf-8", "backslashreplace").decode()
    journal.append("athlete", now_ms(), name=text)
    journal.append("assign", now_ms(), device=DEVICE, athlete=text, from_at_ms=0)
    journal.append("seen", now_ms(), device=DEVICE, board=text, core_version=text, core_hash=text, boot=1)
    journal.append("seen", now_ms(), device=text, board=text, core_version=text, core_hash=text, boot=1)
    note = {"pain": 9, "rpe": 3, "text": text, "next_day": False, "limp": True, "swelling": False}
    journal.append("note", now_ms(), device=DEVICE, number=1, **note)
    limits = {"athlete": text, "warn": 1.0, "fail": 2.0, "enabled": True, "from_at_ms": 0, "to_at_ms": None}
    journal.append("override", now_ms(), rule="session_spike", who=text, why=text, **limits)
    journal.append("override", now_ms(), rule=text, who=text, why=text, **limits)
    for rule in ("session_spike", "data_quality", text):
        journal.append("accept", now_ms(), athlete=text, rule=rule, who=text, why=text, until_at_ms=None)
    journal.append("revoke", now_ms(), athlete=text, rule="data_quality", who=text, why=text)
    journal.append("limits", now_ms(), device=DEVICE, athlete=text, limits=Limits().pack().hex(), who=text)
    journal.append("limits", now_ms(), device=text, athlete=text, limits=text, who=text)


READING = [
    ("sessions",),
    ("session", f"{DEVICE}/1"),
    ("athletes",),
    ("rules",),
    ("check",),
    ("check", "--why"),
    ("accept",),
    ("limits", "show"),
    ("store", "status"),
    ("store", "rebuild"),
]


@pytest.mark.parametrize("trick", TRICKS)
def test_names_notes_logs_and_files_only_print(retrostep: Command, home: Path, tmp_path: Path, trick: str) -> None:
    text = TRICKS[trick]
    enter(home, text)
    with Store() as store:
        log = LogBuilder(1, board=text).clock(at("2026-11-20 17:00")).bout(FORWARD, 60).bout(BACKWARD, 900).end()
        receive(store, 1, log)
        store.raw.quarantine(text, 1, b"x", text)
        store.raw.quarantine(DEVICE, 2, b"x", text)
    name = text.replace("/", "-").replace("\0", "-")
    for folder in ("quarantine", f"logs/{DEVICE}", "incoming"):
        (home / folder / f"{name}.rsl").parent.mkdir(parents=True, exist_ok=True)
        (home / folder / f"{name}.rsl").write_bytes(b"x")
    (home / "logs" / f"{name}.").mkdir()
    (home / "logs" / f"{name}." / "00000001.rsl").write_bytes(session_log())
    (home / "logs" / DEVICE / "00000007.rsl").write_bytes(b"no log")
    before = files(tmp_path)
    for command in READING:
        status, out, err = retrostep(*command)
        assert status in (0, 3, 4) and out and no_tricks(out) and no_tricks(err), command
        status, out, err = retrostep(*command, "--json")
        assert out.isascii() and no_tricks(out) and no_tricks(err), command
        json.loads(out)
    assert all(home in path.parents for path in files(tmp_path) - before)
    for aside in (home / "quarantine").glob("*.txt"):
        assert aside.name.startswith(("unnamed-", f"{DEVICE}-"))


GIVEN = [
    ("{}",),
    ("sync", "--port", "{}"),
    ("devices", "--port", "{}"),
    ("monitor", "--port", "{}"),
    ("calibrate", "--port", "{}"),
    ("deploy", "--board", "{}", "--port", "/dev/none"),
    ("deploy", "--board", "VIRTUAL", "--port", "{}"),
    ("boards", "show", "{}"),
    ("replay", "{}"),
    ("replay", "--limits", "{}", "x.csv"),
    ("replay", "--engine", "{}", "x.csv"),
    ("session", "{}"),
    ("session", "{}/1"),
    ("sessions", "--athlete", "{}"),
    ("sessions", "--device", "{}"),
    ("sessions", "--since", "{}"),
    ("check", "--athlete", "{}"),
    ("check", "--on", "{}"),
    ("check", "{}"),
    ("plan", "{}"),
    ("plan", "Ada", "--gait", "{}"),
    ("accept", "{}", "share", "--because", "x", "--until", "2099-01-01"),
    ("accept", "Ada", "{}", "--because", "x"),
    ("accept", "Ada", "share", "--because", "x", "--until", "{}"),
    ("limits", "push", "{}"),
    ("limits", "show", "{}"),
    ("limits", "cancel", "{}"),
    ("rules", "{}"),
    ("check", "--{}"),
    ("athletes", "add", "{}"),
    ("athletes", "assign", "{}", "Ada"),
    ("athletes", "assign", DEVICE, "{}"),
    ("athletes", "release", "{}"),
    ("note", "{}", "--pain", "1"),
    ("note", f"{DEVICE}/1", "--text", "{}"),
    ("note", f"{DEVICE}/1", "--began", "{}"),
    ("rules", "set", "{}", "--off", "--by", "x", "--why", "y"),
    ("rules", "set", "share", "--off", "--by", "{}", "--why", "{}"),
    ("rules", "set", "share", "--off", "--athlete", "{}", "--by", "x", "--why", "y"),
    ("store", "{}"),
    ("session", f"{DEVICE}/1", "--athlete", "{}"),
    ("athletes", "rename", "{}", "Ben"),
    ("athletes", "rename", "Ada", "{}"),
    ("athletes", "remove", "{}"),
    ("athletes", "restore", "{}"),
    ("athletes", "forget", "{}"),
]


@pytest.mark.parametrize("trick", TRICKS)
def test_whatever_is_typed_or_pasted_only_prints(retrostep: Command, home: Path, tmp_path: Path, trick: str) -> None:
    """A shell hands on bytes that are no UTF-8, and a name may come from anywhere; only NUL cannot be typed."""
    text = TRICKS[trick].replace("\0", "")
    with Store() as store:
        store.add_athlete("Ada")
        store.ingest(DEVICE, 1, session_log())
    before = files(tmp_path)
    for command in GIVEN:
        status, out, err = retrostep(*(word.replace("{}", text) for word in command))
        assert status in (0, 1, 2, 4) and no_tricks(out) and no_tricks(err), command
        assert "Traceback" not in err and "fault of Retrostep" not in err, command
    assert all(home in path.parents for path in files(tmp_path) - before)
    for url in ("{}", "sqlite:///{}", "sqlite:///here/{}?x"):
        status, out, err = retrostep("sessions", "--store", url.replace("{}", text))
        assert status in (0, 1, 4) and no_tricks(out) and no_tricks(err) and "Traceback" not in err, url
    assert json.loads(retrostep("store", "status", "--json")[1])["damaged_entries"] == 0, "what was entered is kept"


@pytest.mark.parametrize("trick", TRICKS)
def test_files_that_are_given_only_print(retrostep: Command, tmp_path: Path, home: Path, trick: str) -> None:
    text = TRICKS[trick]
    name = tmp_path / (text.replace("/", "-").replace("\0", "-") + ".csv")
    columns = "t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n"
    content = text.encode("utf-8", "surrogateescape")
    (tmp_path / "ok.csv").write_text(columns + "".join(f"{i / 104},0,0,1,0,0,0\n" for i in range(300)))
    for made in (content, b"# placement: " + content, b"# mount: " + content, columns.encode() + content, columns.encode() * 2):
        name.write_bytes(made)
        status, out, err = retrostep("replay", str(name))
        assert status == 1 and not out and no_tricks(err) and err.count("\n") == 1
    name.write_bytes((tmp_path / "ok.csv").read_bytes())
    for options in ((), ("--json",)):
        status, out, err = retrostep("replay", *options, str(name))
        assert status == 0 and no_tricks(out)
    limits = tmp_path / "limits.json"
    for value in ({text: 1}, {"warm_up_s": text}, [text], text):
        limits.write_text(json.dumps(value))
        status, out, err = retrostep("replay", "--limits", str(limits), "ok.csv")
        assert status == 1 and not out and no_tricks(err) and err.count("\n") == 1
    limits.write_text("[" * 60_000)
    status, _, err = retrostep("replay", "--limits", str(limits), "ok.csv")
    assert status == 1 and "must be a JSON object" in err
    limits.write_text("[" * 70_000)
    assert "longer than" in retrostep("replay", "--limits", str(limits), "ok.csv")[2]


def test_a_board_description_only_prints(retrostep: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried = tmp_path / "carried"
    for folder in ("VIRTUAL", "EVIL"):
        (carried / "boards" / folder).mkdir(parents=True)
    there = known_boards.carried() / "boards"
    (carried / "boards/board.schema.json").write_bytes((there / "board.schema.json").read_bytes())
    facts = json.loads((there / "VIRTUAL/board.json").read_text())
    monkeypatch.setattr(known_boards, "carried", lambda: carried)
    text = ALL.replace("\0", "")
    for spoilt in ({"product": text}, {"name": text}, {"chip": text}, {text: text}, {"imu": {text: text}}, {"link": [text]}):
        (carried / "boards/VIRTUAL/board.json").write_text(json.dumps({**facts, **spoilt}))
        (carried / "boards/EVIL/board.json").write_text("[" * 100_000)
        for command in (("boards",), ("boards", "show", "VIRTUAL"), ("boards", "show", "EVIL")):
            for options in ((), ("--json",)):
                status, out, err = retrostep(*command, *options)
                assert status in (0, 1, 4) and no_tricks(out) and no_tricks(err), (spoilt, command)


class Boasting(FakeBoard):
    """A board that puts tricks into its names and texts. Its HELLO may carry a name of any bytes."""

    trick = b""
    path = "/dev/\x1b[2J\u202efake"

    def write(self, data: bytes | memoryview) -> int:
        if not isinstance(data, memoryview):
            self.print_text(b"\r\n" + self.trick + b"\r\n")
        return super().write(data)


@pytest.fixture
def boasting(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Boasting]]:
    for module in (devices, sync_command):
        monkeypatch.setattr(module, "select_ports", lambda named, and_all=False: [FoundPort(Boasting.path, "", ())])
    for module in (devices, sync_command, monitor, calibrate):
        monkeypatch.setattr(module, "SerialPort", lambda path, stop=None: made[-1])
    made: list[Boasting] = []

    def make(text: str) -> Boasting:
        fake = Boasting(tmp_path / f"flash{len(made)}", board=text, core=b"\x1b[2J" + bytes(4))
        fake.trick = text.encode("utf-8", "surrogateescape")
        made.append(fake)
        return fake

    yield make


@pytest.mark.parametrize("trick", TRICKS)
def test_a_board_can_only_print(
    retrostep: Command, boasting: Callable[[str], Boasting], monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path, trick: str
) -> None:
    text = TRICKS[trick]
    enter(home, text)
    fake = boasting(text)
    fake.put(1, session_log(1))
    fake.put(2, session_log(2, device="other", board=text))
    fake.put(3, b"no log " + text.encode("utf-8", "surrogateescape"))
    fake.wearable.calibrations = [answers.Calibration(3, 5, 0, text[:6].encode("ascii", "replace").decode())]
    before = files(tmp_path)
    port = ("--port", fake.path)
    for command in (("devices",), ("monitor", "--seconds", "0.1", *port), ("calibrate", "--last", *port), ("sync",), ("sync",)):
        for options in ((), ("--json",)):
            status, out, err = retrostep(*command, *options)
            assert status in (0, 1, 4) and no_tricks(out) and no_tricks(err.replace("\t", "")), command
            if options and command[0] != "monitor" and out:
                json.loads(out)
    assert (home / "logs" / DEVICE / "00000001.rsl").read_bytes() == session_log(1)
    assert all(home in path.parents or fake.root in path.parents for path in files(tmp_path) - before)
    fake.wearable.identity = fake.wearable.identity._replace(device=text)
    for command in (("devices",), ("sync",)):
        status, out, err = retrostep(*command)
        assert status in (0, 1, 4) and no_tricks(out) and no_tricks(err), command


def test_the_advice_to_deploy_cannot_be_a_command_of_the_boards_own(boasting: Callable[[str], Boasting], retrostep: Command) -> None:
    boasting("x; rm -rf ~")
    assert "--board 'x; rm -rf ~' --port" in retrostep("devices")[2]


def test_a_progress_bar_only_prints(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with _bars.progress_bar(ALL) as progress:
        progress(ALL, 1, 2)
    assert "\x1b]" not in capsys.readouterr().err
