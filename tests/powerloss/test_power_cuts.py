"""Nothing flushed is ever lost: a sample of the cuts that `make powerloss` makes whole, on the boards' interpreter and file system."""

import re
import sys
from pathlib import Path

import pytest

sys.path[0:0] = [str(Path(__file__).resolve().parent)]

from controls import CONTROLS  # noqa: E402
from sweep import CONTROL_EVERY, cuts, run  # noqa: E402


@pytest.mark.parametrize(("life", "every"), [("worn", 29), ("short", 9)])
def test_no_cut_breaks_a_promise(life: str, every: int) -> None:
    told, counts = cuts(life, "as-it-is", str(every), "0")
    assert counts["broken"] == 0, told
    assert counts["cuts"] > 50 and counts["reordered"] > 10 and counts["double"] > 50


@pytest.mark.parametrize(("control", "life"), [(control, life) for control, (_, life) in CONTROLS.items() if life])
def test_firmware_that_is_broken_on_purpose_is_caught(control: str, life: str) -> None:
    told, counts = cuts(life, control, str(CONTROL_EVERY), "0")
    assert counts["broken"], f"not caught by {counts['cuts']} cuts"
    again = told[0].partition("again: cuts.py ")[2]
    assert again, told
    told_again, counts = cuts(*again.split())
    assert counts["cuts"] == 1 and told_again == told[:1]


def test_a_flash_that_is_full_keeps_totals_and_starts_again() -> None:
    done = run("full.py")
    assert done.returncode == 0 and "steps counted" in done.stdout, done.stdout + done.stderr


def test_a_device_starts_and_counts_whatever_is_wrong_with_its_flash() -> None:
    done = run("faults.py", "4")
    assert done.returncode == 0 and re.search(r"\d\d cases, 0 wrong", done.stdout), done.stdout + done.stderr
