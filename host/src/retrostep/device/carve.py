"""Session logs out of a flash whose file system is lost: by their first bytes, littlefs's back pointers, and the records' CRCs.

In littlefs block n of a file (n > 0) begins with ctz(n) + 1 pointers, the first of which names block n - 1 (littlefs's SPEC.md, "CTZ
skip-lists"). So what follows a block is a block that points back to it, and it is believed only where the records go on in it, by their
numbers and their CRCs. Copies that littlefs left behind when a log grew are found as well; the longest is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from retrostep_core.log import records
from retrostep_core.log.decoded import Header, decode

BLOCK = 4096


@dataclass(frozen=True)
class Carved:
    """A log that was pieced together: as many of its first records as are proven; `is_ended` where the last one is its END."""

    header: Header
    data: bytes
    is_ended: bool


def carve(data: bytes, file_systems: Iterable[int]) -> list[Carved]:
    """Every session log that can be proven to lie in `data`, the longest copy of each, by device and number.

    `file_systems` is where one may begin, in bytes: its block pointers count from there.
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
            told = found.header
            key = (told.device, told.life, told.session, told.boot, told.start_ticks_ms)
            if key not in best or len(found.data) > len(best[key].data):
                best[key] = found
        at = data.find(records.MAGIC, at + 1)
    return sorted(best.values(), key=lambda log: (log.header.device, log.header.session))


def _carved(data: bytes, followers: dict[int, list[int]], bases: list[int], at: int) -> Carved | None:
    """The log that begins at byte `at`; None where no header follows."""
    chain = _Chain(data[at : at // BLOCK * BLOCK + BLOCK], len(records.MAGIC), 0, -1)
    chain = chain.proven()
    header = chain.header()
    if header is None:
        return None
    place, index = at // BLOCK, 0
    while at % BLOCK == 0 and chain.reaches_on:
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
    """Bytes of a log, whose records are proven up to `end`; `seq` is the next one's number, `kind` the last one's kind."""

    log: bytes
    end: int
    seq: int
    kind: int

    @property
    def reaches_on(self) -> bool:
        """Whether the next record may lie behind these bytes."""
        return self.kind != records.END and len(self.log) - self.end < records.MAX_RECORD

    def with_more(self, more: bytes) -> "_Chain":
        return _Chain(self.log + more, self.end, self.seq, self.kind)

    def proven(self) -> "_Chain":
        """As far as record follows record, each with its number and a sound CRC."""
        log, end, seq, kind = self.log, self.end, self.seq, self.kind
        while kind != records.END and end + records.OVERHEAD <= len(log):
            stop = end + 3 + log[end + 2]
            is_sound = stop + 4 <= len(log) and int.from_bytes(log[stop : stop + 4], "little") == records.crc32(log[end:stop])
            if not is_sound or log[end + 1] != seq:
                break
            kind, seq, end = log[end], (seq + 1) & 255, stop + 4
        return _Chain(log, end, seq, kind)

    def header(self) -> Header | None:
        """The first record, if it is proven and is a header."""
        start = len(records.MAGIC)
        if self.end == start or self.log[start] != records.HEADER:
            return None
        try:
            header: Header = decode(records.HEADER, self.log[start + 3 : start + 3 + self.log[start + 2]])
        except ValueError:
            return None
        return header
