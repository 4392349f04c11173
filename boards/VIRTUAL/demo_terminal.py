"""The demo's terminal: headings, the commands it runs, and the virtual boards it starts."""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

RETROSTEP = Path(sys.executable).with_name("retrostep")
VIRTUAL_BOARD = Path(__file__).resolve().with_name("virtual_board.py")
START_S = 60


class DemoFailed(Exception):
    """A step of the demo did not work; the message is one sentence."""


class Terminal:
    """Prints headings and text, and runs `retrostep` with its data folder in `data`."""

    def __init__(self, data: Path) -> None:
        self.console = Console(highlight=False)
        # The user's own settings must not lead a command to another store or port.
        own = {name: value for name, value in os.environ.items() if not name.startswith("RETROSTEP_")}
        self.environment = {**own, "RETROSTEP_HOME": str(data)}
        self._headings = 0

    def heading(self, title: str, text: str = "") -> None:
        """A numbered heading, and a sentence below it."""
        self._headings += 1
        self.console.print()
        self.console.rule(f"[bold]{self._headings}  {title}", align="left", style="cyan")
        if text:
            self.console.print(text)

    def command(self, *words: object, suffix: str = "") -> None:
        """Print a command line that can be pasted."""
        line = f"{shlex.join(map(str, words))} {suffix}".rstrip()
        self.console.print(Text.assemble(("$ ", "bold green"), (line, "bold")), soft_wrap=True)

    def note(self, text: str) -> None:
        """Print an indented line."""
        self.console.print(Padding(Text(text, style="dim"), (0, 0, 0, 2)))

    def retrostep(self, *arguments: str, expected: int = 0) -> None:
        """Run `retrostep` and show its output. Raises DemoFailed unless it ends with the expected status."""
        self.command(RETROSTEP, *arguments)
        status = subprocess.run([str(RETROSTEP), *arguments], env=self.environment, stdin=subprocess.DEVNULL).returncode  # asks nothing
        if status != expected:
            raise DemoFailed(f"`retrostep {shlex.join(arguments)}` ended with status {status} instead of {expected}.")

    def query(self, *arguments: str, expected: int = 0) -> Any:
        """Run `retrostep ... --json` unseen and return its JSON. Raises DemoFailed unless it ends with the expected status."""
        done = subprocess.run([str(RETROSTEP), *arguments, "--json"], env=self.environment, capture_output=True, text=True)
        if done.returncode != expected:
            errors = done.stderr.strip().splitlines() or ["it printed no error"]
            raise DemoFailed(f"`retrostep {shlex.join(arguments)} --json` ended with status {done.returncode}: {errors[-1]}")
        return json.loads(done.stdout)


class BoardProcess:
    """A virtual board that runs until `stop`. Raises DemoFailed if it does not start."""

    def __init__(self, terminal: Terminal, image: Path, *options: str) -> None:
        command = [sys.executable, str(VIRTUAL_BOARD), *options, "--flash", str(image)]
        terminal.command(*command, suffix="&")
        self._errors = image.with_suffix(".log")
        with self._errors.open("w") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_S)
        self.port = self._process.stdout.readline().strip() if ready else ""
        if not self.port:
            self.stop()
            raise DemoFailed(f"The virtual board did not start: {self._last_error()}")
        terminal.note(self.port)

    def _last_error(self) -> str:
        lines = self._errors.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it printed no error."

    def stop(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
