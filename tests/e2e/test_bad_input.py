"""Common faults of boards: one sentence with the cure, the right exit status, and no data lost."""

import os
import pty
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from retrostep_core.link import host_frames
from support.cli import RETROSTEP, Retrostep, one_sentence
from support.flash_files import files_on, log_path, new_flash, put_files, put_sessions
from support.logs import session_log
from support.virtual_board_process import VirtualBoard


@pytest.fixture
def flash(tmp_path: Path, provisioned: tuple[Path, str]) -> Path:
    """A board's flash with one session on it."""
    path = tmp_path / "flash.bin"
    shutil.copy(provisioned[0], path)
    put_sessions(path, {1: session_log(1, device=provisioned[1])})
    return path


@pytest.fixture
def silent_port() -> Iterator[str]:
    """A port where nothing answers."""
    far, near = pty.openpty()
    path = os.ttyname(near)
    os.close(near)
    yield path
    os.close(far)


COMMANDS = {"devices": [], "sync": [], "monitor": [], "deploy": ["--board", "VIRTUAL"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_at_the_port(retrostep: Retrostep, command: str) -> None:
    ran = retrostep(command, *COMMANDS[command], "--port", "/dev/ttyNONE7")
    assert ran.status == 1
    assert "no port /dev/ttyNONE7. Plug the board in. `retrostep devices` shows the plugged-in boards" in one_sentence(ran)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_port_in_use(retrostep: Retrostep, silent_port: str, command: str) -> None:
    holder = "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True); print('held', flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", holder, silent_port], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        ran = retrostep(command, *COMMANDS[command], "--port", silent_port)
    finally:
        other.communicate(b"\n")
    assert ran.status == 1
    report = one_sentence(ran)
    assert f"The port {silent_port} is in use by " in report and f"(process {other.pid}). Close that program" in report


@pytest.mark.parametrize("command", ["sync", "monitor"])
def test_a_port_without_a_board(retrostep: Retrostep, silent_port: str, command: str) -> None:
    ran = retrostep(command, "--port", silent_port)
    assert ran.status == 1
    assert f"No Retrostep board at {silent_port}. Nothing answers there. Press its reset button" in one_sentence(ran)


def test_a_wrong_board_name(retrostep: Retrostep, silent_port: str) -> None:
    ran = retrostep("deploy", "--board", "ESP99", "--port", silent_port)
    assert ran.status == 2 and "There is no board 'ESP99'. Known boards: " in one_sentence(ran) and "VIRTUAL" in ran.err
    assert retrostep("boards", "show", "ESP99").status == 2


def test_a_wrong_board_at_the_port_gets_nothing(retrostep: Retrostep, flash: Path) -> None:
    with VirtualBoard(flash=flash) as board:
        ran = retrostep("deploy", "--board", "ESP32_DEVKIT_LSM6DSOX", "--port", board.port)
        assert ran.status == 1
        assert "is MicroPython's unix port, but ESP32_DEVKIT_LSM6DSOX has an ESP32. Nothing was copied." in one_sentence(ran)


def test_a_board_at_the_prompt(retrostep: Retrostep, flash: Path) -> None:
    put_files(flash, {"main.py": b"print('no app here')\n"})
    with VirtualBoard(flash=flash) as board:
        ran = retrostep("sync", "--port", board.port)
        assert ran.status == 1
        report = one_sentence(ran)
        assert "is at MicroPython's prompt; Retrostep isn't running on it. Press its reset button" in report
        assert "`retrostep deploy" in report
        cured = retrostep("deploy", "--board", "VIRTUAL", "--port", board.port)
        assert cured.status == 0 and "1 file copied" in cured.out, cured.err
        assert retrostep("sync", "--port", board.port, "--json").json["devices"][0]["received"] == 1


def test_two_boards_one_of_which_fails(retrostep: Retrostep, tmp_path: Path, flash: Path, silent_port: str) -> None:
    second = tmp_path / "second.bin"
    device = new_flash(second)
    put_sessions(second, {1: session_log(1, device=device), 2: session_log(2, device=device)})
    with VirtualBoard(flash=flash, ready=True) as one, VirtualBoard(flash=second, ready=True) as two:
        ports = ["--port", one.port, "--port", silent_port, "--port", two.port]
        ran = retrostep("sync", *ports, "--json")
        assert ran.status == 1 and f"No Retrostep board at {silent_port}" in one_sentence(ran)
        report = ran.json["devices"]
        assert [entry["port"] for entry in report] == [one.port, silent_port, two.port]
        assert report[0]["device"] != report[2]["device"] == device
        assert (report[0]["received"], report[2]["received"]) == (1, 2) and "No Retrostep board" in report[1]["error"]
        assert [len(list(folder.glob("*.rsl"))) for folder in sorted((retrostep.home / "logs").iterdir())] in ([1, 2], [2, 1])
        shown = retrostep("devices", *ports[:2], *ports[4:])
        assert shown.status == 0 and shown.out.count("0 to sync") == 2


def test_a_board_with_another_core(retrostep: Retrostep, flash: Path) -> None:
    core = "lib/retrostep_core/__init__.py"
    put_files(flash, {core: files_on(flash)[core] + b"# of another version\n"})
    with VirtualBoard(flash=flash) as board:
        ran = retrostep("sync", "--port", board.port, "--json")
        assert ran.status == 0
        assert "Warning: " in ran.err and " runs another firmware version (0.1.0, " in ran.err
        assert f": `retrostep deploy --board VIRTUAL --port {board.port}`." in ran.err
        [report] = ran.json["devices"]
        assert report["core"] == "other" and report["received"] == 1
        deployed = retrostep("deploy", "--board", "VIRTUAL", "--port", board.port)
        assert deployed.status == 0 and "1 file copied" in deployed.out, deployed.err
        assert retrostep("devices", "--port", board.port, "--json").json["devices"][0]["core"] == "same"
        again = retrostep("sync", "--port", board.port, "--json").json["devices"][0]
        assert (again["had"], again["damaged"]) == (1, 0), "deploy touched a session"


def test_a_damaged_log_on_the_board(retrostep: Retrostep, flash: Path, provisioned: tuple[Path, str]) -> None:
    valid = session_log(2, device=provisioned[1], forward_s=600)
    damaged = bytearray(valid)
    damaged[len(damaged) // 2] ^= 1
    put_sessions(flash, {2: bytes(damaged), 3: b"\xff" * 5000})
    with VirtualBoard(flash=flash) as board:
        ran = retrostep("sync", "--port", board.port, "--json")
        assert ran.status == 4
        [report] = ran.json["devices"]
        assert {session["session"]: session["outcome"] for session in report["sessions"]}[1] == "received"
        assert report["damaged"] == 2 and ran.err.count("Damaged: ") == 2
        assert f"The log of session {provisioned[1]}/2 is damaged on the board" in ran.err and "the rest counts" in ran.err
        assert retrostep("sync", "--port", board.port).status == 0, "it is reported once"
    logs = retrostep.home / "logs" / provisioned[1]
    on_board = files_on(flash)
    assert (logs / "00000002.rsl").read_bytes() == on_board[log_path(2, "rsc")]
    [aside] = (retrostep.home / "quarantine").glob("*.rsl")
    assert aside.read_bytes() == on_board[log_path(3, "rsc")]
    assert retrostep("sessions", "--json").json["sessions"], "the valid session was stored"


def test_a_full_disk_on_the_computer(retrostep: Retrostep, tmp_path: Path, flash: Path, provisioned: tuple[Path, str]) -> None:
    """The data folder lies on a file system of 1 MB of its own, in a namespace that ends with the command."""
    logs = {1: session_log(1, device=provisioned[1]), 2: session_log(2, device=provisioned[1], forward_s=230_000)}
    put_sessions(flash, logs)
    script = f'mount -t tmpfs -o size=1000k tmpfs "$1" && shift && "$@"; status=$?; ls -R "{retrostep.home}"; exit $status'
    retrostep.home.mkdir()
    namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*namespace, f"mount -t tmpfs tmpfs {retrostep.home}"], capture_output=True).returncode:
        pytest.skip("this system gives no mount namespaces, so no file system can be made that fills up")
    with VirtualBoard(flash=flash) as board:
        command = [*namespace, script, "sh", str(retrostep.home), *RETROSTEP, "sync", "--port", board.port]
        run = subprocess.run(command, env=retrostep.environment, capture_output=True, text=True, timeout=120)
        assert run.returncode == 1, run.stderr
        [report] = run.stderr.strip().splitlines()
        assert "Error: No room left for " in report and "free some space and run this again" in report
        assert "00000001.rsl" in run.stdout and "00000002.rsl" not in run.stdout
        shown = retrostep("devices", "--port", board.port, "--json").json["devices"][0]
        assert shown["sessions_to_sync"] == 1, "the session that did not fit was confirmed"
        assert retrostep("sync", "--port", board.port).status == 0
    archived = {int(path.stem): path.read_bytes() for path in (retrostep.home / "logs" / provisioned[1]).glob("*.rsl")}
    assert archived == logs


def test_noise_on_the_line_is_answered_or_ignored_and_counting_continues(retrostep: Retrostep, flash: Path) -> None:
    chance = random.Random(3)
    with VirtualBoard(flash=flash) as board:
        assert retrostep("devices", "--port", board.port).status == 0
        port = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        for _ in range(60):
            noise = bytes(b for b in chance.randbytes(180) if b not in (3, 4))  # Ctrl-C would interrupt the app
            os.write(port, noise + chance.choice([b"\n", b"~", host_frames.request(9, "READ", 1, 0, 99)[:-3] + b"\n"]))
        os.close(port)
        report = retrostep("sync", "--port", board.port, "--json")
        assert report.status == 0 and report.json["devices"][0]["received"] == 1
