"""Before and around esptool: the image is checked, sessions are spared, and every way it fails is one sentence."""

import json
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from retrostep.cli import flash as command_module
from retrostep.deploy import flash as flash_module
from retrostep.deploy import micropython_image
from retrostep.deploy.flash import LOGS, OnBoard
from retrostep.deploy.micropython_image import check_image, newest_download
from retrostep.device import esptool, ports
from retrostep.device.boards import board_names, read_board
from retrostep.doctor.check import Check, Report
from retrostep.errors import BlankChip, FlashFailed, InRomLoader, NoApp, NoMicroPython, NoRepl, PortBusy, WrongBoard, WrongImage
from rom import stand_in
from rom_protocol import CHIPS
from support.cli import Retrostep, one_sentence
from support.flashable import stand_in_image
from support.places import ROOT

BOARD = read_board("ESP32_DEVKIT_LSM6DSOX")


@pytest.fixture
def retrostep(tmp_path: Path) -> Retrostep:
    return Retrostep(tmp_path / "home")


@pytest.mark.parametrize("name", board_names())
def test_a_board_says_how_its_chip_is_flashed(name: str) -> None:
    board = read_board(name)
    assert board["chip"] in (board["flash"]["chip"], "unix")
    assert board["flash"]["offset"] == CHIPS[board["flash"]["chip"]].program_at


def test_a_good_image_is_accepted_for_its_chip_and_no_other(tmp_path: Path) -> None:
    for chip in CHIPS:
        board = {**BOARD, "flash": {**BOARD["flash"], "chip": chip, "offset": CHIPS[chip].program_at}}
        assert check_image(stand_in_image(tmp_path / chip, chip), board).version == (1, 28, 0)
        if chip != "esp32":
            with pytest.raises(WrongImage, match=rf"is for an {CHIPS[chip].name}, but ESP32_DEVKIT_LSM6DSOX has an ESP32. Nothing was"):
                check_image(stand_in_image(tmp_path / chip, chip), BOARD)


def cut(image: bytes) -> bytes:
    return image[:0x6000]


def app_only(image: bytes) -> bytes:
    return image[0x10000 - 0x1000 :]


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda image: b"", "does not begin with 0xE9"),
        (lambda image: b"PK" + image, "does not begin with 0xE9"),
        (lambda image: image[:20], "does not begin with 0xE9"),
        (lambda image: image[:12] + b"\x63\0" + image[14:], r"unknown chip \(id 99\)"),
        (cut, "no partition table"),
        (app_only, "no partition table"),
        (lambda image: image.replace(b"MicroPython v", b"CircuitPython"), "is not MicroPython"),
        (lambda image: image.replace(b"v1.28.0", b"v1.26.9"), "is MicroPython 1.26.9, and 1.27 or newer is needed"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, spoil: Any, part: str) -> None:
    path = tmp_path / "ESP32_GENERIC-20260101-v1.28.0.bin"
    path.write_bytes(spoil(stand_in(CHIPS["esp32"])))
    with pytest.raises(WrongImage, match=part) as refused:
        check_image(path, BOARD)
    assert str(refused.value).endswith("Nothing was erased.")


def test_the_newest_official_image_for_the_board_is_found_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(micropython_image, "user_downloads_path", lambda: tmp_path / "Downloads")
    with pytest.raises(NoMicroPython, match=r"ESP32_GENERIC-DATE-VERSION.bin .* from https://micropython.org/download/ESP32_GENERIC/"):
        newest_download(BOARD)
    (tmp_path / "Downloads").mkdir()
    for name in (
        "ESP32_GENERIC-20251209-v1.27.0.bin",
        "ESP32_GENERIC-20251209-v1.27.0 (1).app-bin",
        "ESP32_GENERIC-SPIRAM-20270101-v1.29.0.bin",
        "ESP32_GENERIC_S3-20270101-v1.29.0.bin",
        "ESP32_GENERIC-20270101-v1.29.0-preview.7.g0123456789.bin",
        "ESP32_GENERIC-20260901-v1.9.0.bin",
    ):
        (tmp_path / "Downloads" / name).write_bytes(b"")
        assert name == "ESP32_GENERIC-20251209-v1.27.0.bin" or newest_download(BOARD).name == "ESP32_GENERIC-20251209-v1.27.0.bin"


# What esptool prints


def run_esptool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, printed: str, status: int = 0) -> list[tuple[str, int, int]]:
    program = f"import sys; print({printed!r}); sys.exit({status})"
    monkeypatch.setattr(esptool, "COMMAND", (sys.executable, "-c", program))
    steps: list[tuple[str, int, int]] = []
    (tmp_path / "image.bin").write_bytes(bytes(1000))
    esptool.write_image("esp32", "/dev/ttyUSB0", 460800, 0x1000, tmp_path / "image.bin", lambda *step: steps.append(step))
    return steps


