"""A wearer is led through a calibration, and told what came of it."""

import json
from pathlib import Path

import pytest
from cli import Retrostep, one_sentence
from fake_board import DEVICE, FakeBoard
from retrostep.cli import calibrate as command
from retrostep.device import calibrate as module
from retrostep.device.calibrate import calibrate, last_calibration, why
from retrostep.device.client import Board
from retrostep.errors import CalibrationFailed, LinkLost
from retrostep_core.gait.calibration import BACKWARD, DONE, FAILED, IDLE, LOST, OBLIQUE, STAND, WALK
from retrostep_core.link import server
from retrostep_core.link.messages import Calibration

STANDS = Calibration(STAND, 0, 0, "+y+z+x")
WALKS = [Calibration(WALK, strides, 0, "+y+z+x") for strides in range(5)]
FOUND = Calibration(DONE, 5, 0, "-y-z+x")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.005)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBoard:
    """A board at the command's only port."""
    fake = FakeBoard(tmp_path / "flash")
    monkeypatch.setattr(command, "Line", lambda port: fake)
    return fake


def test_every_change_is_told_until_it_is_over(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [STANDS, STANDS, *WALKS, WALKS[-1], FOUND]
    told: list[Calibration] = []
    assert calibrate(Board(fake), told.append) == FOUND
    assert told == [STANDS, *WALKS, FOUND] and fake.wearable.begun == [True]


def test_left_off_on_the_board(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [STANDS, Calibration(IDLE, 0, 0, "+y+z+x")]
    with pytest.raises(CalibrationFailed, match="left off"):
        calibrate(Board(fake), lambda now: None)


def test_a_board_that_never_ends(fake: FakeBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    fake.wearable.calibrations = [STANDS]
    with pytest.raises(CalibrationFailed, match="Reset it"):
        calibrate(Board(fake), lambda now: None)


def test_a_cable_that_is_pulled_is_no_end(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [STANDS]
    fake.cut_after = 300
    with pytest.raises(LinkLost, match="--last"):
        calibrate(Board(fake), lambda now: None)


def test_ctrl_c_leaves_it_off(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [STANDS]

    def stop(now: Calibration) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(Board(fake), stop)
    assert fake.wearable.begun == [True, False]


def test_a_board_with_an_older_app(fake: FakeBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(server._ANSWERS, "CALIBRATE")
    with pytest.raises(CalibrationFailed, match="retrostep deploy"):
        calibrate(Board(fake), lambda now: None)


def test_what_came_of_the_last_one(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [FOUND]
    assert last_calibration(Board(fake)) == FOUND and fake.wearable.begun == []
    fake.wearable.calibrations = [WALKS[2]]
    with pytest.raises(CalibrationFailed, match="still calibrating"):
        last_calibration(Board(fake))
    fake.wearable.calibrations = [Calibration(IDLE, 0, 0, "+y+z+x")]
    with pytest.raises(CalibrationFailed, match="has not been calibrated"):
        last_calibration(Board(fake))


def test_every_reason_has_a_sentence_with_a_cure() -> None:
    sentences = {why(Calibration(FAILED, 0, reason, "?")) for reason in range(1, len(module.REASON_NAMES))}
    assert len(sentences) == len(module.REASON_NAMES) - 1
    assert all(sentence.endswith(".") and sentence.count(".") >= 1 for sentence in sentences)
    assert "upgrade" in why(Calibration(FAILED, 0, 99, "?")) and "99" in why(Calibration(FAILED, 0, 99, "?"))


def test_the_command_guides_and_says_the_mount(fake: FakeBoard, tmp_path: Path) -> None:
    fake.wearable.calibrations = [STANDS, *WALKS, FOUND]
    ran = Retrostep(tmp_path)("calibrate", "--port", "/dev/fake")
    assert ran.status == 0 and ran.err == ""
    lines = ran.out.splitlines()
    assert lines[0].startswith("Stand still") and lines[1].startswith("Now walk five strides straight forward")
    assert lines[2:6] == [f"  stride {n}" for n in (1, 2, 3, 4)]
    assert lines[6] == f"Done: mount -y-z+x. It is kept on {DEVICE} and holds from now on."


def test_the_command_fails_with_the_cure(fake: FakeBoard, tmp_path: Path) -> None:
    fake.wearable.calibrations = [STANDS, WALKS[0], Calibration(FAILED, 10, BACKWARD, "+y+z+x")]
    ran = Retrostep(tmp_path)("calibrate", "--port", "/dev/fake")
    assert ran.status == 1 and "walk forward" in one_sentence(ran)
    fake.wearable.calibrations = [Calibration(DONE, 5, LOST, "-y-z+x")]
    ran = Retrostep(tmp_path)("calibrate", "--port", "/dev/fake", "--last")
    assert ran.status == 1 and "retrostep sync" in one_sentence(ran)


def test_the_commands_json(fake: FakeBoard, tmp_path: Path) -> None:
    fake.wearable.calibrations = [STANDS, WALKS[0], FOUND]
    ran = Retrostep(tmp_path)("calibrate", "--json", "--port", "/dev/fake")
    assert ran.status == 0
    assert json.loads(ran.out) == {"device": DEVICE, "state": "done", "mount": "-y-z+x", "strides": 5, "reason": None}
    fake.wearable.calibrations = [STANDS, Calibration(FAILED, 5, OBLIQUE, "+y+z+x")]
    ran = Retrostep(tmp_path)("calibrate", "--json", "--port", "/dev/fake")
    assert ran.status == 1 and ran.json["state"] == "failed" and ran.json["reason"] == "oblique" and ran.json["mount"] == "+y+z+x"
    assert "strap" in one_sentence(ran)
