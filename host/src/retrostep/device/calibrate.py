"""Leading a wearer through the calibration of a board, and saying what came of it."""

import time
from collections.abc import Callable

from retrostep_core.gait import calibration as core
from retrostep_core.link import messages
from retrostep_core.link.messages import Calibration

from retrostep.device.client import Board
from retrostep.errors import CalibrationFailed, LinkLost, Refused

LOOK_EVERY_S = 0.2
PATIENCE_S = 90.0
"""A board gives up by itself after 30 s of standing and 40 s of walking."""

STATE_NAMES = ("none", "stand", "walk", "done", "failed")
REASON_NAMES = ("", "moved", "few_strides", "oblique", "no_direction", "backward", "silent_gyroscope", "no_samples", "not_kept")
_AGAIN = "Run `retrostep calibrate` again"
_WHY = {
    core.MOVED: f"The leg did not stand still for two seconds. {_AGAIN}, stand on both feet and leave the device alone until it pulses "
    "twice.",
    core.FEW: f"There were too few strides. {_AGAIN} and walk straight on: five strides of the leg that wears it, ten steps.",
    core.OBLIQUE: "The sensor sits more than 30 degrees askew, so that none of its axes points along the leg or forward. Turn the strap "
    "until the case is straight, then run `retrostep calibrate` again.",
    core.WEAK: f"The walk did not tell forward from backward. {_AGAIN} and walk at your usual pace, straight forward, on level ground.",
    core.BACKWARD: f"That looked like walking backward. {_AGAIN} and walk forward, relaxed.",
    core.SILENT: "The leg shook, but the gyroscope said nothing: the sensor is broken. Replace it, or check imu in the board's board.json.",
    core.SENSOR: "The sensor is missing or stopped answering. Check its wiring (SDA, SCL, 3V3, GND) and its supply.",
    core.LOST: "The mount was found and holds, but only until the next start, for the flash is full. Run `retrostep sync`, then "
    "`retrostep calibrate` again.",
}


def state_name(calibration: Calibration) -> str:
    """none, stand, walk, done or failed; unknown for what a newer board may say."""
    return STATE_NAMES[calibration.state] if calibration.state < len(STATE_NAMES) else "unknown"


def reason_name(calibration: Calibration) -> str | None:
    """Why it failed, in a word for programs; None where there is no reason."""
    if not calibration.reason:
        return None
    return REASON_NAMES[calibration.reason] if calibration.reason < len(REASON_NAMES) else "unknown"


def why(calibration: Calibration) -> str:
    """Why a calibration failed and what to do about it."""
    unknown = f"The board gives a reason ({calibration.reason}) that is not known here: run `pip install --upgrade retrostep`."
    return _WHY.get(calibration.reason, unknown)


def calibrate(board: Board, tell: Callable[[Calibration], None]) -> Calibration:
    """Begin a calibration and `tell` every change until it is over; what came of it, done or failed.

    Raises CalibrationFailed where the board cannot begin or has left off, and LinkLost where its cable was pulled (the board goes on).
    Ctrl-C leaves it off.
    """
    until = time.monotonic() + PATIENCE_S
    told: Calibration | None = None
    now = _asked(board, lambda: board.calibrate(True))
    try:
        while True:
            if now != told:
                told = now
                tell(now)
            if now.state in (core.DONE, core.FAILED):
                return now
            if now.state not in (core.STAND, core.WALK):
                raise CalibrationFailed(
                    f"The calibration was left off: a button was pressed, or the board at {board.path} has started anew. {_AGAIN}."
                )
            if time.monotonic() > until:
                raise CalibrationFailed(f"The board at {board.path} does not come to an end with its calibration. Reset it. {_AGAIN}.")
            time.sleep(LOOK_EVERY_S)
            now = board.calibration()
    except KeyboardInterrupt:
        board.calibrate(False)
        raise
    except LinkLost as lost:
        raise LinkLost(
            f"The board at {board.path} was unplugged; if it runs on a cell, it goes on: follow its pulses, plug it in again and run "
            f"`retrostep calibrate --port {board.path} --last`."
        ) from lost


def last_calibration(board: Board) -> Calibration:
    """What came of the last calibration since the board's start. Raises CalibrationFailed where there was none, or it goes on."""
    now = _asked(board, board.calibration)
    if now.state not in (core.DONE, core.FAILED):
        going = now.state in (core.STAND, core.WALK)
        raise CalibrationFailed(
            f"The board at {board.path} is still calibrating: wait for its pulses."
            if going
            else f"The board at {board.path} has not been calibrated since it started (its mount is {now.mount}): leave out --last."
        )
    return now


def _asked(board: Board, ask: Callable[[], Calibration]) -> Calibration:
    try:
        return ask()
    except Refused as refused:
        if refused.code == messages.UNKNOWN_REQUEST:
            raise CalibrationFailed(
                f"The board at {board.path} runs a version that cannot calibrate: run `retrostep deploy --board NAME --port {board.path}`."
            ) from refused
        raise
