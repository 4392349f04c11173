"""Cost per sample on MicroPython: instructions, time, memory; the board's data path beside polling with Adafruit's driver."""

import shutil
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from retrostep.replay.imu import blocks
from retrostep_core.link import host_frames

from bench.inputs import BUILD, body, generated
from bench.interpreters import board_code, can_count_instructions, can_run_32_bits, instructions, run_micropython, run_on_32_bits
from bench.parallel import run_parallel
from bench.tables import console, figure, section, table

FOLDER = BUILD / "cost"
CHILD = Path(__file__).with_name("cost_board.py")
SAMPLES = 6000
# The difference of two run lengths is counted, so that the start of the program does not count.
SHORT, LONG = 480, 2880
# An ESP32 takes instructions x 2.2 / clock; the sensor gives 104 samples a second.
CYCLES, CLOCK_HZ, RATE_HZ = 2.2, 160e6, 104
WAYS = {
    "engine": "engine alone, blocks of 12",
    "log": "engine, session and log, blocks of 12",
    "pipeline": "as on a board: FIFO, engine, session, log",
    "poll": "Adafruit driver polled, engine",
}
LINE = Path(__file__).with_name("line_board.py")
# The app reads no more than this, whatever comes (_READ_BYTES_PER_MS in firmware/host_link.py).
READ_BYTES_PER_S = 6_000
# What a host may send, and the instructions that a byte of it may cost.
FLOODS = {"noise": (b"x", 1_250), "requests": (host_frames.request(5, "READ", 12, 4096, 4096), 2_300), "bad requests": (b"~\n", 3_300)}
DRIVER = ("adafruit_lsm6ds", "adafruit_register", "adafruit_bus_device")
BARS = {"engine": 16_000}


def run() -> None:
    """One table: the cost of each data path."""
    section(
        "Cost on MicroPython",
        "Instructions: x86-64, callgrind's difference of two run lengths of the unix port; within 16 % of an ESP32's. ESP32 %: of one core "
        "at 160 MHz at 104 samples a second (instructions x 2.2 / clock). The bus is a file of recorded samples.",
    )
    _prepare()
    counted = can_count_instructions()
    lengths = [(CHILD, way, n, FOLDER) for way in WAYS for n in (SHORT, LONG)] if counted else []
    found = {length[1:3]: count for length, count in zip(lengths, run_parallel(instructions, lengths), strict=True)}
    wasm = can_run_32_bits()
    rows: list[list[object]] = []
    apart: dict[str, float] = {}
    for way, title in WAYS.items():
        facts = run_micropython(CHILD, way, SAMPLES, FOLDER)
        narrow = run_on_32_bits(CHILD, FOLDER, way, 0, "/input") if wasm else {}
        each = (found[way, LONG] - found[way, SHORT]) / (LONG - SHORT) if counted else None
        if each is not None:
            apart[way] = each
        share = 100 * each * CYCLES * RATE_HZ / CLOCK_HZ if each else None
        rows.append(
            [
                title,
                figure(each, 0, None, BARS.get(way)),
                figure(share, 1, None, 5.0 if way == "pipeline" else None),
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
        _line()
    console.print(
        "[dim]Instructions, µs and B (bytes allocated) are per sample. KB: heap held by modules, compiled from source, and by objects. "
        "The few bytes of the board's data path are the log, which stays in memory here and goes to flash on a board.[/dim]"
    )


def _line() -> None:
    """A table: the cost of a byte from the host."""
    rows: list[list[object]] = []
    for kind, (text, bar) in FLOODS.items():
        (FOLDER / f"{kind.replace(' ', '_')}.bin").write_bytes(text * (40_000 // len(text)))
        short, long = (instructions(LINE, kind.replace(" ", "_"), n, FOLDER) for n in (5_120, 20_480))
        each = (long - short) / (20_480 - 5_120)
        rows.append([kind, figure(each, 0, None, bar), f"{100 * each * CYCLES * READ_BYTES_PER_S / CLOCK_HZ:.0f}"])
    table("A byte from the host, and a flood at the rate that the app reads", ("", "instructions", "ESP32 %"), rows)


def _prepare() -> None:
    """Write generated motion in three formats, and the code that reads them."""
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
