"""Nothing flushed is ever lost: power cuts at block writes of a device's life, on the interpreter and the file system of the boards."""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
COUNTS = re.compile(r"(\d+) writes, (\d+) erases, (\d+) cuts, (\d+) double cuts, (\d+) broken")


def run(micropython: list[str], script: str, *args: str) -> str:
    done = subprocess.run([*micropython, "-X", "heapsize=64m", str(HERE / script), *args], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def counts(told: str) -> tuple[int, ...]:
    found = COUNTS.search(told)
    assert found, told
    return tuple(int(number) for number in found.groups())


def test_no_cut_loses_what_was_flushed(micropython: list[str]) -> None:
    told = run(micropython, "cuts.py", "store", "2")
    writes, erases, cuts, double, broken = counts(told)
    assert broken == 0, told
    assert writes > 150 and erases > 20 and cuts > 300 and double > 50


def test_a_device_that_promises_too_early_is_caught(micropython: list[str]) -> None:
    told = run(micropython, "cuts.py", "early", "4")
    _, _, cuts, _, broken = counts(told)
    assert broken > cuts // 10, told
    again = re.search(r"again: cuts\.py (early 1 \d+ [a-z-]+)", told)
    assert again
    assert counts(run(micropython, "cuts.py", *again[1].split()))[2:] == (1, 0, 1)


def test_a_flash_that_is_full_keeps_totals_and_starts_again(micropython: list[str]) -> None:
    assert "steps counted" in run(micropython, "full.py")
