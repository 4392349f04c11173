"""A device's steps, direction, cadence and alerts as they happen."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from retrostep_core import code_names, codes
from retrostep_core.link import answers, messages

from retrostep.device.client import DeviceClient
from retrostep.units import alert_text, alert_value

EVENTS_WAIT_S = 0.25
STATUS_EVERY_S = 1.0
"""A device sends events until 60 s of its own time after the last request. A virtual one may run sixty times as fast."""


def live_events(
    client: DeviceClient,
    until: float | None = None,
    until_session_ends: bool = False,
    on_status: Callable[[answers.Status], None] | None = None,
) -> Iterator[answers.Event]:
    """Every event until time.monotonic() is `until`, or until the session in progress (or else the next one) has ended.

    `on_status` is called with the device's status about once a second.
    The end of a session is noticed even if its event was lost on the line. The device stops sending when this iterator is closed.
    """
    client.send_events(True)
    status_at = 0.0
    number = 0  # of the session in progress
    try:
        while until is None or time.monotonic() < until:
            for event in client.events(EVENTS_WAIT_S):
                yield event
                if event.event == messages.EVENT_SESSION:
                    if event.b:
                        number = event.a
                    elif until_session_ends:
                        return
            if time.monotonic() - status_at >= STATUS_EVERY_S:
                status = client.status()
                status_at = time.monotonic()
                if on_status is not None:
                    on_status(status)
                in_session = status.state == messages.IN_SESSION
                has_ended = number and not (in_session and status.session == number)
                if until_session_ends and has_ended and not client.has_events():
                    return
                number = status.session if in_session else number
    finally:
        client.send_events(False)


def event_as_dict(event: answers.Event) -> dict[str, Any]:
    """An event for --json. Times are in seconds since the session began, cadence in steps a minute, an alert's numbers in its own unit."""
    name = _name(code_names.EVENT_NAMES, event.event)
    facts: dict[str, Any] = {"event": name, "at": event.at_ms / 1000}
    if name == "step":
        facts |= {"t": event.a / 1000, "direction": _name(code_names.DIRECTION_NAMES, event.b)}
    elif name == "direction":
        facts |= {"since": event.a / 1000, "direction": _name(code_names.DIRECTION_NAMES, event.b)}
    elif name == "cadence":
        facts |= {"spm": event.a / 10}
    elif name == "alert":
        facts |= {
            "kind": _name(code_names.ALERT_NAMES, event.b),
            "severity": _name(code_names.SEVERITY_NAMES, event.c),
            "measured": alert_value(event.b, event.d),
            "limit": alert_value(event.b, event.e),
        }
    elif name == "gap":
        facts |= {"from": event.a / 1000, "reason": _name(code_names.GAP_NAMES, event.b or codes.GAP_SAMPLES)}
    elif name == "session":
        facts |= {"session": event.a, "started": bool(event.b)}
    return facts


def event_text(event: answers.Event) -> str:
    """An event as a line for people."""
    facts = event_as_dict(event)
    at = f"{facts['at']:9.2f} s  "
    match facts["event"]:
        case "step":
            return f"{at}step      {facts['direction']}"
        case "direction":
            return f"{at}direction {facts['direction']}"
        case "cadence":
            return f"{at}cadence   {facts['spm']:.0f} steps a minute"
        case "alert":
            return f"{at}ALERT     {alert_text(event.b, event.c, event.d, event.e)}"
        case "gap":
            return f"{at}gap       {facts['reason']} since {facts['from']:.2f} s"
        case "session":
            return f"{at if facts['started'] else ' ' * len(at)}session   {facts['session']} {'started' if facts['started'] else 'ended'}"
        case name:
            return f"{at}{name}"


def _name(names: tuple[str, ...], code: int) -> str:
    """The name of a code; `code 9` for one that only a newer device knows."""
    return names[code] if code < len(names) and names[code] else f"code {code}"
