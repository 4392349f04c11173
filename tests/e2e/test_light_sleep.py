"""A board that sleeps between bursts of samples: counting, and a host that wakes it."""

import json
import time
from pathlib import Path

from motion import Stand, Walk, Wear, generate
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep_core.link.messages import IN_SESSION
from support.cli import Retrostep
from support.flash_files import new_flash, put_files
from support.places import ROOT
from support.virtual_board_process import PATIENCE_S, VirtualBoard, wait_until

SPEED = 8


def has_counted(port: str, least: int) -> bool:
    """Whether a session with so many steps is under way. A busy computer's board is slow: then it sleeps for some more time."""
    with DeviceClient(SerialPort(port)) as client:
        assert client.hello(PATIENCE_S).state == IN_SESSION
        status = client.status()
    assert not status.faults
    if status.totals.forward_steps <= least:
        time.sleep(30 / SPEED)
    return bool(status.totals.forward_steps > least)


def is_idle(port: str) -> bool:
    with DeviceClient(SerialPort(port)) as client:
        return bool(client.hello(PATIENCE_S).state != IN_SESSION)


def test_a_sleeping_board_counts_every_step_and_is_woken_by_a_host(tmp_path: Path) -> None:
    made = generate([Stand(3), Walk(60), Stand(90)], 7, Wear(side="left", mount="+y+z+x"))
    recording, flash = made.write(tmp_path / "leg.csv")[0], tmp_path / "flash.bin"
    device = new_flash(flash)
    board = json.loads((ROOT / "boards/VIRTUAL/board.json").read_text())
    put_files(flash, {"board.json": json.dumps({**board, "link": "uart", "light_sleep": True}).encode()})
    retrostep = Retrostep(tmp_path / "home")
    with VirtualBoard("--link", "uart", "--speed", SPEED, flash=flash, recording=recording, ready=True) as running:
        # 50 s of the board's time without a host: it sleeps after 30 s.
        time.sleep(50 / SPEED)
        wait_until(lambda: has_counted(running.port, 60), "60 steps")
        time.sleep(90 / SPEED)
        wait_until(lambda: is_idle(running.port), "the end of the session")
        ran = retrostep("sync", "--port", running.port)
        assert ran.status == 0, ran.err
    [session] = retrostep("sessions", "--json").json["sessions"]
    assert session["device"] == device and session["gap_s"] == 0
    assert abs(session["steps"]["forward"] - len(made.truth.steps)) <= 1
