#!/usr/bin/env python3
"""The whole product in about a minute: two athletes, two virtual boards and one coach.

    demo.py [--home FOLDER] [--speed N]

Both boards first record two weeks of training. Then one athlete trains live. The coach syncs both boards, sees who needs attention
first, plans the next sessions, sets the boards to the plans, and makes a page to share. Every command is the real one. All motion is
synthetic. Everything is written to FOLDER (default: build/demo in the checkout). Exit status 1 and one sentence if a step fails.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

try:
    from demo_folder import ARCHIVE, FolderError, empty, locked, note_contents
    from demo_live import LiveSession, Overdue, display, events_until
    from demo_terminal import RETROSTEP, BoardProcess, DemoFailed, Terminal
    from flash_image import FlashImage
    from history import Training, sensed, write_history
    from motion import BackwardJog, BackwardRun, BackwardWalk, Jog, Ramp, Segment, Stand, Walk, Wear, generate, random_person
    from retrostep.replay.imu import Block
    from rich.live import Live
    from rich.panel import Panel
except ModuleNotFoundError as missing:
    sys.exit(f"The demo failed: Python has no module {missing.name} here. Run `make demo`, which sets everything up.")

ROOT = Path(__file__).resolve().parents[2]
CHECK_EXCEEDED = 3
REPORT = "report.html"
LIVE_MOST_S = 600
"""The live session usually takes 25 s; a very busy computer needs longer."""


@dataclass(frozen=True)
class Athlete:
    """An athlete and the earlier sessions: (days before today, backward seconds)."""

    name: str
    seed: int
    past: tuple[tuple[int, int], ...]

    @property
    def image(self) -> str:
        """File name of the flash image of this athlete's board."""
        return f"{self.name.lower()}.flash"


ADA = Athlete("Ada", 11, ((12, 60), (9, 62), (5, 60), (2, 58)))
BEN = Athlete("Ben", 12, ((13, 52), (10, 54), (8, 54), (6, 52), (3, 54)))
ATHLETES = (ADA, BEN)


def live_plan() -> list[Segment]:
    """Ben's session today: a short warm-up, more backward running than ever, and a cadence that rises by a quarter in eight seconds."""
    return [
        Stand(30),
        Walk(45, 112),
        Jog(45, 156),
        Walk(3),
        Stand(5),
        BackwardWalk(25, 100),
        Stand(5),
        BackwardRun(150, 150, [Ramp(at_s=32, percent=25, over_s=8)]),
        Stand(5),
    ]


def past_parts(athlete: Athlete) -> dict[str, list[Segment]]:
    """The parts of the earlier sessions: warm-up, easy running, and the backward bouts of each."""
    parts = {"warm-up": [Stand(3), Walk(160, 114), Jog(152, 154), Walk(3), Stand(2)], "easy": [Jog(110, 156), Walk(3), Stand(2)]}
    for _, seconds in athlete.past:
        half = seconds / 2
        parts[f"{seconds} s"] = [Stand(2), BackwardJog(half, 148), Stand(6), BackwardJog(half, 148), Stand(4)]
    return parts


def fill_board(image_path: Path, trainings: list[Training], parts: dict[str, list[Block]]) -> int:
    """Record the trainings on one board; returns the number of sessions on its flash."""
    image = FlashImage(image_path)
    try:
        return write_history(image, trainings, parts)
    finally:
        image.close()


def record_past(home: Path, today: datetime, progress: Callable[[str], None]) -> dict[Athlete, int]:
    """Record the earlier sessions on both boards, on all processors; returns the number of sessions on each board."""
    evening = today.replace(hour=17, minute=30, second=0, microsecond=0)
    with ProcessPoolExecutor(initializer=_end_at_ctrl_c) as pool:
        motion: dict[tuple[Athlete, str], Future[list[Block]]] = {}
        for athlete in ATHLETES:
            for k, (name, plan) in enumerate(past_parts(athlete).items()):
                motion[athlete, name] = pool.submit(sensed, plan, 1000 * athlete.seed + k, random_person(athlete.seed), "left")
        for done, _ in enumerate(as_completed(motion.values()), 1):
            progress(f"generating motion: {done} of {len(motion)} recordings")
        progress("recording two weeks of training on both boards ...")
        boards = {}
        for athlete in ATHLETES:
            parts = {name: blocks.result() for (who, name), blocks in motion.items() if who is athlete}
            trainings = [Training(evening - timedelta(days=days), ("warm-up", f"{seconds} s", "easy")) for days, seconds in athlete.past]
            boards[athlete] = pool.submit(fill_board, home / athlete.image, trainings, parts)
        return {athlete: count.result() for athlete, count in boards.items()}


