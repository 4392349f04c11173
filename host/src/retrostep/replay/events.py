"""What the engine reports about one recording, and the JSON lines for it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from retrostep_core import code_names
from retrostep_core.directions import counted_direction, direction_at
from retrostep_core.gait import units

from retrostep.units import alert_value

# An event as the sink received it, name and numbers: step (t_ms, at_ms, direction), direction (at_ms, since_ms, direction), cadence (at_ms,
# spm_x10), alert (at_ms, kind, severity, measured, limit), gap (from_ms, to_ms, reason), mount (at_ms,
# since_ms, then axis and sign of forward, left and up). Both engines return exactly these.
Event = tuple[str, tuple[int, ...]]
FIELDS = {"step": 3, "direction": 3, "cadence": 2, "alert": 5, "gap": 3, "mount": 8}


@dataclass
class Replayed:
    """One recording's events, in the order of their `at`, and the totals at its end."""

    name: str
    start_s: float
    duration_s: float
    mount: str
    """The declared mount, `?` if there is none."""
    events: list[Event] = field(default_factory=list)
    # forward, backward, unknown steps; forward, backward ms
    totals: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)


class ListSink:
    """The engine's sink: keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def step(self, t_ms: int, at_ms: int, direction: int) -> None:
        """A step of either foot."""
        self.events.append(("step", (t_ms, at_ms, direction)))

    def direction(self, at_ms: int, since_ms: int, direction: int) -> None:
        """A change of direction."""
        self.events.append(("direction", (at_ms, since_ms, direction)))

    def cadence(self, at_ms: int, spm_x10: int) -> None:
        """A new cadence."""
        self.events.append(("cadence", (at_ms, spm_x10)))

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        """An alert."""
        self.events.append(("alert", (at_ms, kind, severity, measured, limit)))

    def gap(self, from_ms: int, to_ms: int, reason: int) -> None:
        """Samples are missing, or the sensor is faulty."""
        self.events.append(("gap", (from_ms, to_ms, reason)))

    def found_mount(self, at_ms: int, since_ms: int, found: tuple[tuple[int, int], ...]) -> None:
        """The sensor is worn in another way than declared."""
        self.events.append(("mount", (at_ms, since_ms, *(number for axis in found for number in axis))))


def step_directions(events: list[Event]) -> list[int]:
    """The final direction of each step event, in order: the last change whose `since` is not after the step."""
    changes = [(v[1], v[2]) for event, v in events if event == "direction"]
    return [counted_direction(direction_at(changes, v[0])) for event, v in events if event == "step"]


def lines(replayed: Replayed) -> Iterator[str]:
    """The recording's JSON lines: events in order of their `at`, steps with their final direction, the summary last."""
    final_directions = iter(step_directions(replayed.events))
    name = replayed.name
    start_ms = round(replayed.start_s * 1000)

    def seconds(ms: int) -> float:
        return (start_ms + ms) / 1000

    alerts = 0
    for event, v in replayed.events:
        line: dict[str, object] = {"recording": name, "event": event}
        if event == "step":
            line |= {"t": seconds(v[0]), "at": seconds(v[1]), "direction": code_names.DIRECTION_NAMES[next(final_directions)]}
        elif event == "direction":
            line |= {"at": seconds(v[0]), "since": seconds(v[1]), "direction": code_names.DIRECTION_NAMES[v[2]]}
        elif event == "cadence":
            line |= {"at": seconds(v[0]), "spm": v[1] / 10}
        elif event == "alert":
            alerts += 1
            line |= {
                "at": seconds(v[0]),
                "kind": code_names.ALERT_NAMES[v[1]],
                "severity": code_names.SEVERITY_NAMES[v[2]],
                "measured": alert_value(v[1], v[3]),
                "limit": alert_value(v[1], v[4]),
            }
        elif event == "mount":
            found = tuple((v[k], v[k + 1]) for k in (2, 4, 6))
            text = units.mount_text(found, units.parse_mount(replayed.mount))
            line |= {"at": seconds(v[0]), "since": seconds(v[1]), "mount": text, "declared": replayed.mount}
        else:
            line |= {"from": seconds(v[0]), "to": seconds(v[1]), "reason": code_names.GAP_NAMES[v[2]]}
        yield json.dumps(line)
    forward, backward, unknown, forward_ms, backward_ms = replayed.totals
    yield json.dumps(
        {
            "recording": name,
            "event": "summary",
            "duration_s": round(replayed.duration_s, 3),
            "steps": {"forward": forward, "backward": backward, "unknown": unknown},
            "forward_s": forward_ms / 1000,
            "backward_s": backward_ms / 1000,
            "alerts": alerts,
        }
    )
