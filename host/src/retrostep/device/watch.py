"""What a board counts, as it happens."""

import time
from collections.abc import Iterator
from typing import Any

from retrostep_core.gait import codes
from retrostep_core.link import answers, messages

from retrostep.device.client import Board

LOOK_S = 0.25
ASK_S = 1.0
"""A board sends events until 60 s of its own time after the last request; a virtual one may run sixty times as fast."""


def watch(board: Board, until: float | None = None, until_session_ends: bool = False) -> Iterator[answers.Event]:
    """Every event until time.monotonic() is `until`, or until the session that goes on (else the next one) has ended.

    A session whose last event was lost on the line is noticed to have ended all the same. The board stops sending when this is closed.
    """
    board.watch(True)
    asked = 0.0
    number = 0
    try:
        while until is None or time.monotonic() < until:
            for event in board.events(LOOK_S):
                yield event
                if event.event == messages.EVENT_SESSION:
                    if event.b:
                        number = event.a
                    elif until_session_ends:
                        return
            if time.monotonic() - asked >= ASK_S:
                status = board.status()
                asked = time.monotonic()
                is_going_on = status.state == messages.IN_SESSION
                if until_session_ends and number and not (is_going_on and status.session == number) and not board.has_events():
                    return
                number = status.session if is_going_on else number
    finally:
        board.watch(False)


def told(event: answers.Event) -> dict[str, Any]:
    """An event for --json: times in seconds of the board's clock, cadence in steps a minute, an alert's numbers in its own unit."""
    name = _name(answers.EVENT_NAMES, event.event)
    said: dict[str, Any] = {"event": name, "at": event.at_ms / 1000}
    if name == "step":
        said |= {"t": event.a / 1000, "direction": _name(codes.DIRECTION_NAMES, event.b)}
    elif name == "direction":
        said |= {"since": event.a / 1000, "direction": _name(codes.DIRECTION_NAMES, event.b)}
    elif name == "cadence":
        said |= {"spm": event.a / 10}
    elif name == "alert":
        kind = _name(codes.ALERT_NAMES, event.b)
        scale = 10 if kind in ("cadence_ramp", "cadence_ceiling") else 1
        severity = _name(codes.SEVERITY_NAMES, event.c)
        said |= {"kind": kind, "severity": severity, "measured": event.d / scale, "limit": event.e / scale}
    elif name == "gap":
        said |= {"from": event.a / 1000}
    elif name == "session":
        said |= {"session": event.a, "started": bool(event.b)}
    return said


def described(event: answers.Event) -> str:
    """An event as a line for people."""
    said = told(event)
    at = f"{said['at']:9.2f} s  "
    match said["event"]:
        case "step":
            return f"{at}step      {said['direction']}"
        case "direction":
            return f"{at}direction {said['direction']}"
        case "cadence":
            return f"{at}cadence   {said['spm']:.0f} steps a minute"
        case "alert":
            unit = {"cadence_ramp": "%", "cadence_ceiling": "steps a minute"}.get(said["kind"], "s")
            return f"{at}ALERT     {said['severity']}: {said['kind']} {said['measured']:g} {unit} (limit {said['limit']:g} {unit})"
        case "gap":
            return f"{at}gap       samples are missing since {said['from']:.2f} s"
        case "session":
            return f"{at}session   {said['session']} {'has begun' if said['started'] else 'has ended'}"
        case name:
            return f"{at}{name}"


def _name(names: tuple[str, ...], code: int) -> str:
    """The word for a code; a newer board's codes have none here."""
    return names[code] if code < len(names) and names[code] else f"code {code}"
