"""Heap of the running app, and what each of its modules adds: `heap.py [--board B] [--code source|compiled] [--modules] [--smallest]`.

The interpreter is MicroPython for WebAssembly, which has objects of the same size as an ESP32:

    npm install --prefix build/npm @micropython/micropython-webassembly-pyscript@1.27.0

It gets the files of a deploy, with bytecode from plain mpy-cross with line numbers. It starts the app as main.py does, for the second
time, so that the sensor's set-up is known. It lets it count the steps of a walking leg for 20 s, and measures the heap after a
collection, with the session open. The stand-ins for a board's own modules are not counted. Functions for @micropython.viper are compiled
to bytecode, because WebAssembly has no machine code.

`names` is the number of names that the program brings. MicroPython's table of them doubles, by 9 KB, when the 1261st is added. An ESP32 has
about 50 of them in its own firmware (Pin, I2C, ...), and does not have those of the stand-ins, so it is further from that.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from retrostep.deploy.firmware_files import MACHINE_CODE, compiled, firmware_files, our_sources

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = ROOT / "build/npm/node_modules/@micropython/micropython-webassembly-pyscript"

SETUP = """
import gc, sys
sys.path[:] = ["standins", "", ".frozen", "/lib"]
for name in ("os", "time", "select"):
    sys.modules.pop(name, None)
import ubinascii
sys.modules["binascii"] = ubinascii  # this interpreter has a larger one of its own, written in Python
import array, builtins, collections, gc, hashlib, io, json, machine, micropython, os, select, struct, time
sys.path.remove(".frozen")  # it has modules that a board does not have
file = builtins.open
def open(path, mode="r"):
    return os.LogFile() if path != "/sensor.bin" and ("w" in mode or "a" in mode) else file(path, mode)
builtins.open = open
"""
SENSOR_SETUP = """
with open("/sensor.bin", "rb") as file:
    print(json.dumps(list(file.read())))
"""
WALK = """
for n in range(100):
    time.now_ms += 10
    app.serve()
    if n % 11 == 0:
        app.sample()
    if n % 50 == 0:
        app.housekeep()
"""
COUNT = """
print(json.dumps([gc.mem_alloc() - first, app.session.open, app.faults.bits, app.engine.totals.forward_steps]))
micropython.qstr_info()
"""
# A host speaks: the link's server is loaded.
HOST = """
app.link._take(bytearray(b"~\\n"), 2)
"""
LIVE = """
builtins.open = file
sys.modules["os"] = __import__("files")
class Line:
    count = 0
    request = b""
    def room(self):
        return 1200
    def write(self, view):
        self.count += len(view)
        return len(view)
    def read_into(self, buf, most):
        request = self.request[:most]
        self.request = self.request[most:]
        buf[:len(request)] = request
        return len(request)
    def send_text(self):
        pass
line = Line()
def ask(text):
    text = b"01 " + text
    request = b"~%s*%08x\\n" % (text, ubinascii.crc32(text))
    before = line.count
    line.request = request
    for _ in range(2000):
        time.now_ms += 2
        app.serve()
        if not app.link.busy:
            break
    print(json.dumps([text.decode(), line.count - before]))
"""
# As main.py does, with a collection after each part. What one long script leaves on the interpreter's stack would be counted.
START = (
    "first = gc.mem_alloc()",
    "from app import App",
    "from hal.hardware import Hardware\nfrom hal import unload",
    "hardware = Hardware()",
    "app = App(hardware)\ndel hardware, Hardware",
    "unload('hardware board settings link_speeds identity source_hash', 'hal.')\nunload('core_hash gait.limit_ranges', 'retrostep_core.')",
    "app.start()",
)
CONNECT = "app.link._console = line"
# Free at the REPL of an official MicroPython 1.27 build.
ESP32_BYTES = 164464
# A host syncs while a session is open, watches, and starts a capture.
SYNC = (
    'b"HELLO"',
    'b"CLOCK 1795807955000"',
    'b"LIST 0"',
    'b"STATUS"',
    'b"WATCH 1"',
    'b"READ 1 0 %d" % app.store.size(1)',
    'b"CONFIRM 1 %d %d" % (app.store.size(1), ubinascii.crc32(file(app.store.path(1), "rb").read()))',
    'b"LIMITS"',
    'b"ERASE_CONFIRMED"',
    'b"CAPTURE 1 72756e"',
)
READ_OPEN = 'b"READ 2 %d 8000" % (app.store.size(2) - 8000)'
MODULES = """
paths = {name: getattr(sys.modules[name], "__file__", None) or "standins" for name in sys.modules}
print(json.dumps([name for name in paths if "standins" not in paths[name]]))
"""
ORDER = """
load = builtins.__import__
done = []
def load_and_note(*args):
    before = set(sys.modules)
    found = load(*args)
    done.extend([name for name in sys.modules if name in NAMES and name not in before and name not in done])
    return found
