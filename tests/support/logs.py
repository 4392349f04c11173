"""Session logs for tests: a plan of bouts becomes the bytes that a device would write, packed by the core itself."""

from datetime import UTC, datetime

from retrostep.archive.moments import now_ms, to_ms
from retrostep_core import VERSION, codes
from retrostep_core.codes import BACKWARD, FORWARD, STILL
from retrostep_core.gait.limits import Limits
from retrostep_core.log import decoded
from retrostep_core.log import records as r

CORE_HASH = bytes.fromhex("00112233aabbccdd")
DEVICE = "aabbccddeeff"


def at(text: str) -> int:
    """A UTC moment such as `2026-11-20 17:30` in ms since 1970."""
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


class LogBuilder:
    """Appends records and keeps their sequence numbers."""

    def __init__(
        self,
        number: int = 1,
        *,
        device: str = DEVICE,
        boot: int = 1,
        start_ticks_ms: int = 10_000,
        core_hash: bytes = CORE_HASH,
        core_version: tuple[int, int, int] = VERSION,
        board: str = "VIRTUAL",
        generation: int = 0,
        limits: bytes | None = None,
    ) -> None:
        self.data = bytearray(r.MAGIC)
        self.seq = 0
        self.t_ms = 0
        self.totals = [0, 0, 0, 0, 0]
        self.start_ticks_ms = start_ticks_ms
        payload = bytearray(255)
        limits = Limits().pack() if limits is None else limits
        length = r.pack_header(
            payload, core_version, core_hash, number, boot, start_ticks_ms, 1, 0, 1, "+y+z+x", limits, device, board, generation
        )
        self.add(r.HEADER, payload[:length])

    def add(self, kind: int, payload: bytes | bytearray) -> None:
        buf = bytearray(r.MAX_RECORD)
        self.data += buf[: decoded.pack_record(buf, kind, self.seq, payload)]
        self.seq += 1

    def pack(self, kind: int, pack, *fields: int) -> None:  # type: ignore[no-untyped-def]
        buf = bytearray(255)
        self.add(kind, buf[: pack(buf, *fields)])

    def bout(self, direction: int, seconds: float, cadence_spm: int = 160) -> "LogBuilder":
        """A bout in one direction at a steady cadence, with its epochs."""
        start, end = self.t_ms, self.t_ms + int(seconds * 1_000)
        self.pack(r.DIRECTION, r.pack, r.DIRECTION, start, start, direction)
        steps = int(seconds * cadence_spm / 60) if direction != STILL else 0
        place = {FORWARD: 0, BACKWARD: 1}.get(direction)
        before = list(self.totals)
        for t_ms in [*range(start - start % 10_000 + 10_000, end + 1, 10_000), end]:
            if place is not None:
                self.totals[place] = before[place] + steps * (t_ms - start) // (end - start)
                self.totals[3 + place] = before[3 + place] + t_ms - start
            self.pack(r.EPOCH, r.pack, r.EPOCH, t_ms, *self.totals, cadence_spm * 10 if steps else 0, 3_000)
        if steps:
            self.pack(r.BOUT, r.pack, r.BOUT, start, end, direction, steps, cadence_spm * 10, cadence_spm * 10)
        self.t_ms = end
        return self

    def alert(self, kind: int, severity: int, measured: int = 170, limit: int = 150) -> "LogBuilder":
        self.pack(r.ALERT, r.pack, r.ALERT, self.t_ms, kind, severity, measured, limit)
        return self

    def gap(self, from_ms: int, to_ms: int, reason: int = 2) -> "LogBuilder":
        self.pack(r.GAP, r.pack, r.GAP, from_ms, to_ms, reason)
        return self

    def load(self, direction: int, sums: list[int]) -> "LogBuilder":
        """`sums` as in gait/load.py: contacts, clipped ones, then sum and maximum of the axial peak, the resultant and the rise."""
        self.pack(r.LOAD, r.pack_load, self.t_ms, direction, sums)
        return self

    def mount(self, mount: str) -> "LogBuilder":
        """Strides show this mount, from the session's start on."""
        buf = bytearray(255)
        self.add(r.MOUNT, buf[: r.pack_mount(buf, self.t_ms, 0, mount)])
        return self

    def mark(self, mark: int) -> "LogBuilder":
        self.pack(r.MARK, r.pack, r.MARK, self.t_ms, mark)
        return self

    def clock(self, epoch_ms: int, ticks_ms: int | None = None, source: int = codes.CLOCK_FROM_HOST) -> "LogBuilder":
        """A clock record. Without `ticks_ms`, `epoch_ms` is the start of the session."""
        self.pack(r.CLOCK, r.pack, r.CLOCK, self.start_ticks_ms if ticks_ms is None else ticks_ms, epoch_ms, source)
        return self

    def end(self, reason: int = codes.END_STILLNESS) -> bytes:
        self.pack(r.END, r.pack, r.END, self.t_ms, reason, *self.totals)
        return bytes(self.data)


def session_log(
    number: int = 1,
    *,
    started: str | None = None,
    forward_s: float = 600,
    backward_s: float = 0,
    backward_spm: int = 160,
    ramp_stops: int = 0,
    stretch: bool = True,
    **header,  # type: ignore[no-untyped-def]
) -> bytes:
    """A plain session: forward, then backward, then the stretch mark; `started` (UTC) becomes its clock record."""
    log = LogBuilder(number, **header)
    if started is not None:
        log.clock(at(started))
    if forward_s:
        log.bout(FORWARD, forward_s)
    if backward_s:
        log.bout(BACKWARD, backward_s, backward_spm)
    for _ in range(ramp_stops):
        log.alert(1, 2)
    log.bout(STILL, 60)
    if stretch:
        log.mark(codes.MARK_STRETCH)
    return log.end()


__all__ = ["CORE_HASH", "DEVICE", "LogBuilder", "at", "now_ms", "session_log"]
