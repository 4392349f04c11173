"""The demo: its live display, its folder, and its failures. That all of it works is shown by running it (make demo)."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import demo
import demo_terminal
import pytest
from demo import DemoFailed, main
from demo_folder import ARCHIVE, LOCK, empty, locked, note_contents
from demo_live import LiveSession, Overdue, alert_text, events_until, sparkline
from support.places import ROOT


def session_of(*events: dict) -> LiveSession:
    live = LiveSession()
    for event in events:
        live.add(event)
    return live


def test_steps_get_the_direction_that_the_board_reports_later() -> None:
    live = session_of(
        {"event": "session", "at": 0.0, "session": 6, "started": True},
        *({"event": "step", "at": 2.0, "t": t, "direction": "unknown"} for t in (0.5, 1.0, 1.5, 2.0)),
        {"event": "direction", "at": 2.1, "since": 0.9, "direction": "backward"},
        {"event": "cadence", "at": 2.1, "spm": 120.0},
    )
    assert (live.session, live.count("unknown"), live.count("backward"), live.spm) == (6, 1, 3, 120.0)
    live.add({"event": "direction", "at": 9.0, "since": 8.0, "direction": "still"})
    assert (live.direction, live.spm, live.ended) == ("still", 0.0, False)
    live.add({"event": "session", "at": 9.0, "session": 6, "started": False})
    assert live.ended


def test_only_stop_alerts_of_the_ramp_count_as_ramp_stops() -> None:
    ramp = {"event": "alert", "at": 30.0, "kind": "cadence_ramp", "measured": 16.2, "limit": 15.0}
    cold = {"event": "alert", "at": 5.0, "kind": "cold_start", "severity": "stop", "measured": 78.0, "limit": 300.0}
    live = session_of(cold, {**ramp, "severity": "warn"}, {**ramp, "severity": "stop"})
    assert live.ramp_stops == 1
    assert "STOP: backward cadence rose 16 % within 10 s (limit 15 %)" in live.alerts[2]


@pytest.mark.parametrize("kind", ["cadence_ramp", "cadence_ceiling", "cold_start", "session_limit", "a new kind"])
def test_every_alert_has_a_text(kind: str) -> None:
    text = alert_text({"kind": kind, "severity": "warn", "measured": 1.0, "limit": 2.0})
    assert text.startswith("warning: ") and 10 < len(text) < 70


def test_the_sparkline_fits_its_width() -> None:
    assert sparkline([], 20) == ""
    assert sparkline([(1.0, 80.0), (3.0, 150.0), (9.0, 0.0), (11.0, 220.0)], 20) == "▁▅▅▅ █"
    long = sparkline([(float(s), 100.0) for s in range(1000)], 76)
    assert 70 <= len(long) <= 76


def test_events_are_read_line_by_line_until_the_deadline() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end) as stream, os.fdopen(write_end, "wb", buffering=0) as sender:
        sender.write(b'{"n": 1}\n{"n"')
        events = events_until(stream, time.monotonic() + 60)
        assert next(events) == {"n": 1}
        sender.write(b": 2}\n")
        assert next(events) == {"n": 2}
        with pytest.raises(Overdue):
            next(events_until(stream, time.monotonic()))


def demo_folder(folder: Path) -> Path:
    """A folder as a demo leaves it, with one synced log."""
    log = folder / ARCHIVE / "raw/RS-000000000001/00000001.rsl"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"synthetic")
    (folder / "ben.flash").write_bytes(b"flash")
    (folder / ARCHIVE / "store.sqlite").write_bytes(b"derived")
    note_contents(folder)
    return log


def test_a_demo_folder_is_emptied_while_only_the_demo_wrote_to_it(tmp_path: Path) -> None:
    demo_folder(tmp_path)
    (tmp_path / ARCHIVE / "store.sqlite").write_bytes(b"derived again")
    (tmp_path / ARCHIVE / "store.sqlite-wal").write_bytes(b"")
    empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["data/raw/RS-00000000000A/00000007.rsl", "data/raw/RS-000000000001/00000001.rsl", "mine.txt"])
def test_what_somebody_added_stays_and_so_does_everything_else(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo_folder(tmp_path)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a real session")
    before = sorted(tmp_path.rglob("*"))
    assert main(["--home", str(tmp_path)]) == 1
    assert f"{path} was not made by the demo: move {tmp_path} away" in capsys.readouterr().err
    removed = subprocess.run(
        [sys.executable, "-S", str(ROOT / "boards/VIRTUAL/demo_folder.py"), "--remove", str(tmp_path)], capture_output=True, text=True
    )
    assert removed.returncode == 0 and f"Kept {tmp_path}. {path} was not made by the demo" in removed.stdout, removed.stderr
    assert sorted(path for path in tmp_path.rglob("*") if path.name != LOCK) == before and path.read_bytes() == b"a real session"


def test_a_folder_of_another_program_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(["not a demo's"]))
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["--home", str(tmp_path)]) == 1
    assert "mine.txt was not made by the demo" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_two_demos_at_once_are_refused_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(tmp_path):
        assert main(["--home", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error == f"The demo already runs in {tmp_path}: wait until it ends, or stop it with Ctrl-C.\n"
    with (tmp_path / LOCK).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_step_that_fails_ends_the_demo_and_the_folder_can_be_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "record_past", lambda home, today, progress: {demo.ADA: 4, demo.BEN: 0})
    monkeypatch.setattr(demo, "live_plan", lambda: [demo.Stand(1)])
    for _ in range(2):
        assert main(["--home", str(tmp_path / "new")]) == 1
        assert "The demo failed: Ben's board holds 0 earlier sessions instead of 5." in capsys.readouterr().err


def test_a_command_with_another_status_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_terminal, "RETROSTEP", Path("/bin/false"))
    terminal = demo_terminal.Terminal(tmp_path)
    with pytest.raises(DemoFailed, match="`retrostep sync` ended with status 1 instead of 0"):
        terminal.retrostep("sync")
    with pytest.raises(DemoFailed, match="`retrostep check --json` ended with status 1: it printed no error"):
        terminal.query("check")


def test_the_users_own_settings_do_not_reach_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETROSTEP_HOME", "/home/coach/sessions")
    monkeypatch.setenv("RETROSTEP_PORTS", "/dev/ttyACM0")
    terminal = demo_terminal.Terminal(tmp_path)
    assert [value for name, value in terminal.environment.items() if name.startswith("RETROSTEP_")] == [str(tmp_path)]
