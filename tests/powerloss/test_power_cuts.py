"""A sample of the cuts that `make powerloss` makes, on the boards' interpreter and file system: nothing flushed is lost."""

import re

import pytest
from support.interpreter import micropython

from powerloss.mutants import MUTANTS
from powerloss.runner import MUTANT_EVERY, cuts


@pytest.mark.parametrize(("scenario", "every"), [("training", 13), ("low-flash", 2), ("old-layout", 5)])
def test_no_cut_breaks_a_promise(scenario: str, every: int) -> None:
    failures, counts = cuts(scenario, "unchanged", str(every), "0")
    assert counts["broken"] == 0, failures
    assert counts["cuts"] > 50 and counts["reordered"] > 3 and counts["double"] > 50


# A sample: `make powerloss` checks that each of them is found.
@pytest.mark.parametrize(("mutant", "scenario"), [(mutant, scenario) for mutant, (_, scenario) in MUTANTS.items() if scenario][::3])
def test_a_deliberate_fault_is_found_and_its_cut_can_be_repeated(mutant: str, scenario: str) -> None:
    failures, counts = cuts(scenario, mutant, str(MUTANT_EVERY), "0")
    assert counts["broken"], f"not found by {counts['cuts']} cuts"
    arguments = failures[0].partition("repeat: ")[2]
    assert arguments, failures
    repeated, counts = cuts(*arguments.split())
    assert counts["cuts"] == 1 and repeated == failures[:1]


def test_a_full_flash_keeps_the_totals_and_the_device_starts_again() -> None:
    done = micropython("powerloss.full_flash", heap="64m")
    assert done.returncode == 0 and "steps counted" in done.stdout, done.stdout + done.stderr


def test_a_flash_that_is_full_down_to_the_last_session_is_synced() -> None:
    done = micropython("powerloss.full_sync", *(str(200 + 130 * k) for k in range(32)), heap="64m")
    found = re.search(r"32 full flashes synced, (\d+) with their last bytes in the tail", done.stdout)
    assert done.returncode == 0 and found and int(found[1]) > 5, done.stdout + done.stderr


def test_a_device_starts_and_counts_on_every_kind_of_damaged_flash() -> None:
    done = micropython("powerloss.faults", "4")
    assert done.returncode == 0 and re.search(r"\d\d cases, 0 failed", done.stdout), done.stdout + done.stderr
