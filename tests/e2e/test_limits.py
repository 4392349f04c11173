"""Limits pushed to the virtual board: in force at once or at the next sync, kept over a power cut, and in the header of the next log."""

from pathlib import Path

from retrostep.archive.store import Store
from support.cli import Retrostep
from support.flash_files import new_flash
from support.virtual_board_process import VirtualBoard


def test_pushed_limits_are_kept_over_a_power_cut(tmp_path: Path, retrostep: Retrostep) -> None:
    flash = tmp_path / "flash.bin"
    device = new_flash(flash)
    assert retrostep("athletes", "add", "Ada").status == 0
    assert retrostep("athletes", "assign", device, "Ada", "--new").status == 0

    def shown(*options: str) -> dict:
        (found,) = retrostep("limits", "show", "Ada", *options, "--json").json["devices"]
        return found

    with VirtualBoard("--speed", 5, flash=flash, ready=True) as board:
        before = shown("--port", board.port)
        assert before["read"]["session_warn_s"] == 300 and "session_warn_s" in before["differing"]
        pushed = retrostep("limits", "push", "Ada", "--port", board.port)
        assert pushed.status == 0 and "they are in force" in pushed.out, pushed.err
        board.cut_power()
    with VirtualBoard("--speed", 5, flash=flash, ready=True) as board:
        found = shown("--port", board.port)
        assert found["read"] == found["plan"] and not found["differing"] and found["waiting"] is None

        retrostep("rules", "set", "first_exposure", "--warn", "20min", "--fail", "30min", "--by", "Kim", "--why", "a test")
        assert "wait for its next sync" in retrostep("limits", "push", device[-4:], "--later").out
        assert shown()["waiting"] == shown()["plan"] != found["read"]
        synced = retrostep("sync", "--port", board.port, "--json").json["devices"][0]
        assert synced["limits"] == "sent" and shown("--port", board.port)["read"] == shown()["plan"]
    with Store(f"sqlite:///{retrostep.home}/store.sqlite") as store:
        assert [row.is_waiting for row, _ in store.device_limits()] == [False, False]
