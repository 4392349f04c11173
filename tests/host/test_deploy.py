"""The files of a board, and how they are copied. The scripts run on the real MicroPython; the flash is a folder."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from retrostep.deploy import deploy as deploy_module
from retrostep.deploy import firmware_files as files_module
from retrostep.deploy.deploy import check_sensor, deploy
from retrostep.deploy.firmware_files import MACHINE_CODE, driver_sources, firmware_files, our_sources
from retrostep.deploy.micropython import check_micropython, read_micropython
from retrostep.device import boards as boards_module
from retrostep.device.boards import board_bytes, board_names, read_board, sensor_driver, sensors
from retrostep.device.core_version import core_hash
from retrostep.errors import DeployFailed, FlashFull, OldMicroPython, UnknownBoard, WrongBoard
from support.fake_board import FakeBoard

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"


@pytest.mark.parametrize("board", board_names())
def test_a_board_of_sources_gets_our_files_byte_for_byte(board: str) -> None:
    files = firmware_files(board, "source")
    ours = {path.relative_to(FIRMWARE).as_posix(): path.read_bytes() for path in FIRMWARE.rglob("*.py") if path.name != "manifest.py"}
    assert {path: data for path, data in files.items() if path.endswith(".py")} == ours
    assert files["board.json"] == board_bytes(read_board(board))
    assert {"main.py", "boot.py", "app.py", "hal/lsm6ds.py", "lib/retrostep_core/link/server.py"} <= set(files)
    assert not any(path.startswith("/") or ".." in path for path in files)


@pytest.mark.parametrize("board", ["ESP32_DEVKIT_LSM6DSOX", "SEEED_XIAO_ESP32C3", "VIRTUAL"])
def test_a_board_of_bytecode_gets_every_module_and_the_hash_of_the_cores_sources(board: str) -> None:
    files = firmware_files(board, "compiled")
    assert {path for path in files if path.endswith(".py")} == {"main.py", "boot.py"}
    assert {path.replace(".mpy", ".py") for path in files} >= set(our_sources())
    assert files["lib/retrostep_core/core.hash"] == core_hash()
    assert all(data[:2] == b"M\x06" and str(ROOT).encode() not in data for path, data in files.items() if path.endswith(".mpy"))
    # Byte 2 of bytecode names the chip of its machine code (tools/mpy-tool.py): 0 none, 2 x64, 10 xtensawin, 11 rv32imc.
    chips = {"esp32": 10, "esp32s3": 10, "esp32c3": 11, "unix": 2}
    assert files["hal/fifo.mpy"][2] >> 2 == chips[read_board(board)["chip"]] and files["app.mpy"][2] >> 2 == 0


def test_every_chip_has_its_machine_code() -> None:
    assert set(MACHINE_CODE) == set(boards_module.schema()["properties"]["chip"]["enum"])


def test_a_traceback_of_bytecode_names_the_file_and_the_line(tmp_path: Path, micropython: list[str]) -> None:
    for path, data in firmware_files("VIRTUAL", "compiled").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    program = "import sys; sys.path[:] = ['lib', '.frozen']; from retrostep_core.gait.units import parse_mount; parse_mount('+x+x+z')"
    run = subprocess.run([*micropython, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    [line] = re.findall(r'File "/lib/retrostep_core/gait/units.mpy", line (\d+), in parse_mount', run.stdout)
    source = (FIRMWARE / "lib/retrostep_core/gait/units.py").read_text().splitlines()
    assert "raise ValueError" in source[int(line) - 1]


class Manifest:
    """What MicroPython's tools/manifestfile.py does with a manifest: {path in the build: file}."""

    def __init__(self, file: Path) -> None:
        self.frozen: dict[str, Path] = {}
        self.included: list[str] = []
        self.folder = file.parent
        names = {"include": self.included.append, "module": self.module, "package": self.package}
        exec(compile(file.read_text(), str(file), "exec"), names)

    def module(self, path: str, base_path: str = ".") -> None:
        self.frozen[path] = self.folder / base_path / path

    def package(self, path: str, base_path: str = ".") -> None:
        base = self.folder / base_path
        self.frozen |= {file.relative_to(base).as_posix(): file for file in (base / path).rglob("*.py")}


