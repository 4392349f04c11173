"""Every portable test passes on MicroPython as well as under pytest."""

import subprocess

import pytest
from support.interpreter import MICROPYTHON
from support.places import ROOT

PORTABLE = ROOT / "tests/portable"


@pytest.mark.parametrize("file", sorted(path.name for path in PORTABLE.glob("test_*.py")))
def test_on_micropython(file: str) -> None:
    command = [*MICROPYTHON, "-X", "heapsize=8m", str(PORTABLE / "run.py"), file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 failed" in done.stdout
    assert not done.stdout.startswith("0 passed")
