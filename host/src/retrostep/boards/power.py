"""How long a cell lasts: a budget, by arithmetic. Nothing here was measured on a board."""

from typing import Any

from retrostep.device.boards import board_names, read_board
from retrostep.device.chips import CHIPS
from retrostep.errors import DamagedData

CELL_MAH = 500
SENSOR_MA = 0.55
"""LSM6DSOX, accelerometer and gyroscope in high-performance mode (datasheet DS12814, section 4.2)."""
LIGHT_SLEEP_MA = {"esp32": 0.8, "esp32s3": 0.24, "esp32c3": 0.13, "esp32c6": 0.18}
"""Light sleep, with the RTC and RAM kept: the tables of current in the chips' datasheets."""
_RUN_TIME_RATIO = {"esp32": 1.0, "esp32s3": 0.87, "esp32c3": 0.86, "esp32c6": 0.86}
"""Time for the same instructions at 160 MHz, compared with an ESP32."""
_BUSY = 0.10
"""The program's share of an ESP32 core, as measured on the official build on an emulated ESP32: sampling, engine, log and bus."""
_WAKES_HZ = 104 / 12 + 2
_WAKE_MS = 1.5
"""Wake-ups a second, for bursts and housekeeping, and how long falling asleep and waking up take at full current."""
_DIVIDER_MA, _REGULATOR_MA, _LED_MA = 0.02, 0.055, 0.025
"""A divider of 200 kOhm; a regulator; a flash of the LED of 20 ms in 4 s."""
_MOTOR_MA = 100 * 12 / 3600
"""A motor of 100 mA, for 12 s of pulses in an hour."""
_REST_MA = SENSOR_MA + _DIVIDER_MA + _REGULATOR_MA + _LED_MA
_BOOST_CURRENT_RATIO = 5.0 / 3.7 / 0.88
"""Input current over output current of a module that makes 5 V of the cell's 3.7 V, with an efficiency of 88 %."""


def awake_share(chip: str) -> float:
    """The share of the time in which the processor runs during a session."""
    return _BUSY * _RUN_TIME_RATIO[chip] + _WAKES_HZ * _WAKE_MS / 1000


def chip_ma(chip: str, is_asleep: bool) -> float:
    """Mean current in mA of chip, sensor, divider, regulator and LED; asleep between bursts of a session, also of the motor."""
    active_ma = CHIPS[chip].active_ma
    if not is_asleep:
        return active_ma + _REST_MA
    share = awake_share(chip)
    return share * active_ma + (1 - share) * LIGHT_SLEEP_MA[chip] + _REST_MA + _MOTOR_MA


def cell_ma(board: dict[str, Any], is_asleep: bool) -> float:
    """Mean current in mA from the cell of a checked board.json with `wiring`: in a session without a host, or awake.

    Other parts of the board, such as a power LED and a USB bridge, do not sleep.
    """
    wiring = board["wiring"]
    around_ma: int = wiring["current_ma"] - CHIPS[board["chip"]].active_ma
    return (chip_ma(board["chip"], is_asleep) + around_ma) * (_BOOST_CURRENT_RATIO if "charger_mm" in wiring else 1.0)


def hours_left(name: str, percent: int) -> float | None:
    """Hours that a cell of CELL_MAH lasts awake at a charge of `percent`. None above 100 (unknown), and for a board without an estimate."""
    if percent > 100 or name not in board_names():
        return None
    try:
        board = read_board(name)
    except DamagedData:
        return None
    return round(percent / 100 * CELL_MAH / cell_ma(board, False), 1) if "wiring" in board else None
