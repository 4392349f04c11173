"""Fixed memory where it matters: a step that is recorded, and a sync."""

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "portable/memory.py"


def test_steps_and_syncs_stay_within_their_memory(micropython: list[str]) -> None:
    told = subprocess.run([*micropython, str(SCRIPT)], capture_output=True, text=True, timeout=60, check=True).stdout
    step, server, frame, session = (int(word) for word in told.split())
    # The interpreter is a 64-bit one; a board's objects take half of this.
    assert step == 0
    assert server + frame <= 8192
    assert session <= 4096
