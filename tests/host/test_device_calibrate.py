"""The calibration of a device, its errors, and the command that leads the wearer through it."""

import json
from pathlib import Path

import pytest
from retrostep.cli import calibrate as command
from retrostep.device import calibrate as module
from retrostep.device.calibrate import calibrate, calibration_error, last_calibration
from retrostep.device.client import DeviceClient
from retrostep.errors import CalibrationFailed, CalibrationRunning, CalibrationUnsupported, CalibrationUnwatched, NotCalibrated
from retrostep_core.gait.calibration import BACKWARD, DONE, FAILED, IDLE, LOST, OBLIQUE, STAND, WALK
from retrostep_core.link import server
from retrostep_core.link.answers import Calibration
from support.cli import Retrostep, one_sentence
from support.fake_board import DEVICE, FakeBoard

STANDS = Calibration(STAND, 0, 0, "+y+z+x")
WALKS = [Calibration(WALK, strides, 0, "+y+z+x") for strides in range(5)]
FOUND = Calibration(DONE, 5, 0, "-y-z+x")


pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBoard:
    """A board at the command's only port."""
    fake = FakeBoard(tmp_path / "flash")
    monkeypatch.setattr(command, "SerialPort", lambda port: fake)
    return fake


def test_every_change_is_reported_until_the_end(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [STANDS, STANDS, *WALKS, WALKS[-1], FOUND]
    changes: list[Calibration] = []
    assert calibrate(DeviceClient(fake), changes.append) == FOUND
    assert changes == [STANDS, *WALKS, FOUND] and fake.wearable.begun == [True]


def test_a_calibration_that_is_cancelled_on_the_board(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [STANDS, Calibration(IDLE, 0, 0, "+y+z+x")]
    with pytest.raises(CalibrationFailed, match="was cancelled"):
        calibrate(DeviceClient(fake), lambda now: None)


def test_a_board_that_never_ends(fake: FakeBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 0.05)
    fake.wearable.calibrations = [STANDS]
    with pytest.raises(CalibrationFailed, match="reset button"):
        calibrate(DeviceClient(fake), lambda now: None)


def test_a_calibration_continues_after_the_cable_is_pulled(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [STANDS]
    fake.cut_after = 300
    with pytest.raises(CalibrationUnwatched, match="follow its pulses"):
        calibrate(DeviceClient(fake), lambda now: None)


def test_ctrl_c_cancels_it(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [STANDS]

    def stop(now: Calibration) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(DeviceClient(fake), stop)
    assert fake.wearable.begun == [True, False]


def test_a_board_with_an_older_app(fake: FakeBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(server._ANSWERS, b"CALIBRATE")
    with pytest.raises(CalibrationUnsupported, match="cannot calibrate"):
        calibrate(DeviceClient(fake), lambda now: None)


def test_the_result_of_the_last_calibration(fake: FakeBoard) -> None:
    fake.wearable.calibrations = [FOUND]
    assert last_calibration(DeviceClient(fake)) == FOUND and fake.wearable.begun == []
    fake.wearable.calibrations = [WALKS[2]]
    with pytest.raises(CalibrationRunning, match="still calibrating"):
        last_calibration(DeviceClient(fake))
    fake.wearable.calibrations = [Calibration(IDLE, 0, 0, "+y+z+x")]
    with pytest.raises(NotCalibrated, match="has not been calibrated"):
        last_calibration(DeviceClient(fake))


def explained(reason: int) -> str:
    return str(calibration_error(Calibration(FAILED, 0, reason, "?"), "/dev/fake"))


def test_every_reason_has_its_own_sentence() -> None:
    sentences = {explained(reason) for reason in range(1, len(module.REASON_NAMES))}
    assert len(sentences) == len(module.REASON_NAMES) - 1
    assert all(sentence.endswith(".") and sentence.count(".") >= 1 for sentence in sentences)
    assert "Update Retrostep" in explained(99) and "99" in explained(99)


def test_the_command_leads_through_it_and_prints_the_mount(fake: FakeBoard, tmp_path: Path) -> None:
    fake.wearable.calibrations = [STANDS, *WALKS, FOUND]
    ran = Retrostep(tmp_path)("calibrate", "--port", "/dev/fake")
    assert ran.status == 0 and ran.err == ""
    lines = ran.out.splitlines()
    assert lines[0].startswith("Stand still") and lines[1].startswith("Now walk five strides straight forward")
    assert lines[2:6] == [f"  stride {n}" for n in (1, 2, 3, 4)]
    assert lines[6] == f"Done: mount -y-z+x, saved on {DEVICE} and used from now on."


def test_the_command_fails_with_the_cure(fake: FakeBoard, tmp_path: Path) -> None:
    fake.wearable.calibrations = [STANDS, WALKS[0], Calibration(FAILED, 10, BACKWARD, "+y+z+x")]
    ran = Retrostep(tmp_path)("calibrate", "--port", "/dev/fake")
    assert ran.status == 1 and "Walk forward, relaxed. Then run `retrostep calibrate" in one_sentence(ran)
    fake.wearable.calibrations = [Calibration(DONE, 5, LOST, "-y-z+x")]
    ran = Retrostep(tmp_path)("calibrate", "--port", "/dev/fake", "--last")
    assert ran.status == 1 and "Run `retrostep sync`" in one_sentence(ran)


def test_the_commands_json(fake: FakeBoard, tmp_path: Path) -> None:
    fake.wearable.calibrations = [STANDS, WALKS[0], FOUND]
    ran = Retrostep(tmp_path)("calibrate", "--json", "--port", "/dev/fake")
    assert ran.status == 0
    assert json.loads(ran.out) == {"device": DEVICE, "state": "done", "mount": "-y-z+x", "strides": 5, "reason": None}
    fake.wearable.calibrations = [STANDS, Calibration(FAILED, 5, OBLIQUE, "+y+z+x")]
    ran = Retrostep(tmp_path)("calibrate", "--json", "--port", "/dev/fake")
    assert ran.status == 1 and ran.json["state"] == "failed" and ran.json["reason"] == "oblique" and ran.json["mount"] == "+y+z+x"
    assert "strap" in one_sentence(ran)
