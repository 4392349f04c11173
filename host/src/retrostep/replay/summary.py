"""A recording's events for people."""

from collections.abc import Iterator
from statistics import median

from retrostep_core.gait import codes

from retrostep.replay.events import Replayed
from retrostep.replay.recording import printable


def paragraphs(replayed: Replayed) -> Iterator[str]:
    """Lines that tell what the engine saw: steps and time by direction, cadence, alerts, gaps."""
    forward, backward, unknown, forward_ms, backward_ms = replayed.totals
    yield f"{printable(replayed.name)}  {replayed.duration_s:.1f} s"
    for what, steps, ms in (("forward", forward, forward_ms), ("backward", backward, backward_ms)):
        if steps or ms:
            yield f"  {what:<9}{steps:>6} steps  {ms / 1000:>8.1f} s"
    if unknown:
        yield f"  unknown  {unknown:>6} steps"
    if not forward + backward + unknown:
        yield "  no steps"
    paces = [v[1] for what, v in replayed.events if what == "cadence" and v[1]]
    if paces:
        yield f"  cadence  {median(paces) / 10:>6.0f} steps a minute (median), {max(paces) / 10:.0f} at most"
    for what, v in replayed.events:
        if what == "alert":
            at_ms, kind, severity, measured, limit = v
            said = f"{measured / 10:.1f} % in the window, limit {limit / 10:.1f} %"
            if kind == codes.CEILING:
                said = f"{measured / 10:.0f} steps a minute, limit {limit / 10:.0f}"
            elif kind == codes.COLD_START:
                said = f"{measured} s of warm-up, {limit} s wanted"
            elif kind == codes.SESSION_LIMIT:
                said = f"{measured} s backward, limit {limit} s"
            yield f"  {replayed.start_s + at_ms / 1000:>8.1f} s  {codes.SEVERITY_NAMES[severity]}: {codes.ALERT_NAMES[kind]}: {said}"
        elif what == "gap":
            yield f"  {replayed.start_s + v[0] / 1000:>8.1f} s  gap: no samples for {(v[1] - v[0]) / 1000:.2f} s"