def test_progress_is_passed_on_and_only_a_verified_write_is_a_success(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good = "Connected to ESP32\nErasing flash memory\nWriting at 0x1000 === 27.1% 1/2kB\nHash of data verified."
    steps = run_esptool(monkeypatch, tmp_path, good)
    assert steps[1:] == [("erasing", 0, 0), ("writing MicroPython", 270, 1000)]
    with pytest.raises(FlashFailed, match="could not write MicroPython .* The chip is erased"):
        run_esptool(monkeypatch, tmp_path, good.replace("Hash of data verified.", "Done"))


@pytest.mark.parametrize(
    ("printed", "kind", "part"),
    [
        ("A fatal error occurred: This chip is ESP32-S3, not ESP32. Wrong chip argument?", WrongBoard, "is an ESP32-S3, but the board has"),
        ("A fatal error occurred: Failed to connect to ESP32: No serial data received.", FlashFailed, "Hold BOOT.*Nothing was erased"),
        ("Could not open /dev/ttyUSB0, the port is busy or doesn't exist.", PortBusy, "is in use"),
        ("Connected to ESP32\nErasing flash memory\nA fatal error occurred: MD5 of file does not match", FlashFailed, "The chip is erased"),
        ("", FlashFailed, "no output"),
    ],
)
def test_every_failure_of_esptool_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, printed: str, kind: type, part: str
) -> None:
    with pytest.raises(kind, match=part) as failed:
        run_esptool(monkeypatch, tmp_path, printed, 2)
    assert len(str(failed.value).splitlines()) == 1 and str(failed.value).endswith(".")


# What is on the board


def test_sessions_are_counted_in_both_layouts(tmp_path: Path) -> None:
    def count() -> Any:
        script = LOGS.replace('"/sessions"', repr(str(tmp_path / "sessions"))).replace('"/logs"', repr(str(tmp_path / "logs")))
        run = subprocess.run([sys.executable, "-m", "micropython_unix", "-c", script], capture_output=True, text=True, check=True)
        return json.loads(run.stdout)

    assert count() == 0
    (tmp_path / "sessions").mkdir()
    for name in ("00000001.rsl", "00000001.ok", "00000002.rsl"):
        (tmp_path / "sessions" / name).touch()
    assert count() == 1
    (tmp_path / "logs/00000000").mkdir(parents=True)
    (tmp_path / "logs/00000008").mkdir()
    for name in ("00000000/00000003.rsl", "00000000/00000004.rsc", "00000008/00000009.rsl", "notes.txt"):
        (tmp_path / "logs" / name).touch()
    assert count() == 3


@pytest.mark.parametrize(
    ("answers", "prompt", "found"),
    [
        (BlankChip("blank"), None, OnBoard("", 0, False)),
        (InRomLoader("in its loader"), None, OnBoard("", None, False)),
        (NoApp("silent"), 3, OnBoard("", 3, False)),
        (NoApp("silent"), NoRepl("silent"), OnBoard("", None, False)),
        (NoApp("silent"), "x", OnBoard("", None, False)),
    ],
)
def test_what_a_board_holds_is_asked_in_every_way_that_it_can_answer(
    monkeypatch: pytest.MonkeyPatch, answers: Exception, prompt: Any, found: OnBoard
) -> None:
    class Client:
        def __init__(self, line: Any) -> None:
            raise answers

    class Tool:
        def ask(self, script: str) -> Any:
            if isinstance(prompt, Exception):
                raise prompt
            return prompt

    monkeypatch.setattr(flash_module, "SerialPort", lambda port: None)
    monkeypatch.setattr(flash_module, "DeviceClient", Client)
    monkeypatch.setattr(flash_module, "stop_program", lambda port: Tool())
    assert flash_module.look("/dev/fake") == found


@pytest.mark.parametrize("unsynced", [1, None])
def test_unsynced_sessions_are_erased_only_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retrostep: Retrostep, unsynced: int | None
) -> None:
    written: list[str] = []

    class Flashed:
        device, port, copied = "RS-1", "/dev/fake", 5

    def flash(board: dict[str, Any], port: str, *others: Any) -> Flashed:
        written.append(port)
        return Flashed()

    monkeypatch.setattr(command_module, "look", lambda port: OnBoard("RS-1", unsynced, unsynced is not None))
    monkeypatch.setattr(command_module, "flash", flash)
    monkeypatch.setattr(command_module, "examined", lambda port, person: Report(port, "RS-1", [Check("port", "ok", "works")]))
    arguments = ("flash", "--board", "VIRTUAL", "--port", "/dev/fake", "--image", stand_in_image(tmp_path))
    refused = retrostep(*arguments)
    assert refused.status == 1 and written == [] and "add --erase" in one_sentence(refused)
    assert "`retrostep sync --port /dev/fake`" in refused.err
    assert retrostep(*arguments, "--erase").status == 0 and written == ["/dev/fake"]


@dataclass
class Shown:
    """A port as pyserial lists it."""

    device: str
    vid: int
    pid: int