def _end_at_ctrl_c() -> None:
    """In a worker process: Ctrl-C ends it at once, without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def watch_live(terminal: Terminal, port: str, speed: float) -> LiveSession:
    """Show the live session until it ends. Raises DemoFailed if it does not end in time."""
    command = ["monitor", "--port", port, "--json", "--until-session-ends"]
    terminal.command(RETROSTEP, *command)
    live = LiveSession()
    width = terminal.console.width
    monitor = subprocess.Popen([str(RETROSTEP), *command], env=terminal.environment, stdout=subprocess.PIPE, text=True)
    assert monitor.stdout is not None
    try:
        with Live(display(live, speed, width), console=terminal.console, refresh_per_second=12) as screen:
            for event in events_until(monitor.stdout, time.monotonic() + LIVE_MOST_S):
                live.add(event)
                screen.update(display(live, speed, width))
        if not terminal.console.is_terminal:
            terminal.console.print()
        status = monitor.wait(10)
    except Overdue:
        raise DemoFailed(f"The live session took longer than {LIVE_MOST_S} s. Is the computer busy? Try a smaller --speed.") from None
    finally:
        monitor.kill()
        monitor.wait()
    if status:
        raise DemoFailed(f"`retrostep monitor` ended with status {status}.")
    if not live.ended:
        raise DemoFailed("The monitor stopped before the live session had ended.")
    return live


def perform(terminal: Terminal, home: Path, speed: float, boards: list[BoardProcess]) -> None:
    """Run all parts of the demo. Boards that were started are added to `boards`, for the caller to stop."""
    console = terminal.console
    console.print(
        Panel(
            "Two athletes wear Retrostep on one lower leg. Their boards are virtual: the real firmware runs on the real MicroPython, "
            "with a model of the sensor. [bold]All motion is synthetic.[/] Every command below is the real one.",
            title="[bold]Retrostep[/] demo",
            border_style="cyan",
        )
    )
    terminal.command("export", f"RETROSTEP_HOME={home / ARCHIVE}")

    terminal.heading("Two weeks of training", "Both boards record earlier sessions, faster than real time.")
    with console.status("generating motion ...") as status:
        counts = record_past(home, datetime.now().astimezone(), status.update)
        live_motion = generate(live_plan(), 77, Wear(side="left"), name="demo", person=random_person(BEN.seed))
        recording, _ = live_motion.write(home / "ben_today.csv")
    for athlete, count in counts.items():
        if count != len(athlete.past):
            raise DemoFailed(f"{athlete.name}'s board holds {count} earlier sessions instead of {len(athlete.past)}.")
        terminal.note(f"{athlete.name}'s board holds {count} sessions that are not synced yet.")

    terminal.heading("Ben runs backward, live", "A short warm-up, more backward running than ever before, and a cadence that rises.")
    ben = BoardProcess(terminal, home / BEN.image, "--recording", str(recording), "--speed", f"{speed:g}")
    boards.append(ben)
    live = watch_live(terminal, ben.port, speed)
    if not live.ramp_stops:
        raise DemoFailed("The board raised no stop alert for the rise in cadence.")
    terminal.note(f"Steps in the generated motion: {true_steps(live_motion.truth.steps)}.")

    terminal.heading("The coach syncs both boards")
    ada = BoardProcess(terminal, home / ADA.image)
    boards.append(ada)
    terminal.retrostep("sync", "--port", ada.port, "--port", ben.port)
    devices = {entry["port"]: entry["device"] for entry in terminal.query("devices", "--port", ada.port, "--port", ben.port)["devices"]}
    console.print("\nNow assign each device to an athlete:")
    for athlete, board in ((ADA, ada), (BEN, ben)):
        terminal.retrostep("athletes", "add", athlete.name)
        terminal.retrostep("athletes", "assign", devices[board.port], athlete.name)
    terminal.retrostep("sessions")

    terminal.heading("Who needs the coach first, and why?")
    terminal.retrostep("check", expected=CHECK_EXCEEDED)
    verdicts = {athlete["athlete"]: athlete["verdict"] for athlete in terminal.query("check", expected=CHECK_EXCEEDED)["athletes"]}
    if verdicts.get("Ben") != "fail" or verdicts.get("Ada") == "fail":
        raise DemoFailed(f"Ben should exceed a limit and Ada none, but the verdicts are {verdicts}.")
    console.print()
    terminal.retrostep("check", BEN.name, expected=CHECK_EXCEEDED)

    terminal.heading("What may they do next?", "The rules backwards. The devices then enforce exactly that.")
    for athlete, board in ((ADA, ada), (BEN, ben)):
        plan_and_push(terminal, athlete, board, home)

    terminal.heading("One page to share", "For paper, a phone and a screen reader. It loads nothing from the network.")
    terminal.retrostep("report", "--to", str(home / REPORT))


def plan_and_push(terminal: Terminal, athlete: Athlete, board: BoardProcess, home: Path) -> None:
    """Show the plan of an athlete and set the limits of the athlete's board to it. Raises DemoFailed if the board has others then."""
    terminal.retrostep("plan", athlete.name, "--ics", str(home / f"{athlete.name.lower()}.ics"))
    terminal.retrostep("limits", "push", athlete.name, "--port", board.port)
    (device,) = terminal.query("limits", "show", athlete.name, "--port", board.port)["devices"]
    if device["read"] != device["plan"]:
        raise DemoFailed(f"{athlete.name}'s board has other limits in force than the plan's: {device['differing']}.")
    terminal.note(f"{athlete.name}'s board has the limits of the plan in force.")


