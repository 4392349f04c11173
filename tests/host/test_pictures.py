"""The pictures of firmware/GAIT.md: what they show comes from the engine, and the page shows the files that are there."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from pictures import facts
from retrostep_core.codes import STOP, WARN
from support.places import ROOT

PAGE = ROOT / "firmware/GAIT.md"
FOLDER = ROOT / "firmware/pictures"
NAMES = ("direction", "feet", "mount", "ramp", "strides", "trunk")
MOST_BYTES = 100_000


def test_the_skew_of_a_stride_changes_sign_with_the_direction() -> None:
    shown = {(stride.gait, stride.direction): stride for stride in facts.strides()}
    assert shown["Walking", "forward"].skew < -0.5 < shown["Running", "forward"].skew < -0.1
    assert shown["Running", "backward"].skew > 0.1 and shown["Walking", "backward"].skew > 0.5
    for stride in shown.values():
        assert 3 <= len(stride.contacts) <= 5 and 3 <= len(stride.credited) <= 5 and len(stride.swings) >= 2


def test_each_direction_is_reported_once_and_in_time() -> None:
    shown = facts.directions()
    assert len(shown.run.truth_directions) == 5
    delays = [delay_s for _, _, delay_s in shown.decisions if delay_s is not None]
    assert len(delays) == 4 and all(0 < delay_s < 2.5 for delay_s in delays)
    for spans in (shown.reported, shown.logged):
        names = [name for _, _, name in spans]
        assert names.count("forward") == names.count("backward") == 1


def test_the_gate_credits_the_first_steps_with_their_true_times() -> None:
    shown = facts.feet()
    assert len(shown.steps) >= 6 and len({at for _, at, _ in shown.steps}) < len(shown.steps)
    assert all(t <= at for t, at, _ in shown.steps)
    assert 0.5 < shown.gate_s < 4


def test_a_rise_in_cadence_brings_a_warning_and_a_stop() -> None:
    shown = facts.rising_cadence()
    assert [severity for _, severity in shown.run.ramps] == [WARN, STOP]
    assert -0.5 < shown.alerts[STOP][1] <= 2.0


def test_only_steps_at_the_waist_have_a_shape_that_counts() -> None:
    walk, run, trainer, bus = facts.trunk()
    assert all(len(each.shapes) >= 6 for each in (walk, run, trainer, bus))
    assert walk.counted > 30 and run.counted > 40 and trainer.counted == bus.counted == 0
    assert min(walk.evidence, run.evidence) > 3 > 0 > max(trainer.evidence, bus.evidence)
    assert bus.repeated < 0.3 < walk.repeated


def test_front_shows_the_mount_and_not_the_direction() -> None:
    for shown in facts.fronts():
        late = [value for t_s, value in shown.course if t_s > shown.found_s - 0.2]
        assert late and all((value < -0.25) if shown.is_turned else (value > 0.25) for value in late), (shown.is_turned, shown.direction)
        assert 2.5 < shown.found_s < 8


def draw(folder: Path, hash_seed: str) -> dict[str, bytes]:
    """Draw all pictures in a process of its own."""
    code = "import pathlib, sys; from pictures.draw import draw; draw(pathlib.Path(sys.argv[1]))"
    path = os.pathsep.join(str(ROOT / name) for name in ("tests", "firmware", "boards/VIRTUAL"))
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=environment, capture_output=True)
    return {path.stem: path.read_bytes() for path in folder.glob("*.svg")}


def test_the_same_engine_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed; `make pictures` installs it")
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    first = draw(tmp_path / "1", "1")
    assert sorted(first) == sorted(NAMES) and draw(tmp_path / "2", "2") == first


def test_the_page_shows_the_pictures_that_are_there() -> None:
    shown = re.findall(r"!\[[^\]]{20,}\]\(pictures/([a-z]+)\.svg\)", PAGE.read_text())
    assert sorted(shown) == sorted(path.stem for path in FOLDER.iterdir()) == sorted(NAMES)
    for name in shown:
        picture = (FOLDER / f"{name}.svg").read_bytes()
        words = " ".join(ElementTree.fromstring(picture).itertext())
        assert "Synthetic: generated motion" in words and b"fill: #fdfdfc" in picture and len(picture) < MOST_BYTES