builtins.__import__ = load_and_note
import app
print(json.dumps(done))
"""
BEFORE = "first = gc.mem_alloc()"
AFTER = 'print(json.dumps(["%s", gc.mem_alloc() - first]))'


def prepare(folder: Path, board: str, code: str | None) -> None:
    """The files of a deploy, and the stand-ins, in `folder`."""
    files = firmware_files(board, code)
    for path, source in our_sources().items():
        if b"@micropython.viper\n" in source:
            source = source.replace(b"@micropython.viper\n", b"")
            bytecode = path.replace(".py", ".mpy")
            if bytecode in files:
                files[bytecode] = compiled(source, bytecode, MACHINE_CODE["esp32"])
            else:
                files[path] = source
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    shutil.copytree(HERE / "standins", folder / "standins")


def run(folder: Path, steps: list[str], heap_bytes: int = 16 << 20) -> tuple[list[Any], str]:
    """(what the scripts printed as JSON, one value a line; all other output)."""
    (folder / "steps.json").write_text(json.dumps(steps))
    ran = subprocess.run(["node", str(HERE / "heap.mjs"), str(PACKAGE), str(folder), str(heap_bytes)], capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"The app does not run on the 32-bit interpreter:\n{ran.stderr[-2000:]}")
    is_json = [line.startswith(("{", "[")) for line in ran.stdout.splitlines()]
    lines = list(zip(is_json, ran.stdout.splitlines(), strict=True))
    return [json.loads(line) for json_line, line in lines if json_line], "\n".join(line for json_line, line in lines if not json_line)


def keep_sensor_setup(folder: Path) -> None:
    """Start once, and keep what that start found out about the sensor for the next."""
    sensor_setup = run(folder, [SETUP, *START, SENSOR_SETUP])[0][-1]
    (folder / "sensor.bin").write_bytes(bytes(sensor_setup))


def heap(board: str, code: str | None) -> dict[str, Any]:
    """{"heap": bytes, "names": number, "modules": names, "with_host": bytes while a host speaks, ...} of the running app."""
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), board, code)
        keep_sensor_setup(Path(name))
        (*_, counted, modules, with_host), text = run(Path(name), [SETUP, *START, *[WALK] * 20, COUNT, MODULES, HOST, COUNT])
        facts = dict(zip(("heap", "open", "faults", "steps"), counted, strict=True))
        names, names_with_host = (int(part.split(",")[0]) for part in text.split("n_qstr=")[1:])
        return {**facts, "modules": modules, "names": names, "with_host": with_host[0], "names_with_host": names_with_host}


def smallest_heap(board: str, code: str | None) -> int:
    """The heap in bytes, beside what the stand-ins take, in which a start, two sessions, a sync and a capture fit; in steps of 2 KB.

    A heap that is too small grows here. An ESP32 raises MemoryError instead, but collects garbage at any time, and not once a second.
    """
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), board, code)
        keep_sensor_setup(Path(name))
        steps = [SETUP, LIVE, *START, CONNECT, *[WALK] * 20, "app.session.stop(time.now_ms, 2)", *[WALK] * 20]
        for request in SYNC:
            steps += [f"ask({request})", WALK]
        steps += [*[WALK] * 65, f"ask({READ_OPEN})", COUNT, "micropython.mem_info()"]
        before = run(Path(name), [SETUP, LIVE, "print(json.dumps([gc.mem_alloc()]))"])[0][0][0]
        free = ESP32_BYTES
        while True:
            # Beside each block of 16 bytes the collector keeps three bits.
            heap_bytes = (before + free) * 131 // 128
            (*answers, (_, is_open, faults, _)), text = run(Path(name), steps, heap_bytes)
            if len(answers) != len(SYNC) + 1 or min(size for _, size in answers) < 9 or not is_open or faults:
                raise SystemExit(f"The sync or the session failed: {answers}, faults {faults}.")
            if int(text.split("GC: total: ")[1].split(",")[0]) > heap_bytes:
                return free + 2048
            free -= 2048


def modules(board: str, code: str | None, names: list[str]) -> list[tuple[str, int]]:
    """What each of `names` adds to the heap when it is imported after all that it imports itself."""
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), board, code)
        inner_first = run(Path(name), [SETUP, ORDER.replace("NAMES", repr(names))])[0][-1]
        steps = [SETUP]
        for module in inner_first + [module for module in names if module not in inner_first]:
            steps += [BEFORE, f"import {module}", AFTER % module]
        return [(module, size) for module, size in run(Path(name), steps)[0]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--board", default="ESP32_DEVKIT_LSM6DSOX")
    parser.add_argument("--code", choices=("source", "compiled"), help="instead of what board.json says")
    parser.add_argument("--modules", action="store_true")
    parser.add_argument("--smallest", action="store_true", help="also the heap that sessions with a sync and a capture need at least")
    options = parser.parse_args()
    if not shutil.which("node") or not PACKAGE.is_dir():
        print("This needs node and the interpreter: npm install --prefix build/npm @micropython/micropython-webassembly-pyscript@1.27.0")
        return 1
    facts = heap(options.board, options.code)
    print(
        f"{facts['heap']} bytes, {facts['names']} names; "
        f"session open: {facts['open']}, steps: {facts['steps']}, faults: {facts['faults']}"
    )
    print(f"{facts['with_host']} bytes, {facts['names_with_host']} names while a host speaks")
    if options.smallest:
        needed = smallest_heap(options.board, options.code)
        print(f"{needed} bytes are enough for a start, two sessions, a sync and a capture; an ESP32 has {ESP32_BYTES}")
    if options.modules:
        for module, size in modules(options.board, options.code, facts["modules"]):
            print(f"{size:8} {module}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
