"""What a board gets, byte for byte, and how it gets there; the scripts run on the real MicroPython, the flash is a folder."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_board import FakeBoard
from retrostep.device import boards as boards_module
from retrostep.device import bundle as bundle_module
from retrostep.device import deploy as deploy_module
from retrostep.device.boards import board_names, read_board
from retrostep.device.bundle import bundle, driver_sources
from retrostep.device.core import core_hash
from retrostep.device.deploy import check_chip, check_sensor, deploy
from retrostep.errors import DeployFailed, UnknownBoard, WrongBoard

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"


@pytest.mark.parametrize("board", board_names())
def test_a_board_of_sources_gets_our_files_byte_for_byte(board: str) -> None:
    files = dict(bundle(board, "source"))
    ours = {str(path.relative_to(FIRMWARE)): path.read_bytes() for path in FIRMWARE.rglob("*.py")}
    assert {path: data for path, data in files.items() if path.endswith(".py")} == ours
    assert files["board.json"] == (ROOT / "boards" / board / "board.json").read_bytes()
    assert {"main.py", "boot.py", "app.py", "hal/lsm6ds.py", "lib/retrostep_core/link/server.py"} <= set(files)
    assert not any(path.startswith("/") or ".." in path for path in files)


@pytest.mark.parametrize("board", board_names())
def test_a_board_of_bytecode_gets_what_main_reaches_and_the_fingerprint_of_the_cores_sources(board: str) -> None:
    files = dict(bundle(board, "compiled"))
    assert {path for path in files if path.endswith(".py")} == {"main.py", "boot.py"}
    lazy = {"gait/shank", "gait/waist", "gait/calibration", "log/recovery", "log/interrupted", "log/decoded"}
    assert {"app.mpy", "guide.mpy", *(f"lib/retrostep_core/{path}.mpy" for path in lazy)} <= set(files)
    assert not {"lib/retrostep_core/link/caller.mpy", "lib/retrostep_core/gait/engine.mpy", "hal/store.mpy"} & set(files)
    assert files["lib/retrostep_core/core.hash"] == core_hash()
    assert all(data[:2] == b"M\x06" and str(ROOT).encode() not in data for path, data in files.items() if path.endswith(".mpy"))
    # Byte 2 of bytecode names the chip whose machine code it holds (tools/mpy-tool.py): 0 none, 2 x64, 10 xtensawin, 11 rv32imc.
    chips = {"esp32": 10, "esp32s3": 10, "esp32c3": 11, "unix": 2}
    assert files["hal/__init__.mpy"][2] >> 2 == chips[read_board(board)["chip"]] and files["app.mpy"][2] >> 2 == 0


def test_the_boards_description_says_which_form_it_gets() -> None:
    assert bundle("VIRTUAL") == bundle("VIRTUAL", "source")
    assert bundle("ESP32_DEVKIT_LSM6DSOX") == bundle("ESP32_DEVKIT_LSM6DSOX", "compiled")


def test_every_chip_that_a_board_may_have_has_its_machine_code() -> None:
    schema = json.loads((ROOT / "boards/board.schema.json").read_bytes())
    assert set(schema["properties"]["chip"]["enum"]) == set(bundle_module.MACHINE_CODE)
    for march in bundle_module.MACHINE_CODE.values():
        assert bundle_module.compiled((FIRMWARE / "hal/fifo.py").read_bytes(), "hal/fifo.py", march)[:2] == b"M\x06"


def test_a_wheel_which_carries_the_core_beside_itself_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = bundle("VIRTUAL")
    shutil.copytree(FIRMWARE, tmp_path / "firmware", ignore=shutil.ignore_patterns("retrostep_core"))
    shutil.copytree(ROOT / "boards", tmp_path / "boards", ignore=shutil.ignore_patterns("*.py"))
    monkeypatch.setattr(boards_module, "carried", lambda: tmp_path)
    monkeypatch.setattr(bundle_module, "carried", lambda: tmp_path)
    assert bundle("VIRTUAL") == here


def test_the_driver_goes_as_bytecode_and_names_no_path_of_this_computer() -> None:
    files = {path: data for path, data in bundle("VIRTUAL") if path.endswith(".mpy")}
    assert sorted(files) == [
        "lib/adafruit_bus_device/__init__.mpy",
        "lib/adafruit_bus_device/i2c_device.mpy",
        "lib/adafruit_lsm6ds/__init__.mpy",
        "lib/adafruit_lsm6ds/lsm6dsox.mpy",
        "lib/adafruit_register/__init__.mpy",
        "lib/adafruit_register/i2c_bit.mpy",
        "lib/adafruit_register/i2c_bits.mpy",
        "lib/adafruit_register/i2c_struct.mpy",
    ]
    for path, data in files.items():
        assert data[:2] == b"M\x06", f"{path} is no bytecode of version 6"
        assert b"site-packages" not in data and str(ROOT).encode() not in data
    assert sum(map(len, files.values())) < 12_000


@pytest.mark.parametrize("model", ["LSM6DSOX", "LSM6DSO32", "ISM330DHCX", "LSM6DS3TR-C", "LSM6DS33"])
def test_each_sensor_gets_its_own_driver(model: str) -> None:
    drivers = [name for name in driver_sources(model) if name.startswith("adafruit_lsm6ds/") and "__init__" not in name]
    assert drivers == [f"adafruit_lsm6ds/{model.lower().replace('-', '')}"]


def test_no_driver_names_the_cure() -> None:
    with pytest.raises(DeployFailed, match="no driver for the sensor BMI270.*pip install"):
        driver_sources("BMI270")


def test_a_driver_that_does_not_compile_is_told() -> None:
    with pytest.raises(DeployFailed, match="mpy-cross cannot compile lib/bad.py .SyntaxError"):
        bundle_module.compiled(b"def (:\n", "lib/bad.py")


def test_an_unknown_board_is_told_before_anything_is_touched() -> None:
    with pytest.raises(UnknownBoard, match="Known boards"):
        deploy("NO_SUCH", "/dev/ttyNONE7")


@pytest.mark.parametrize(
    ("platform", "machine", "chip"),
    [
        ("esp32", "Generic ESP32 module with ESP32", "esp32"),
        ("esp32", "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", "esp32s3"),
        ("esp32", "ESP32C3 module with ESP32C3", "esp32c3"),
        ("linux", "linux [GCC 12] version", "unix"),
    ],
)
def test_another_chip_is_refused(platform: str, machine: str, chip: str) -> None:
    for board in map(read_board, board_names()):
        if board["chip"] == chip:
            check_chip(board, platform, machine, 6)
        else:
            with pytest.raises(WrongBoard, match=rf"but {board['name']} has .*nothing was copied"):
                check_chip(board, platform, machine, 6)


def test_another_microcontroller_and_an_old_micropython_are_refused() -> None:
    board = read_board("ESP32_DEVKIT_LSM6DSOX")
    with pytest.raises(WrongBoard, match="an RP2"):
        check_chip(board, "rp2", "Raspberry Pi Pico with RP2040", 6)
    with pytest.raises(DeployFailed, match="flash a newer MicroPython first"):
        check_chip(board, "esp32", "Generic ESP32 module with ESP32", 5)


def test_another_sensor_is_refused_and_a_silent_one_may_be_wired_later() -> None:
    board = read_board("ESP32_DEVKIT_LSM6DSOX")
    check_sensor(board, 0x6C)
    check_sensor(board, -1)
    with pytest.raises(WrongBoard, match="sensor of this board is LSM6DS3TR-C, but ESP32_DEVKIT_LSM6DSOX has LSM6DSOX: nothing was copied"):
        check_sensor(board, 0x6A)
    with pytest.raises(WrongBoard, match=r"unknown \(0x70\)"):
        check_sensor(board, 0x70)


class FolderTool:
    """In mpremote's place: the scripts run on MicroPython with a folder as the board's flash. `spoils` bends so many copies."""

    def __init__(self, flash: Path, spoils: int = 0) -> None:
        self.flash, self.spoils = flash, spoils
        self.copied: list[str] = []

    def ask(self, script: str) -> Any:
        run = subprocess.run(
            [sys.executable, "-m", "micropython_unix", "-c", script], cwd=self.flash, capture_output=True, text=True, check=True
        )
        return json.loads(run.stdout.splitlines()[-1])

    def copy(self, files: list[tuple[Path, str]], copied) -> None:  # type: ignore[no-untyped-def]
        for n, (here, there) in enumerate(files):
            copied(n)
            self.copied.append(there)
            data = here.read_bytes()
            if self.spoils and there == "hal/store.py":
                self.spoils -= 1
                data = data[:-1] + b"?"
            (self.flash / there).write_bytes(data)


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderTool:
    """A board whose flash is a folder, and which answers HELLO after its restart."""
    flash = tmp_path / "flash"
    fake = FakeBoard(flash)
    fake.soft_reset = lambda: None  # type: ignore[attr-defined]
    made = FolderTool(flash)
    monkeypatch.setattr(deploy_module, "Mpremote", lambda port: made)
    monkeypatch.setattr(deploy_module, "Line", lambda port: fake)
    return made


def on_flash(tool: FolderTool) -> dict[str, bytes]:
    return {str(path.relative_to(tool.flash)): path.read_bytes() for path in tool.flash.rglob("*") if path.is_file()}


def test_deploy_copies_what_differs_and_touches_no_session(tool: FolderTool) -> None:
    kept = {"sessions/00000007.rsl": b"a session", "settings.json": b"{}"}
    for path, data in kept.items():
        (tool.flash / path).write_bytes(data)
    before = on_flash(tool)
    told: list[tuple[str, int, int]] = []
    first = deploy("VIRTUAL", "/dev/fake", lambda *what: told.append(what))
    files = dict(bundle("VIRTUAL"))
    assert on_flash(tool) == before | files
    assert (first.copied, first.removed, first.unchanged) == (len(files), 0, 0)
    assert tool.copied[-1] == "main.py" and set(tool.copied[-3:]) == {"app.py", "boot.py", "main.py"}
    done = [step for step in told if step[2]]
    assert done == sorted(done, key=lambda step: step[1]) and done[-1][1] == sum(map(len, files.values()))

    tool.copied.clear()
    again = deploy("VIRTUAL", "/dev/fake")
    assert (again.copied, again.unchanged, tool.copied) == (0, len(files), [])

    (tool.flash / "hal/store.py").write_bytes(b"old")
    (tool.flash / "hal/gone.py").write_bytes(b"of an older version")
    (tool.flash / "lib/adafruit_lsm6ds/__init__.py").write_bytes(b"hides the bytecode")
    (tool.flash / "lib/mine.py").write_bytes(b"not ours")
    third = deploy("VIRTUAL", "/dev/fake")
    assert (third.copied, third.removed, tool.copied) == (1, 2, ["hal/store.py"])
    assert on_flash(tool) == before | files | {"lib/mine.py": b"not ours"}


def test_source_and_bytecode_replace_each_other(tool: FolderTool, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {
        "sessions/00000007.rsl": b"a session",
        "settings.json": b"{}",
        "state.bin": b"a state",
        "lib/mine.py": b"not ours",
        "mine.mpy": b"",
    }
    for path, data in kept.items():
        (tool.flash / path).parent.mkdir(exist_ok=True)
        (tool.flash / path).write_bytes(data)
    before = on_flash(tool)
    sources, bytecode = dict(bundle("VIRTUAL", "source")), dict(bundle("VIRTUAL", "compiled"))
    deploy("VIRTUAL", "/dev/fake")
    monkeypatch.setattr(deploy_module, "bundle", lambda board: list(bytecode.items()))
    # A .py that stayed would be imported before the .mpy.
    assert deploy("VIRTUAL", "/dev/fake").removed == len(set(sources) - set(bytecode))
    assert on_flash(tool) == before | bytecode
    monkeypatch.setattr(deploy_module, "bundle", lambda board: list(sources.items()))
    assert deploy("VIRTUAL", "/dev/fake").removed == len(set(bytecode) - set(sources))
    assert on_flash(tool) == before | sources


def test_a_core_that_is_half_copied_has_no_fingerprint(tool: FolderTool, monkeypatch: pytest.MonkeyPatch) -> None:
    bytecode, mark = dict(bundle("VIRTUAL", "compiled")), "lib/retrostep_core/core.hash"
    monkeypatch.setattr(deploy_module, "bundle", lambda board: list(bytecode.items()))
    deploy("VIRTUAL", "/dev/fake")
    bytecode["lib/retrostep_core/gait/__init__.mpy"] += b"new"
    tool.copied.clear()
    copy = tool.copy

    def cut(files: list[tuple[Path, str]], copied: Any) -> None:
        copy(files[:1], copied)
        raise DeployFailed("the cable was pulled")

    tool.copy = cut  # type: ignore[method-assign]
    with pytest.raises(DeployFailed, match="cable"):
        deploy("VIRTUAL", "/dev/fake")
    assert tool.copied == ["lib/retrostep_core/gait/__init__.mpy"] and mark not in on_flash(tool)
    tool.copy = copy  # type: ignore[method-assign]
    deploy("VIRTUAL", "/dev/fake")
    assert on_flash(tool)[mark] == core_hash()


def test_a_file_that_arrives_bent_is_copied_again_and_then_told(tool: FolderTool) -> None:
    tool.spoils = 1
    assert deploy("VIRTUAL", "/dev/fake").device
    assert tool.copied.count("hal/store.py") == 2
    (tool.flash / "hal/store.py").unlink()
    tool.spoils = 2
    with pytest.raises(DeployFailed, match="hal/store.py did not arrive whole, twice"):
        deploy("VIRTUAL", "/dev/fake")


def test_another_board_than_named_gets_nothing(tool: FolderTool) -> None:
    before = on_flash(tool)
    with pytest.raises(WrongBoard, match="The board at this port is MicroPython's unix port, but ESP32_DEVKIT_LSM6DSOX has an ESP32"):
        deploy("ESP32_DEVKIT_LSM6DSOX", "/dev/fake")
    assert on_flash(tool) == before


def test_a_board_that_starts_something_else_is_told(tool: FolderTool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy_module, "core_hash_of", lambda files: bytes(8))
    with pytest.raises(DeployFailed, match="started something else"):
        deploy("VIRTUAL", "/dev/fake")


def test_a_flash_without_room_is_told(tool: FolderTool) -> None:
    ask = tool.ask
    tool.ask = lambda script: [ask(script)[0], 9_000] if "statvfs" in script else ask(script)  # type: ignore[method-assign]
    with pytest.raises(DeployFailed, match=r"has 8 KB of flash free and needs \d+ KB: sync it"):
        deploy("VIRTUAL", "/dev/fake")
    assert tool.copied == []
