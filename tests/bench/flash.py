"""What the flash costs the real app: its start, LIST, the start of a session, the longest call of a task, and how long samples wait."""

import json
import tempfile
from pathlib import Path

from littlefs import LittleFS
from retrostep.deploy.firmware_files import firmware_files
from support.interpreter import micropython

from bench.parallel import run_parallel
from bench.tables import figure, section, table

BLOCK, BLOCKS = 4096, 512
BOARD = "ESP32_DEVKIT_LSM6DSOX"
# The FIFO of the sensor holds 2.46 s. A third of it is far from losing samples.
WAIT_MS = 820
LOGS_ON_BOARD = ("0", "50", "200")
WAYS = (("0", "logs"), ("50", "logs"), ("200", "logs"), ("200", "sessions"))
# LittleFS read and program size, look-ahead, logs in a folder (0: all in one), logs; then the worst create on an emulated ESP32.
ROWS = {
    ("32", "32", "32", "0", "100"): "8.0 s",
    ("128", "128", "64", "8", "200"): "0.18 s",
}


def run() -> None:
    """Two tables: the model against an emulated ESP32, and the app on the model."""
    section(
        "Time that the flash takes",
        "Charged for each read, program and erase as on an ESP32 (boards/VIRTUAL/runtime/model/flash_times.py); a computation takes none. "
        "An ESP32 takes about 3.7 s from power-on to the first sample for everything else.",
    )
    rows = [
        [" / ".join(row), f"{facts['create_ms'] / 1000:.2f} s", measured]
        for (row, measured), facts in zip(ROWS.items(), run_parallel(create, list(ROWS)), strict=True)
    ]
    table(
        "The model: worst create, without erases", ("read / program / look-ahead / logs a folder / logs", "model", "emulated ESP32"), rows
    )
    rows = []
    for (logs, layout), facts in zip(WAYS, run_parallel(turns, list(WAYS)), strict=True):
        longest = max(facts["walked"].values())
        later = max(max(facts[name].values()) for name in ("idle", "confirmed", "erased"))
        name = f"{logs} logs" if layout == "logs" else f"{logs} logs of older firmware"
        rows.append(
            [
                name,
                facts["start"],
                figure(facts["list"], 0, None, 2000),
                facts["create"],
                figure(longest, 0, None, 300),
                figure(later, 0, None, 300),
                figure(facts["lost"], 0, None, 0),
            ]
        )
    columns = ("ms", "start", "LIST", "create", "longest call, sessions", "longest call, idle and sync", "samples lost")
    table("The app, with 12 sessions, a sync and an erase", columns, rows)
    waits = run_parallel(sampling_waits, [(logs,) for logs in LOGS_ON_BOARD])
    longest_of = [facts["longest"] for facts in waits]
    rows = [[part, *(figure(longest[part][0], 0, None, WAIT_MS) for longest in longest_of)] for part in sorted(longest_of[0])]
    rows.append(["longest call of a task", *(max(max(calls[1:]) for calls in longest.values()) for longest in longest_of)])
    rows.append(["samples lost", *(figure(facts["lost_ms"], 0, None, 0) for facts in waits)])
    columns = ("ms", *(f"{logs} logs" for logs in LOGS_ON_BOARD))
    table("The longest time between two readings of the FIFO, with imports and computations (bench/sampling_waits_board.py)", columns, rows)


def sampling_waits(logs: str) -> dict:
    """The facts of `sampling_waits_board.py` for so many logs."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "flash.bin"
        # Bytecode whose machine code is that of this computer.
        image.write_bytes(deployed("VIRTUAL", "compiled"))
        return _facts("bench.sampling_waits_board", str(image), logs)


def turns(logs: str, layout: str) -> dict:
    """The facts of `flash_board.py` for so many logs."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "flash.bin"
        image.write_bytes(deployed())
        return _facts("bench.flash_board", str(image), logs, layout)


def create(*row: str) -> dict:
    """The worst create in a bare file system."""
    return _facts("bench.flash_rows", *row)


def deployed(board: str = BOARD, code: str | None = None) -> bytes:
    """A flash with the files of a deploy, as MicroPython mounts it; `code` as in firmware_files."""
    files = LittleFS(block_size=BLOCK, block_count=BLOCKS)
    for name, content in firmware_files(board, code).items():
        files.makedirs(name.rpartition("/")[0] or "/", exist_ok=True)
        with files.open(name, "wb") as file:
            file.write(content)
    return bytes(files.context.buffer)


def _facts(module: str, *arguments: str) -> dict:
    done = micropython(module, *arguments, heap="64m", timeout_s=300)
    # A program that -m runs ends with status 0 in any case.
    if done.stderr:
        raise RuntimeError(f"MicroPython ended: {done.stderr.strip()}")
    return dict(json.loads(done.stdout.splitlines()[-1]))
