#!/usr/bin/env python3
"""The whole product in two minutes: two athletes, two virtual boards, one coach.

    demo.py [--home FOLDER] [--speed N]

A training history is lived through on both boards, one athlete trains on, live, and then the coach syncs and asks who is doing too
much. Every command is the real one, run as its user would run it; the motion is synthetic. Everything is put into FOLDER (default
build/demo, made anew each time). Exit status 1 and one sentence if a step does not do what it should.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

try:
    from flash_image import FlashImage
    from history import Training, felt, write_history
    from motion import BackwardJog, BackwardRun, BackwardWalk, Jog, Ramp, Segment, Stand, Walk, Wear, generate, somebody
    from retrostep.replay.imu import Block
    from rich.console import Console, Group
    from rich.live import Live
    from rich.padding import Padding
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text
except ModuleNotFoundError as missing:
    sys.exit(f"The demo failed: Python has no module {missing.name} here. Run `make demo`, which sets everything up.")

ROOT = Path(__file__).resolve().parents[2]
RETROSTEP = Path(sys.executable).with_name("retrostep")
CHECK_EXCEEDED = 3
LIVE_MOST_S = 180
"""More than the live session takes on a very slow computer; 25 s are usual."""

SPARKS = "▁▂▃▄▅▆▇█"
FACES = {
    "forward": ("▶ forward", "bold green"),
    "backward": ("◀ backward", "bold magenta"),
    "still": ("■ still", "dim"),
    "unknown": ("? not sure yet", "yellow"),
}


class DemoFailed(Exception):
    """One sentence about the step that did not do what it should."""


@dataclass(frozen=True)
class Athlete:
    """Who trains on which board: days before today on which there was a session, and its backward seconds."""

    name: str
    seed: int
    past: tuple[tuple[int, int], ...]

    @property
    def image(self) -> str:
        return f"{self.name.lower()}.flash"


ADA = Athlete("Ada", 11, ((12, 60), (9, 62), (5, 60), (2, 58)))
BEN = Athlete("Ben", 12, ((13, 52), (10, 54), (8, 54), (6, 52), (3, 54)))
ATHLETES = (ADA, BEN)


def live_plan() -> list[Segment]:
    """Ben is in a hurry: a short warm-up, more backward than ever, and a cadence that climbs by a quarter in eight seconds."""
    return [
        Stand(30),
        Walk(45, 112),
        Jog(45, 156),
        Walk(3),
        Stand(5),
        BackwardWalk(25, 100),
        Stand(5),
        BackwardRun(66, 150, [Ramp(at_s=32, percent=25, over_s=8)]),
        Stand(5),
    ]


def past_parts(athlete: Athlete) -> dict[str, list[Segment]]:
    """Warm-up, easy running, and the backward bouts of each session."""
    parts = {"warm-up": [Stand(3), Walk(160, 114), Jog(152, 154), Walk(3), Stand(2)], "easy": [Jog(110, 156), Walk(3), Stand(2)]}
    for _, seconds in athlete.past:
        half = seconds / 2
        parts[f"{seconds} s"] = [Stand(2), BackwardJog(half, 148), Stand(6), BackwardJog(half, 148), Stand(4)]
    return parts


def fill_board(image_path: Path, trainings: list[Training], parts: dict[str, list[Block]]) -> int:
    """Live through the trainings on one board; how many sessions its flash holds then."""
    image = FlashImage(image_path)
    try:
        return write_history(image, trainings, parts)
    finally:
        image.close()


def make_past(home: Path, today: datetime, tell: Callable[[str], None]) -> dict[Athlete, int]:
    """Both boards with their athletes' past, on as many processors as there are; how many sessions each holds."""
    evening = today.replace(hour=17, minute=30, second=0, microsecond=0)
    with ProcessPoolExecutor(initializer=end_at_interrupt) as pool:
        moved: dict[tuple[Athlete, str], Future[list[Block]]] = {}
        for athlete in ATHLETES:
            for k, (name, plan) in enumerate(past_parts(athlete).items()):
                moved[athlete, name] = pool.submit(felt, plan, 1000 * athlete.seed + k, somebody(athlete.seed), "left")
        for done, _ in enumerate(as_completed(moved.values()), 1):
            tell(f"legs are moving: {done} of {len(moved)} recordings")
        tell("both boards live through two weeks ...")
        filled = {}
        for athlete in ATHLETES:
            parts = {name: blocks.result() for (who, name), blocks in moved.items() if who is athlete}
            trainings = [Training(evening - timedelta(days=days), ("warm-up", f"{seconds} s", "easy")) for days, seconds in athlete.past]
            filled[athlete] = pool.submit(fill_board, home / athlete.image, trainings, parts)
        return {athlete: count.result() for athlete, count in filled.items()}


