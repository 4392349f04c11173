"""Earlier sessions for a virtual board, recorded in seconds and not synced yet.

The firmware's app runs here on CPython, with generated motion and a clock that is set instead of waited for. It writes the logs that a
board would write, with boot numbers, clock records and marks. They are then copied to the flash image. All motion is synthetic.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from flash_image import BLOCK, BLOCKS, SIZE, FlashImage
from littlefs import LittleFS
from motion import Person, Segment, Wear, generate
from retrostep.device.boards import read_board
from retrostep.device.core_version import core_hash
from retrostep.replay.imu import Block, blocks
from retrostep.replay.recording import ImuRecording

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "firmware"))

from app import App
from hal.board import Board
from hal.clock import Clock
from hal.identity import identity
from hal.power import Power
from hal.store import LogStore
from retrostep_core import codes

SWITCHED_ON_MS = 20_000
"""The board is on this long before the leg moves; its clock is set after half of it."""
GRAVITY_MG = 1000


@dataclass(frozen=True)
class Training:
    """One earlier session: its time, and the names of its parts. A part starts and ends standing still, and may be used again."""

    at: datetime
    parts: tuple[str, ...]


class _SetTicks:
    """A tick counter that is set by hand."""

    def __init__(self) -> None:
        self.ms = 0

    def ticks_ms(self) -> int:
        return self.ms

    @staticmethod
    def ticks_diff(later: int, earlier: int) -> int:
        return later - earlier


class _Sensor:
    """Stands in for hal/lsm6ds.py: returns each offered block once."""

    overrun = False
    rate_changed = False

    def __init__(self) -> None:
        self._next: Block | None = None
        self.block: array[int] = array("h")
        self.impact = [0, 0, 0, 0]
        self.t0_ms = 0
        self.period_us = 0

    def start(self) -> None:
        """Nothing to start."""

    def check_fifo(self) -> None:
        """Nothing to check: `offer` sets the next block."""

    def offer(self, block: Block, t0_ms: int) -> None:
        self._next = block
        self.t0_ms = t0_ms
        self.period_us = block.period_us

    def read_block(self) -> int:
        block, self._next = self._next, None
        if block is None:
            return 0
        self.block = block.samples
        self.impact[:] = _impact(block)
        return block.n

    def take_peak_mg(self) -> int:
        axes = self.block
        return max((int((axes[k] ** 2 + axes[k + 1] ** 2 + axes[k + 2] ** 2) ** 0.5) for k in range(0, len(axes), 6)), default=0)


def _impact(block: Block) -> tuple[int, int, int, int]:
    """Peak along the shank in mg, resultant in mg * mg, rise in mg a sample and 1 if clipped, as hal/fifo.py measures them."""
    axes = block.samples
    along = [axes[k + 2] for k in range(0, 6 * block.n, 6)]
    across = [axes[k] ** 2 + axes[k + 1] ** 2 for k in range(0, 6 * block.n, 6)]
    peak = max(0, max(along) - GRAVITY_MG)
    resultant = max(a + (z - GRAVITY_MG) ** 2 for a, z in zip(across, along, strict=True))
    rise = max((later - sooner for sooner, later in pairwise(along)), default=0)
    return peak, resultant, max(0, rise), 0


class _Silent:
    """Stands in for the console and the feedback, and does nothing."""

    def queue_text(self, text: str) -> None: ...

    def play(self, pattern: object, now_ms: int, times: int = 1) -> None: ...

    def off(self) -> None: ...

    def send_text(self) -> None: ...


class _Battery:
    millivolt = 3950
    percent = 72
    is_empty = False
    failed = False
    is_empty = False

    def measure(self) -> None: ...


class _Watchdog:
    resets = 0

    def run(self) -> None: ...

    def rest(self) -> None: ...

    def feed(self, now_ms: int) -> None: ...


class _Hardware:
    """Stands in for hal/hardware.py."""

    def __init__(self, root: Path, unique_id: bytes, ticks: _SetTicks) -> None:
        self.board = Board(read_board("VIRTUAL"), {})
        self.store = LogStore(str(root))
        self.clock = Clock(ticks.ticks_ms, ticks.ticks_diff, self.store.boot)
        self.identity = identity(unique_id, self.board.name, core_hash())
        self.console = self.feedback = _Silent()
        self.battery = _Battery()
        self.button = None
        self.watchdog = _Watchdog()
        self.imu = _Sensor()
        self.ble = None
        self.power = Power(self._wait, None, "usb")

    def _wait(self, ms: int) -> None:
        raise OSError("time passes with the motion, not by sleeping")

    def save_limits(self, limits: object) -> None:
        raise OSError("limits do not change in an earlier session")

    def save_mount(self, mount: str) -> None:
        raise OSError("the mount does not change in an earlier session")


def sensed(plan: Sequence[Segment], seed: int, person: Person, side: str) -> list[Block]:
    """Generate a plan's motion and return what the board's sensor would measure: blocks in body axes, in its units."""
    made = generate(plan, seed, Wear(side=side), person=person)
    recording = ImuRecording("generated", mount=made.wear.mount)
    recording.t_s = array("d", [i / made.rate_hz for i in range(len(made.samples))])
    recording.values = [array("d", [s[k] for s in made.samples]) for k in range(6)]
    return list(blocks(recording))


def train(root: Path, unique_id: bytes, training: Training, motion: Iterable[Block]) -> None:
    """Record one session under `root`: switch on, move, mark the stretch, stop by the button."""
    # The app collects garbage every 10 s of its time. Objects of this process from before need not be searched each time.
    gc.freeze()
    ticks = _SetTicks()
    hardware = _Hardware(root, unique_id, ticks)
    app = App(hardware)
    app.start()
    ticks.ms = SWITCHED_ON_MS // 2
    hardware.clock.set_epoch_ms(round(training.at.timestamp() * 1000) - ticks.ms, codes.CLOCK_FROM_HOST)
    ticks.ms = now_ms = SWITCHED_ON_MS
    for block in motion:
        # Parts follow each other without a gap, whatever their own time stamps are.
        hardware.imu.offer(block, now_ms)
        now_ms += block.n * block.period_us // 1000
        ticks.ms = now_ms
        app.sample()
        app.housekeep()
    app.session.mark(now_ms, codes.MARK_STRETCH)
    app.session.stop(now_ms, codes.END_BUTTON)
    app.stop()


def write_history(image: FlashImage, trainings: Sequence[Training], parts: dict[str, list[Block]]) -> int:
    """Record the trainings on the board's flash, oldest first; returns the number of sessions."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for training in sorted(trainings, key=lambda t: t.at):
            train(root, image.id, training, (block for name in training.parts for block in parts[name]))
        files = {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    flash = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
    with open(image.path, "r+b") as file:
        flash.context.buffer = bytearray(file.read(SIZE))
        flash.mount()
        for name, content in files.items():
            flash.makedirs(name.rpartition("/")[0] or "/", exist_ok=True)
            with flash.open(name, "wb") as onto:
                onto.write(content)
        file.seek(0)
        file.write(flash.context.buffer)
    return sum(1 for name, content in files.items() if name.endswith(".rsl") and content)
