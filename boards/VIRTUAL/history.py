"""A past for a virtual board: sessions of earlier weeks in its flash, not synced yet.

The firmware's own app runs here on CPython, over generated motion and a clock that is told the time instead of waiting for it, and
leaves the logs that a board would have left: boot numbers, clock facts, marks and all. They then move onto the flash image.
Everything of it is synthetic.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flash_image import BLOCK, BLOCKS, SIZE, FlashImage
from littlefs import LittleFS
from motion import Person, Segment, Wear, generate
from retrostep.device.boards import read_board
from retrostep.device.core import core_hash
from retrostep.replay.imu import Block, blocks
from retrostep.replay.recording import Recording

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "firmware"))

from app import App
from hal.board import Board
from hal.clock import Clock
from hal.identity import Identity
from hal.store import Store
from retrostep_core.log import records

SWITCHED_ON_MS = 20_000
"""Before the leg moves the board has been on for so long, and its clock was set half way through."""


@dataclass(frozen=True)
class Training:
    """One session of the past: when it was, and what was done, in parts that may be used again (they begin and end in standing)."""

    at: datetime
    parts: tuple[str, ...]


class _Told:
    """A clock's counter that stands where it was put."""

    def __init__(self) -> None:
        self.ms = 0

    def ticks_ms(self) -> int:
        return self.ms

    @staticmethod
    def ticks_diff(later: int, earlier: int) -> int:
        return later - earlier


class _Sensor:
    """The sensor of hal/lsm6ds.py as the app sees it: the next block, once."""

    overrun = False
    renewed = False

    def __init__(self) -> None:
        self._next: Block | None = None
        self.block: array[int] = array("h")
        self.t0_ms = 0
        self.period_us = 0

    def start(self) -> None:
        """It samples from the beginning."""

    def look(self) -> None:
        """What there is was put here by `offer`."""

    def offer(self, block: Block, t0_ms: int) -> None:
        self._next = block
        self.t0_ms = t0_ms
        self.period_us = block.period_us

    def read(self) -> int:
        block, self._next = self._next, None
        if block is None:
            return 0
        self.block = block.samples
        return block.n

    def peak_mg(self) -> int:
        axes = self.block
        return max((int((axes[k] ** 2 + axes[k + 1] ** 2 + axes[k + 2] ** 2) ** 0.5) for k in range(0, len(axes), 6)), default=0)


class _Silent:
    """Console and signal that nobody hears or feels."""

    def say(self, text: str) -> None: ...

    def play(self, pattern: object, now_ms: int, times: int = 1) -> None: ...

    def off(self) -> None: ...

    def speak(self) -> None: ...


class _Battery:
    millivolt = 3950
    percent = 72

    def measure(self) -> None: ...


class _Hardware:
    """What hal/wiring.py makes on a board, without the board."""

    def __init__(self, root: Path, unique_id: bytes, told: _Told) -> None:
        self.board = Board(read_board("VIRTUAL"), {})
        self.store = Store(str(root))
        self.clock = Clock(told.ticks_ms, told.ticks_diff, self.store.boot)
        self.identity = Identity(unique_id, self.board.name, core_hash())
        self.console = self.signal = _Silent()
        self.battery = _Battery()
        self.button = None
        self.imu = _Sensor()

    def save_limits(self, limits: object) -> None:
        raise OSError("limits are not changed in the past")

    def save_mount(self, mount: str) -> None:
        raise OSError("the mount is not changed in the past")


def felt(plan: Sequence[Segment], seed: int, person: Person, side: str) -> list[Block]:
    """What the board's sensor makes of a generated plan: blocks in body axes, quantised."""
    made = generate(plan, seed, Wear(side=side), person=person)
    recording = Recording("generated", mount=made.wear.mount)
    recording.t_s = array("d", [i / made.rate_hz for i in range(len(made.samples))])
    recording.values = [array("d", [s[k] for s in made.samples]) for k in range(6)]
    return list(blocks(recording))


def train(root: Path, unique_id: bytes, training: Training, motion: Iterable[Block]) -> None:
    """Live one training through, from switching the board on to the button (stretched, and done); its log is then under `root`."""
    # The app collects garbage every 10 s of its time, as a board must; what this process held before need not be searched again.
    gc.freeze()
    told = _Told()
    hardware = _Hardware(root, unique_id, told)
    app = App(hardware)
    app.start()
    told.ms = SWITCHED_ON_MS // 2
    hardware.clock.set_epoch_ms(round(training.at.timestamp() * 1000) - told.ms, records.FROM_HOST)
    told.ms = now_ms = SWITCHED_ON_MS
    for block in motion:
        # Parts that follow each other lie end to end in time, whatever their own time stamps say.
        hardware.imu.offer(block, now_ms)
        now_ms += block.n * block.period_us // 1000
        told.ms = now_ms
        app.sample()
        app.keep_house()
    app.session.mark(now_ms, records.MARK_STRETCH)
    app.session.stop(now_ms, records.BY_BUTTON)
    app.stop()


def write_history(image: FlashImage, trainings: Sequence[Training], parts: dict[str, list[Block]]) -> int:
    """Put the trainings' logs onto the board's flash, oldest first; how many there are then."""
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
    return sum(1 for name in files if name.endswith(".rsl"))
