"""Calibration of a device: lead the wearer through it and explain its result."""

import time
from collections.abc import Callable

from retrostep_core.gait import calibration as core
from retrostep_core.link import messages
from retrostep_core.link.answers import Calibration
from retrostep_core.sensor_text import sensor_text

from retrostep.device.client import DeviceClient
from retrostep.errors import (
    CalibrationFailed,
    CalibrationNotSaved,
    CalibrationRunning,
    CalibrationUnsupported,
    CalibrationUnwatched,
    LinkLost,
    NotCalibrated,
    Refused,
)

POLL_EVERY_S = 0.2
LONGEST_S = 90.0
"""A device ends a calibration by itself after 30 s of standing and 40 s of walking."""

STATE_NAMES = ("none", "stand", "walk", "done", "failed")
REASON_NAMES = ("", "moved", "few_strides", "oblique", "no_direction", "backward", "silent_gyroscope", "no_samples", "not_kept")
_REASON_TEXTS = {
    core.MOVED: "The leg did not stand still for two seconds. Stand on both feet and do not touch the device until it pulses twice.",
    core.FEW: "There were too few strides. Walk straight on for ten steps, which are five strides of the leg with the device.",
    core.OBLIQUE: "The sensor is tilted by more than 30 degrees. Turn the strap until the case is straight.",
    core.WEAK: "Forward and backward look the same in this walk. Walk at your usual speed, straight forward, on level ground.",
    core.BACKWARD: "That looked like walking backward. Walk forward, relaxed.",
    core.SILENT: "The leg moved, but the gyroscope measured nothing. Replace the sensor, or correct imu in the board's board.json.",
    core.SENSOR: "The sensor is missing or stopped answering. Check its wires (SDA, SCL, 3V3, GND) and its supply.",
    core.LOST: "The mount was found, but it is lost at the next start because the flash is full.",
}


def state_name(calibration: Calibration) -> str:
    """none, stand, walk, done or failed; unknown for a state that only a newer device knows."""
    return STATE_NAMES[calibration.state] if calibration.state < len(STATE_NAMES) else "unknown"


def reason_name(calibration: Calibration) -> str | None:
    """Why a calibration failed, as a word for programs; None if it has not failed."""
    if not calibration.reason:
        return None
    return REASON_NAMES[calibration.reason] if calibration.reason < len(REASON_NAMES) else "unknown"


def calibration_error(calibration: Calibration, path: str, sensor: int = 0) -> CalibrationFailed:
    """The error for a calibration that failed or was not saved, on the device at `path`: why, and what to do differently.

    `sensor` is that of the device's STATUS: it explains a calibration without samples.
    """
    unknown = f"The device gives a reason that this version does not know ({calibration.reason}). Update Retrostep on this computer."
    kind = CalibrationNotSaved if calibration.reason == core.LOST else CalibrationFailed
    text = _REASON_TEXTS.get(calibration.reason, unknown)
    if calibration.reason == core.SENSOR and sensor:
        text = f"The sensor does not work: {sensor_text(sensor & 255, sensor >> 8)}."
    return kind(text, port=path)


def calibrate(client: DeviceClient, on_change: Callable[[Calibration], None]) -> Calibration:
    """Start a calibration and call `on_change` with every change until it is over. Returns the result, done or failed.

    Raises CalibrationFailed if the device cannot start or has cancelled it, and CalibrationUnwatched if its cable is pulled (the device
    continues). Ctrl-C cancels it.
    """
    until = time.monotonic() + LONGEST_S
    shown: Calibration | None = None
    now = _supported(client.path, client.start_calibration)
    try:
        while True:
            if now != shown:
                shown = now
                on_change(now)
            if now.state in (core.DONE, core.FAILED):
                return now
            if now.state not in (core.STAND, core.WALK):
                raise CalibrationFailed(
                    f"The calibration was cancelled: its button was pressed, or the board at {client.path} has restarted.", port=client.path
                )
            if time.monotonic() > until:
                raise CalibrationFailed(
                    f"The board at {client.path} does not end its calibration. Press its reset button.", port=client.path
                )
            time.sleep(POLL_EVERY_S)
            now = client.calibration()
    except KeyboardInterrupt:
        client.cancel_calibration()
        raise
    except LinkLost as lost:
        raise CalibrationUnwatched(
            f"The board at {client.path} was unplugged. If it has a battery, it continues: follow its pulses.", port=client.path
        ) from lost


def last_calibration(client: DeviceClient) -> Calibration:
    """The result of the last calibration since the device's start. Raises CalibrationRunning or NotCalibrated if there is none."""
    now = _supported(client.path, client.calibration)
    if now.state in (core.STAND, core.WALK):
        raise CalibrationRunning(f"The board at {client.path} is still calibrating. Wait for its pulses.", port=client.path)
    if now.state not in (core.DONE, core.FAILED):
        raise NotCalibrated(
            f"The board at {client.path} has not been calibrated since it started. Its mount is {now.mount}.", port=client.path
        )
    return now


def _supported(path: str, request: Callable[[], Calibration]) -> Calibration:
    try:
        return request()
    except Refused as refused:
        if refused.code == messages.UNKNOWN_REQUEST:
            raise CalibrationUnsupported(f"The board at {path} runs a version that cannot calibrate.", port=path) from refused
        raise
