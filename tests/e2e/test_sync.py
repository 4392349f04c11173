"""A board is synced over a tty, with the command that a coach types."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from motion import BackwardRun, Jog, Ramp, Stand, Walk, generate
from retrostep_core.log.reader import read_log
from support.cli import Retrostep, one_sentence
from support.flash_files import files_on, put_sessions
from support.logs import session_log
from support.virtual_board_process import VirtualBoard, wait_until


@pytest.fixture
def logs(device: str) -> dict[int, bytes]:
    """Three sessions; the second is 37 KB, as long as an hour of running."""
    long = session_log(2, device=device, forward_s=6_000, backward_s=4_000)
    return {1: session_log(1, device=device), 2: long, 3: session_log(3, device=device, forward_s=400, backward_s=60, boot=2)}


@pytest.fixture
def flash(tmp_path: Path, provisioned: tuple[Path, str], logs: dict[int, bytes]) -> Path:
    """A board's flash with those sessions on it."""
    path = tmp_path / "flash.bin"
    shutil.copy(provisioned[0], path)
    put_sessions(path, logs)
    return path


def archived(retrostep: Retrostep, device: str) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in (retrostep.home / "logs" / device).rglob("*.rsl")}


def confirmed(flash: Path) -> set[int]:
    """The confirmed sessions on a board that is off."""
    return {int(name[-12:-4]) for name in files_on(flash) if name.startswith("logs/") and name.endswith(".rsc")}


@pytest.mark.parametrize("link", ["usb", "uart"])
def test_sync_receives_every_session_once(retrostep: Retrostep, flash: Path, device: str, logs: dict[int, bytes], link: str) -> None:
    options = ["--link", link] + (["--bps", "921600"] if link == "uart" else [])
    with VirtualBoard(*options, flash=flash, ready=True) as board:
        shown = retrostep("devices", "--port", board.port, "--json").json["devices"]
        assert [(one["device"], one["board"], one["core"], one["sessions_to_sync"]) for one in shown] == [(device, "VIRTUAL", "same", 3)]
        first = retrostep("sync", "--port", board.port, "--json")
        assert first.status == 0, first.err
        [synced] = first.json["devices"]
        assert (synced["device"], synced["core"], synced["received"], synced["had"], synced["damaged"]) == (device, "same", 3, 0, 0)
        assert synced["received_bytes"] == sum(map(len, logs.values())) and synced["clock_set_ms"] == pytest.approx(
            time.time() * 1000, abs=60_000
        )
        again = retrostep("sync", "--port", board.port, "--json").json["devices"][0]
        assert (again["received"], again["had"], again["received_bytes"]) == (0, 3, 0)
        # The clock of a virtual board loses time on a busy computer.
        assert abs(again["clock_was_off_ms"]) < 60_000
        assert retrostep("devices", "--port", board.port, "--json").json["devices"][0]["sessions_to_sync"] == 0
    assert archived(retrostep, device) == logs
    assert confirmed(flash) == set(logs)
    assert len(retrostep("sessions", "--json").json["sessions"]) == 3


def test_a_sync_resumes_after_the_cable_was_pulled(retrostep: Retrostep, flash: Path, device: str, logs: dict[int, bytes]) -> None:
    with VirtualBoard("--cut-after", 20_000, flash=flash, ready=True) as board:
        cut = retrostep("sync", "--port", board.port)
        assert cut.status == 1 and "a sync resumes where it stopped." in one_sentence(cut)
        assert board.wait() == 0
    kept = sum(path.stat().st_size for path in retrostep.home.rglob("*.part")) + sum(map(len, archived(retrostep, device).values()))
    assert 15_000 < kept < 20_000
    assert all(archived(retrostep, device)[number] == logs[number] for number in confirmed(flash))
    with VirtualBoard(flash=flash, ready=True) as board:
        again = retrostep("sync", "--port", board.port, "--json")
        assert again.status == 0
        assert again.json["devices"][0]["received_bytes"] == sum(map(len, logs.values())) - kept
    assert archived(retrostep, device) == logs and confirmed(flash) == set(logs)


def test_a_sync_resumes_after_it_was_killed(retrostep: Retrostep, flash: Path, device: str, logs: dict[int, bytes]) -> None:
    with VirtualBoard("--bps", 38_400, flash=flash, ready=True) as board:
        killed = retrostep.start("sync", "--port", board.port)

        def received() -> int:
            return sum(part.stat().st_size for part in (retrostep.home / "incoming" / device).rglob("00000002.part"))

        wait_until(lambda: received() > 5_000, "session 2 is being received")
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        had = received()
        again = retrostep("sync", "--port", board.port, "--json")
        assert again.status == 0, again.err
        [synced] = again.json["devices"]
        assert synced["received_bytes"] == len(logs[2]) - had + len(logs[3]) and synced["had"] == 1
    assert archived(retrostep, device) == logs and confirmed(flash) == set(logs)


def test_counting_continues_during_a_sync(retrostep: Retrostep, tmp_path: Path, provisioned: tuple[Path, str], device: str) -> None:
    """A leg walks, runs backward with a ramp, and stops. The live events agree with the stored session."""
    made = generate([Stand(2), Walk(40), Jog(20), BackwardRun(45, 150, [Ramp(at_s=20, percent=30, over_s=8)]), Stand(70)], seed=3)
    made.write(tmp_path / "leg.csv")
    flash = tmp_path / "flash.bin"
    shutil.copy(provisioned[0], flash)
    with VirtualBoard("--speed", 16, flash=flash, recording=tmp_path / "leg.csv", ready=True) as board:
        live = retrostep("monitor", "--port", board.port, "--json", "--until-session-ends", "--seconds", "400")
        assert live.status == 0, live.err
        events = [json.loads(line) for line in live.out.splitlines()]
        while_open = retrostep("sync", "--port", board.port, "--json")
        assert while_open.status == 0, while_open.err
    [(number, log)] = archived(retrostep, device).items()
    stored = read_log(log)
    assert stored.closed and not stored.damage and not stored.gaps
    shown = [event["t"] for event in events if event["event"] == "step"]
    assert {round(t * 1000) for t in shown} <= {t for t, _ in stored.steps} and len(shown) >= len(stored.steps) - 40
    assert [event for event in events if event["event"] == "alert" and event["kind"] == "cadence_ramp"]
    assert events[-1]["event"] == "session" and events[-1]["session"] == number


def test_a_session_that_continues_is_read_and_left_open(
    retrostep: Retrostep, tmp_path: Path, provisioned: tuple[Path, str], device: str
) -> None:
    made = generate([Stand(2), Walk(300)], seed=4)
    made.write(tmp_path / "leg.csv")
    flash = tmp_path / "flash.bin"
    shutil.copy(provisioned[0], flash)
    with VirtualBoard("--speed", 5, flash=flash, recording=tmp_path / "leg.csv", ready=True) as board:

        def sync() -> dict[str, int]:
            return dict(retrostep("sync", "--port", board.port, "--json").json["devices"][0])

        wait_until(lambda: sync()["open"] == 1, "a session is open")
        begun = archived(retrostep, device)[1]
        wait_until(lambda: sync()["open"] == 1 and len(archived(retrostep, device)[1]) > len(begun), "the session grows")
        grown = archived(retrostep, device)[1]
        assert grown[: len(begun)] == begun
        assert not read_log(grown).closed and not read_log(grown).damage
    assert confirmed(flash) == set()
