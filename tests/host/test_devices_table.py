"""The table that `devices` prints."""

from typing import Any

import pytest
from retrostep.cli._device_table import TITLES, device_rows
from retrostep.output import lines
from retrostep.output.lines import echo_row, width_of
from retrostep_core.code_names import FAULT_NAMES

BOARD: dict[str, Any] = {
    "port": "/dev/ttyUSB0",
    "device": "RS-010203040506",
    "nickname": None,
    "board": "ESP32_DEVKIT_LSM6DSOX",
    "core_version": "0.1.0",
    "state": "idle",
    "sessions_to_sync": 0,
    "free_bytes": 4096,
    "battery_percent": None,
    "battery_hours": None,
    "epoch_ms": 1,
    "faults": [],
    "sensor_fault": None,
}
SENSOR = "nothing answers at I2C address 0x6A or 0x6B: check its wires (SDA, SCL, 3V3, GND) and i2c in board.json"
BAG = [
    BOARD,
    {**BOARD, "nickname": "小明 左脚", "battery_percent": 80, "battery_hours": 55.4, "sessions_to_sync": 12, "port": "/dev/ttyACM10"},
    {**BOARD, "nickname": "\x1b[2J", "faults": [*FAULT_NAMES], "sensor_fault": SENSOR, "epoch_ms": None},
]


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    widths, rows = device_rows(BAG)
    for row in (TITLES, *rows):
        echo_row(row, widths)
    return capsys.readouterr().out.splitlines()


def test_a_bag_of_devices_is_a_table_and_a_line_each_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    _, plain, named, faulty = shown(capsys)
    assert plain.split()[:4] == ["RS-010203040506", "-", "0", "to"] and "Idle, 4 KB free; ESP32_DEVKIT_LSM6DSOX, firmware 0.1.0." in plain
    assert "RS-010203040506 (小明 左脚)    80 %" in named and " 12 to sync " in named and "about 55 h awake" in named
    assert faulty.index("FAULTS: ") < faulty.index("Idle, clock not set")
    for name in FAULT_NAMES:
        assert f"{name} (" in faulty, "each fault has its reason"
    assert SENSOR in faulty and "retrostep calibrate --port /dev/ttyUSB0" in faulty and "\x1b" not in faulty
    assert len({width_of(line[: line.index(" to sync")]) for line in (plain, faulty)}) == 1


def test_a_bag_of_devices_fits_80_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    piped = shown(capsys)
    monkeypatch.setattr(lines, "terminal_width", lambda stream: 80)
    wrapped = shown(capsys)
    assert max(map(width_of, wrapped)) <= 80 and wrapped[2].startswith("    Idle, ")
    assert " ".join(wrapped).split() == " ".join(piped).split()
