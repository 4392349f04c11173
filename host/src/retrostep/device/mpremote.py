"""MicroPython's own tool, for what stops the app: install and rescue. Nothing else knows that it is mpremote.

It runs as a command of its own, because its Python interface is declared unstable.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retrostep.errors import DeployFailed

COMMAND = (sys.executable, "-u", "-m", "mpremote")
SILENCE_S = 120.0
"""A run of mpremote that takes longer for one script or one file has lost its board."""


class Mpremote:
    """The board at `port`, with its app stopped. The first use soft-resets it, which frees what the app held."""

    def __init__(self, port: str) -> None:
        self._connect = ["connect", port]

    def ask(self, script: str) -> Any:
        """Run `script` on the board and return what it printed, which is JSON on its last line."""
        printed = self._run(["exec", script], SILENCE_S, lambda line: None)
        try:
            return json.loads(printed[-1])
        except (IndexError, ValueError) as error:
            raise DeployFailed(f"The board answered a script with something else: {_visible(' '.join(printed))}") from error

    def copy(self, files: list[tuple[Path, str]], copied: Callable[[int], None]) -> None:
        """Copy each (file here, path there), in order; `copied(n)` is called as the n-th, from 0, begins."""
        begun = 0

        def count(line: str) -> None:
            nonlocal begun
            if line.startswith("cp "):
                copied(begun)
                begun += 1

        arguments: list[str] = []
        for here, there in files:
            arguments += ["+", "fs", "cp", str(here), f":{there}"]
        if arguments:
            self._run(arguments[1:], SILENCE_S * len(files), count)

    def _run(self, arguments: list[str], patience_s: float, heard: Callable[[str], None]) -> list[str]:
        """Run mpremote; `heard` gets each line as it is printed, all are returned. Raises DeployFailed with its last words."""
        run = subprocess.Popen(
            [*COMMAND, *self._connect, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        )  # fmt: skip
        self._connect = [*self._connect[:2], "resume"]
        lines: list[str] = []
        try:
            assert run.stdout is not None
            for line in run.stdout:
                lines.append(line.rstrip("\r\n"))
                heard(lines[-1])
            run.wait(patience_s)
        finally:
            if run.poll() is None:
                run.kill()
            run.wait()
        if run.returncode:
            said = next((line for line in reversed(lines) if line.strip()), f"exit status {run.returncode}")
            raise DeployFailed(f"mpremote could not work with the board ({_visible(said)}): press its reset button and try again.")
        return lines


def _visible(text: str) -> str:
    """At most 200 printable characters of `text`, which came from outside."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]
