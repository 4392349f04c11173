"""Changes of direction: recorded runners, played forward and backward by turns, joined without a pause."""

from pathlib import Path

import numpy as np
from retrostep.replay.recording import read_recording

from bench.detectors import retrostep
from bench.inputs import RATE_HZ, body, exported, labelled, recording, rows, scorer
from bench.parallel import run_parallel
from bench.scoring import NEVER_S
from bench.tables import console, figure, section, table

EACH_S = 8.0
LEAST_S = 4.0
JOINED_S = 0.2
NAMES = ("forward", "backward")


def run() -> None:
    """Delay of each change of direction."""
    section(
        "Switches of recorded runners",
        f"The same runner forward and played backward in time, {EACH_S:g} s each by turns, blended over {JOINED_S:g} s. No runner "
        "turns so suddenly. Delay: from the middle of the blend to the report.",
    )
    if not labelled():
        console.print("The labelled recordings are not at ../shared, so nothing is measured.")
        return
    pairs = _pairs()
    delays = run_parallel(_delays, pairs)
    lines = []
    for name in NAMES[::-1]:
        found = [delay for runner in delays for new, delay in runner if new == name]
        lines.append([f"to {name}", len(found), *_figures(found)])
    both = [delay for runner in delays for _, delay in runner]
    table("", ("", "switches", "median s", "90 % within s", "latest s"), [["all", len(both), *_figures(both)], *lines], bold=[0])


def _figures(delays: list[float]) -> list[str]:
    return [figure(float(np.median(delays)), 2, None, 1.0), figure(float(np.percentile(delays, 90)), 2, None, 1.5), figure(max(delays), 2)]


def _pairs() -> list[tuple[Path, Path]]:
    """(forward, backward) of the same runner, leg and speed."""
    paths = exported()
    forward = {_runner(row["file"]): row for row in rows() if row["dataset"] == "vimu_running" and row["placement"] == "shank"}
    backward = [row for row in rows() if row["dataset"] == "reversed_running"]
    both = [(forward[key], row) for row in backward if (key := _runner(row["file"])) in forward]
    return [(paths[scorer().stem(f)], paths[scorer().stem(b)]) for f, b in both]


def _runner(file: str) -> str:
    return file.rsplit("/", 1)[-1]


def _delays(forward: Path, backward: Path) -> list[tuple[str, float]]:
    """(new direction, seconds until it is reported) of each change."""
    there, back = (body(read_recording(path))[1] for path in (forward, backward))
    n, blend = int(EACH_S * RATE_HZ), int(JOINED_S * RATE_HZ)
    pieces = [piece for k in range(2) for piece in (there[k * n : k * n + n], back[k * n : k * n + n])]
    pieces = [piece for piece in pieces if len(piece) >= LEAST_S * RATE_HZ]
    joined = pieces[0]
    changes = []
    share = np.linspace(0, 1, blend)[:, None]
    for k, piece in enumerate(pieces[1:]):
        changes.append(((len(joined) - blend / 2) / RATE_HZ, NAMES[(k + 1) % 2]))
        joined = np.concatenate([joined[:-blend], joined[-blend:] * (1 - share) + piece[:blend] * share, piece[blend:]])
    events = retrostep(recording(forward.stem, np.arange(len(joined)) / RATE_HZ, joined))
    reported = [(e["at"], e["direction"]) for e in events if e["event"] == "direction"]
    ends = [at for at, _ in changes[1:]] + [len(joined) / RATE_HZ]
    out = []
    for (at_s, name), end_s in zip(changes, ends, strict=True):
        found = [at - at_s for at, direction in reported if direction == name and at_s <= at < end_s]
        out.append((name, found[0] if found else NEVER_S))
    return out
