"""The raw samples of a capture, from a session's log, and as a recording that can be replayed and shared."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retrostep_core.code_names import SIDE_NAMES
from retrostep_core.codes import PLACEMENT_NAMES
from retrostep_core.log import records
from retrostep_core.log.decoded import unpack_name
from retrostep_core.log.reader import read_log, scan

from retrostep.errors import NoCapture
from retrostep.units import named

_SAMPLE_BYTES = 12
_HEAD = struct.Struct("<IH")
_MOST_PERIOD_US = 20_000


@dataclass
class Capture:
    """Samples in body axes (x forward, y left, z up) of one capture, with what is needed to understand them.

    t_us     time of each since the session's start
    values   mg x y z, 0.1 degrees a second x y z of each, one after another
    """

    label: str
    placement: str
    side: str
    t_us: array[int] = field(default_factory=lambda: array("q"))
    values: array[int] = field(default_factory=lambda: array("h"))

    def __len__(self) -> int:
        return len(self.t_us)


def capture_of(data: bytes, session: str) -> Capture:
    """The capture in a session's log. Raises NoCapture where it has none; damaged records are left out."""
    header: Any = read_log(data).header
    found = Capture("", named(PLACEMENT_NAMES, header.placement), named(SIDE_NAMES, header.side))
    for _, kind, _, payload in scan(data):
        if kind == records.CAPTURE and len(payload) > 5 and payload[4]:
            found.label = _label(payload)
        elif kind == records.RAW and len(payload) > _HEAD.size:
            _add(found, payload)
    if not found:
        raise NoCapture(f"Session {session} has no raw samples.", session=session)
    return found


def _label(payload: bytes) -> str:
    try:
        label: str = unpack_name(payload, 5)[0]
    except ValueError:
        return ""
    return label


def _add(found: Capture, payload: bytes) -> None:
    t_ms, period_us = _HEAD.unpack_from(payload)
    count = (len(payload) - _HEAD.size) // _SAMPLE_BYTES
    if not 0 < period_us <= _MOST_PERIOD_US or (found.t_us and t_ms * 1_000 <= found.t_us[-1]):
        return
    found.t_us.extend(t_ms * 1_000 + k * period_us for k in range(count))
    found.values.extend(struct.unpack_from(f"<{6 * count}h", payload, _HEAD.size))


def recording_csv(capture: Capture) -> bytes:
    """The capture as a recording (`# retrostep-recording: 1`). It names no device, no person and no date: it starts at 0 s."""
    return "".join(_lines(capture)).encode("ascii")


def _lines(capture: Capture) -> Iterator[str]:
    yield "# retrostep-recording: 1\n"
    yield f"# placement: {capture.placement}\n# side: {capture.side}\n# mount: +x+y+z\n"
    if capture.label:
        yield f"# label: {capture.label}\n"
    yield "t_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps\n"
    start_us = capture.t_us[0]
    for k, t_us in enumerate(capture.t_us):
        x = capture.values[6 * k : 6 * k + 6]
        yield (
            f"{(t_us - start_us) / 1e6:.6f},{x[0] / 1_000:.3f},{x[1] / 1_000:.3f},{x[2] / 1_000:.3f},"
            f"{x[3] / 10:.1f},{x[4] / 10:.1f},{x[5] / 10:.1f}\n"
        )
