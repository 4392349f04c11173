"""The watchdog of the virtual board bites a program that hangs, three bites start safe mode, and a person at the prompt is left alone."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.cli import Retrostep
from support.flash_files import new_flash, put_files
from support.virtual_board_process import PATIENCE_S, VirtualBoard, wait_until

# Hangs without a look at the clock, then in a loop that reads it, then in a long sleep.
HANGS = b"""
if not SAFE_MODE:
    import time
    from hal.watchdog import Watchdog
    watchdog = Watchdog()
    watchdog.run()
    if watchdog.resets == 0:
        while True:
            continue
    while watchdog.resets == 1:
        time.ticks_ms()
    time.sleep(1000)
"""


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flash") / "flash.bin"
    new_flash(path)
    return path


def prompt(board: VirtualBoard, *command: str) -> str:
    """The output of mpremote, which does not reset the board."""
    arguments = [sys.executable, "-m", "mpremote", "connect", board.port, "resume", *command]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE_S).stdout.strip()


def test_three_bites_start_safe_mode_and_devices_says_so(retrostep: Retrostep, provisioned: Path, tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    shutil.copy(provisioned, flash)
    put_files(flash, {"main.py": HANGS})
    with VirtualBoard("--speed", 50, flash=flash) as board:
        wait_until(lambda: "safe mode" in retrostep("devices", "--port", board.port).err, "safe mode")
        ran = retrostep("devices", "--port", board.port)
        assert ran.status == 1 and "its program hung three times in a row, and the watchdog reset it" in ran.err
        assert prompt(board, "eval", "SAFE_MODE") == "watchdog"


def test_the_app_leaves_the_prompt_alone(retrostep: Retrostep, provisioned: Path, tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    shutil.copy(provisioned, flash)
    with VirtualBoard("--speed", 50, flash=flash, ready=True) as board:
        # mpremote interrupts the app, and makes a soft reset.
        arguments = [sys.executable, "-m", "mpremote", "connect", board.port, "exec", "kept = 41"]
        assert subprocess.run(arguments, capture_output=True, timeout=PATIENCE_S).returncode == 0
        # The watchdog of the app would have bitten after 0.2 s, or at the latest after 5 s more.
        time.sleep(7)
        assert prompt(board, "eval", "kept + 1") == "42"
        prompt(board, "exec", "import machine; w = machine.WDT(timeout=1000)")

        def restarted() -> bool:
            ran = retrostep("devices", "--port", board.port, "--json")
            return ran.status == 0 and ran.json["devices"][0]["faults"] == ["restarted"]

        wait_until(restarted, "the watchdog of whoever sets another one bites at the prompt too")


def test_a_chip_without_a_reference_voltage_reports_no_battery(retrostep: Retrostep, provisioned: Path, tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    shutil.copy(provisioned, flash)
    with VirtualBoard("--fault", "no-vref", "--speed", 20, flash=flash, ready=True) as board:
        [found] = retrostep("devices", "--port", board.port, "--json").json["devices"]
        assert found["battery_percent"] is None and found["faults"] == [] and found["state"] == "idle"
