"""The values that a device shows over Bluetooth Low Energy, as bytes. FORMATS.md, "Bluetooth"."""

import struct

from ..constants import const

RSC_BYTES = const(4)
STATE_BYTES = const(8)

_RUNNING = const(4)
# Below it people walk: an engineering number. The device does not measure speed.
_RUNNING_SPM_X10 = const(1400)
_VERSION = const(1)
_MOST_U8 = const(255)
_MOST_U16 = const(65535)


def pack_rsc(buf, cadence_x10: int, is_doubled: bool):
    """RSC Measurement, 2A53h (Running Speed and Cadence Service 1.0, 3.1): flags, speed in 1/256 m/s, cadence a minute.

    The cadence is in strides a minute (revolutions of one leg), half of the steps. `is_doubled` sends steps, for apps that show
    strides as if they were steps. The speed is 0: it is not measured. Bit 2 of the flags says running, from 140 steps a minute on.
    """
    cadence = (cadence_x10 + 5) // 10 if is_doubled else (cadence_x10 + 10) // 20
    struct.pack_into("<BHB", buf, 0, _RUNNING if cadence_x10 >= _RUNNING_SPM_X10 else 0, 0, min(cadence, _MOST_U8))


def pack_state(buf, direction: int, cadence_x10: int, alert_kind: int, alert_severity: int, backward_ms: int):
    """Retrostep's own characteristic: version, direction, cadence in 0.1 steps a minute, alert that holds, backward time in s."""
    backward_s = min(backward_ms // 1000, _MOST_U16)
    struct.pack_into("<BBHBBH", buf, 0, _VERSION, direction, min(cadence_x10, _MOST_U16), alert_kind, alert_severity, backward_s)
