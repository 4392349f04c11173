"""MicroPython's own tool, for work that needs the app stopped: deploy and rescue. No other module knows that it is mpremote.

It runs as a separate process, because its Python interface is declared unstable.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from retrostep.device.boot_text import PROMPT_SILENCE_S, reach_prompt
from retrostep.device.patience import Patience
from retrostep.device.serial_port import SerialPort
from retrostep.device.tool_process import run_tool
from retrostep.errors import BoardNotFound, NoRepl, RetrostepError
from retrostep.plain_text import clean

T = TypeVar("T")
COMMAND = (sys.executable, "-u", "-m", "mpremote")
SILENCE_S = 120.0
"""No script that prints its result at its end, and no file, takes longer than this."""
COPY_BYTES_PER_S = 500
"""Files are copied faster than this, with SILENCE_S to begin."""
STREAM_SILENCE_S = 30.0
"""A script that prints as it works prints LEAST_USEFUL_BYTES within this time, or ends."""
LEAST_USEFUL_BYTES = 1000
TEXT_MAX = 200
"""An error quotes at most so many characters of what was printed."""


def ask_as(tool: "Mpremote", script: str, read: Callable[[Any], T]) -> T:
    """read(the value that `script` printed). Raises NoRepl where the board printed something else."""
    answer = tool.ask(script)
    try:
        return read(answer)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError) as error:
        text = clean(str(answer))[:TEXT_MAX]
        raise NoRepl(f"The board answered a script with something else: {text}. Press its reset button and try again.") from error


def stop_program(port: str, silence_s: float = PROMPT_SILENCE_S) -> "Mpremote":
    """The board at `port`, once its program is stopped and MicroPython's prompt is there. It may be silent for `silence_s`.

    Raises the errors of opening a port, NoRepl for a silent board, and BlankChip, InRomLoader or BootLoop for a chip without a program.
    """
    with SerialPort(port) as line:  # Before mpremote: our errors are clearer.
        reach_prompt(line, silence_s)
    return Mpremote(port)


class Mpremote:
    """The board at `port`, with its app stopped. The first use soft-resets it, which frees the memory of the app."""

    def __init__(self, port: str) -> None:
        self.port = port
        self._connect = ["connect", port]

    def ask(self, script: str) -> Any:
        """Run `script` on the board; the value of its last line of output, which is JSON. Raises NoRepl."""
        printed = self._run(["exec", script], Patience(SILENCE_S))
        try:
            return json.loads(printed[-1])
        except (IndexError, ValueError) as error:
            answer = clean(" ".join(printed))[:TEXT_MAX] or "nothing"
            raise NoRepl(
                f"The board answered a script with something else: {answer}. Press its reset button and try again.", port=self.port
            ) from error

    def hear(self, script: str, on_line: Callable[[str], int]) -> None:
        """Run `script` on the board and call `on_line` with each line as it is printed; it returns how many bytes of it were useful.

        Raises NoRepl, also where the board prints without end and hardly anything of it is useful.
        """
        self._run(["exec", script], Patience(STREAM_SILENCE_S, LEAST_USEFUL_BYTES), on_line)

    def copy(self, files: list[tuple[Path, str]], copied: Callable[[int], None]) -> None:
        """Copy each (local file, path on the board), in order; `copied(n)` is called when file n, from 0, begins. Raises NoRepl."""
        begun = 0

        def count(line: str) -> int:
            nonlocal begun
            if not line.startswith("cp ") or begun == len(files):
                return 0
            copied(begun)
            begun += 1
            return 1

        arguments: list[str] = []
        for local, remote in files:
            arguments += ["+", "fs", "cp", str(local), f":{remote}"]
        if arguments:
            total = sum(local.stat().st_size for local, _ in files)
            self._run(arguments[1:], Patience(SILENCE_S, longest_s=SILENCE_S + total / COPY_BYTES_PER_S), count)

    def _run(self, arguments: list[str], patience: Patience, on_line: Callable[[str], int] = lambda line: 0) -> list[str]:
        """Run mpremote; `on_line` gets each line as it is printed, the last ones are returned. Raises NoRepl.

        What `on_line` returns is progress; without enough of it mpremote is ended.
        """
        command = [*COMMAND, *self._connect, *arguments]
        self._connect = ["connect", self.port, "resume"]
        status, lines = run_tool(command, patience, on_line, self._lost)
        if status and self._is_gone():
            raise NoRepl(f"The board at {self.port} is gone. Check its cable and run the same command again.", port=self.port)
        if status:
            reason = next((line for line in reversed(lines) if line.strip()), f"exit status {status}")
            reason = clean(reason)[:TEXT_MAX]
            raise NoRepl(f"mpremote cannot work with the board ({reason}). Press the board's reset button and try again.", port=self.port)
        return lines

    def _is_gone(self) -> bool:
        """Whether the port no longer exists."""
        try:
            SerialPort(self.port).close()
        except BoardNotFound:
            return True
        except RetrostepError:
            return False  # in use, for example
        return False

    def _lost(self, how: str) -> NoRepl:
        if how == "endless":
            return NoRepl("mpremote does not end. Press the board's reset button and try again.", port=self.port)
        what = "The board keeps printing, but not what was asked for" if how == "busy" else "No MicroPython answers at this port"
        return NoRepl(f"{what}. Press the board's reset button and try again.", port=self.port)
