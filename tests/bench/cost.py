"""What a sample costs on MicroPython: instructions, time, memory; the board's road beside an engine that polls Adafruit's driver."""

import shutil
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from inputs import BUILD, body, generated
from interpreters import board_code, counts_instructions, instructions, runs_32_bits, told, told_on_32_bits
from retrostep.replay.imu import blocks
from show import console, figure, section, table
from work import spread

FOLDER = BUILD / "cost"
CHILD = Path(__file__).with_name("cost_child.py")
SAMPLES = 6000
# Two lengths whose difference is counted; the shorter one holds all that happens once.
SHORT, LONG = 480, 2880
# An ESP32 takes instructions x 2.2 / clock; the sensor gives 104 samples a second.
CYCLES, CLOCK_HZ, RATE_HZ = 2.2, 160e6, 104
WAYS = {
    "engine": "engine alone, blocks of 12",
    "log": "engine, session and log, blocks of 12",
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
    counted = counts_instructions()
    lengths = [(CHILD, way, n, FOLDER) for way in WAYS for n in (SHORT, LONG)] if counted else []
    found = {length[1:3]: count for length, count in zip(lengths, spread(instructions, lengths), strict=True)}
    wasm = runs_32_bits()
    rows: list[list[object]] = []
    apart: dict[str, float] = {}
    for way, title in WAYS.items():
        facts = told(CHILD, way, SAMPLES, FOLDER)
        narrow = told_on_32_bits(CHILD, FOLDER, way, 0, "/input") if wasm else {}
        each = (found[way, LONG] - found[way, SHORT]) / (LONG - SHORT) if counted else None
        if each is not None:
            apart[way] = each
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
    if counted:
        logging = apart["log"] - apart["engine"]
        share = 100 * logging * CYCLES * RATE_HZ / CLOCK_HZ
        console.print(f"The log's part: {logging:.0f} instructions a sample, {share:.2f} % of an ESP32 core; bytes are the log's own.")
    console.print(
        "[dim]Instructions, µs and B (bytes allocated): a sample. KB: heap held by modules, compiled on the spot, and by objects; what "
        "allocates nothing has no higher peak. The road's few bytes are the log, which memory keeps here and a board writes to flash.[/dim]"
    )


def _prepare() -> None:
    """Some ten thousand samples of generated motion in three shapes, and the code that reads them."""
    lib = board_code(FOLDER)
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
    for name in DRIVER:
        spec = find_spec(name)
        assert spec is not None and spec.submodule_search_locations is not None
        shutil.copytree(spec.submodule_search_locations[0], lib / name, ignore=shutil.ignore_patterns("__pycache__"))
