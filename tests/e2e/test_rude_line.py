"""Bad lines and misbehaving hosts: a board that counts steps loses only the answers to such a host."""

import random
import shutil
import time
from pathlib import Path

import pytest
import serial
from motion import Stand, Walk, generate
from retrostep_core.link import host_frames
from retrostep_core.log.reader import read_log
from support.cli import Retrostep, one_sentence
from support.flash_files import files_on, log_path, put_sessions
from support.logs import session_log
from support.virtual_board_process import PATIENCE_S, VirtualBoard, wait_until


@pytest.fixture
def flash(tmp_path: Path, provisioned: tuple[Path, str]) -> Path:
    """A copy of the provisioned flash."""
    path = tmp_path / "flash.bin"
    shutil.copy(provisioned[0], path)
    return path


def archived(retrostep: Retrostep, device: str) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in (retrostep.home / "logs" / device).rglob("*.rsl")}


@pytest.mark.parametrize("every", [2_500, 6_000])
def test_lost_output_is_requested_again(retrostep: Retrostep, flash: Path, provisioned: tuple[Path, str], every: int) -> None:
    device = provisioned[1]
    logs = {1: session_log(1, device=device), 2: session_log(2, device=device, forward_s=3_000, backward_s=600, boot=2)}
    put_sessions(flash, logs)
    with VirtualBoard("--swallow", every, flash=flash, ready=True) as board:
        ran = retrostep("sync", "--port", board.port, "--json")
        assert ran.status == 0, ran.err
        assert ran.json["devices"][0]["received"] == 2
    assert archived(retrostep, device) == logs
    assert {log_path(1, "rsc"), log_path(2, "rsc")} <= set(files_on(flash))


def test_hosts_that_send_too_much_lose_only_their_own_requests(
    retrostep: Retrostep, tmp_path: Path, flash: Path, provisioned: tuple[Path, str]
) -> None:
    """Over a UART that drops bytes: noise, many requests, and hosts that connect and disconnect, while the leg walks."""
    generate([Stand(2), Walk(40), Stand(70)], seed=3).write(tmp_path / "leg.csv")
    chance = random.Random(1)
    requests = (5, "READ", 1, 0, 4096), (6, "LIST", 0), (7, "CONFIRM", 1, 1, 1)
    lines = [*(host_frames.request(*request) for request in requests), b"~" + b"x" * 400]
    with VirtualBoard("--link", "uart", "--bps", 460_800, "--speed", 8, flash=flash, recording=tmp_path / "leg.csv", ready=True) as board:
        until = time.monotonic() + 7
        while time.monotonic() < until:
            with serial.Serial(board.port, timeout=0) as rude:
                for _ in range(40):
                    noise = chance.randbytes(chance.randrange(300)).replace(b"\x03", b"")  # that would be Ctrl-C
                    rude.write(noise + b"\n" + b"".join(chance.choices(lines, k=9)))
                    if chance.random() < 0.5:
                        rude.read(5_000)
                    time.sleep(0.01)

        def synced() -> bool:
            ran = retrostep("sync", "--port", board.port, "--json")
            assert ran.status == 0, ran.err
            return bool(ran.json["devices"][0]["received"])

        wait_until(synced, "the session has ended and is archived")
    ((_, log),) = archived(retrostep, provisioned[1]).items()
    stored = read_log(log)
    assert stored.closed and not stored.damage and not stored.gaps
    assert stored.totals.forward_steps == pytest.approx(40 * 110 / 60, abs=4)


def test_a_board_left_in_the_raw_repl_is_recognised_and_the_cure_works(
    retrostep: Retrostep, flash: Path, provisioned: tuple[Path, str]
) -> None:
    put_sessions(flash, {1: session_log(1, device=provisioned[1])})
    with VirtualBoard(flash=flash, ready=True) as board:
        assert retrostep("devices", "--port", board.port).status == 0
        with serial.Serial(board.port, timeout=PATIENCE_S) as port:
            port.write(b"\r\x03\x03\r\x01")  # as mpremote does, which was then killed
            assert b"raw REPL" in port.read_until(b"raw REPL; CTRL-B to exit\r\n>")
        ran = retrostep("sync", "--port", board.port)
        assert ran.status == 1
        sentence = one_sentence(ran)
        assert "is at MicroPython's prompt" in sentence and "Press its reset button" in sentence and "`retrostep deploy" in sentence
        with serial.Serial(board.port, timeout=PATIENCE_S) as port:
            port.write(b"\x04")  # what the button does
        assert retrostep("sync", "--port", board.port, "--json").json["devices"][0]["received"] == 1
