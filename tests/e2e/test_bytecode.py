"""The virtual board with compiled code, as an ESP32 gets it: it starts, counts, is synced, and calls its core by the same hash."""

from pathlib import Path

from board import VirtualBoard, wait_until
from cli import Retrostep
from flash_files import files_on, new_flash
from motion import BackwardWalk, Stand, Walk, generate
from retrostep.device.bundle import bundle
from retrostep.device.client import Board
from retrostep.device.core import core_hash
from retrostep.device.open import Line
from retrostep_core.log.reader import read_log


def test_bytecode_runs_as_the_sources_do(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("flash_image.bundle", lambda board: bundle(board, "compiled"))
    flash, retrostep = tmp_path / "flash.bin", Retrostep(tmp_path / "home")
    new_flash(flash)
    assert "app.mpy" in files_on(flash) and "app.py" not in files_on(flash)
    generate([Stand(2), Walk(20), BackwardWalk(20), Stand(70)], seed=3).write(tmp_path / "leg.csv")
    with VirtualBoard("--speed", 10, flash=flash, recording=tmp_path / "leg.csv") as virtual:
        with Board(Line(virtual.port)) as board:
            hello = board.hello(patience_s=20)
            assert hello.core_hash == core_hash() and hello.board == "VIRTUAL"
            wait_until(lambda: board.status().totals.backward_steps > 20, 30, "steps backward, of samples that machine code reads")
            wait_until(lambda: board.status().session == 0, 30, "the session ends once nobody walks")
            assert board.status().faults == 0
        synced = retrostep("sync", "--port", virtual.port, "--json")
        assert synced.status == 0, synced.err
    [stored] = (retrostep.home / "logs").rglob("*.rsl")
    log = read_log(stored.read_bytes())
    assert log.closed and not log.damage and log.header.core_hash == core_hash()
    assert log.totals.forward_steps > 20 < log.totals.backward_steps and len(log.steps) == sum(log.totals[:3])
