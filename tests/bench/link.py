"""Speed of the link: a board on a slow tty, beside mpremote on the same tty; and the memory of a sync on the board."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.device.serial_port import SerialPort
from retrostep.sync.sync import sync_board
from support.flash_files import log_path, new_flash, put_sessions
from support.virtual_board_process import VirtualBoard

from bench.hour import as_of, hour_log
from bench.inputs import BUILD
from bench.interpreters import board_code, can_run_32_bits, run_micropython, run_on_32_bits
from bench.tables import console, figure, section, table

# A UART bridge, and what generic firmware with USB of its own reaches.
LINES = (("uart", 115_200), ("usb", 1_000_000))
WEEK = 8
RUNS = 3
BAR_PERCENT, BAR_TIMES, BAR_HOUR_S, BAR_LOG_BYTES, BAR_MEMORY = 90.0, 4.0, 5.0, 40 * 1024, 8192
CHILD = Path(__file__).with_name("link_board.py")


def run() -> None:
    """Two tables: speed by line and way, memory by interpreter."""
    section(
        "The link",
        "One virtual board, one tty: an hour of running is read, synced (set the clock, list, read, archive with fsync, store, confirm), "
        f"and copied by mpremote. % of the line's bytes a second; medians of {RUNS}. Whole commands include the start of their process.",
    )
    hour = hour_log()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        device = new_flash(folder / "provisioned.bin")
        log = as_of(hour, device, 1)
        console.print("An hour of running, twelve minutes of it backward, is a log of", figure(len(log), 0, None, BAR_LOG_BYTES), "bytes.")
        for link, bps in LINES:
            _speed(folder, device, hour, link, bps)
    _memory(len(log))


def _speed(folder: Path, device: str, hour: bytes, link: str, bps: int) -> None:
    per_s = bps / 10
    log = as_of(hour, device, 1)
    bench = _Bench(folder, {1: log}, link, bps)
    read_s = bench.median(bench.read)
    hour_s = bench.median(bench.sync)
    command_s = bench.median(bench.sync_command)
    copied_s, copy_command_s = bench.mpremote()
    week = {n: as_of(hour, device, n) for n in range(1, WEEK + 1)}
    week_s = _Bench(folder, week, link, bps).sync()
    week_bytes = sum(map(len, week.values()))

    def row(what: str, size: int, seconds: float, bar: float | None, times: object = "", most_s: float | None = None) -> list[object]:
        return [what, figure(seconds, 2, None, most_s), f"{size / seconds / 1000:.1f}", figure(100 * size / seconds / per_s, 1, bar), times]

    rows = [
        row("READ alone", len(log), read_s, BAR_PERCENT),
        row("sync, one session", len(log), hour_s, BAR_PERCENT if bps <= 115_200 else None),
        row(f"sync, {WEEK} such sessions", week_bytes, week_s, BAR_PERCENT),
        row("mpremote fs cp, the transfer alone", len(log), copied_s, None, figure(copied_s / hour_s, 1, BAR_TIMES)),
        row("`retrostep sync`, the whole command", len(log), command_s, None, "", BAR_HOUR_S if bps <= 115_200 else None),
        row("`mpremote fs cp`, the whole command", len(log), copy_command_s, None, figure(copy_command_s / command_s, 1)),
    ]
    table(f"{bps // 10:,} bytes a second ({link})", ("", "s", "kB/s", "% of the line", "times as long"), rows, bold=[0, 1, 2])


class _Bench:
    """A board with logs on its flash; each run starts with a fresh copy."""

    def __init__(self, folder: Path, logs: dict[int, bytes], link: str, bps: int) -> None:
        self._folder, self._logs = folder, logs
        self._options = ("--link", link, "--bps", bps)
        self._born = folder / "logs.bin"
        shutil.copy(folder / "provisioned.bin", self._born)
        put_sessions(self._born, logs)

    def median(self, way: Callable[[], float]) -> float:
        return statistics.median(way() for _ in range(RUNS))

    def read(self) -> float:
        """Seconds of READ."""
        with self._plugged_in() as board, DeviceClient(SerialPort(board.port)) as talk:
            talk.hello(15)
            begun = time.monotonic()
            data = b"".join(talk.read(1, 0, len(self._logs[1])))
            took_s = time.monotonic() - begun
        assert data == self._logs[1]
        return took_s

    def sync(self) -> float:
        """Seconds of a sync with a board that is up."""
        with self._plugged_in() as board, self._home() as home, Store(f"sqlite:///{home}/store.sqlite") as store:
            with DeviceClient(SerialPort(board.port)) as talk:
                begun = time.monotonic()
                result = sync_board(talk, store)
                took_s = time.monotonic() - begun
            assert [session.confirmed for session in result.sessions] == [True] * len(self._logs)
        return took_s

    def sync_command(self) -> float:
        """Seconds of `retrostep sync`."""
        with self._plugged_in() as board, self._home() as home:
            environment = {**os.environ, "RETROSTEP_HOME": home}
            command = [sys.executable, "-m", "retrostep", "sync", "--port", board.port]
            begun = time.monotonic()
            subprocess.run(command, check=True, capture_output=True, env=environment)
            return time.monotonic() - begun

    def mpremote(self) -> tuple[float, float]:
        """Seconds that the log takes once mpremote is at the raw REPL, and of the whole command from a running app."""
        copy = ["fs", "cp", f":/{log_path(1)}", str(self._folder / "copied.rsl")]
        with self._plugged_in() as board:
            whole_s = self._mpremote(board, *copy)
            assert (self._folder / "copied.rsl").read_bytes() == self._logs[1]
            start_s = min(self._mpremote(board, "resume", "exec", "pass") for _ in range(RUNS))
            return self._mpremote(board, "resume", *copy) - start_s, whole_s

    def _mpremote(self, board: VirtualBoard, *arguments: str) -> float:
        begun = time.monotonic()
        subprocess.run([sys.executable, "-m", "mpremote", "connect", board.port, *arguments], check=True, capture_output=True)
        return time.monotonic() - begun

    def _plugged_in(self) -> "_Running":
        flash = self._folder / "running.bin"
        shutil.copy(self._born, flash)
        return _Running(VirtualBoard(*self._options, flash=flash))

    def _home(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(dir=self._folder)


class _Running:
    """A board whose app is up."""

    def __init__(self, board: VirtualBoard) -> None:
        self._board = board

    def __enter__(self) -> VirtualBoard:
        self._board.__enter__()
        with DeviceClient(SerialPort(self._board.port)) as talk:
            talk.hello(15)
        time.sleep(0.5)
        return self._board

    def __exit__(self, *raised: object) -> None:
        self._board.__exit__(*raised)  # type: ignore[arg-type]


def _memory(length: int) -> None:
    folder = BUILD / "link"
    board_code(folder)
    rows = []
    found = [("64 bits", run_micropython(CHILD, folder, length))]
    if can_run_32_bits():
        found.append(("32 bits, as an ESP32's", run_on_32_bits(CHILD, folder, "/input", length)))
    for name, facts in found:
        if facts:
            assert facts["confirmed"]
            whole = facts["held"] + facts["live"] + facts["most"]
            parts = [facts["held"], facts["live"], facts["most"]]
            rows.append([name, *parts, figure(whole, 0, None, BAR_MEMORY), f"{facts['code'] / 1024:.1f}"])
    columns = ("", "buffers, held always", "more while it lasts", "most before a collection", "bytes in all", "code, KB")
    table("Memory of a sync on the board", columns, rows, bold=[len(rows) - 1])
    console.print(
        "[dim]Of the link's server; a log that is read is an open file besides, 0.3 KB by LittleFS's source. Code: compiled on the spot "
        "from source; a board gets it as bytecode.[/dim]"
    )
