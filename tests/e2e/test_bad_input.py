"""What goes wrong with boards in real life: each is one sentence that names the cure, the right exit status, and nothing lost."""

import os
import pty
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from board import VirtualBoard
from cli import RETROSTEP, Retrostep, one_sentence
from flash_files import files_on, new_flash, put_files, put_sessions
from logs import session_log
from retrostep_core.link import caller


@pytest.fixture
def flash(tmp_path: Path, born: tuple[Path, str]) -> Path:
    """A board's flash with one session on it."""
    path = tmp_path / "flash.bin"
    shutil.copy(born[0], path)
    put_sessions(path, {1: session_log(1, device=born[1])})
    return path


@pytest.fixture
def silent_port() -> Iterator[str]:
    """A port at whose other end nothing answers."""
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
    assert "nothing at /dev/ttyNONE7. Plug the board in; `retrostep devices` then shows its port." in one_sentence(ran)


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
    said = one_sentence(ran)
    assert f"The port {silent_port} is in use by " in said and f"(process {other.pid}). Close that program" in said


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
        assert ran.status == 1 and "is MicroPython's unix port, but ESP32_DEVKIT_LSM6DSOX has an ESP32: nothing was copied" in one_sentence(
            ran
        )


def test_a_board_at_the_prompt(retrostep: Retrostep, flash: Path) -> None:
    put_files(flash, {"main.py": b"print('no app here')\n"})
    with VirtualBoard(flash=flash) as board:
        ran = retrostep("sync", "--port", board.port)
        assert ran.status == 1
        said = one_sentence(ran)
        assert "is at MicroPython's prompt; Retrostep isn't running on it. Press its reset button" in said and "`retrostep deploy" in said
        cured = retrostep("deploy", "--board", "VIRTUAL", "--port", board.port)
        assert cured.status == 0 and "1 file copied" in cured.out, cured.err
        assert retrostep("sync", "--port", board.port, "--json").json["devices"][0]["received"] == 1


def test_two_boards_one_of_which_fails(retrostep: Retrostep, tmp_path: Path, flash: Path, silent_port: str) -> None:
    second = tmp_path / "second.bin"
    device = new_flash(second)
    put_sessions(second, {1: session_log(1, device=device), 2: session_log(2, device=device)})
    with VirtualBoard(flash=flash) as one, VirtualBoard(flash=second) as two:
        ports = ["--port", one.port, "--port", silent_port, "--port", two.port]
        ran = retrostep("sync", *ports, "--json")
        assert ran.status == 1 and f"No Retrostep board at {silent_port}" in one_sentence(ran)
        said = ran.json["devices"]
        assert [entry["port"] for entry in said] == [one.port, silent_port, two.port]
        assert said[0]["device"] != said[2]["device"] == device
        assert (said[0]["received"], said[2]["received"]) == (1, 2) and "No Retrostep board" in said[1]["error"]
        assert [len(list(folder.glob("*.rsl"))) for folder in sorted((retrostep.home / "logs").iterdir())] in ([1, 2], [2, 1])
        shown = retrostep("devices", *ports[:2], *ports[4:])
        assert shown.status == 0 and shown.out.count("0 to sync") == 2


def test_a_board_with_another_core(retrostep: Retrostep, flash: Path) -> None:
    core = "lib/retrostep_core/__init__.py"
    put_files(flash, {core: files_on(flash)[core] + b"# of another version\n"})
    with VirtualBoard(flash=flash) as board:
        ran = retrostep("sync", "--port", board.port, "--json")
        assert ran.status == 0
        assert "Warning: " in ran.err and " runs another core (0.1.0, " in ran.err
        assert f"run `retrostep deploy --board VIRTUAL --port {board.port}`." in ran.err
        [said] = ran.json["devices"]
        assert said["core"] == "other" and said["received"] == 1
        deployed = retrostep("deploy", "--board", "VIRTUAL", "--port", board.port)
        assert deployed.status == 0 and "1 file copied" in deployed.out, deployed.err
        assert retrostep("devices", "--port", board.port, "--json").json["devices"][0]["core"] == "same"
        again = retrostep("sync", "--port", board.port, "--json").json["devices"][0]
        assert (again["had"], again["damaged"]) == (1, 0), "deploy touched a session"


def test_a_damaged_log_on_the_board(retrostep: Retrostep, flash: Path, born: tuple[Path, str]) -> None:
    sound = session_log(2, device=born[1], forward_s=600)
    bent = bytearray(sound)
    bent[len(bent) // 2] ^= 1
    put_sessions(flash, {2: bytes(bent), 3: b"\xff" * 5000})
    with VirtualBoard(flash=flash) as board:
        ran = retrostep("sync", "--port", board.port, "--json")
        assert ran.status == 4
        [said] = ran.json["devices"]
        assert {session["session"]: session["outcome"] for session in said["sessions"]}[1] == "received"
        assert said["damaged"] == 2 and ran.err.count("Damaged: ") == 2
        assert f"The log of session {born[1]}/2 is damaged on the board" in ran.err and "the rest counts" in ran.err
        assert retrostep("sync", "--port", board.port).status == 0, "it was told once"
    logs = retrostep.home / "logs" / born[1]
    on_board = files_on(flash)
    assert (logs / "00000002.rsl").read_bytes() == on_board["sessions/00000002.rsl"]
    [aside] = (retrostep.home / "quarantine").glob("*.rsl")
    assert aside.read_bytes() == on_board["sessions/00000003.rsl"]
    assert retrostep("sessions", "--json").json["sessions"], "the sound session was stored"


def test_a_full_disk_on_the_computer(retrostep: Retrostep, tmp_path: Path, flash: Path, born: tuple[Path, str]) -> None:
    """The data folder lies on a file system of 1 MB of its own, in a namespace that ends with the command."""
    logs = {1: session_log(1, device=born[1]), 2: session_log(2, device=born[1], forward_s=260_000)}
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
        [said] = run.stderr.strip().splitlines()
        assert "Error: No room left for " in said and "free some space and run this again" in said
        assert "00000001.rsl" in run.stdout and "00000002.rsl" not in run.stdout
        shown = retrostep("devices", "--port", board.port, "--json").json["devices"][0]
        assert shown["sessions_to_sync"] == 1, "the session that did not fit was confirmed"
        assert retrostep("sync", "--port", board.port).status == 0
    archived = {int(path.stem): path.read_bytes() for path in (retrostep.home / "logs" / born[1]).glob("*.rsl")}
    assert archived == logs


def test_noise_on_the_line_is_answered_or_ignored_and_counting_goes_on(retrostep: Retrostep, flash: Path) -> None:
    chance = random.Random(3)
    with VirtualBoard(flash=flash) as board:
        assert retrostep("devices", "--port", board.port).status == 0
        port = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        for _ in range(60):
            noise = bytes(b for b in chance.randbytes(180) if b not in (3, 4))  # Ctrl-C is for rescue, and means what it means
            os.write(port, noise + chance.choice([b"\n", b"~", caller.request(9, "READ", 1, 0, 99)[:-3] + b"\n"]))
        os.close(port)
        said = retrostep("sync", "--port", board.port, "--json")
        assert said.status == 0 and said.json["devices"][0]["received"] == 1
