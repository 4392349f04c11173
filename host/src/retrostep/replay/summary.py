"""The events of a replayed recording in lines for people."""

from collections.abc import Iterator
from statistics import median

from retrostep.plain_text import clean
from retrostep.replay.events import Replayed
from retrostep.units import alert_text, clock, duration


def paragraphs(replayed: Replayed) -> Iterator[str]:
    """Lines about one recording: steps and time by direction, cadence, alerts, gaps."""
    forward, backward, unknown, forward_ms, backward_ms = replayed.totals
    yield f"{clean(replayed.name)}  {duration(round(1_000 * replayed.duration_s))}"
    for direction, steps, ms in (("forward", forward, forward_ms), ("backward", backward, backward_ms)):
        if steps or ms:
            yield f"  {direction:<9}{steps:>6} steps  {duration(ms):>12}"
    if unknown:
        yield f"  unknown  {unknown:>6} steps"
    if not forward + backward + unknown:
        yield "  no steps"
    cadences_x10 = [v[1] for event, v in replayed.events if event == "cadence" and v[1]]
    if cadences_x10:
        yield f"  cadence  {median(cadences_x10) / 10:>6.0f} steps a minute (median), {max(cadences_x10) / 10:.0f} at most"
    for event, v in replayed.events:
        if event == "alert":
            at_ms, kind, severity, measured, limit = v
            yield f"  {_at(replayed, at_ms)}  {alert_text(kind, severity, measured, limit)}"
        elif event == "gap":
            yield f"  {_at(replayed, v[0])}  gap: no samples for {duration(v[1] - v[0])}"


def _at(replayed: Replayed, at_ms: int) -> str:
    """A time in the recording, as the sessions of a device have it."""
    return f"{clock(round(1_000 * replayed.start_s) + at_ms):>8}"
