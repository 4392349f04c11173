"""Reads recordings of motion from CSV files; one sentence says what is wrong with a file.

The format: header lines `# key: value` (retrostep-recording, placement, side, mount), the column names, then one sample a line.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from retrostep_core import code_names, codes
from retrostep_core.gait import units

from retrostep.errors import RetrostepError
from retrostep.plain_text import clean

COLUMNS = ("t_s", "ax_g", "ay_g", "az_g", "gx_dps", "gy_dps", "gz_dps")
_MOST_SAMPLES = 4_000_000
_MOST_LINE = 2_000
_MOST_TIME_S = 1_000_000.0


class RecordingError(RetrostepError):
    """A recording that cannot be replayed; the message names file and line."""


@dataclass
class ImuRecording:
    """One recording: seconds, g and degrees per second, in the sensor axes that `mount` maps to the body."""

    name: str
    placement: int = codes.SHANK
    side: int = 0
    mount: str = "+x+y+z"
    has_gyro: bool = True
    t_s: array[float] = field(default_factory=lambda: array("d"))
    # ax, ay, az (g) and gx, gy, gz (degrees per second), one column each
    values: list[array[float]] = field(default_factory=lambda: [array("d") for _ in range(6)])

    @property
    def duration_s(self) -> float:
        """From the first sample to the last."""
        return self.t_s[-1] - self.t_s[0]


def read_recording(path: Path) -> ImuRecording:
    """The recording in `path`. RecordingError names the file, the line and what is wrong there."""
    shown = clean(str(path))
    recording = ImuRecording(name=path.stem)
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline=None) as file:
            _Reader(recording, shown).read(file)
    except OSError as error:
        raise RecordingError(f"{shown}: cannot be read: {error.strerror or error}.") from error
    return recording


class _Reader:
    """Reads one file, line by line, into an ImuRecording."""

    def __init__(self, recording: ImuRecording, shown: str) -> None:
        self.recording = recording
        self.shown = shown
        self.line = 0

    def fail(self, why: str) -> RecordingError:
        """The error at the line just read."""
        return RecordingError(f"{self.shown}, line {self.line}: {why}")

    def read(self, file: object) -> None:
        """Every line of `file`, an open text file."""
        order: list[int] | None = None
        width = 0
        readline = file.readline  # type: ignore[attr-defined]
        t_s, values = self.recording.t_s, self.recording.values
        last = -math.inf
        gyro: bool | None = None
        while text := readline(_MOST_LINE):
            self.line += 1
            if len(text) == _MOST_LINE:
                raise self.fail(f"longer than {_MOST_LINE} characters: this is not a recording.")
            if text.startswith("#"):
                self.header(text)
                continue
            if not text.strip():
                continue
            cells = text.split(",")
            if order is None:
                order = self.columns(cells)
                width = len(cells)
                continue
            if len(cells) != width:
                raise self.fail(f"{len(cells)} values where {width} columns were named.")
            try:
                t = float(cells[order[0]])
                acc = [float(cells[k]) for k in order[1:4]]
            except ValueError:
                raise self.fail("a value is not a number.") from None
            gyr = [cells[k] for k in order[4:]] if len(order) == 7 else []
            empty = [not cell.strip() for cell in gyr]
            here = bool(gyr) and not all(empty)
            if gyro is None:
                gyro = here
            if here != gyro or (here and any(empty)):
                raise self.fail("the gyroscope's values are missing in some samples; give all or none.")
            try:
                row = acc + ([float(cell) for cell in gyr] if here else [0.0, 0.0, 0.0])
            except ValueError:
                raise self.fail("a value is not a number.") from None
            if not (math.isfinite(t) and all(map(math.isfinite, row))):
                raise self.fail("NaN or infinity is not a measurement; leave the sample out instead.")
            if abs(t) > _MOST_TIME_S:
                raise self.fail(f"time {t:.6g} s is out of range; count seconds from the recording's start.")
            if t <= last:
                raise self.fail(f"time does not rise ({t:.6g} s after {last:.6g} s).")
            last = t
            if len(t_s) == _MOST_SAMPLES:
                raise self.fail(f"more than {_MOST_SAMPLES} samples; cut the recording into parts.")
            t_s.append(t)
            for column, value in zip(values, row, strict=True):
                column.append(value)
        if order is None:
            if self.line == 0:
                raise RecordingError(f"{self.shown}, line 1: the file is empty.")
            raise self.fail(f"the line that names the columns is missing: {','.join(COLUMNS)}.")
        if len(t_s) < 2:
            raise self.fail("no samples follow the columns' names." if not t_s else "a recording needs two samples or more.")
        self.recording.has_gyro = bool(gyro)

    def columns(self, cells: list[str]) -> list[int]:
        """Where each known column stands; the gyroscope's three may be absent altogether."""
        names = [cell.strip() for cell in cells]
        missing = [name for name in COLUMNS if name not in names]
        if len(missing) == len(COLUMNS):
            raise self.fail(f"the line that names the columns is missing: {','.join(COLUMNS)}.")
        if len(set(names)) != len(names):
            raise self.fail("a column is named twice.")
        if missing == list(COLUMNS[4:]):
            return [names.index(name) for name in COLUMNS[:4]]
        if missing:
            raise self.fail(f"column {', '.join(missing)} is missing; the columns are {','.join(COLUMNS)}.")
        return [names.index(name) for name in COLUMNS]

    def header(self, text: str) -> None:
        """One `# key: value`; keys that are not known are comments."""
        key, _, value = text[1:].partition(":")
        key, value = key.strip().lower(), value.strip()
        recording = self.recording
        if key == "retrostep-recording" and value != "1":
            raise self.fail(f"recording format {clean(value)[:200]!r} is not known; this version reads format 1.")
        elif key == "placement":
            if value not in codes.PLACEMENT_NAMES:
                raise self.fail(f"placement {clean(value)[:200]!r} is not known; use {', '.join(codes.PLACEMENT_NAMES)}.")
            recording.placement = codes.PLACEMENT_NAMES.index(value)
        elif key == "side":
            if value not in code_names.SIDE_NAMES:
                raise self.fail(f"side {clean(value)[:200]!r} is not known; use left, right or leave it empty.")
            recording.side = code_names.SIDE_NAMES.index(value)
        elif key == "mount":
            try:
                units.parse_mount(value)
            except ValueError as error:
                raise self.fail(f"{error}.") from None
            recording.mount = value
