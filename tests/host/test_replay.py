"""`retrostep replay`: good recordings, bad recordings, both interpreters, the limits in force."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from retrostep.cli.replay import command
from retrostep.errors import RetrostepError
from retrostep.replay import engines, imu, recording
from retrostep.replay.recording import ImuRecording, RecordingError, read_recording
from support.gait_leg import Leg

HEADER = "# retrostep-recording: 1\n# placement: shank\n# side: left\n# mount: +x+y+z\n"
NAMES = "t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n"


class Paper:
    """Stands where the leg's engine would: keeps each sample as a row of the CSV's units."""

    def __init__(self) -> None:
        self.rows: list[list[float]] = []

    def samples(self, block: Any, n: int, t0_ms: int, period_us: int) -> None:
        for k in range(n):
            values = block[k * 6 : k * 6 + 6]
            self.rows.append([v / 1000 for v in values[:3]] + [v / 10 for v in values[3:]])


def rows(back: bool = False, seconds: int = 15, gyro: bool = True) -> list[list[float]]:
    """A leg that stands, walks or runs backward, and stands; six values a sample at 104 Hz."""
    paper = Paper()
    leg = Leg(paper)
    leg.stand(2500)
    leg.walk(seconds * 1000, 1500, back)
    leg.stand(2500)
    leg.flush()
    return paper.rows


def text(samples: list[list[float]], rate_hz: float = 104.0, header: str = HEADER, start_s: float = 0.0, gyro: bool = True) -> str:
    lines = [header + NAMES]
    for k, row in enumerate(samples):
        gyr = ",".join(f"{v:.2f}" for v in row[3:]) if gyro else ",,"
        lines.append(f"{start_s + k / rate_hz:.4f}," + ",".join(f"{v:.4f}" for v in row[:3]) + f",{gyr}\n")
    return "".join(lines)


def save(folder: Path, content: str, name: str = "leg.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def replay(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments])


def events_of(result: Result) -> list[dict[str, Any]]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def of(events: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == what]


@pytest.fixture(scope="module")
def backward() -> list[list[float]]:
    return rows(back=True)


def test_events_are_those_of_the_scorer_and_a_summary_ends_them(tmp_path: Path, backward: list[list[float]]) -> None:
    result = replay("--json", save(tmp_path, text(backward)))
    assert result.exit_code == 0
    events = events_of(result)
    assert {event["recording"] for event in events} == {"leg"}
    steps = of(events, "step")
    assert 34 <= len(steps) <= 40
    assert all(set(step) == {"recording", "event", "t", "at", "direction"} and step["t"] <= step["at"] for step in steps)
    assert {step["direction"] for step in steps} == {"backward"}
    assert all(120 < event["spm"] < 180 for event in of(events, "cadence") if event["spm"])
    assert of(events, "direction")[-1]["direction"] == "still"
    summary = events[-1]
    assert set(summary) == {"recording", "event", "duration_s", "steps", "forward_s", "backward_s", "alerts"}
    assert summary["steps"] == {"forward": 0, "backward": len(steps), "unknown": 0}
    assert summary["duration_s"] == pytest.approx(20, abs=0.1) and summary["backward_s"] == pytest.approx(15, abs=1)
    alerts = of(events, "alert")
    assert summary["alerts"] == len(alerts) == 1
    assert set(alerts[0]) == {"recording", "event", "at", "kind", "severity", "measured", "limit"}
    assert (alerts[0]["kind"], alerts[0]["severity"], alerts[0]["limit"]) == ("cold_start", "warn", 300)


def test_both_engines_print_the_same_lines(tmp_path: Path, backward: list[list[float]]) -> None:
    files = [save(tmp_path, text(backward), "one.csv"), save(tmp_path, text(rows(), 200.0), "two.csv")]
    host, board = (replay("--json", "--engine", engine, *files) for engine in ("host", "micropython"))
    assert host.stdout and host.stdout == board.stdout
    assert host.exit_code == board.exit_code == 0


def test_a_file_of_limits_replaces_those_in_force(tmp_path: Path, backward: list[list[float]]) -> None:
    file = save(tmp_path, text(backward))
    limits = tmp_path / "limits.json"
    limits.write_text('{"warm_up_s": 0, "ceiling_warn_spm": 120, "ceiling_stop_spm": 140, "session_warn_s": 5, "session_stop_s": 10}')
    for engine in ("host", "micropython"):
        alerts = of(events_of(replay("--json", "--engine", engine, "--limits", limits, file)), "alert")
        kinds = [(alert["kind"], alert["severity"], alert["limit"]) for alert in alerts]
        assert sorted(kinds) == [("cadence_ceiling", "stop", 140.0), ("session_limit", "stop", 10), ("session_limit", "warn", 5)]


@pytest.mark.parametrize("content", ['{"speed": 3}', '{"warm_up_s": -1}', "[]", "{", '{"ramp_warn_pct": "ten"}'])
def test_limits_that_are_none_are_one_sentence(tmp_path: Path, content: str, backward: list[list[float]]) -> None:
    limits = tmp_path / "limits.json"
    limits.write_text(content)
    with pytest.raises(RetrostepError, match="limits.json"):
        command.main(["--limits", str(limits), str(save(tmp_path, text(backward)))], standalone_mode=False)


def test_without_json_a_person_can_read_it(tmp_path: Path, backward: list[list[float]]) -> None:
    result = replay(save(tmp_path, text(backward)))
    assert result.exit_code == 0
    assert "backward" in result.stdout and "cold_start" in result.stdout and "{" not in result.stdout


BAD = {
    "empty": ("", 1, "empty"),
    "no header": ("0,0,0,1,0,0,0\n0.01,0,0,1,0,0,0\n", 1, "names"),
    "only comments": (HEADER, 4, "columns"),
    "missing column": (HEADER + "t_s,ax_g,ay_g,gx_dps,gy_dps,gz_dps\n0,0,0,0,0,0\n", 5, "az_g"),
    "column twice": (HEADER + NAMES.strip() + ",ax_g\n", 5, "twice"),
    "no samples": (HEADER + NAMES, 5, "samples"),
    "one sample": (HEADER + NAMES + "0,0,0,1,0,0,0\n", 6, "sample"),
    "words": (HEADER + NAMES + "0,0,0,1,0,0,0\n0.01,0,zero,1,0,0,0\n", 7, "number"),
    "words for rates": (HEADER + NAMES + "0,0,0,1,0,0,0\n0.01,0,0,1,0,fast,0\n", 7, "number"),
    "NaN": (HEADER + NAMES + "0,0,0,1,0,0,0\n0.01,0,nan,1,0,0,0\n", 7, "NaN"),
    "infinity": (HEADER + NAMES + "0,0,0,1,0,0,0\n0.01,0,inf,1,0,0,0\n", 7, "NaN"),
    "time backward": (HEADER + NAMES + "0,0,0,1,0,0,0\n0.02,0,0,1,0,0,0\n0.01,0,0,1,0,0,0\n", 8, "time"),
    "time stands": (HEADER + NAMES + "0,0,0,1,0,0,0\n0,0,0,1,0,0,0\n", 7, "time"),
    "time NaN": (HEADER + NAMES + "nan,0,0,1,0,0,0\n0,0,0,1,0,0,0\n", 6, "NaN"),
    "epoch seconds times a thousand": (HEADER + NAMES + "1.7e12,0,0,1,0,0,0\n", 6, "range"),
    "short row": (HEADER + NAMES + "0,0,0,1,0,0,0\n0.01,0,0,1\n", 7, "columns"),
    "gyroscope now and then": (HEADER + NAMES + "0,0,0,1,0,0,0\n0.01,0,0,1,,,\n", 7, "gyroscope"),
    "endless line": (HEADER + "x" * 5000, 5, "longer"),
    "placement": ("# placement: ear\n" + NAMES, 1, "placement"),
    "side": ("# side: both\n" + NAMES, 1, "side"),
    "mount": ("# mount: +x+x+z\n" + NAMES, 1, "mount"),
    "mirrored mount": ("# mount: +y+x+z\n" + NAMES, 1, "mirrored"),
    "other format": ("# retrostep-recording: 2\n" + NAMES, 1, "format"),
    "binary": ("\x00\x01\x02\n\x07\x1b[31m\n", 1, "names"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_recording_is_one_sentence_with_file_and_line(tmp_path: Path, case: str) -> None:
    content, line, word = BAD[case]
    result = replay("--json", save(tmp_path, content, "bad.csv"))
    assert result.exit_code == 1
    assert result.stdout == ""
    complaint = result.stderr.strip()
    assert len(complaint.splitlines()) == 1 and complaint.endswith(".")
    assert f"bad.csv, line {line}:" in complaint and word in complaint
    assert complaint.isprintable()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = replay(tmp_path / "none.csv")
    assert result.exit_code == 1 and "none.csv" in result.stderr and "Traceback" not in result.stderr


def test_too_many_samples_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_MOST_SAMPLES", 100)
    with pytest.raises(RecordingError, match="line 106.*100 samples"):
        read_recording(save(tmp_path, text([[0, 0, 1, 0, 0, 0]] * 200)))


@pytest.mark.parametrize("engine", ["host", "micropython"])
def test_the_others_go_on_and_the_status_tells(tmp_path: Path, engine: str, backward: list[list[float]]) -> None:
    good = text(backward)
    files = [save(tmp_path, good, "a.csv"), save(tmp_path, good[: len(good) // 2] + "x\n", "b.csv"), save(tmp_path, good, "c.csv")]
    result = replay("--json", "--engine", engine, *files)
    assert result.exit_code == 1
    assert [event["recording"] for event in of(events_of(result), "summary")] == ["a", "c"]
    assert "b.csv, line" in result.stderr


def test_a_missing_interpreter_is_one_sentence_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backward: list[list[float]]
) -> None:
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RetrostepError, match=r"pip install 'retrostep\[virtual\]'"):
        command.main(["--engine", "micropython", str(save(tmp_path, text(backward)))], standalone_mode=False)


def test_an_interpreter_that_dies_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backward: list[list[float]]) -> None:
    child = tmp_path / "child.py"
    child.write_text("raise ValueError('no room')\n")
    monkeypatch.setattr(engines, "_CHILD", child)
    with pytest.raises(RetrostepError, match="leg.*no room"):
        command.main(["--engine", "micropython", str(save(tmp_path, text(backward)))], standalone_mode=False)


def test_times_keep_the_recordings_own_start(tmp_path: Path, backward: list[list[float]]) -> None:
    early = of(events_of(replay("--json", save(tmp_path, text(backward)))), "step")
    late = of(events_of(replay("--json", save(tmp_path, text(backward, start_s=5000.0)))), "step")
    assert [step["t"] + 5000 for step in early] == pytest.approx([step["t"] for step in late], abs=0.002)


@pytest.mark.parametrize("rate_hz", [50.0, 97.0, 111.0, 208.0, 1000.0])
def test_any_rate_gives_the_same_steps(tmp_path: Path, rate_hz: float, backward: list[list[float]]) -> None:
    """A board's own rate (within 10 %) is kept, any other is resampled; the times stay the recording's."""
    n = int(len(backward) / 104 * rate_hz)
    other = []
    for k in range(n):
        at = min(k / rate_hz * 104, len(backward) - 1.001)
        i, share = int(at), at - int(at)
        other.append([a + share * (b - a) for a, b in zip(backward[i], backward[i + 1], strict=True)])
    want = of(events_of(replay("--json", save(tmp_path, text(backward), "want.csv"))), "step")
    got = of(events_of(replay("--json", save(tmp_path, text(other, rate_hz), "got.csv"))), "step")
    assert len(got) == len(want)
    assert [step["t"] for step in got] == pytest.approx([step["t"] for step in want], abs=0.03)
    assert {step["direction"] for step in got} == {"backward"}


def test_a_jump_of_the_time_stamps_is_a_gap(tmp_path: Path, backward: list[list[float]]) -> None:
    first, second = text(backward).splitlines(keepends=True), text(backward, start_s=30.0).splitlines(keepends=True)
    events = events_of(replay("--json", save(tmp_path, "".join(first + second[5:]))))
    gaps = of(events, "gap")
    assert len(gaps) == 1
    assert gaps[0]["from"] == pytest.approx(20, abs=0.1) and gaps[0]["to"] == 30.0
    assert not [step for step in of(events, "step") if gaps[0]["from"] < step["t"] < gaps[0]["to"]]


def test_values_are_quantised_and_saturate_as_the_chips() -> None:
    made = ImuRecording(name="full")
    for k in range(104):
        made.t_s.append(k / 104)
        for axis, value in enumerate((40.0, -40.0, 1.0, 9000.0, -9000.0, 0.034)):
            made.values[axis].append(value)
    blocks = list(imu.blocks(made))
    assert [block.n for block in blocks] == [52, 52] and [block.t0_ms for block in blocks] == [0, 500]
    assert list(blocks[0].samples[:6]) == [15990, -15991, 999, 22937, -22938, 0]


def test_a_mount_turns_the_axes_and_an_unknown_one_leaves_them() -> None:
    for mount, want in (("+y+z+x", (2, 3, 1)), ("-y-z+x", (-2, -3, 1)), ("?", (1, 2, 3))):
        made = ImuRecording(name="turned", mount=mount)
        for k in range(60):
            made.t_s.append(k / 104)
            for axis in range(6):
                made.values[axis].append(float(axis % 3 + 1) * (1 if axis < 3 else 10))
        first = next(iter(imu.blocks(made))).samples
        assert [round(v / 1000) for v in first[:3]] == list(want)
        assert [round(v / 100) for v in first[3:6]] == list(want)


def test_a_phone_without_a_gyroscope_still_counts(tmp_path: Path) -> None:
    turns = [1.8 * k / 104 for k in range(104 * 20)]
    # A foot strikes once a step, and brakes.
    strikes = [max(0.0, math.sin(16 * math.pi * (turn % 1))) * (turn % 1 < 1 / 16) * 0.3 for turn in turns]
    samples = [[0.2 * hit, 0.0, 1 + 0.3 * math.sin(2 * math.pi * turn) + hit, 0, 0, 0] for turn, hit in zip(turns, strikes, strict=True)]
    header = "# placement: pocket\n# mount: ?\n"
    events = events_of(replay("--json", save(tmp_path, text(samples, header=header, gyro=False))))
    assert abs(len(of(events, "step")) - 36) <= 2
    bare = header + "t_s,ax_g,ay_g,az_g\n" + "".join(f"{k / 104:.4f},{r[0]},{r[1]},{r[2]:.4f}\n" for k, r in enumerate(samples))
    assert of(events_of(replay("--json", save(tmp_path, bare, "bare.csv"))), "summary")[0]["steps"]["unknown"] == len(of(events, "step"))


def test_a_name_cannot_talk_to_the_terminal(tmp_path: Path) -> None:
    result = replay(save(tmp_path, "", "a\x1b[31mb.csv"))
    assert result.exit_code == 1 and "\x1b" not in result.stderr
