"""Heap that the running app holds, and what each of its modules adds: `heap.py [--board B] [--code source|compiled] [--modules]`.

The interpreter is MicroPython for WebAssembly, whose objects are as large as an ESP32's:

    npm install --prefix build/npm @micropython/micropython-webassembly-pyscript@1.27.0

It gets the very files of a deploy, builds the app as main.py does, lets it count the steps of a walking leg for 20 s, and counts the heap
after a collection, with the session open; asyncio, which a board imports from its firmware, counts as well. Not counted are the stand-ins
for what a board has in its firmware. hal/fifo.py runs as bytecode, as there is no machine code for WebAssembly. A board's firmware knows
other names beforehand than this interpreter does: its figure may differ by a few KB, or by 9 where the table of names has to double.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from retrostep.device.bundle import bundle

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = ROOT / "build/npm/node_modules/@micropython/micropython-webassembly-pyscript"

BARE = "import gc, sys; bare = gc.mem_alloc()"
ASYNCIO = "import asyncio"
SETUP = """
asyncio_takes = gc.mem_alloc() - bare
sys.path[:] = ["/fw/standins", "/fw", "/fw/lib", ".frozen"]
for name in ("os", "time", "select"):
    sys.modules.pop(name, None)
import array, binascii, builtins, collections, gc, hashlib, io, json, machine, micropython, os, select, struct, time
kept = builtins.open
def opened(path, mode="r"):
    if "w" in mode or "a" in mode:
        return os.Sink()
    return kept(path if path.startswith("/fw") else "/fw" + path, mode)
builtins.open = opened
with kept("/fw/main.py") as file:
    main = file.read().replace("app.run()", "app.start()")
names = {}
"""
START = """
first = gc.mem_alloc()
exec(main, names)
app = names["app"]
"""
WALK = """
for turn in range(100):
    time.now_ms += 10
    app.attend()
    if turn % 11 == 0:
        app.sample()
    if turn % 50 == 0:
        app.keep_house()
"""
COUNT = """
facts = {"heap": gc.mem_alloc() - first + asyncio_takes, "open": app.session.open, "faults": app.faults}
facts["steps"] = app.engine.tally.forward_steps
facts["modules"] = [name for name in sys.modules if name.split(".")[0] in ("app", "hal", "retrostep_core")]
print(json.dumps(facts))
"""
ORDER = """
load = builtins.__import__
done = []
def noted(*how):
    known = set(sys.modules)
    found = load(*how)
    done.extend([name for name in sys.modules if name in NAMES and name not in known and name not in done])
    return found
builtins.__import__ = noted
import app
print(json.dumps(done))
"""
BEFORE = "first = gc.mem_alloc()"
AFTER = 'print(json.dumps(["%s", gc.mem_alloc() - first]))'


def prepare(folder: Path, board: str, code: str | None) -> None:
    """The files of a deploy, and the stand-ins, in `folder`."""
    fifo = (ROOT / "firmware/hal/fifo.py").read_bytes().replace(b"@micropython.viper\n", b"")
    for path, data in bundle(board, code, {"hal/fifo.py": fifo}):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    shutil.copytree(HERE / "standins", folder / "standins")


def run(folder: Path, steps: list[str]) -> list[Any]:
    """What the scripts printed as JSON, a line each."""
    (folder / "steps.json").write_text(json.dumps(steps))
    told = subprocess.run(["node", str(HERE / "heap.mjs"), str(PACKAGE), str(folder)], capture_output=True, text=True)
    if told.returncode:
        raise SystemExit(f"The app does not run on the 32-bit interpreter:\n{told.stderr[-2000:]}")
    return [json.loads(line) for line in told.stdout.splitlines() if line.startswith(("{", "["))]


def heap(board: str, code: str | None) -> dict[str, Any]:
    """{"heap": bytes, "modules": names, ...} of the running app."""
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), board, code)
        return dict(run(Path(name), [BARE, ASYNCIO, SETUP, START, *[WALK] * 20, COUNT])[-1])


def modules(board: str, code: str | None, names: list[str]) -> list[tuple[str, int]]:
    """What each of `names` adds to the heap when it is imported after all that it imports itself."""
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), board, code)
        inner_first = run(Path(name), [BARE, ASYNCIO, SETUP, ORDER.replace("NAMES", repr(names))])[-1]
        steps = [BARE, ASYNCIO, SETUP]
        for module in inner_first + [module for module in names if module not in inner_first]:
            steps += [BEFORE, f"import {module}", AFTER % module]
        return [(module, size) for module, size in run(Path(name), steps)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--board", default="ESP32_DEVKIT_LSM6DSOX")
    parser.add_argument("--code", choices=("source", "compiled"), help="instead of what board.json says")
    parser.add_argument("--modules", action="store_true")
    options = parser.parse_args()
    if not shutil.which("node") or not PACKAGE.is_dir():
        print("This needs node and the interpreter: npm install --prefix build/npm @micropython/micropython-webassembly-pyscript@1.27.0")
        return 1
    facts = heap(options.board, options.code)
    print(f"{facts['heap']} bytes; session open: {facts['open']}, steps: {facts['steps']}, faults: {facts['faults']}")
    if options.modules:
        for module, size in modules(options.board, options.code, facts["modules"]):
            print(f"{size:8} {module}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
