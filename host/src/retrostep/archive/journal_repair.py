"""The event journal, checked line by line and repaired. Nothing is thrown away: what is taken out is kept in quarantine."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from retrostep.archive.durable_files import write_atomically
from retrostep.archive.event_journal import REWRITTEN, Entry, EventJournal, JournalLine, number_of, parse_entry
from retrostep.errors import DamagedJournal
from retrostep.units import count

MAX_CHANGED_BYTES = 4
"""Two lines of one number or moment and one length that differ in no more bytes are one line, of which one copy is damaged."""

CLOCK_STEP_MS = 1_000
"""A computer sets its clock back by so much now and then, when it learns the time from another one."""

_KINDS = {
    "athlete": "athlete",
    "assign": "assignment",
    "note": "note",
    "override": "limit",
    "reset": "limit",
    "accept": "acceptance",
    "revoke": "acceptance",
    "limits": "device limit",
    "limits_sent": "device limit",
    "limits_cancel": "device limit",
    "clock": "clock time",
    "received": "receipt",
    "seen": "sync",
    "life": "generation",
}
"""What people call the kinds of entries."""


@dataclass
class Disorder:
    """What is wrong with a journal.

    damaged    how many lines cannot be read, a torn end included
    doubled    how many lines are there again
    unordered  how many lines come behind a later one
    missing    numbers of entries that are gone, as (first, last)
    lost       lines that the store has a copy of and the journal lacks
    backward   how many lines without a number are older than the one before them: their order is known from nothing else
    """

    damaged: int = 0
    doubled: int = 0
    unordered: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)
    lost: int = 0
    backward: int = 0

    def __bool__(self) -> bool:
        return bool(self.missing or self.is_repairable(has_copies=True))

    def is_repairable(self, *, has_copies: bool) -> bool:
        """Whether `repair_journal` may improve it, with or without the copies of the lines."""
        return bool(self.damaged or self.doubled or self.unordered or self.lost or (self.backward and has_copies))


@dataclass
class Repair:
    """What `repair` did: how many lines it set aside (kept in `aside`), dropped as doubled and moved, and the lines it restored."""

    set_aside: int = 0
    doubled: int = 0
    moved: bool = False
    restored: list[bytes] = field(default_factory=list)
    aside: Path | None = None


def check_journal(journal: EventJournal, copies: Callable[[], Iterable[bytes]]) -> Disorder:
    """Read the whole journal, and compare it with the copies of its lines that the store has.

    Memory does not grow with a journal that is in order.
    """
    return Disorder() if _is_in_order(journal, copies()) else _disorder(journal, copies())


def _is_in_order(journal: EventJournal, copies: Iterable[bytes]) -> bool:
    """Whether every line is valid, their numbers are 1, 2, ..., and the copies are among them in the same order."""
    wanted = iter(copies)
    copy = next(wanted, None)
    for expected, line in enumerate(journal.lines(), 1):
        if number_of(line.entry) != expected:
            return False
        if line.raw == copy:
            copy = next(wanted, None)
    return copy is None and not journal.torn_end()


def _disorder(journal: EventJournal, copies: Iterable[bytes]) -> Disorder:
    found = Disorder(damaged=int(bool(journal.torn_end())))
    seen: set[int] = set()  # hashes: a journal of years is long
    last = 0
    numbers: set[int] = set()
    before_ms: int | None = None
    for line in journal.lines():
        number = number_of(line.entry)
        if line.entry is None:
            found.damaged += 1
        elif hash(line.raw) in seen:
            found.doubled += 1
            continue
        elif 0 < number < last:
            found.unordered += 1
        elif not number:
            found.backward += before_ms is not None and line.entry["at_ms"] < before_ms - CLOCK_STEP_MS
            before_ms = line.entry["at_ms"]
        seen.add(hash(line.raw))
        last = max(last, number)
        numbers.add(number)
    found.missing = _gaps(numbers - {0})
    found.lost = sum(1 for copy in copies if hash(copy) not in seen)
    return found


def repair_journal(journal: EventJournal, copies: list[bytes], covered: int) -> Repair | None:
    """Restore lines from `copies`, set damaged ones aside that are not needed, drop doubled ones, and put all in their order.

    `copies` are the lines in their order as the store has them; it read the first `covered` bytes of the journal. A damaged line stays in
    its place where nothing shows that its entry is there: it is really missing. Return what was done; None where nothing had to be.
    Raises DiskFull, NoAccess, StoreBusy.
    """
    with journal.locked():
        held = [_held(line) for line in journal.lines()]
        torn = journal.torn_end()
        if torn and (entry := parse_entry(torn)) is not None:  # only the end of the line is missing
            held.append(_held(JournalLine(journal.size() + 1, entry, torn + b"\n")))
            write_atomically(journal.path, b"".join(line.raw for line in held))
            torn = b""
        known = set(copies)
        if {line.raw for line in held if line.is_rewritten} - known:
            copies, known, covered = [], set(), 0  # lines were removed on purpose since then
        here = {line.raw for line in held if line.is_valid}
        done = Repair()
        for copy in dict.fromkeys(copies):
            if copy not in here and parse_entry(copy) is not None:
                done.restored.append(copy)
        replaced = _Replaced(known, covered, [*here, *done.restored], done.restored)
        aside = [line.raw for line in held if replaced.includes(line)]
        aside += [torn] if torn else []
        done.set_aside = len(aside)
        unneeded = set(aside)
        lines = _in_order(held, unneeded, done.restored, copies)
        done.doubled = len(held) + len(done.restored) + bool(torn) - len(aside) - len(lines)
        kept = dict.fromkeys(line.raw for line in held if line.raw not in unneeded)
        done.moved = list(kept) != [raw for raw in lines if raw in kept]
        if not (aside or done.doubled or done.moved or done.restored):
            return None
        if aside:
            done.aside = journal.set_aside(aside)
        write_atomically(journal.path, b"".join(lines))
        return done


def repaired_notice(done: Repair) -> DamagedJournal:
    """The notice that the journal was repaired, and how."""
    words = [lost_text(done.restored, "They were restored from the store.")] if done.restored else []
    if done.set_aside:
        words.append(
            f"{count(done.set_aside, 'damaged line')} of entries.jsonl {'is' if done.set_aside == 1 else 'are'} kept in {done.aside}."
        )
    if done.doubled:
        words.append(
            f"{count(done.doubled, 'line')} of entries.jsonl {'was' if done.doubled == 1 else 'were'} there twice, and counted once."
        )
    if done.moved:
        words.append("The lines of entries.jsonl were out of order, and were put in order.")
    return DamagedJournal(" ".join(words))


def lost_text(lost: list[bytes], what: str) -> str:
    """That the journal lost these lines: how many of each kind, and the names of athletes."""
    kinds: Counter[str] = Counter()
    names = []
    for line in lost:
        entry = parse_entry(line)
        kind = "damaged line" if entry is None else _KINDS.get(entry["entry"], "correction")
        kinds[kind] += 1
        if entry is not None and entry["entry"] == "athlete":
            names.append(str(entry.get("name")))
    words = [count(number, kind) + (f" ({', '.join(names[:10])})" if kind == "athlete" else "") for kind, number in kinds.items()]
    return f"entries.jsonl had lost {', '.join(words)}. {what}"


class _Held(NamedTuple):
    """A line of the journal without its entry, which takes several times as much memory."""

    end: int
    raw: bytes
    is_valid: bool
    is_rewritten: bool
    number: int


def _held(line: JournalLine) -> _Held:
    is_rewritten = line.entry is not None and line.entry["entry"] == REWRITTEN
    return _Held(line.end, line.raw, line.entry is not None, is_rewritten, number_of(line.entry))


class _Replaced:
    """Which lines are damaged although their entries are there."""

    def __init__(self, known: set[bytes], covered: int, valid: list[bytes], restored: list[bytes]) -> None:
        self._known, self._covered = known, covered
        self._valid = sorted(valid)
        self._restored: dict[int, list[bytes]] = {}  # by number and by moment: damage seldom hits both
        for line in restored:
            for sign in _signs(parse_entry(line)):
                self._restored.setdefault(sign, []).append(line)

    def includes(self, line: _Held) -> bool:
        """Whether the line is not needed."""
        if line.raw in self._known:
            return False
        if not line.is_valid:
            return line.end <= self._covered or self._is_beginning(line.raw.rstrip(b"\n"))
        if not self._restored:
            return False
        copies = (copy for sign in _signs(parse_entry(line.raw)) for copy in self._restored.get(sign, ()))
        return any(_is_close(copy, line.raw) for copy in copies)

    def _is_beginning(self, piece: bytes) -> bool:
        """Whether a valid line starts with the piece."""
        at = bisect_left(self._valid, piece)
        return at < len(self._valid) and self._valid[at].startswith(piece)


def _signs(entry: Entry | None) -> set[int]:
    """By what copies of one entry find each other: its number and its moment."""
    return set() if entry is None else {number_of(entry), entry["at_ms"]} - {0}


def _is_close(one: bytes, other: bytes) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) <= MAX_CHANGED_BYTES


def _in_order(held: list[_Held], aside: set[bytes], restored: list[bytes], copies: list[bytes]) -> list[bytes]:
    """Every line once, in the order of the numbers; older lines without a number first, as in the copies.

    A damaged line stays where it is, and so does one without a number behind others.
    """
    place = {copy: at for at, copy in enumerate(copies)}
    keyed: dict[bytes, tuple[int, int, int]] = {}
    key = (0, 0, 0)
    for at, line in enumerate([*held, *(_held(JournalLine(0, parse_entry(raw), raw)) for raw in restored)]):
        if line.raw in aside:
            continue
        if line.number:
            key = (line.number, 0, at)
        elif line.is_valid and (line.raw in place or not key[0]):
            key = (0, place.get(line.raw, len(copies) + at), at)
        keyed.setdefault(line.raw, key)
    return sorted(keyed, key=lambda raw: keyed[raw])


def _gaps(numbers: set[int]) -> list[tuple[int, int]]:
    ordered = sorted(numbers)
    return [(before + 1, after - 1) for before, after in zip([0, *ordered], ordered, strict=False) if after > before + 1]
