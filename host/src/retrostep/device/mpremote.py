"""MicroPython's own tool, for what stops the app: install and rescue. Nothing else knows that it is mpremote.

It runs as a command of its own, because its Python interface is declared unstable.
"""

import json
import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retrostep.errors import NoRepl

COMMAND = (sys.executable, "-u", "-m", "mpremote")
SILENCE_S = 120.0
"""A run of mpremote that prints nothing for longer has lost its board: no script and no file takes as long."""
HEAR_S = 30.0
"""Of a script that prints every file and every few hundred bytes."""
LINES_KEPT = 100
LINE_MOST = 65_536
"""A board that prints a longer line means nothing by it."""


class Mpremote:
    """The board at `port`, with its app stopped. The first use soft-resets it, which frees what the app held."""

    def __init__(self, port: str) -> None:
        self._connect = ["connect", port]

    def ask(self, script: str) -> Any:
        """Run `script` on the board and return what it printed, which is JSON on its last line."""
        printed = self._run(["exec", script])
        try:
            return json.loads(printed[-1])
        except (IndexError, ValueError) as error:
            raise NoRepl(f"The board answered a script with something else: {_visible(' '.join(printed))}") from error

    def hear(self, script: str, heard: Callable[[str], None]) -> None:
        """Run `script` on the board, one that prints as it goes; `heard` gets each line."""
        self._run(["exec", script], heard, HEAR_S)

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
            self._run(arguments[1:], count)

    def _run(self, arguments: list[str], heard: Callable[[str], None] = lambda line: None, silence_s: float = SILENCE_S) -> list[str]:
        """Run mpremote; `heard` gets each line as it is printed, the last ones are returned. Raises NoRepl with its last words."""
        run = subprocess.Popen(
            [*COMMAND, *self._connect, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._connect = [*self._connect[:2], "resume"]
        lines: deque[str] = deque(maxlen=LINES_KEPT)
        rest = b""
        try:
            assert run.stdout is not None
            while True:
                if not select.select([run.stdout], [], [], silence_s)[0]:
                    raise NoRepl(f"The board has said nothing for {silence_s:.0f} s: press its reset button and try again.")
                part = os.read(run.stdout.fileno(), LINE_MOST)
                *whole, rest = (rest + part).split(b"\n")
                if rest and (not part or len(rest) > LINE_MOST):
                    whole, rest = [*whole, rest], b""
                for line in whole:
                    lines.append(line.decode("utf-8", "replace").rstrip("\r"))
                    heard(lines[-1])
                if not part:
                    break
            run.wait(silence_s)
        finally:
            if run.poll() is None:
                run.kill()
            run.wait()
            if run.stdout is not None:
                run.stdout.close()
        if run.returncode:
            said = next((line for line in reversed(lines) if line.strip()), f"exit status {run.returncode}")
            raise NoRepl(f"mpremote could not work with the board ({_visible(said)}): press its reset button and try again.")
        return list(lines)


def _visible(text: str) -> str:
    """At most 200 printable characters of `text`, which came from outside."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]
