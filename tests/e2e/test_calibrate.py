"""A sensor in another mount than its board assumes: after a calibration over the link, directions are right."""

import time
from pathlib import Path

from motion import BackwardWalk, Segment, Stand, Walk, Wear, generate
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep_core.gait.calibration import IDLE
from retrostep_core.link.answers import Calibration, Status
from support.cli import Retrostep, one_sentence
from support.virtual_board_process import PATIENCE_S, VirtualBoard, read_image

ASSUMED = "+y+z+x"
"""The left leg's mount in boards/VIRTUAL/board.json."""
SPEED = 6
# The calibration must start while the leg stands, even on a busy computer.
PLAN = [Stand(30), Walk(9), Stand(4), BackwardWalk(16), Stand(3)]


def recorded(path: Path, mount: str, plan: list[Segment]) -> Path:
    """A recording by a sensor in `mount`. Its header has the assumed mount, so that its axes reach the board unchanged."""
    made, _ = generate(plan, 5, Wear(side="left", mount=mount)).write(path)
    text = made.read_text()
    assert f"# mount: {mount}\n" in text
    made.write_text(text.replace(f"# mount: {mount}\n", f"# mount: {ASSUMED}\n"))
    return made


def after_the_walk(port: str, expected: int) -> Status:
    """The board's status once it has counted `expected` backward steps, or after a long time."""
    end = time.monotonic() + PATIENCE_S
    with DeviceClient(SerialPort(port)) as board:
        while True:
            status = board.status()
            if status.totals.backward_steps >= expected or time.monotonic() > end:
                return status
            time.sleep(0.1)


def test_a_found_mount_corrects_the_direction_and_is_saved(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "worn.csv", "-z-x+y", PLAN)
    retrostep = Retrostep(tmp_path / "home")
    flash = tmp_path / "board.flash"
    with VirtualBoard("--speed", SPEED, recording=recording, flash=flash, ready=True) as board:
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

    with VirtualBoard(flash=flash, ready=True) as board, DeviceClient(SerialPort(board.port)) as asked:
        asked.hello(PATIENCE_S)
        assert asked.calibration() == Calibration(IDLE, 0, 0, "-z-x+y"), "it survives the power switch"


def test_without_a_calibration_the_device_finds_the_mount_from_the_walk(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "worn.csv", "-z-x+y", [Stand(2), BackwardWalk(14), Stand(3)])
    with VirtualBoard("--speed", 20, recording=recording, ready=True) as board:
        totals = after_the_walk(board.port, 18).totals
        assert totals.backward_steps >= 18 and totals.forward_steps == 0


def test_a_wearer_who_only_stands_gets_the_reason(tmp_path: Path) -> None:
    with VirtualBoard("--speed", 25, ready=True) as board:
        retrostep = Retrostep(tmp_path)
        ran = retrostep("calibrate", "--port", board.port)
        assert ran.status == 1 and "too few strides" in one_sentence(ran)
        ran = retrostep("calibrate", "--port", board.port, "--last", "--json")
        assert ran.status == 1 and (ran.json["state"], ran.json["reason"], ran.json["mount"]) == ("failed", "few_strides", ASSUMED)


def test_walking_backward_does_not_change_the_mount(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "worn.csv", "-z-x+y", [Stand(25), BackwardWalk(20), Stand(3)])
    with VirtualBoard("--speed", SPEED, recording=recording, ready=True) as board:
        ran = Retrostep(tmp_path)("calibrate", "--port", board.port)
        assert ran.status == 1 and "walking backward" in one_sentence(ran)
