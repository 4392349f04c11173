"""A board is plugged in and synced, over a tty, with the command that a coach types."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from board import VirtualBoard, wait_until
from cli import Retrostep, one_sentence
from flash_files import files_on, put_sessions
from logs import session_log
from motion import BackwardRun, Jog, Ramp, Stand, Walk, generate
from retrostep_core.log.reader import read_log


@pytest.fixture
def logs(device: str) -> dict[int, bytes]:
    """Three sessions; the second is 37 KB, as long as an hour of running."""
    long = session_log(2, device=device, forward_s=6_000, backward_s=4_000)
    return {1: session_log(1, device=device), 2: long, 3: session_log(3, device=device, forward_s=400, backward_s=60, boot=2)}


@pytest.fixture
def flash(tmp_path: Path, born: tuple[Path, str], logs: dict[int, bytes]) -> Path:
    """A board's flash with those sessions on it."""
    path = tmp_path / "flash.bin"
    shutil.copy(born[0], path)
    put_sessions(path, logs)
    return path


def archived(retrostep: Retrostep, device: str) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in (retrostep.home / "logs" / device).rglob("*.rsl")}


def confirmed(flash: Path) -> set[int]:
    """The sessions that the board, now off, holds to be safe elsewhere."""
    return {int(name[9:17]) for name in files_on(flash) if name.startswith("sessions/") and name.endswith(".ok")}


@pytest.mark.parametrize("link", ["usb", "uart"])
def test_sync_brings_everything_once(retrostep: Retrostep, flash: Path, device: str, logs: dict[int, bytes], link: str) -> None:
    options = ["--link", link] + (["--bps", "921600"] if link == "uart" else [])
    with VirtualBoard(*options, flash=flash) as board:
        shown = retrostep("devices", "--port", board.port, "--json").json["devices"]
        assert [(one["device"], one["board"], one["core"], one["sessions_to_sync"]) for one in shown] == [(device, "VIRTUAL", "same", 3)]
        first = retrostep("sync", "--port", board.port, "--json")
        assert first.status == 0, first.err
        [said] = first.json["devices"]
        assert (said["device"], said["core"], said["received"], said["had"], said["damaged"]) == (device, "same", 3, 0, 0)
        assert said["received_bytes"] == sum(map(len, logs.values())) and said["clock_set_ms"] == pytest.approx(
            time.time() * 1000, abs=60_000
        )
        again = retrostep("sync", "--port", board.port, "--json").json["devices"][0]
        assert (again["received"], again["had"], again["received_bytes"]) == (0, 3, 0)
        assert abs(again["clock_was_off_ms"]) < 1_000
        assert retrostep("devices", "--port", board.port, "--json").json["devices"][0]["sessions_to_sync"] == 0
    assert archived(retrostep, device) == logs
    assert confirmed(flash) == set(logs)
    assert len(retrostep("sessions", "--json").json["sessions"]) == 3


def test_a_cable_pulled_in_mid_sync_is_resumed(retrostep: Retrostep, flash: Path, device: str, logs: dict[int, bytes]) -> None:
    with VirtualBoard("--cut-after", 20_000, flash=flash) as board:
        cut = retrostep("sync", "--port", board.port)
        assert cut.status == 1 and "Plug it in and run the same command again: it resumes." in one_sentence(cut)
        assert board.wait(10) == 0
    kept = sum(path.stat().st_size for path in retrostep.home.rglob("*.part")) + sum(map(len, archived(retrostep, device).values()))
    assert 15_000 < kept < 20_000
    assert all(archived(retrostep, device)[number] == logs[number] for number in confirmed(flash))
    with VirtualBoard(flash=flash) as board:
        again = retrostep("sync", "--port", board.port, "--json")
        assert again.status == 0
        assert again.json["devices"][0]["received_bytes"] == sum(map(len, logs.values())) - kept
    assert archived(retrostep, device) == logs and confirmed(flash) == set(logs)


def test_a_sync_that_is_killed_is_resumed(retrostep: Retrostep, flash: Path, device: str, logs: dict[int, bytes]) -> None:
    with VirtualBoard("--bps", 115_200, flash=flash) as board:
        killed = retrostep.start("sync", "--port", board.port)
        part = retrostep.home / "incoming" / device / "00000002.part"
        wait_until(lambda: part.exists() and part.stat().st_size > 5_000, 30, "session 2 is under way")
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        had = part.stat().st_size
        again = retrostep("sync", "--port", board.port, "--json")
        assert again.status == 0, again.err
        [said] = again.json["devices"]
        assert said["received_bytes"] == len(logs[2]) - had + len(logs[3]) and said["had"] == 1
    assert archived(retrostep, device) == logs and confirmed(flash) == set(logs)


def test_counting_goes_on_during_monitor_and_sync(retrostep: Retrostep, tmp_path: Path, born: tuple[Path, str], device: str) -> None:
    """A leg walks, runs backward with a ramp, and stops; what was shown live is what is stored."""
    made = generate([Stand(2), Walk(40), Jog(20), BackwardRun(45, 150, [Ramp(at_s=20, percent=30, over_s=8)]), Stand(70)], seed=3)
    made.write(tmp_path / "leg.csv")
    flash = tmp_path / "flash.bin"
    shutil.copy(born[0], flash)
    with VirtualBoard("--speed", 8, flash=flash, recording=tmp_path / "leg.csv") as board:
        live = retrostep.start("monitor", "--port", board.port, "--json", "--until-session-ends", "--seconds", "60")
        out, err = live.communicate(timeout=90)
        assert live.returncode == 0, err
        events = [json.loads(line) for line in out.splitlines()]
        while_open = retrostep("sync", "--port", board.port, "--json")
        assert while_open.status == 0, while_open.err
    [(number, log)] = archived(retrostep, device).items()
    stored = read_log(log)
    assert stored.closed and not stored.damage and not stored.gaps
    shown = [event["t"] for event in events if event["event"] == "step"]
    assert {round(t * 1000) for t in shown} <= {t for t, _ in stored.steps} and len(shown) >= len(stored.steps) - 40
    assert [event for event in events if event["event"] == "alert" and event["kind"] == "cadence_ramp"]
    assert events[-1]["event"] == "session" and events[-1]["session"] == number


def test_a_session_that_goes_on_is_read_and_left_open(retrostep: Retrostep, tmp_path: Path, born: tuple[Path, str], device: str) -> None:
    made = generate([Stand(2), Walk(300)], seed=4)
    made.write(tmp_path / "leg.csv")
    flash = tmp_path / "flash.bin"
    shutil.copy(born[0], flash)
    with VirtualBoard("--speed", 5, flash=flash, recording=tmp_path / "leg.csv") as board:

        def sync() -> dict[str, int]:
            return dict(retrostep("sync", "--port", board.port, "--json").json["devices"][0])

        wait_until(lambda: sync()["open"] == 1, 30, "a session goes on")
        begun = archived(retrostep, device)[1]
        time.sleep(2)
        assert sync()["open"] == 1
        grown = archived(retrostep, device)[1]
        assert grown[: len(begun)] == begun and len(grown) > len(begun)
        assert not read_log(grown).closed and not read_log(grown).damage
    assert confirmed(flash) == set()
