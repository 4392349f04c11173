"""The live session of the demo: what the monitor reported so far, and its display."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from retrostep.units import quantity
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

BARS = "▁▂▃▄▅▆▇█"
LEAST_SPM, MOST_SPM = 80, 220
DIRECTIONS = {
    "forward": ("▶ forward", "bold green"),
    "backward": ("◀ backward", "bold magenta"),
    "still": ("■ still", "dim"),
    "unknown": ("? not known yet", "yellow"),
}


class Overdue(Exception):
    """No line came before the deadline."""


@dataclass
class LiveSession:
    """Totals of the events that the monitor printed."""

    steps: list[tuple[float, str]] = field(default_factory=list)
    """(s, direction)"""
    direction: str = "still"
    spm: float = 0.0
    cadences: list[tuple[float, float]] = field(default_factory=list)
    """(s, steps a minute)"""
    alerts: list[str] = field(default_factory=list)
    ramp_stops: int = 0
    session: int = 0
    ended: bool = False

    def add(self, event: dict[str, Any]) -> None:
        """Count one event of `retrostep monitor --json`."""
        kind = event["event"]
        if kind == "step":
            self.steps.append((event["t"], event["direction"]))
        elif kind == "direction":
            self.direction = event["direction"]
            # The board recognises a direction late, and reports since when it holds.
            self.steps = [(t, self.direction if t >= event["since"] else before) for t, before in self.steps]
            if self.direction == "still":
                self.spm = 0.0
        elif kind == "cadence":
            self.spm = event["spm"]
            self.cadences.append((event["at"], self.spm))
        elif kind == "alert":
            self.ramp_stops += event["kind"] == "cadence_ramp" and event["severity"] == "stop"
            self.alerts.append(f"{event['at']:5.0f} s  {alert_text(event)}")
        elif kind == "session":
            if event["started"]:
                self.session = event["session"]
            self.ended = self.ended or not event["started"]

    def count(self, direction: str) -> int:
        """Steps in a direction."""
        return sum(1 for _, of_step in self.steps if of_step == direction)


def alert_text(event: dict[str, Any]) -> str:
    """An alert in one line."""
    severity = "STOP" if event["severity"] == "stop" else "warning"
    measured, limit = event["measured"], event["limit"]
    return {
        "cadence_ramp": f"{severity}: backward cadence rose {measured:.0f} % within 10 s (limit {limit:.0f} %)",
        "cadence_ceiling": f"{severity}: {measured:.0f} steps a minute backward (limit {limit:.0f})",
        "cold_start": f"{severity}: backward after a warm-up of only {quantity(measured, 's')} (limit {quantity(limit, 's')})",
        "session_limit": f"{severity}: {quantity(measured, 's')} backward in this session (limit {quantity(limit, 's')})",
    }.get(event["kind"], f"{severity}: {event['kind']}")


def display(live: LiveSession, speed: float, width: int) -> Panel:
    """Direction, steps, cadence and the latest alerts."""
    name, style = DIRECTIONS.get(live.direction, DIRECTIONS["unknown"])
    row = Table.grid(padding=(0, 3))
    row.add_row(
        Text(f"{name:16}", style=style),
        Text.assemble(("▶ ", "green"), (f"{live.count('forward'):4}", "bold"), " steps"),
        Text.assemble(("◀ ", "magenta"), (f"{live.count('backward'):4}", "bold"), " steps"),
        Text.assemble((f"{live.spm:4.0f}", "bold"), " a minute"),
    )
    parts: list[Any] = [row, Text(sparkline(live.cadences, max(20, width - 4)) or " ", style="cyan")]
    parts += [Text(text, style="bold red" if "STOP" in text else "yellow") for text in live.alerts[-5:]]
    state = "session ended" if live.ended else f"session {live.session}" if live.session else "waiting for the first step"
    title = f"Ben, live, {speed:g} times as fast as real time (synthetic motion)"
    return Panel(Group(*parts), title=title, subtitle=state, border_style="cyan", padding=(0, 1))


def sparkline(cadences: list[tuple[float, float]], width: int) -> str:
    """The cadence over the session, 80 to 220 steps a minute, in at most `width` characters of at least 2 s each."""
    if not cadences:
        return ""
    each_s = max(2.0, (cadences[-1][0] + 1) / width)
    latest = {int(at / each_s): spm for at, spm in cadences}
    line, bar = "", " "
    for k in range(int(cadences[-1][0] / each_s) + 1):
        if k in latest:
            height = int((latest[k] - LEAST_SPM) / (MOST_SPM - LEAST_SPM) * len(BARS))
            bar = BARS[min(len(BARS) - 1, max(0, height))] if latest[k] else " "
        line += bar
    return line


def events_until(stream: IO[str], deadline: float) -> Iterator[dict[str, Any]]:
    """The JSON lines of a pipe as they come; raises Overdue at the deadline (time.monotonic)."""
    rest = b""
    while True:
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise Overdue
        data = os.read(stream.fileno(), 65536)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from (json.loads(line) for line in lines)