def test_the_manifest_freezes_every_module_the_drivers_and_the_hash_of_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FIRMWARE, tmp_path / "firmware", ignore=shutil.ignore_patterns("__pycache__"))
    for model in sensors():
        for name, path in driver_sources(model).items():
            (tmp_path / "build/drivers" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / f"build/drivers/{name}.py")
    monkeypatch.chdir(tmp_path / "firmware")
    monkeypatch.setattr(sys, "path", list(sys.path))
    manifest = Manifest(tmp_path / "firmware/manifest.py")
    assert manifest.included == ["$(PORT_DIR)/boards/manifest.py"]
    sources = {path: file.read_bytes() for path, file in manifest.frozen.items()}
    assert {path.removeprefix("lib/"): data for path, data in our_sources().items()}.items() <= sources.items()
    assert {f"{name}.py" for model in sensors() for name in driver_sources(model)} <= set(sources)
    found: dict[str, Any] = {}
    exec(sources["frozen_core_hash.py"], found)
    assert found["CORE_HASH"] == core_hash()


def test_board_json_chooses_source_or_bytecode() -> None:
    assert firmware_files("VIRTUAL") == firmware_files("VIRTUAL", "source")
    assert firmware_files("ESP32_DEVKIT_LSM6DSOX") == firmware_files("ESP32_DEVKIT_LSM6DSOX", "compiled")


def test_mpy_cross_has_machine_code_for_every_chip() -> None:
    schema = json.loads((ROOT / "boards/board.schema.json").read_bytes())
    assert set(schema["properties"]["chip"]["enum"]) == set(files_module.MACHINE_CODE)
    for march in files_module.MACHINE_CODE.values():
        assert files_module.compiled((FIRMWARE / "hal/fifo.py").read_bytes(), "hal/fifo.mpy", march)[:2] == b"M\x06"


def test_an_installed_package_has_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = firmware_files("VIRTUAL")
    shutil.copytree(FIRMWARE, tmp_path / "firmware", ignore=shutil.ignore_patterns("retrostep_core"))
    shutil.copytree(ROOT / "boards", tmp_path / "boards", ignore=shutil.ignore_patterns("*.py"))
    monkeypatch.setattr(boards_module, "carried", lambda: tmp_path)
    monkeypatch.setattr(files_module, "carried", lambda: tmp_path)
    assert firmware_files("VIRTUAL") == here


def test_the_driver_is_bytecode_without_a_path_of_this_computer() -> None:
    files = {path: data for path, data in firmware_files("VIRTUAL").items() if path.endswith(".mpy")}
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


@pytest.mark.parametrize("model", sensors())
def test_each_supported_sensor_gets_its_own_driver(model: str) -> None:
    drivers = [name for name in driver_sources(model) if name.startswith("adafruit_lsm6ds/") and "__init__" not in name]
    assert drivers == [f"adafruit_lsm6ds/{sensor_driver(model).lower()}"]


def test_a_sensor_without_a_driver_is_reported() -> None:
    with pytest.raises(DeployFailed, match="no driver for the sensor BMI270"):
        driver_sources("BMI270")


def test_a_driver_that_does_not_compile_is_reported() -> None:
    with pytest.raises(DeployFailed, match="mpy-cross cannot compile /lib/bad.mpy: SyntaxError"):
        files_module.compiled(b"def (:\n", "lib/bad.mpy", "x64")


def test_an_unknown_board_is_reported_before_the_port_is_opened() -> None:
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
    found = read_micropython([platform, machine, [1, 27, 0], 0])
    assert found.chip == chip
    for board in map(read_board, board_names()):
        if board["chip"] == chip:
            check_micropython(board, {}, found)
        else:
            with pytest.raises(WrongBoard, match=rf"but {board['name']} has .*Nothing was copied"):
                check_micropython(board, {}, found)


