"""What the engine said about one recording, and the JSON lines for it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from retrostep_core.gait import codes

# An event as the sink got it, name and numbers: step (t_ms, at_ms, direction), direction (at_ms, since_ms, direction), cadence (at_ms,
# spm_x10), alert (at_ms, kind, severity, measured, limit), gap (from_ms, to_ms). Both engines hand over exactly these.
Event = tuple[str, tuple[int, ...]]
FIELDS = {"step": 3, "direction": 3, "cadence": 2, "alert": 5, "gap": 2}


@dataclass
class Replayed:
    """One recording's events, in the order in which they were said, and the tally at its end."""

    name: str
    start_s: float
    duration_s: float
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

    def gap(self, from_ms: int, to_ms: int) -> None:
        """Samples are missing."""
        self.events.append(("gap", (from_ms, to_ms)))


def directions(events: list[Event]) -> list[int]:
    """The settled direction of each step event, in order: the last statement whose `since` is not after the step."""
    said = [(v[1], v[2]) for what, v in events if what == "direction"]
    steps = [v[0] for what, v in events if what == "step"]
    settled = []
    k = 0
    now = codes.UNKNOWN
    for t_ms in steps:
        while k < len(said) and said[k][0] <= t_ms:
            now = said[k][1]
            k += 1
        settled.append(codes.UNKNOWN if now == codes.STILL else now)
    return settled


def lines(replayed: Replayed) -> Iterator[str]:
    """The recording's JSON lines: events in the order in which they were said, steps with their settled direction, the summary last."""
    settled = iter(directions(replayed.events))
    name = replayed.name
    start_ms = round(replayed.start_s * 1000)

    def seconds(ms: int) -> float:
        return (start_ms + ms) / 1000

    alerts = 0
    for what, v in replayed.events:
        said: dict[str, object] = {"recording": name, "event": what}
        if what == "step":
            said |= {"t": seconds(v[0]), "at": seconds(v[1]), "direction": codes.DIRECTION_NAMES[next(settled)]}
        elif what == "direction":
            said |= {"at": seconds(v[0]), "since": seconds(v[1]), "direction": codes.DIRECTION_NAMES[v[2]]}
        elif what == "cadence":
            said |= {"at": seconds(v[0]), "spm": v[1] / 10}
        elif what == "alert":
            alerts += 1
            tenths = v[1] in (codes.RAMP, codes.CEILING)
            measured, limit = (v[3] / 10, v[4] / 10) if tenths else (v[3], v[4])
            said |= {
                "at": seconds(v[0]),
                "kind": codes.ALERT_NAMES[v[1]],
                "severity": codes.SEVERITY_NAMES[v[2]],
                "measured": measured,
                "limit": limit,
            }
        else:
            said |= {"from": seconds(v[0]), "to": seconds(v[1])}
        yield json.dumps(said)
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
