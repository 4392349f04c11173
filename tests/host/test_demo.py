"""The demo's own pieces; that the whole of it works is shown by running it (make demo)."""

import os
from pathlib import Path

import demo
import pytest
from demo import DemoFailed, Watched, alert_words, lines_until, main, sparks


def told(*events: dict) -> Watched:
    seen = Watched()
    for event in events:
        seen.take(event)
    return seen


def test_steps_follow_what_the_board_learns_late() -> None:
    seen = told(
        {"event": "session", "at": 0.0, "session": 6, "started": True},
        *({"event": "step", "at": 2.0, "t": t, "direction": "unknown"} for t in (0.5, 1.0, 1.5, 2.0)),
        {"event": "direction", "at": 2.1, "since": 0.9, "direction": "backward"},
        {"event": "cadence", "at": 2.1, "spm": 120.0},
    )
    assert (seen.session, seen.count("unknown"), seen.count("backward"), seen.spm) == (6, 1, 3, 120.0)
    seen.take({"event": "direction", "at": 9.0, "since": 8.0, "direction": "still"})
    assert (seen.direction, seen.spm, seen.ended) == ("still", 0.0, False)
    seen.take({"event": "session", "at": 9.0, "session": 6, "started": False})
    assert seen.ended


def test_only_stop_alerts_of_the_ramp_count_as_ramp_stops() -> None:
    ramp = {"event": "alert", "at": 30.0, "kind": "cadence_ramp", "measured": 16.2, "limit": 15.0}
    cold = {"event": "alert", "at": 5.0, "kind": "cold_start", "severity": "stop", "measured": 78.0, "limit": 300.0}
    seen = told(cold, {**ramp, "severity": "warn"}, {**ramp, "severity": "stop"})
    assert seen.ramp_stops == 1
    assert "STOP: backward cadence rose 16 % within 10 s (limit 15 %)" in seen.alerts[2]


@pytest.mark.parametrize("kind", ["cadence_ramp", "cadence_ceiling", "cold_start", "session_limit", "something new"])
def test_every_alert_has_words(kind: str) -> None:
    words = alert_words({"kind": kind, "severity": "warn", "measured": 1.0, "limit": 2.0})
    assert words.startswith("warning: ") and len(words) > 10


def test_the_course_of_cadence_fits_its_line() -> None:
    assert sparks([], 20) == ""
    assert sparks([(1.0, 80.0), (3.0, 150.0), (9.0, 0.0), (11.0, 220.0)], 20) == "▁▅▅▅ █"
    long = sparks([(float(s), 100.0) for s in range(1000)], 76)
    assert 70 <= len(long) <= 76


def test_lines_come_whole_and_a_deadline_is_kept() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end) as stream, os.fdopen(write_end, "wb", buffering=0) as sender:
        sender.write(b"one\ntw")
        lines = lines_until(stream, demo.time.monotonic() + 0.2)
        assert next(lines) == "one"
        sender.write(b"o\n")
        assert next(lines) == "two"
        with pytest.raises(DemoFailed, match="took longer"):
            next(lines)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["--home", str(tmp_path)]) == 1
    assert "not empty: name a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_step_that_fails_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo, "make_past", lambda home, today, tell: {demo.ADA: 4, demo.BEN: 0})
    monkeypatch.setattr(demo, "live_plan", lambda: [demo.Stand(1)])
    assert main(["--home", str(tmp_path / "new")]) == 1
    assert "The demo failed: Ben's board holds 0 sessions of the past" in capsys.readouterr().err


def test_a_retrostep_that_says_no_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "RETROSTEP", Path("/bin/false"))
    show = demo.Show(tmp_path)
    with pytest.raises(DemoFailed, match="`retrostep sync` ended with 1, where 0 was expected"):
        show.retrostep("sync")
    with pytest.raises(DemoFailed, match="`retrostep check --json` ended with 1: it said nothing"):
        show.asked("check")
