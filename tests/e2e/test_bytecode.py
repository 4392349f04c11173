"""The virtual board with bytecode, as on an ESP32: it starts, counts steps, is synced, and reports the hash of the core's sources."""

from pathlib import Path

from motion import BackwardWalk, Stand, Walk, generate
from retrostep.device.client import DeviceClient
from retrostep.device.core_version import core_hash
from retrostep.device.serial_port import SerialPort
from retrostep_core.log.reader import read_log
from support.cli import Retrostep
from support.flash_files import files_on, new_flash
from support.virtual_board_process import PATIENCE_S, VirtualBoard, wait_until


def test_a_board_with_bytecode_counts_and_is_synced(tmp_path: Path) -> None:
    flash, retrostep = tmp_path / "flash.bin", Retrostep(tmp_path / "home")
    new_flash(flash, "compiled")
    assert "app.mpy" in files_on(flash) and "app.py" not in files_on(flash)
    generate([Stand(2), Walk(20), BackwardWalk(20), Stand(70)], seed=3).write(tmp_path / "leg.csv")
    with VirtualBoard("--speed", 10, flash=flash, recording=tmp_path / "leg.csv") as virtual:
        with DeviceClient(SerialPort(virtual.port)) as board:
            hello = board.hello(timeout_s=PATIENCE_S)
            assert hello.core_hash == core_hash() and hello.board == "VIRTUAL"
            wait_until(lambda: board.status().totals.backward_steps > 20, "backward steps, from samples that machine code parsed")
            wait_until(lambda: board.status().session == 0, "the session ends after a minute without steps")
            assert board.status().faults == 0
        synced = retrostep("sync", "--port", virtual.port, "--json")
        assert synced.status == 0, synced.err
    [stored] = (retrostep.home / "logs").rglob("*.rsl")
    log = read_log(stored.read_bytes())
    assert log.closed and not log.damage and log.header.core_hash == core_hash()
    assert log.totals.forward_steps > 20 < log.totals.backward_steps and len(log.steps) == sum(log.totals[:3])
