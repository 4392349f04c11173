"""A board inside the test process: the firmware's store and link server, on a line that may lose, change, double or delay bytes."""

import random
import struct
import time
from binascii import crc32
from collections import namedtuple
from pathlib import Path

from hal.store import LogStore as Flash
from retrostep.device.core_version import core_hash
from retrostep.errors import LinkLost
from retrostep_core.gait.limits import Limits
from retrostep_core.link.answers import Calibration, Status
from retrostep_core.link.server import Server

Identity = namedtuple("Identity", "core_version core_hash device board")
DEVICE = "aabbccddeeff"
RING_BYTES = 259


class Clock:
    """Ticks of real time, and a wall clock that a host may set."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.ahead_ms = 0

    def ticks_ms(self) -> int:
        return 5_000 + int((time.monotonic() - self.began) * 1000)

    def epoch_ms(self) -> int:
        return self.ticks_ms() + self.ahead_ms if self.ahead_ms else 0

    def set_epoch_ms(self, epoch_ms: int, source: int) -> int:
        ticks_ms = self.ticks_ms()
        self.ahead_ms = epoch_ms - ticks_ms
        return ticks_ms


class Wearable:
    """The parts of the app that the server uses."""

    def __init__(self, flash: Flash, device: str, board: str, core: bytes) -> None:
        self.identity = Identity((0, 1, 0), core, device, board)
        self.clock = Clock()
        self.limits = Limits()
        self.flash = flash
        self.calibrations = [Calibration(0, 0, 0, "+y+z+x")]  # answered in turn; the last one repeats
        self.begun: list[bool] = []
        self.nickname = ""
        self.blinks = 0

    def identify(self) -> None:
        self.blinks += 1

    def set_limits(self, limits: Limits) -> bool:
        self.limits = limits
        return True

    def calibrate(self, begin: bool) -> None:
        self.begun.append(begin)

    def calibration(self) -> Calibration:
        return self.calibrations.pop(0) if len(self.calibrations) > 1 else self.calibrations[0]

    def status(self) -> Status:
        number = self.flash.open_number
        return Status(1 if number else 0, number, 0, 0, 0, (0, 0, 0, 0, 0), 3900, 80, self.flash.free_bytes(), self.flash.unsynced, 0, 0)


class Noise:
    """Faults of a line, each with its probability per byte. `hold` is per read, which then returns nothing for 50 ms."""

    def __init__(self, drop: float = 0, flip: float = 0, double: float = 0, hold: float = 0) -> None:
        self.drop, self.flip, self.double, self.hold = drop, flip, double, hold

    def on(self, data: bytes, chance: random.Random) -> bytes:
        if not (self.drop or self.flip or self.double):
            return data
        out = bytearray()
        for byte in data:
            if chance.random() < self.drop:
                continue
            if chance.random() < self.flip:
                byte ^= 1 << chance.randrange(8)
            out += bytes([byte]) * (2 if chance.random() < self.double else 1)
        return bytes(out)


def write_log(root: Path, session: int, log: bytes) -> None:
    """Put an unconfirmed log under `root`, where the firmware stores it."""
    folder = root / "logs" / f"{session // 8 * 8:08d}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{session:08d}.rsc").unlink(missing_ok=True)
    (folder / f"{session:08d}.rsl").write_bytes(log)


class FakeBoard:
    """A Transport with a board and its flash (under `root`) at the other end. A client may close it and open it again.

    `cut_after`: the cable is pulled once so many bytes have reached the host. `deaf`: it answers nothing.
    """

    path = "/dev/fake"

    def __init__(
        self,
        root: Path,
        *,
        seed: int = 0,
        down: Noise | None = None,
        up: Noise | None = None,
        cut_after: int | None = None,
        device: str = DEVICE,
        board: str = "VIRTUAL",
        core: bytes | None = None,
        generation: int = 0,
    ) -> None:
        root.mkdir(exist_ok=True)
        if not (root / "state.bin").exists():
            state = struct.pack("<III", 0, 1, generation)
            (root / "state.bin").write_bytes(state + struct.pack("<I", crc32(state)))
        self.root = root
        self.flash = Flash(str(root))
        self.wearable = Wearable(self.flash, device, board, core_hash() if core is None else core)
        self.server = Server(self.flash, self.wearable, self)
        self.chance = random.Random(seed)
        self.down, self.up = down or Noise(), up or Noise()
        self.cut_after = cut_after
        self.deaf = False
        self.asked: list[bytes] = []
        self.reached_host = 0
        self.most_under_way = 0
        self._line = bytearray()
        self._ring = bytearray()
        self._held_until = 0.0

    def put(self, session: int, log: bytes, confirmed: bool = False) -> None:
        """Put a session's log on the board, as if recorded there."""
        write_log(self.root, session, log)
        self.flash = Flash(str(self.root))
        if confirmed:
            self.flash.confirm(session, len(log))
        self.server.store = self.wearable.flash = self.flash

    def print_text(self, text: bytes) -> None:
        """Print log text between two frames."""
        while not self.server.between_frames:
            self.server.poll(self.wearable.clock.ticks_ms())
        self._line += text

    # Output of the server

    def room(self) -> int:
        return 256

    def write(self, data: bytes | memoryview) -> int:
        """Both ends write here: a host writes bytes (requests), the server a memoryview (frames)."""
        if isinstance(data, memoryview):
            self._line += data
            return len(data)
        self._pulled(0)
        self.asked.append(data)
        self._ring += self.up.on(data, self.chance)
        del self._ring[RING_BYTES:]  # a UART drops what does not fit
        return len(data)

    # Input of the host

    def read(self, timeout_s: float) -> bytes:
        self._pulled(0)
        until = time.monotonic() + timeout_s
        if self.down.hold and self.chance.random() < self.down.hold:
            self._held_until = time.monotonic() + 0.05
        if not self.deaf:
            self.server.feed(bytes(self._ring), len(self._ring))
            self._ring.clear()
            self.most_under_way = max(self.most_under_way, len(self.server._queue))
            while len(self._line) < 600 and self.server.poll(self.wearable.clock.ticks_ms()):
                pass
        if not self._line or time.monotonic() < self._held_until:
            time.sleep(max(0.0, min(until, max(self._held_until, until if not self._line else 0)) - time.monotonic()))
            return b""
        data = self.down.on(bytes(self._line), self.chance)
        self._line.clear()
        return self._pulled(len(data), data)

    def _pulled(self, count: int, data: bytes = b"") -> bytes:
        """`data`, or LinkLost once the cable is pulled."""
        if self.cut_after is not None and self.reached_host >= self.cut_after:
            raise LinkLost("The board at /dev/fake is gone.")
        self.reached_host += count
        return data

    def close(self) -> None:
        """The host closes the port; the board stays connected."""
