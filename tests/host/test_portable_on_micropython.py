"""Every portable test passes on the real MicroPython interpreter as well as under pytest."""

import subprocess
from pathlib import Path

import pytest

PORTABLE = Path(__file__).resolve().parents[1] / "portable"


@pytest.mark.parametrize("file", sorted(p.name for p in PORTABLE.glob("test_*.py")))
def test_on_micropython(file: str, micropython: list[str]) -> None:
    command = [*micropython, "-X", "heapsize=8m", str(PORTABLE / "run.py"), file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=PORTABLE.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 failed" in done.stdout
    assert not done.stdout.startswith("0 passed")