class Asked:
    """A person at the keyboard who answers every question with yes, and one board whose sessions a sync takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, found: list[OnBoard]) -> None:
        self.questions: list[str] = []
        self.synced = self.written = False

        class Flashed:
            device, port, copied = "RS-1", "/dev/fake", 5

        def confirm(text: str, **how: Any) -> bool:
            self.questions.append(text)
            return True

        def sync(board: Any, store: Any) -> None:
            self.synced = True

        def flash(*arguments: Any) -> Flashed:
            self.written = True
            return Flashed()

        monkeypatch.setattr("retrostep.cli._ask.can_ask", lambda: True)
        for name, replaced in (
            ("can_ask", lambda: True),
            ("look", lambda port: found.pop(0)),
            ("sync_board", sync),
            ("flash", flash),
            ("SerialPort", lambda port: None),
            ("DeviceClient", lambda line: nullcontext()),
            ("examined", lambda port, person: Report(port, "RS-1", [Check("port", "ok", "works")])),
        ):
            monkeypatch.setattr(command_module, name, replaced)
        monkeypatch.setattr("click.confirm", confirm)
        monkeypatch.setattr("click.prompt", lambda text, **how: self.questions.append(text))


def test_a_person_is_offered_a_sync_first_and_asked_before_the_rest_is_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retrostep: Retrostep
) -> None:
    arguments = ("flash", "--board", "VIRTUAL", "--port", "/dev/fake", "--image", stand_in_image(tmp_path))
    asked = Asked(monkeypatch, [OnBoard("RS-1", 2, True), OnBoard("RS-1", 0, True)])
    assert retrostep(*arguments).status == 0 and asked.synced and asked.written
    assert asked.questions == ["2 sessions of RS-1 are not synced. Sync now?"]
    # One session stays on the board: it is still open.
    asked = Asked(monkeypatch, [OnBoard("RS-1", 2, True), OnBoard("RS-1", 1, True)])
    assert retrostep(*arguments).status == 0 and asked.synced and asked.written
    assert "1 session of RS-1 is not synced. Flashing erases everything on it. Erase it?" in asked.questions[1]
    # A chip that answers in no way is not synced.
    asked = Asked(monkeypatch, [OnBoard("", None, False)])
    assert retrostep(*arguments).status == 0 and not asked.synced and asked.written
    assert len(asked.questions) == 1 and "does not tell whether it holds sessions" in asked.questions[0]


def test_the_boot_button_is_explained_where_the_chip_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retrostep: Retrostep
) -> None:
    board = read_board("VIRTUAL")
    monkeypatch.setattr(command_module, "read_board", lambda name: {**board, "flash": {**board["flash"], "boot": "button"}})
    asked = Asked(monkeypatch, [OnBoard("", 0, False)])
    ran = retrostep("flash", "--board", "VIRTUAL", "--port", "/dev/fake", "--image", stand_in_image(tmp_path))
    assert ran.status == 0 and "Hold BOOT, press and release RESET, then release BOOT" in ran.err
    assert asked.questions == ["Press Enter when this is done"]


def test_a_chip_with_its_own_usb_is_found_where_micropython_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its loader and MicroPython are two USB devices: on Windows and macOS their ports have two names."""
    present = {"COM3": (0x10C4, 0xEA60), "COM5": (0x303A, 0x1001)}
    monkeypatch.setattr(ports.list_ports, "comports", lambda: [Shown(path, *usb) for path, usb in present.items()])
    before = ports.all_ports()
    assert ports.port_after_reset("COM5", "ADAFRUIT_QTPY_ESP32S3", before) == "COM5"
    del present["COM5"]
    assert ports.port_after_reset("COM5", "ADAFRUIT_QTPY_ESP32S3", before) == "COM5", "it is not back yet"
    present["COM6"] = (0x303A, 0x4001)
    assert ports.port_after_reset("COM5", "ADAFRUIT_QTPY_ESP32S3", before) == "COM6"
    present["COM7"] = (0x303A, 0x4001)
    assert ports.port_after_reset("COM5", "ADAFRUIT_QTPY_ESP32S3", before) == "COM5", "two boards were plugged in"


def test_a_chip_that_stays_in_its_loader_is_waited_for_while_somebody_presses_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    answers: list[Exception | None] = [NoRepl("silent"), InRomLoader("in its loader"), None]

    def reach(line: Any) -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    monkeypatch.setattr(flash_module, "SerialPort", lambda port: nullcontext())
    monkeypatch.setattr(flash_module, "reach_prompt", reach)
    monkeypatch.setattr(flash_module, "_TRY_AGAIN_S", 0)
    assert flash_module.wait_for_micropython(lambda: "COM6", 60, lambda what, done, total: told.append(what)) == "COM6"
    assert told == ["press the board's reset button, without BOOT"]
    answers[:] = [InRomLoader("The chip waits.")]
    with pytest.raises(FlashFailed, match="MicroPython was written, but does not start. The chip waits."):
        flash_module.wait_for_micropython(lambda: "COM6", 0)


@pytest.mark.skipif(shutil.which("make") is None or Path(sys.prefix) != ROOT / ".venv", reason="needs make and .venv")
def test_make_flash_without_a_known_board_lists_the_boards() -> None:
    for arguments in ([], ["BOARD=NO_SUCH"]):
        run = subprocess.run(["make", "flash", *arguments], cwd=ROOT, capture_output=True, text=True)
        assert run.returncode == 2 and all(name in run.stdout + run.stderr for name in board_names())