def end_at_interrupt() -> None:
    """In a worker: Ctrl-C ends it at once and without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Watched:
    """What the monitor has told so far."""

    steps: list[tuple[float, str]] = field(default_factory=list)
    direction: str = "still"
    spm: float = 0.0
    course: list[tuple[float, float]] = field(default_factory=list)
    """(s, steps a minute)"""
    alerts: list[str] = field(default_factory=list)
    ramp_stops: int = 0
    session: int = 0
    ended: bool = False

    def take(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "step":
            self.steps.append((event["t"], event["direction"]))
        elif kind == "direction":
            self.direction = event["direction"]
            # What the board learns late holds for the steps since then as well.
            self.steps = [(t, self.direction if t >= event["since"] else said) for t, said in self.steps]
            if self.direction == "still":
                self.spm = 0.0
        elif kind == "cadence":
            self.spm = event["spm"]
            self.course.append((event["at"], self.spm))
        elif kind == "alert":
            self.ramp_stops += event["kind"] == "cadence_ramp" and event["severity"] == "stop"
            self.alerts.append(f"{event['at']:5.0f} s  {alert_words(event)}")
        elif kind == "session":
            if event["started"]:
                self.session = event["session"]
            self.ended = self.ended or not event["started"]

    def count(self, direction: str) -> int:
        return sum(1 for _, said in self.steps if said == direction)


def alert_words(event: dict[str, Any]) -> str:
    """An alert as the wearer would be told it."""
    sign = "STOP" if event["severity"] == "stop" else "warning"
    measured, limit = event["measured"], event["limit"]
    return {
        "cadence_ramp": f"{sign}: backward cadence rose {measured:.0f} % within 10 s (limit {limit:.0f} %)",
        "cadence_ceiling": f"{sign}: {measured:.0f} steps a minute backward (limit {limit:.0f})",
        "cold_start": f"{sign}: backward after only {measured:.0f} s of warm-up (limit {limit:.0f} s)",
        "session_limit": f"{sign}: {measured:.0f} s backward in this session (limit {limit:.0f} s)",
    }.get(event["kind"], f"{sign}: {event['kind']}")


def picture(seen: Watched, speed: float, width: int) -> Panel:
    """The wrist display that Ben does not have."""
    face, style = FACES.get(seen.direction, FACES["unknown"])
    row = Table.grid(padding=(0, 3))
    row.add_row(
        Text(f"{face:16}", style=style),
        Text.assemble(("▶ ", "green"), (f"{seen.count('forward'):4}", "bold"), " steps"),
        Text.assemble(("◀ ", "magenta"), (f"{seen.count('backward'):4}", "bold"), " steps"),
        Text.assemble((f"{seen.spm:4.0f}", "bold"), " a minute"),
    )
    parts: list[Any] = [row, Text(sparks(seen.course, max(20, width - 4)) or " ", style="cyan")]
    parts += [Text(words, style="bold red" if "STOP" in words else "yellow") for words in seen.alerts[-5:]]
    state = "session over" if seen.ended else f"session {seen.session}" if seen.session else "waiting for the first step"
    title = f"Ben, live at {speed:g} times real speed · synthetic"
    return Panel(Group(*parts), title=title, subtitle=state, border_style="cyan", padding=(0, 1))


def sparks(course: list[tuple[float, float]], width: int) -> str:
    """The cadence of the whole session so far, 80 to 220 steps a minute, in at most `width` characters of at least 2 s each."""
    if not course:
        return ""
    each_s = max(2.0, (course[-1][0] + 1) / width)
    latest = {int(at / each_s): spm for at, spm in course}
    line, level = "", " "
    for k in range(int(course[-1][0] / each_s) + 1):
        if k in latest:
            level = SPARKS[min(7, max(0, int((latest[k] - 80) / 140 * 8)))] if latest[k] else " "
        line += level
    return line


class BoardProcess:
    """A virtual board that runs until the demo ends."""

    def __init__(self, show: Show, image: Path, *options: str) -> None:
        command = [str(Path(__file__).with_name("virtual_board.py")), *options, "--flash", str(image)]
        show.typed("python", *command, then="&")
        self.complaints = image.with_suffix(".log")
        with self.complaints.open("w") as log:
            self.process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        self.port = self.process.stdout.readline().strip() if ready else ""
        if not self.port:
            self.stop()
            raise DemoFailed(f"The virtual board did not start: {self.words()}")
        show.said(self.port)

    def words(self) -> str:
        """The last line that the board said on stderr."""
        lines = self.complaints.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Show:
    """What is said on the terminal, and the commands that are run in between."""

    def __init__(self, home: Path) -> None:
        self.console = Console(highlight=False)
        self.home = home
        self.environment = {**os.environ, "RETROSTEP_HOME": str(home / "data")}
        self.part = 0

    def chapter(self, title: str, text: str = "") -> None:
        self.part += 1
        self.console.print()
        self.console.rule(f"[bold]{self.part}  {title}", align="left", style="cyan")
        if text:
            self.console.print(text)

    def typed(self, *words: str, then: str = "") -> None:
        """A command as its user would type it, from the folder where the demo was started."""
        here = f"{Path.cwd()}/"
        line = " ".join(shlex.quote(word.removeprefix(here)) for word in words)
        self.console.print(Text.assemble(("$ ", "bold green"), (f"{line} {then}".rstrip(), "bold")), soft_wrap=True)

    def said(self, text: str) -> None:
        self.console.print(Padding(Text(text, style="dim"), (0, 0, 0, 2)))

    def retrostep(self, *arguments: str, expected: int = 0) -> None:
        """Run `retrostep` in front of the audience."""
        self.typed("retrostep", *arguments)
        status = subprocess.run([str(RETROSTEP), *arguments], env=self.environment).returncode
        if status != expected:
            raise DemoFailed(f"`retrostep {shlex.join(arguments)}` ended with {status}, where {expected} was expected.")

    def asked(self, *arguments: str, expected: int = 0) -> Any:
        """What `retrostep ... --json` answers, behind the scenes."""
        done = subprocess.run([str(RETROSTEP), *arguments, "--json"], env=self.environment, capture_output=True, text=True)
        if done.returncode != expected:
            words = done.stderr.strip().splitlines() or ["it said nothing"]
            raise DemoFailed(f"`retrostep {shlex.join(arguments)} --json` ended with {done.returncode}: {words[-1]}")
        return json.loads(done.stdout)


def watch_live(show: Show, port: str, speed: float) -> Watched:
    """Show what the board counts, until its session is over."""
    command = ["monitor", "--port", port, "--json", "--until-session-ends"]
    show.typed("retrostep", *command)
    seen = Watched()
    monitor = subprocess.Popen([str(RETROSTEP), *command], env=show.environment, stdout=subprocess.PIPE, text=True)
    assert monitor.stdout is not None
    try:
        with Live(picture(seen, speed, show.console.width), console=show.console, refresh_per_second=12) as live:
            for line in lines_until(monitor.stdout, time.monotonic() + LIVE_MOST_S):
                seen.take(json.loads(line))
                live.update(picture(seen, speed, show.console.width))
        if not show.console.is_terminal:
            show.console.print()
        status = monitor.wait(5)
    finally:
        monitor.kill()
        monitor.wait()
    if status:
        raise DemoFailed(f"`retrostep monitor` ended with {status}.")
    if not seen.ended:
        raise DemoFailed("The live session had not ended when the monitor stopped.")
    return seen


def lines_until(stream: IO[str], deadline: float) -> Iterator[str]:
    """Lines as they come; DemoFailed at the deadline."""
    buffer = b""
    while True:
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise DemoFailed(f"The live session took longer than {LIVE_MOST_S} s: is the computer busy? Try a smaller --speed.")
        data = os.read(stream.fileno(), 65536)
        if not data:
            return
        *lines, buffer = (buffer + data).split(b"\n")
        yield from (line.decode() for line in lines)


@contextmanager
def stage(home: Path, is_default: bool) -> Iterator[Show]:
    """An empty folder; whatever the demo started is stopped behind it."""
    if home.exists() and any(home.iterdir()):
        if not is_default:
            raise DemoFailed(f"{home} is not empty: name a new folder, so that nothing of yours is overwritten.")
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    yield Show(home)


def perform(show: Show, speed: float, boards: list[BoardProcess]) -> None:
    """The show, from the past to the verdict."""
    home = show.home
    console = show.console
    console.print(
        Panel(
            "Two athletes wear Retrostep on one lower leg. Their boards are virtual: the real firmware on the real MicroPython, with a "
            "modelled sensor. [bold]All motion is synthetic[/]; every command below is the real one.",
            title="[bold]Retrostep[/] · the demo",
            border_style="cyan",
        )
    )

    show.chapter("Two weeks of training", "The firmware's app lives through them on fast-forward; the logs are in both boards' flash.")
    with console.status("legs are moving ...") as status:
        counts = make_past(home, datetime.now().astimezone(), status.update)
        live = generate(live_plan(), 77, Wear(side="left"), name="demo", person=somebody(BEN.seed))
        recording, _ = live.write(home / "ben_today.csv")
    for athlete, count in counts.items():
        if count != len(athlete.past):
            raise DemoFailed(f"{athlete.name}'s board holds {count} sessions of the past, where {len(athlete.past)} were expected.")
        show.said(f"{athlete.name}'s board: {count} sessions, not synced yet")

    show.chapter("Ben runs backward, now", "A short warm-up, more backward than ever before, and then faster and faster.")
    ben = BoardProcess(show, home / BEN.image, "--recording", str(recording), "--speed", f"{speed:g}")
    boards.append(ben)
    seen = watch_live(show, ben.port, speed)
    if not seen.ramp_stops:
        raise DemoFailed("The board raised no stop alert for the cadence ramp.")
    show.said(f"in truth: {truth_words(live.truth.steps)}")

    show.chapter("The coach plugs in both boards")
    ada = BoardProcess(show, home / ADA.image)
    boards.append(ada)
    show.retrostep("sync", "--port", ada.port, "--port", ben.port)
    devices = {entry["port"]: entry["device"] for entry in show.asked("devices", "--port", ada.port, "--port", ben.port)["devices"]}
    console.print("\nWhose are they?")
    for athlete, board in ((ADA, ada), (BEN, ben)):
        show.retrostep("athletes", "add", athlete.name)
        show.retrostep("athletes", "assign", devices[board.port], athlete.name)
    show.retrostep("sessions")

    show.chapter("Who is doing too much?")
    show.retrostep("check", expected=CHECK_EXCEEDED)
    verdicts = {said["athlete"]: said["verdict"] for said in show.asked("check", expected=CHECK_EXCEEDED)["athletes"]}
    if verdicts.get("Ben") != "fail" or verdicts.get("Ada") == "fail":
        raise DemoFailed(f"Ben should exceed a limit and Ada none, but the check says {verdicts}.")


def truth_words(steps: Sequence[dict[str, object]]) -> str:
    """How many steps the generator took."""
    forward = sum(1 for step in steps if step["direction"] == "forward")
    return f"{forward} steps forward, {len(steps) - forward} backward"


def farewell(show: Show, seconds: float) -> None:
    """Where everything is, and what to type next."""
    here = f"{Path.cwd()}/"

    def short(path: Path) -> str:
        return str(path).removeprefix(here)

    home = show.home
    show.chapter("Yours to look at")
    places = Table.grid(padding=(0, 3))
    places.add_row(short(home / "data"), "[dim]the archive: raw logs, and the store made from them")
    places.add_row(short(home / "*.flash"), "[dim]the boards' flash, for virtual_board.py --flash")
    places.add_row(short(home / "ben_today.csv"), "[dim]the live motion, its truth in .truth.json")
    show.console.print(places)
    show.console.print("\nNext, in this shell:")
    show.typed("export", f"RETROSTEP_HOME={short(show.home / 'data')}")
    for words in (("check", "--athlete", "Ben"), ("rules",), ("replay", short(home / "ben_today.csv"))):
        show.typed(short(RETROSTEP), *words)
    show.console.print(f"\n[green]Done in {seconds:.0f} s.[/]")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="demo.py", description="The whole product on virtual boards, in two minutes.")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="an empty or new folder for everything (default build/demo, made anew)")
    parser.add_argument("--speed", type=float, default=12.0, metavar="N", help="the live session runs so many times as fast (default 12)")
    given = parser.parse_args(arguments)
    if not 1 <= given.speed <= 50:
        parser.error("--speed must be between 1 and 50")
    begun = time.monotonic()
    boards: list[BoardProcess] = []
    try:
        with stage((given.home or ROOT / "build" / "demo").resolve(), given.home is None) as show:
            perform(show, given.speed, boards)
            farewell(show, time.monotonic() - begun)
    except DemoFailed as failure:
        print(f"The demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("The demo was stopped.", file=sys.stderr)
        return 130
    finally:
        for board in boards:
            board.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
