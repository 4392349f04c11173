"""The virtual board with compiled code, as an ESP32 gets it: it starts, counts, and calls its core by the same hash."""

import time
from pathlib import Path

from board import VirtualBoard
from flash_image import FlashImage
from retrostep.device.bundle import bundle
from retrostep.device.client import Board
from retrostep.device.core import core_hash
from retrostep.device.open import Line


def test_bytecode_runs_as_the_sources_do(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("flash_image.bundle", lambda board: bundle(board, "compiled"))
    flash = tmp_path / "flash.bin"
    image = FlashImage(flash)
    image.close()
    with VirtualBoard("--speed", "10", flash=flash) as virtual, Board(Line(virtual.port)) as board:
        hello = board.hello(patience_s=20)
        assert hello.core_hash == core_hash() and hello.board == "VIRTUAL"
        time.sleep(0.5)
        assert board.status().faults == 0, "the sensor, whose FIFO is read by machine code, does not sample"
