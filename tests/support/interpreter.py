"""The MicroPython interpreter of the boards, with the firmware and the tests on its path."""

import os
import subprocess
import sys

from support.places import ROOT

MICROPYTHON = [sys.executable, "-m", "micropython_unix"]
_FOLDERS = ("tests", "tests/portable", "firmware", "firmware/lib", "boards/VIRTUAL/runtime/model")
_PATH = ":".join([*(str(ROOT / folder) for folder in _FOLDERS), ".frozen"])


def micropython(module: str, *arguments: str, heap: str = "16m", timeout_s: float = 600) -> "subprocess.CompletedProcess[str]":
    """Run a module, such as `powerloss.cuts`, as a program on MicroPython; its status and what it printed."""
    command = [*MICROPYTHON, "-X", f"heapsize={heap}", "-m", module, *arguments]
    environment = {**os.environ, "MICROPYPATH": _PATH}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_s)