ESP32 = "Generic ESP32 module with ESP32"
# sys.implementation._mpy of an ESP32: version 6, sub-version 3, architecture 10 (xtensawin).
MPY_6_3 = 6 | 3 << 8 | 10 << 10


def test_a_micropython_that_cannot_run_the_files_is_refused_before_anything_is_copied() -> None:
    board = read_board("ESP32_DEVKIT_LSM6DSOX")
    files = firmware_files(board["name"], "compiled")
    check_micropython(board, files, read_micropython(["esp32", ESP32, [1, 27, 0], MPY_6_3]))
    check_micropython(board, files, read_micropython(["esp32", ESP32, [2, 0, 0], MPY_6_3]))
    with pytest.raises(WrongBoard, match="an RP2"):
        check_micropython(board, files, read_micropython(["rp2", "Raspberry Pi Pico with RP2040", [1, 27, 0], MPY_6_3]))
    for version, mpy, message in (
        ([1, 26, 1], MPY_6_3, "version 1.26.1, and 1.27 or newer is needed"),
        ([1, 27, 0], MPY_6_3 + 1, "loads .mpy files of version 7, and .* has version 6"),
        ([1, 27, 0], MPY_6_3 - 256, "loads native code of .mpy version 6.2, and hal/.* has 6.3"),
        ([1, 27, 0], 6 | 3 << 8 | 7 << 10, "or for another architecture than hal/"),
        ([1, 27, 0], 6 | 3 << 8, "loads no native code for esp32"),
    ):
        with pytest.raises(OldMicroPython, match=message) as refused:
            check_micropython(board, files, read_micropython(["esp32", ESP32, version, mpy]))
        assert str(refused.value).endswith("Nothing was copied.") and refused.value.facts == {"board": board["name"]}
    # Bytecode does not depend on the sub-version.
    bytecode = {"app.mpy": files["app.mpy"], "main.py": b"M\x05"}
    check_micropython(board, bytecode, read_micropython(["esp32", ESP32, [1, 27, 0], MPY_6_3 - 256]))


def test_a_wrong_sensor_is_refused_and_a_missing_one_is_not() -> None:
    board = read_board("ESP32_DEVKIT_LSM6DSOX")
    check_sensor(board, 0x6C)
    check_sensor(board, -1)
    with pytest.raises(WrongBoard, match="sensor of this board is LSM6DS3TR-C, but ESP32_DEVKIT_LSM6DSOX has LSM6DSOX. Nothing was copied"):
        check_sensor(board, 0x6A)
    with pytest.raises(WrongBoard, match=r"unknown \(WHO_AM_I is 0x70\)"):
        check_sensor(board, 0x70)


class FolderTool:
    """In place of mpremote. Scripts run on MicroPython with a folder as the flash. The first `spoils` copies of store.py are damaged."""

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
    """A board with a folder as its flash. It answers HELLO after a restart."""
    flash = tmp_path / "flash"
    fake = FakeBoard(flash)
    fake.soft_reset = lambda: None  # type: ignore[attr-defined]
    made = FolderTool(flash)
    monkeypatch.setattr(deploy_module, "stop_program", lambda port: made)
    monkeypatch.setattr(deploy_module, "SerialPort", lambda port: fake)
    return made


def on_flash(tool: FolderTool) -> dict[str, bytes]:
    return {str(path.relative_to(tool.flash)): path.read_bytes() for path in tool.flash.rglob("*") if path.is_file()}