def true_steps(steps: Sequence[dict[str, object]]) -> str:
    """The number of generated steps in each direction."""
    forward = sum(1 for step in steps if step["direction"] == "forward")
    return f"{forward} forward, {len(steps) - forward} backward"


def show_results(terminal: Terminal, home: Path, seconds: float) -> None:
    """Where the files are, and which commands to try next."""
    terminal.heading("Try it yourself", "The demo made these files:")
    for path, text in (
        (home / ARCHIVE, "the archive: raw logs and the database made from them"),
        (home / BEN.image, "the flash of Ben's board, for virtual_board.py --flash"),
        (home / "ben_today.csv", "the live motion; its truth is in ben_today.truth.json"),
        (home / REPORT, "the report: open it in a browser"),
        (home / "ada.ics", "Ada's plan, for a calendar; Ben's is beside it"),
    ):
        terminal.console.print(str(path), soft_wrap=True)
        terminal.note(text)
    terminal.console.print("\nCommands to try in this shell:")
    terminal.command("export", f"RETROSTEP_HOME={home / ARCHIVE}")
    for words in (("check", "Ben"), ("rules", "session_spike"), ("limits", "show"), ("replay", home / "ben_today.csv")):
        terminal.command(RETROSTEP, *words)
    terminal.console.print("\nThe next `make demo` replaces these files. If you add sessions or entries, it keeps them and reports it.")
    terminal.console.print(f"[green]Done in {seconds:.0f} s.[/]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 a step failed, 2 usage, 130 stopped by Ctrl-C."""
    parser = argparse.ArgumentParser(prog="demo.py", description="Show the whole product on virtual boards, in about a minute.")
    parser.add_argument("--home", type=Path, metavar="FOLDER", help="an empty or new folder for all files (default: build/demo)")
    parser.add_argument("--speed", type=float, default=12.0, metavar="N", help="speed of the live session, in times real time (default 12)")
    given = parser.parse_args(arguments)
    if not 1 <= given.speed <= 50:
        parser.error("--speed must be between 1 and 50")
    started = time.monotonic()
    home = (given.home or ROOT / "build" / "demo").resolve()
    boards: list[BoardProcess] = []
    try:
        with locked(home):
            empty(home)
            try:
                terminal = Terminal(home / ARCHIVE)
                perform(terminal, home, given.speed, boards)
                show_results(terminal, home, time.monotonic() - started)
            finally:
                for board in boards:
                    board.stop()
                note_contents(home)
    except FolderError as reason:
        print(reason, file=sys.stderr)
        return 1
    except DemoFailed as failure:
        print(f"The demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("The demo was stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
