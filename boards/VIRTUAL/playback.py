"""Turns a recording into the motion of the virtual board's leg: the file that runtime/model/played_leg.py reads."""

from __future__ import annotations

import contextlib
import math
import sys
from array import array
from statistics import median
from typing import BinaryIO

from retrostep.replay.recording import ImuRecording
from retrostep_core import code_names, codes
from retrostep_core.gait import units

# Micro-g and 1/8 milli-degree per second.
_UNITS = (1e6, 1e6, 1e6, 8e3, 8e3, 8e3)
_MOST = 2**31 - 1
# A sample that comes later than this many periods after the previous one is preceded by a gap, as in `retrostep replay`.
_GAP_PERIODS = 5
_REST_S = 0.5
_UNCHANGED = ((0, 1), (1, 1), (2, 1))


def wearer(recording: ImuRecording) -> dict:
    """The settings.json of a device that was worn as in `recording`."""
    settings = {"placement": codes.PLACEMENT_NAMES[recording.placement]}
    if recording.side:
        settings["side"] = code_names.SIDE_NAMES[recording.side]
    if units.parse_mount(recording.mount) is None:
        settings["mount"] = recording.mount
    return settings


def believed_mount(board: dict, settings: dict) -> str:
    """The mount that a device with these two files assumes (hal/board.py); `?` if unknown."""
    side = settings.get("side", board.get("side", "left"))
    for mount in (settings.get("mount"), board.get(f"mount_{side}")):
        if isinstance(mount, str):
            with contextlib.suppress(ValueError):
                units.parse_mount(mount)
                return mount
    return "?"


def write_playback(recording: ImuRecording | None, board_mount: str, file: BinaryIO) -> None:
    """Write the motion that a board with mount `board_mount` measures on the leg of `recording`, or on a leg that stands still.

    The recording's mount turns its axes into body axes, and `board_mount` turns those into sensor axes. If either is unknown, the
    axes stay as recorded. In a gap the last values hold, and a warning goes to stderr.
    """
    to_sensor = units.parse_mount(board_mount) or _UNCHANGED
    still = _turn([0.0, 0.0, 1.0], None, to_sensor) + [0.0, 0.0, 0.0]
    if recording is None:
        file.write(array("i", [2, *_scaled(still), *_scaled(still), 0, 0, *_scaled(still), 0, 1, *_scaled(still)]).tobytes())
        return
    to_body = units.parse_mount(recording.mount)
    t_s, columns = recording.t_s, recording.values
    if to_body is not None and units.parse_mount(board_mount) is not None:
        columns = [*_turn(columns[:3], to_body, to_sensor), *_turn(columns[3:], to_body, to_sensor)]
    period = median(t_s[k + 1] - t_s[k] for k in range(len(t_s) - 1))
    times_us, picked = _times(recording.name, t_s, period)
    rows = array("i", bytes(32 * len(picked)))
    rows[0::8] = array("i", [us // 1_000_000 for us in times_us])
    rows[1::8] = array("i", [us % 1_000_000 for us in times_us])
    for k, (column, unit) in enumerate(zip(columns, _UNITS, strict=True)):
        scaled = [_bounded(value * unit) for value in column]
        rows[2 + k :: 8] = array("i", [scaled[pick] for pick in picked])
    n = 8 * max(1, int(_REST_S / period))
    before = _at_rest([sum(rows[k:n:8]) for k in (2, 3, 4)], still)
    after = _at_rest([sum(rows[k - 8 - n : -8 : 8]) for k in (10, 11, 12)], still)
    file.write(array("i", [len(picked), *_scaled(before), *_scaled(after)]).tobytes())
    file.write(rows.tobytes())


def _times(name: str, t_s: array[float], period: float) -> tuple[list[int], list[int]]:
    """(microseconds since the first sample, index of the sample that holds there). A gap gets one more sample, just before its end."""
    times_us: list[int] = []
    picked: list[int] = []
    for k, t in enumerate(t_s):
        us = round((t - t_s[0]) * 1_000_000)
        if k and t - t_s[k - 1] > _GAP_PERIODS * period:
            missing = f"{t - t_s[k - 1]:.2f} s are missing after {t_s[k - 1]:.2f} s"
            print(f"virtual_board: {name}: {missing}; the last values hold meanwhile.", file=sys.stderr)
            times_us.append(us - round(period * 1_000_000))
            picked.append(k - 1)
        if not times_us or us > times_us[-1]:
            times_us.append(us)
            picked.append(k)
    return times_us, picked


def _turn(columns: list, to_body: tuple | None, to_sensor: tuple) -> list:
    """Turn three numbers or columns from one sensor's axes (None: body axes) into another's."""
    if to_body is not None:
        columns = [_signed(columns[index], sign) for index, sign in to_body]
    turned = list(columns)
    for body, (index, sign) in enumerate(to_sensor):
        turned[index] = _signed(columns[body], sign)
    return turned


def _signed(column: array | float, sign: int) -> array | float:
    if sign > 0:
        return column
    return array("d", [-x for x in column]) if isinstance(column, array) else -column


def _at_rest(acc: list[int], otherwise: list[float]) -> list[float]:
    """1 g in the direction of `acc`, without rotation; `otherwise` if `acc` is zero."""
    length = math.hypot(*acc)
    return [*(x / length for x in acc), 0.0, 0.0, 0.0] if length > 0 else otherwise


def _scaled(values: list[float]) -> list[int]:
    return [_bounded(value * unit) for value, unit in zip(values, _UNITS, strict=True)]


def _bounded(value: float) -> int:
    return round(max(-_MOST, min(_MOST, value)))
