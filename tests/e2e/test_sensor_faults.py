"""A broken, misplaced or disturbed sensor on the virtual board: what the commands report, and what is still counted."""

import time
from pathlib import Path

import pytest
from motion import Stand, Walk, Wear, generate
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep_core.link.answers import Status
from retrostep_core.link.messages import IN_SESSION
from support.cli import Retrostep, one_sentence
from support.virtual_board_process import PATIENCE_S, VirtualBoard

SPEED = 10


def walked(path: Path, seconds: int = 40) -> tuple[Path, int]:
    """A recording of a walk, and its number of steps."""
    made = generate([Stand(3), Walk(seconds), Stand(3)], 3, Wear(side="left", mount="+y+z+x"))
    return made.write(path)[0], len(made.truth.steps)


def status_when(port: str, is_reached: object) -> Status:
    """The board's status once `is_reached(status)`, or after a long time."""
    end = time.monotonic() + PATIENCE_S
    with DeviceClient(SerialPort(port)) as board:
        while True:
            status = board.status()
            if is_reached(status) or time.monotonic() > end:  # type: ignore[operator]
                return status
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("imu-at=0x6B", "found at 0x6B: correct imu.address in board.json"),
        ("who-am-i=0x69", "WHO_AM_I is 0x69, an LSM6DS33: correct imu.model in board.json"),
        ("imu-missing", "nothing answers at I2C address 0x6A or 0x6B"),
    ],
)
def test_the_reason_is_given_whenever_it_is_asked_for(fault: str, words: str, tmp_path: Path) -> None:
    retrostep = Retrostep(tmp_path)
    with VirtualBoard("--fault", fault, "--speed", SPEED, ready=True) as board:
        for _ in range(2):
            ran = retrostep("devices", "--port", board.port)
            assert "FAULTS: sensor" in ran.out and words in ran.out
        assert words in retrostep("devices", "--port", board.port, "--json").json["devices"][0]["sensor_fault"]
        assert words in retrostep("monitor", "--port", board.port, "--seconds", "2").err
        ran = retrostep("calibrate", "--port", board.port)
        assert ran.status == 1 and words in one_sentence(ran)
        ran = retrostep("calibrate", "--port", board.port, "--last")
        assert ran.status == 1 and words in one_sentence(ran)


@pytest.mark.parametrize("sensor", ["LSM6DSO32", "LSM6DS3TRC", "LSM6DS33"])
def test_every_kind_of_sensor_counts_the_same_steps(sensor: str, tmp_path: Path) -> None:
    recording, steps = walked(tmp_path / "walk.csv")
    with VirtualBoard("--sensor", sensor, "--speed", SPEED, recording=recording, ready=True) as board:
        status = status_when(board.port, lambda status: sum(status.totals[:3]) >= steps - 1)
        assert (status.sensor, status.faults) == (0, 0) and abs(status.totals.forward_steps - steps) <= 1


def test_with_a_dead_gyroscope_steps_are_counted_and_the_fault_is_shown(tmp_path: Path) -> None:
    recording, steps = walked(tmp_path / "walk.csv")
    retrostep = Retrostep(tmp_path / "home")
    with VirtualBoard("--fault", "gyro-dead=0:999", "--speed", SPEED, recording=recording, ready=True) as board:
        status = status_when(board.port, lambda status: sum(status.totals[:3]) > steps * 3 // 4)
        assert status.totals.unknown_steps == sum(status.totals[:3]) > steps * 3 // 4
        assert "its gyroscope is dead" in retrostep("devices", "--port", board.port).out


def test_a_frozen_sensor_is_a_fault_until_it_works_again(tmp_path: Path) -> None:
    recording, _ = walked(tmp_path / "walk.csv", 90)
    with VirtualBoard("--fault", "imu-frozen=15:30", "--speed", SPEED, recording=recording, ready=True) as board:
        assert status_when(board.port, lambda status: status.sensor).sensor == 5
        status = status_when(board.port, lambda status: not status.sensor)
        assert (status.sensor, status.faults, status.state) == (0, 0, IN_SESSION)


def test_a_disturbed_line_costs_no_step(tmp_path: Path) -> None:
    recording, steps = walked(tmp_path / "walk.csv")
    retrostep = Retrostep(tmp_path / "home")
    with VirtualBoard("--fault", "imu-flaky=40", "--speed", SPEED, recording=recording, ready=True) as board:
        assert status_when(board.port, lambda status: sum(status.totals[:3]) >= steps - 1).totals.forward_steps >= steps - 3
        status_when(board.port, lambda status: status.t_ms > 47_000)
        assert retrostep("sync", "--port", board.port).status == 0
    shown = retrostep("session", "1", "--json").json
    assert shown["gaps"] == []
    assert shown["impacts"][0]["contacts"] >= steps // 2 - 3 and shown["impacts"][0]["axial_max_g"] > 0.5
