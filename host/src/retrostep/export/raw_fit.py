"""The raw samples of a capture as a FIT file: messages accelerometer_data and gyroscope_data, in g and degrees a second.

Axes are those of the body: x forward, y left, z up. As the recording in CSV, the file names no device, no person and no date: its times
count from the first sample, as FIT has them for a clock that was never set. FIT has sample times in whole ms.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from garmin_fit_sdk import Encoder

from retrostep.export.fit import DEVELOPMENT, message_number
from retrostep.export.raw_samples import Capture

_FIT_START = datetime(1989, 12, 31, tzinfo=UTC)
_MESSAGE_SAMPLES = 30
"""Samples in a message: a field of FIT has at most 255 bytes."""

_GAP_US = 1_000_000
"""Samples further apart are in two messages: a message has room for 65 s."""

_SENSORS = (("accelerometer_data", "calibrated_accel", 0, 1_000), ("gyroscope_data", "calibrated_gyro", 3, 10))
"""Message, prefix of its fields, index of x in the values of a sample, and raw values per g or degree a second."""


def raw_fit_bytes(capture: Capture) -> bytes:
    """The FIT file of `capture`."""
    encoder = Encoder()

    def write(message: str, **fields: Any) -> None:
        encoder.write_mesg({"mesg_num": message_number(message), **fields})

    write("file_id", type="activity", manufacturer=DEVELOPMENT, product=1, time_created=_FIT_START)
    worn = " ".join(filter(None, (capture.placement, capture.side)))
    what = ", ".join(filter(None, (worn, capture.label)))
    write("device_info", timestamp=_FIT_START, manufacturer=DEVELOPMENT, product=1, descriptor=what)
    for begin, end in _runs(capture.t_us):
        times_ms = [round((t_us - capture.t_us[0]) / 1_000) for t_us in capture.t_us[begin:end]]
        seconds, rest_ms = divmod(times_ms[0], 1_000)
        when = {
            "timestamp": _FIT_START + timedelta(seconds=seconds),
            "timestamp_ms": rest_ms,
            "sample_time_offset": [t_ms - times_ms[0] for t_ms in times_ms],
        }
        values = capture.values[6 * begin : 6 * end]
        for message, fields, place, scale in _SENSORS:
            axes = {f"{fields}_{axis}": [value / scale for value in values[place + k :: 6]] for k, axis in enumerate("xyz")}
            write(message, **when, **axes)
    return bytes(encoder.close())


def _runs(t_us: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, end) of the samples of each message: at most _MESSAGE_SAMPLES, without a gap inside."""
    begin = 0
    for k in range(1, len(t_us) + 1):
        if k == len(t_us) or k - begin == _MESSAGE_SAMPLES or t_us[k] - t_us[k - 1] > _GAP_US:
            yield begin, k
            begin = k
