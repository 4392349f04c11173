"""Session logs from a flash without a usable file system: by their magic, littlefs's back pointers, and the records' CRCs.

1. A log starts with its magic, at any byte.
2. In littlefs block n of a file (n > 0) starts with ctz(n) + 1 pointers, the first of which names block n - 1 (littlefs's SPEC.md, "CTZ
   skip-lists"). So a block that points back to the last one may be the next one.
3. It is the next one only if the records continue in it, by their sequence numbers and CRCs.
4. littlefs leaves old copies of a log behind when it grows. The longest copy is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from retrostep_core.log import records
from retrostep_core.log.decoded import Header, decode

BLOCK = 4096


@dataclass(frozen=True)
class Carved:
    """A log that was pieced together: its first records, as far as they are proven. `is_ended`: the last one is END."""

    header: Header
    data: bytes
    is_ended: bool


def carve(data: bytes, file_systems: Iterable[int]) -> list[Carved]:
    """The session logs in `data`, the longest copy of each, by device and number.

    `file_systems` are the byte offsets at which one may start: block pointers count from there.
    """
    bases = sorted({at // BLOCK for at in file_systems})
    followers: dict[int, list[int]] = {}
    for n in range(len(data) // BLOCK):
        followers.setdefault(int.from_bytes(data[n * BLOCK : n * BLOCK + 4], "little"), []).append(n)
    best: dict[tuple[str, int, int, int, int], Carved] = {}
    at = data.find(records.MAGIC)
    while at >= 0:
        found = _carved(data, followers, bases, at)
        if found is not None:
            header = found.header
            key = (header.device, header.generation, header.session, header.boot, header.start_ticks_ms)
            if key not in best or len(found.data) > len(best[key].data):
                best[key] = found
        at = data.find(records.MAGIC, at + 1)
    return sorted(best.values(), key=lambda log: (log.header.device, log.header.session))


def _carved(data: bytes, followers: dict[int, list[int]], bases: list[int], at: int) -> Carved | None:
    """The log that starts at byte `at`; None without a valid header there."""
    chain = _Chain(data[at : at // BLOCK * BLOCK + BLOCK], len(records.MAGIC), 0, -1)
    chain = chain.proven()
    header = chain.header()
    if header is None:
        return None
    place, index = at // BLOCK, 0
    while at % BLOCK == 0 and chain.may_continue:
        index += 1
        pointers = 4 * (index & -index).bit_length()
        grown = [
            (chain.with_more(data[n * BLOCK + pointers : (n + 1) * BLOCK]).proven(), n, base)
            for base in bases
            for n in followers.get(place - base, ())
            if n != place
        ]
        longer = [step for step in grown if step[0].end > chain.end]
        if not longer:
            break
        chain, place, base = max(longer, key=lambda step: step[0].end)
        bases = [base]
    return Carved(header, chain.log[: chain.end], chain.kind == records.END)


@dataclass(frozen=True)
class _Chain:
    """Bytes of a log. Its records are proven up to `end`; `seq` is the next one's number, `kind` the last one's kind."""

    log: bytes
    end: int
    seq: int
    kind: int

    @property
    def may_continue(self) -> bool:
        """Whether the log may continue after these bytes."""
        return self.kind != records.END and len(self.log) - self.end < records.MAX_RECORD

    def with_more(self, more: bytes) -> "_Chain":
        """The same chain with `more` unproven bytes at its end."""
        return _Chain(self.log + more, self.end, self.seq, self.kind)

    def proven(self) -> "_Chain":
        """The chain up to the last record with the expected number and a valid CRC."""
        log, end, seq, kind = self.log, self.end, self.seq, self.kind
        while kind != records.END and end + records.OVERHEAD <= len(log):
            stop = end + 3 + log[end + 2]
            is_valid = stop + 4 <= len(log) and int.from_bytes(log[stop : stop + 4], "little") == records.crc32(log[end:stop])
            if not is_valid or log[end + 1] != seq:
                break
            kind, seq, end = log[end], (seq + 1) & 255, stop + 4
        return _Chain(log, end, seq, kind)

    def header(self) -> Header | None:
        """The first record, if it is a proven header."""
        start = len(records.MAGIC)
        if self.end == start or self.log[start] != records.HEADER:
            return None
        try:
            header: Header = decode(records.HEADER, self.log[start + 3 : start + 3 + self.log[start + 2]])
        except ValueError:
            return None
        return header
