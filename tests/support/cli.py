"""Runs the `retrostep` command in a test."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from retrostep.cli import run

RETROSTEP = [sys.executable, "-m", "retrostep"]


@dataclass(frozen=True)
class Ran:
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout, parsed as JSON."""
        return json.loads(self.out)


class Retrostep:
    """The command with its data folder at `home`. A call runs it inside this process, which saves two seconds of imports."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "RETROSTEP_HOME": str(home), "COLUMNS": "200"}

    def __call__(self, *arguments: object) -> Ran:
        out, err, status = io.StringIO(), io.StringIO(), 0
        with (
            mock.patch.dict(os.environ, self.environment),
            mock.patch.object(sys, "argv", ["retrostep", *map(str, arguments)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                run()
            except SystemExit as stop:
                status = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        return Ran(status, out.getvalue(), err.getvalue())

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        """Start the command as a process of its own."""
        command = [*RETROSTEP, *map(str, arguments)]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def one_sentence(ran: Ran) -> str:
    """The error on stderr. Asserts that it is one line that ends in a full stop."""
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: ") and lines[0].endswith("."), ran.err
    return lines[0]
