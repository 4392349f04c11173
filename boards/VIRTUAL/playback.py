"""A recording of motion, as the sensor on the virtual board will feel it: the file that runtime/model/played_leg.py reads."""

from __future__ import annotations

import math
import sys
from array import array
from pathlib import Path
from statistics import median
from typing import BinaryIO

from retrostep.replay.recording import Recording, read_recording
from retrostep_core.gait import units

_MICRO_G = 1_000_000
_EIGHTH_MILLI_DPS = 8_000
_MOST = 2**31 - 1
# A time stamp later than this many periods after the one before it leaves a gap, as in `retrostep replay`.
_GAP_PERIODS = 5
_REST_S = 0.5


def write_playback(path: Path | None, board_mount: str, file: BinaryIO) -> Recording | None:
    """Write what a board mounted as `board_mount` says feels on the leg of the recording in `path`, or on one that stands still.

    The recording's own `mount` turns its axes into the body's, the board's turns those into its sensor's; a recording that does not
    know its mount is felt as it stands. In a gap the last value holds, and a warning goes to stderr. Raises RecordingError.
    """
    to_sensor = units.parse_mount(board_mount)
    still = _turn([0.0, 0.0, 1.0], None, to_sensor) + [0.0, 0.0, 0.0]
    if path is None:
        file.write(array("i", [2, *_scaled(still), *_scaled(still), 0, 0, *_scaled(still), 0, 1, *_scaled(still)]).tobytes())
        return None
    recording = read_recording(path)
    to_body = units.parse_mount(recording.mount)
    t_s, columns = recording.t_s, recording.values
    if to_body is not None:
        columns = [*_turn(columns[:3], to_body, to_sensor), *_turn(columns[3:], to_body, to_sensor)]
    period = median(t_s[k + 1] - t_s[k] for k in range(len(t_s) - 1))
    rows = array("i")
    count = 0
    last_us = -1
    values = [0] * 6
    for k, t in enumerate(t_s):
        us = round((t - t_s[0]) * 1_000_000)
        gap_us = us - last_us
        if k and gap_us > _GAP_PERIODS * period * 1_000_000:
            print(
                f"virtual_board: {path}: {gap_us / 1e6:.2f} s are missing after {t_s[k - 1]:.2f} s; the last values hold for so long.",
                file=sys.stderr,
            )
            rows.extend((*divmod(us - round(period * 1_000_000), 1_000_000), *values))
            count += 1
        if us == last_us:
            continue
        values = _scaled([column[k] for column in columns])
        rows.extend((*divmod(us, 1_000_000), *values))
        count += 1
        last_us = us
    n = max(1, int(_REST_S / period))
    before, after = (_at_rest([sum(column[part]) for column in columns[:3]], still) for part in (slice(0, n), slice(-n, None)))
    file.write(array("i", [count, *_scaled(before), *_scaled(after)]).tobytes())
    file.write(rows.tobytes())
    return recording


def _turn(columns: list, to_body: tuple | None, to_sensor: tuple) -> list:
    """Three numbers or columns from one sensor's axes (None: the body's) into another's."""
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


def _at_rest(acc: list[float], otherwise: list[float]) -> list[float]:
    """1 g in the direction of `acc`, no rate; `otherwise` where it points nowhere."""
    length = math.hypot(*acc)
    return [*(x / length for x in acc), 0.0, 0.0, 0.0] if length > 0 else otherwise


def _scaled(values: list[float]) -> list[int]:
    units = [_MICRO_G] * 3 + [_EIGHTH_MILLI_DPS] * 3
    return [max(-_MOST, min(_MOST, round(value * unit))) for value, unit in zip(values, units, strict=True)]
