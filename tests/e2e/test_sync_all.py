"""A coach syncs a hub with eight devices; some of them fail."""

import contextlib
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from support.cli import Retrostep
from support.flash_files import new_flash, put_sessions
from support.logs import session_log
from support.terminal import Terminal
from support.virtual_board_process import PATIENCE_S, VirtualBoard, write_image

SHOW_CURSOR, HIDE_CURSOR = b"\x1b[?25h", b"\x1b[?25l"


def flash_with_sessions(path: Path, longer: int = 1) -> tuple[str, dict[int, bytes]]:
    """Write a flash with a session of 20 KB, `longer` times as much, and a short one; returns the device name and the logs."""
    device = new_flash(path)
    logs = {1: session_log(1, device=device, forward_s=longer * 3_000, backward_s=longer * 2_000), 2: session_log(2, device=device, boot=2)}
    put_sessions(path, logs)
    return device, logs


def archived(retrostep: Retrostep, device: str) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in (retrostep.home / "logs" / device).glob("*.rsl")}


@contextlib.contextmanager
def plugged_in(boards: list[VirtualBoard]) -> Iterator[list[str]]:
    """Run all boards; yields their ports."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(board).port for board in boards]


def test_eight_boards_at_once_of_which_some_fail(retrostep: Retrostep, tmp_path: Path) -> None:
    """Number 2 is unplugged in the middle, 4 has a damaged log, 6 has the same name as 5, and 7 has no app."""
    flashes = [tmp_path / f"{k}.bin" for k in range(8)]
    hub = [flash_with_sessions(flash) for flash in flashes[:7]]
    device, logs = hub[4]
    torn = bytearray(logs[1])
    torn[9_000] ^= 0x10
    put_sessions(flashes[4], {1: bytes(torn)})
    hub[4] = device, {**logs, 1: bytes(torn)}
    shutil.copy(flashes[5], flashes[6])
    hub[6] = hub[5]
    write_image(flashes[7], main="while True:\n    pass")
    boards = [VirtualBoard("--bps", 115_200, *(["--cut-after", 12_000] if k == 2 else []), flash=flash) for k, flash in enumerate(flashes)]
    with plugged_in(boards) as ports:
        for port in ports[:7]:
            with DeviceClient(SerialPort(port)) as talk:
                talk.hello(PATIENCE_S)
        retrostep.environment["RETROSTEP_PORTS"] = " ".join([*ports, ports[0]])
        ran = retrostep("sync", "--all", "--json")
        assert boards[2].wait() == 0
        devices = ran.json["devices"]
        assert [one["port"] for one in devices] == ports and ran.status == 4
        twins = [k for k in (5, 6) if "error" in devices[k]]
        for k, (device, logs) in enumerate(hub):
            if k != 2 and k not in twins:
                assert (devices[k]["device"], devices[k]["damaged"]) == (device, int(k == 4)) and archived(retrostep, device) == logs
        assert "is gone. Check its cable" in devices[2]["error"]
        [twin] = twins
        assert f" and {ports[11 - twin]} both call themselves {hub[5][0]}, " in devices[twin]["error"]
        assert "No Retrostep board" in devices[7]["error"]
        complaints = [line for line in ran.err.splitlines() if line.startswith("Error: ")]
        assert len(complaints) == 3 and len(ran.err.splitlines()) == 4, ran.err
        sessions = retrostep("sessions", "--json").json["sessions"]
        assert {one["device"] for one in sessions} >= {device for k, (device, _) in enumerate(hub) if k != 2}

    device, logs = hub[2]
    kept = sum(path.stat().st_size for path in retrostep.home.rglob("*.part")) + sum(map(len, archived(retrostep, device).values()))
    assert 8_000 < kept < 12_000
    with VirtualBoard(flash=flashes[2], ready=True) as again, VirtualBoard(flash=flashes[0], ready=True) as other:
        ran = retrostep("sync", "--port", again.port, "--port", other.port)
    assert ran.status == 0 and not ran.err
    lines = ran.out.splitlines()
    assert f"{sum(map(len, logs.values())) / 1024 - kept / 1024:.1f} KB" in "".join(line for line in lines if line.startswith(device))
    assert [line for line in lines if line.startswith(f"{hub[0][0]} (not assigned): nothing new, 2 sessions received before.")]
    assert [line for line in lines if line.startswith("2 of 2 boards synced: 2 sessions received")], ran.out
    assert all(f"athletes assign {hub[k][0]} " in ran.out for k in (0, 2)), ran.out
    assert archived(retrostep, device) == logs and not list(retrostep.home.rglob("*.part"))


def test_a_stopped_sync_keeps_what_was_received_and_restores_the_terminal(retrostep: Retrostep, tmp_path: Path) -> None:
    flashes = [tmp_path / f"{k}.bin" for k in range(2)]
    (quick, quick_logs), (slow, slow_logs) = (flash_with_sessions(flash, k) for flash, k in zip(flashes, (1, 6), strict=True))
    boards = [VirtualBoard("--bps", bps, flash=flash, ready=True) for bps, flash in zip((2_000_000, 57_600), flashes, strict=True)]
    with plugged_in(boards) as ports:
        retrostep.environment["RETROSTEP_PORTS"] = " ".join(ports)
        before = 0
        for stop in (signal.SIGINT, signal.SIGTERM):
            terminal = Terminal(retrostep, "sync")
            terminal.read_until(b"received before" if before else b" received (")  # in the place of the quick board's bar
            terminal.read_until(f"{slow}/1".encode())
            terminal.stop(stop)
            assert terminal.end() == 1
            last = terminal.shown[terminal.shown.rindex(SHOW_CURSOR) :]
            assert HIDE_CURSOR in terminal.shown and HIDE_CURSOR not in last
            assert f"{quick} (not assigned): ".encode() in last and b"1 of 2 boards synced" in last and b"Traceback" not in last
            assert last.rstrip().endswith(b"Stopped. Everything received so far is kept. The next sync resumes.")
            assert archived(retrostep, quick) == quick_logs
            [part] = retrostep.home.rglob("*.part")
            assert len(part.read_bytes()) > before and slow_logs[1].startswith(part.read_bytes())
            before = part.stat().st_size
