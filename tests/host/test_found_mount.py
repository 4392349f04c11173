"""The mount that strides showed: in replay, in the store and in `retrostep session`."""

import json
from pathlib import Path

import numpy as np
import pytest
from bench.mounts import played
from click.testing import CliRunner
from motion import generate
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.store import Store
from retrostep.cli import main
from retrostep_core.codes import FORWARD
from retrostep_core.gait.units import AS_DECLARED
from support.logs import DEVICE, LogBuilder, at
from synthetic.not_gait import Cycle
from synthetic.plan import Segment, SideShuffle, Sidestep, Stand, Walk
from test_replay import NAMES, rows, text

HEADER = "# retrostep-recording: 1\n# placement: shank\n# side: left\n# mount: +y+z+x\n" + NAMES


@pytest.mark.parametrize("engine", ["host", "micropython"])
def test_replay_prints_the_mount_that_it_found(tmp_path: Path, engine: str) -> None:
    """A left leg's sensor that is said to be at +y+z+x, and is strapped on the wrong way round: forward is -y, left is -z."""
    worn = [[az, -ax, -ay, gz, -gx, -gy] for ax, ay, az, gx, gy, gz in rows()]
    path = tmp_path / "turned.csv"
    path.write_text(text(worn, header=HEADER.replace(NAMES, "")))
    done = CliRunner().invoke(main, ["replay", "--json", "--engine", engine, str(path)])
    assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (found,) = [event for event in events if event["event"] == "mount"]
    assert (found["mount"], found["declared"]) == ("-y-z+x", "+y+z+x")
    assert 2.0 < found["since"] < 3.0 < found["at"] < 9.0
    assert events[-1]["forward_s"] > 12 and events[-1]["backward_s"] == 0


def test_session_shows_the_mount_that_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path))
    with Store() as store:
        for number in (1, 2):
            log = LogBuilder(number).clock(at("2026-11-20 12:00"))
            if number == 2:
                log.mount("+y+z+x").mount("-y-z+x")
            store.ingest(DEVICE, number, log.bout(FORWARD, 600).end())

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "Mount       +y+z+x, as declared\n" in run("session", f"{DEVICE}/1")
    assert "Mount       found -y-z+x, declared +y+z+x\n" in run("session", f"{DEVICE}/2")
    shown = json.loads(run("session", f"{DEVICE}/2", "--json"))
    assert (shown["mount"], shown["declared_mount"]) == ("-y-z+x", "+y+z+x")


def test_a_log_without_the_record_has_the_declared_mount() -> None:
    columns = summarize_log(LogBuilder(1).bout(FORWARD, 60).end()).session
    assert (columns["mount"], columns["found_mount"]) == ("+y+z+x", "")


@pytest.mark.parametrize("segment", [Cycle(40, 75, standing=True), Sidestep(30), Sidestep(30, towards="right"), SideShuffle(30)])
def test_neither_cycling_nor_sidesteps_show_another_mount(segment: Segment) -> None:
    made = generate([Stand(3), segment, Stand(3)], 1)
    samples = np.array(made.samples)
    sink, engine = played(np.arange(len(samples)) / 104, samples[:, :3], samples[:, 3:])
    assert engine.mount is AS_DECLARED
    assert FORWARD not in [direction for _, _, direction in sink.directions]


@pytest.mark.parametrize("seed", [2, 3])
def test_a_fast_walk_with_front_and_back_exchanged_is_counted(seed: int) -> None:
    made = generate([Stand(3), Walk(15, 125), Stand(3)], seed)
    samples = np.array(made.samples) * [-1, -1, 1, -1, -1, 1]
    sink, engine = played(np.arange(len(samples)) / 104, samples[:, :3], samples[:, 3:])
    assert engine.mount == ((0, -1), (1, -1), (2, 1))
    assert abs(len(sink.steps) - len(made.truth.steps)) <= 2
    assert sink.directions[-2][2] == FORWARD