def test_deploy_copies_what_differs_and_touches_no_session(tool: FolderTool) -> None:
    kept = {"logs/00000000/00000007.rsl": b"a session", "settings.json": b"{}"}
    (tool.flash / "logs/00000000").mkdir(exist_ok=True)
    for path, data in kept.items():
        (tool.flash / path).write_bytes(data)
    before = on_flash(tool)
    steps: list[tuple[str, int, int]] = []
    first = deploy("VIRTUAL", "/dev/fake", lambda *step: steps.append(step))
    files = firmware_files("VIRTUAL")
    assert on_flash(tool) == before | files
    assert (first.copied, first.removed, first.unchanged) == (len(files), 0, 0)
    assert tool.copied[-1] == "main.py" and set(tool.copied[-3:]) == {"app.py", "boot.py", "main.py"}
    done = [step for step in steps if step[2]]
    assert done == sorted(done, key=lambda step: step[1]) and done[-1][1] == sum(map(len, files.values()))

    tool.copied.clear()
    (tool.flash / "sensor.bin").write_bytes(b"what the board has kept of its sensor's set-up")
    again = deploy("VIRTUAL", "/dev/fake")
    assert (again.copied, again.removed, again.unchanged, tool.copied) == (0, 0, len(files), [])

    (tool.flash / "hal/store.py").write_bytes(b"old")
    (tool.flash / "hal/gone.py").write_bytes(b"of an older version")
    (tool.flash / "lib/adafruit_lsm6ds/__init__.py").write_bytes(b"hides the bytecode")
    (tool.flash / "lib/mine.py").write_bytes(b"not ours")
    third = deploy("VIRTUAL", "/dev/fake")
    assert (third.copied, third.removed, tool.copied) == (1, 3, ["hal/store.py"]), "another program sets the sensor up itself"
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
    sources, bytecode = firmware_files("VIRTUAL", "source"), firmware_files("VIRTUAL", "compiled")
    deploy("VIRTUAL", "/dev/fake")
    monkeypatch.setattr(deploy_module, "firmware_files", lambda board: bytecode)
    # A .py that stays would be imported before the .mpy.
    assert deploy("VIRTUAL", "/dev/fake").removed == len(set(sources) - set(bytecode))
    assert on_flash(tool) == before | bytecode
    monkeypatch.setattr(deploy_module, "firmware_files", lambda board: sources)
    assert deploy("VIRTUAL", "/dev/fake").removed == len(set(bytecode) - set(sources))
    assert on_flash(tool) == before | sources


def test_a_half_copied_core_has_no_hash(tool: FolderTool, monkeypatch: pytest.MonkeyPatch) -> None:
    bytecode, mark = firmware_files("VIRTUAL", "compiled"), "lib/retrostep_core/core.hash"
    monkeypatch.setattr(deploy_module, "firmware_files", lambda board: bytecode)
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


def test_a_file_damaged_in_transfer_is_copied_again_and_then_reported(tool: FolderTool) -> None:
    tool.spoils = 1
    assert deploy("VIRTUAL", "/dev/fake").device
    assert tool.copied.count("hal/store.py") == 2
    (tool.flash / "hal/store.py").unlink()
    tool.spoils = 2
    with pytest.raises(DeployFailed, match="hal/store.py was damaged in transfer, twice"):
        deploy("VIRTUAL", "/dev/fake")


def test_a_wrong_board_gets_nothing(tool: FolderTool) -> None:
    before = on_flash(tool)
    with pytest.raises(WrongBoard, match="The board at this port is MicroPython's unix port, but ESP32_DEVKIT_LSM6DSOX has an ESP32"):
        deploy("ESP32_DEVKIT_LSM6DSOX", "/dev/fake")
    assert on_flash(tool) == before


def test_a_board_that_starts_another_program_is_reported(tool: FolderTool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy_module, "core_hash", lambda: bytes(8))
    with pytest.raises(DeployFailed, match="not the program that was copied"):
        deploy("VIRTUAL", "/dev/fake")


def test_a_flash_without_space_is_reported(tool: FolderTool) -> None:
    ask = tool.ask
    tool.ask = lambda script: [ask(script)[0], 9_000] if "statvfs" in script else ask(script)  # type: ignore[method-assign]
    with pytest.raises(FlashFull, match=r"has 8 KB of free flash, but \d+ KB are needed"):
        deploy("VIRTUAL", "/dev/fake")
    assert tool.copied == []
