"""A sensor strapped on another way than its board believes: calibrated over the line, then counted the right way round."""

import time
from pathlib import Path

from board import VirtualBoard, read_image
from cli import Retrostep, one_sentence
from motion import BackwardWalk, Segment, Stand, Walk, Wear, generate
from retrostep.device.client import Board
from retrostep.device.open import Line
from retrostep_core.gait.calibration import IDLE
from retrostep_core.link.messages import Calibration, Status

BELIEVED = "+y+z+x"
"""The left leg's mount in boards/VIRTUAL/board.json."""
SPEED = 8
PLAN = [Stand(30), Walk(9), Stand(4), BackwardWalk(16), Stand(3)]


def recorded(path: Path, mount: str, plan: list[Segment]) -> Path:
    """A recording by a sensor of that mount, which says of itself what the board believes: so its axes reach the board as they are."""
    made, _ = generate(plan, 5, Wear(side="left", mount=mount)).write(path)
    text = made.read_text()
    assert f"# mount: {mount}\n" in text
    made.write_text(text.replace(f"# mount: {mount}\n", f"# mount: {BELIEVED}\n"))
    return made


def after_the_walk(port: str, expected: int, only_backward: bool = True) -> Status:
    """The board's status once it has counted so many steps (backward ones), or after a while."""
    end = time.monotonic() + 20
    with Board(Line(port)) as board:
        while True:
            status = board.status()
            steps = status.totals.backward_steps if only_backward else sum(status.totals[:3])
            if steps >= expected or time.monotonic() > end:
                return status
            time.sleep(0.1)


def test_a_found_mount_puts_direction_right_and_is_kept(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "worn.csv", "-z-x+y", PLAN)
    retrostep = Retrostep(tmp_path / "home")
    flash = tmp_path / "board.flash"
    with VirtualBoard("--speed", SPEED, recording=recording, flash=flash) as board:
        ran = retrostep("calibrate", "--port", board.port)
        assert ran.status == 0, ran.err
        lines = ran.out.splitlines()
        assert lines[0].startswith("Stand still") and lines[1].startswith("Now walk") and "mount -z-x+y" in lines[-1]
        again = retrostep("calibrate", "--port", board.port, "--last", "--json")
        assert (again.json["state"], again.json["mount"], again.json["reason"]) == ("done", "-z-x+y", None)
        status = after_the_walk(board.port, 22)
        assert status.totals.backward_steps >= 22
        assert 2 <= status.totals.forward_steps <= 14, "what was left of the walk"
    assert b'"mount": "-z-x+y"' in read_image(flash, "settings.json")

    with VirtualBoard(flash=flash) as board, Board(Line(board.port)) as asked:
        asked.hello()
        assert asked.calibration() == Calibration(IDLE, 0, 0, "-z-x+y"), "it survives the power switch"


def test_without_a_calibration_the_same_legs_are_not_told_apart(tmp_path: Path) -> None:
    """The test above would prove nothing if the board could do without."""
    recording = recorded(tmp_path / "worn.csv", "-z-x+y", [Stand(2), BackwardWalk(14), Stand(3)])
    with VirtualBoard("--speed", 20, recording=recording) as board:
        totals = after_the_walk(board.port, 18, only_backward=False).totals
        assert sum(totals[:3]) >= 18 and totals.backward_steps <= 4


def test_who_only_stands_is_told_so(tmp_path: Path) -> None:
    with VirtualBoard("--speed", 25) as board:
        retrostep = Retrostep(tmp_path)
        ran = retrostep("calibrate", "--port", board.port)
        assert ran.status == 1 and "too few strides" in one_sentence(ran)
        ran = retrostep("calibrate", "--port", board.port, "--last", "--json")
        assert ran.status == 1 and (ran.json["state"], ran.json["reason"], ran.json["mount"]) == ("failed", "few_strides", BELIEVED)


def test_walking_backward_leaves_the_mount(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "worn.csv", "-z-x+y", [Stand(20), BackwardWalk(20), Stand(3)])
    with VirtualBoard("--speed", SPEED, recording=recording) as board:
        ran = Retrostep(tmp_path)("calibrate", "--port", board.port)
        assert ran.status == 1 and "walking backward" in one_sentence(ran)
