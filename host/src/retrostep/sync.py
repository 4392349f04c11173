"""Bring a board's sessions into the archive and the store: whole, once, and confirmed to the board only when they are safe here."""

import binascii
import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrostep_core.link import messages

from retrostep.archive.digest import digest
from retrostep.archive.disk import explained, make_folder
from retrostep.archive.home import Home
from retrostep.archive.names import device_name, session_id
from retrostep.archive.raw import RawLogs
from retrostep.archive.store import Store
from retrostep.device.client import Board
from retrostep.device.core import core_hash, other_core
from retrostep.device.progress import Progress, silent
from retrostep.errors import DamagedData, Refused, SyncRunning

CLOCK_FROM_HOST = 1
EARLIEST_EPOCH_MS = 1_767_225_600_000
"""2026-01-01 UTC, before the first board was made: a computer that believes it is earlier must not set a board's clock."""


HEAD_BYTES = 128
"""How much of a log is compared before it is resumed: its HEADER, which says in which boot and at which tick it began."""


@dataclass
class SessionSync:
    """What became of one session: `outcome` is received, open (read so far, and it goes on), had (kept here before) or damaged."""

    session: int
    length: int
    outcome: str
    received_bytes: int = 0
    confirmed: bool = False
    why: str = ""


@dataclass
class SyncResult:
    """What the sync of one board did. `core` says whether the board runs the "same" core as this computer, or an "other" one.

    `clock_set_ms` is the time that the board was told (None: it was not), `clock_was_off_ms` how far it had been ahead (None: not set).
    """

    port: str
    device: str
    board: str
    core_version: str
    core: str
    athlete: str | None = None
    clock_set_ms: int | None = None
    clock_was_off_ms: int | None = None
    sessions: list[SessionSync] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def of(self, outcome: str) -> list[SessionSync]:
        """The sessions with that outcome."""
        return [session for session in self.sessions if session.outcome == outcome]

    @property
    def received_bytes(self) -> int:
        """Bytes of logs that came over the link."""
        return sum(session.received_bytes for session in self.sessions)

    @property
    def exit_status(self) -> int:
        """4 where damaged data was met, otherwise 0."""
        return DamagedData.exit_status if self.of("damaged") else 0

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        counts = {outcome: len(self.of(outcome)) for outcome in ("received", "open", "had", "damaged")}
        return {**asdict(self), **counts, "received_bytes": self.received_bytes}


def sync_board(board: Board, raw: RawLogs, store: Store, progress: Progress = silent, now_s: Callable[[], float] = time.time) -> SyncResult:
    """Sync one board: set its clock, archive and store every session it holds, and confirm to it those that are safe.

    A sync that was cut goes on where it stopped. Raises LinkLost, NoApp, DiskFull, NoAccess, StoreBusy, SyncRunning or UnsafeName;
    what had been received by then is kept.
    """
    begun = time.monotonic()
    hello = board.hello()
    device = device_name(hello.device)
    is_same = hello.core_hash == core_hash()
    result = SyncResult(board.path, device, hello.board, ".".join(map(str, hello.core_version)), "same" if is_same else "other")
    if not is_same:
        result.warnings.append(other_core(board.path, hello))
    with device_lock(raw.home, device):
        store.saw_device(hello)
        _set_clock(board, store, hello, result, now_s)
        entries = board.list()
        stored = {(row.number, row.log_length) for row, _ in store.sessions(device=device) if row.device == device}
        total, done = sum(entry.length for entry in entries), 0
        for entry in entries:

            def tell(got: int, before: int = done, number: int = entry.session) -> None:
                progress(f"session {number}", before + got, total)

            result.sessions.append(_Transfer(board, raw, store, device, entry, tell).run(entry[:2] in stored))
            done += entry.length
            tell(entry.length)
    result.athlete = next((worn.athlete for worn in store.assignments() if worn.device == device and worn.to_at_ms is None), None)
    result.seconds = round(time.monotonic() - begun, 3)
    return result


@contextmanager
def device_lock(home: Home, device: str) -> Iterator[None]:
    """Hold the right to sync `device` into `home`. Raises SyncRunning where another process has it."""
    path = make_folder(home.incoming) / f"{device_name(device)}.lock"
    with explained(path):
        file = open(path, "a")  # noqa: SIM115 - what happens while it is held must not be explained as trouble with this file
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SyncRunning(f"{device} is being synced by another retrostep: wait until that is done, then sync again.") from error
        yield


class _Transfer:
    """One session on its way from a board into the archive and the store; `got` is told how much of it is here."""

    def __init__(self, board: Board, raw: RawLogs, store: Store, device: str, entry: messages.Entry, got: Callable[[int], None]) -> None:
        self.board, self.raw, self.store, self.device, self.entry, self.got = board, raw, store, device, entry, got
        self.name = session_id(device, entry.session)
        self.is_open = bool(entry.flags & messages.OPEN)
        self.result = SessionSync(entry.session, entry.length, "received")

    def run(self, is_stored: bool) -> SessionSync:
        """Bring the session over, unless all of it `is_stored` and archived already.

        Damage, and what the board refuses to give, is told in the result, so that it spoils no other session.
        """
        try:
            kept = None if self.is_open else self._kept()
            if kept is not None and (self.entry.flags & messages.CONFIRMED or self._confirm(kept)):
                self.result.outcome, self.result.confirmed = "had", True
                if not is_stored and self._archived().exists():  # a sync was killed between the two
                    self.store.ingest(self.device, self.entry.session, kept)
                self._forget_partial()
            else:
                self._bring(afresh=kept is not None)
        except Refused as refused:
            self._damaged(f"Session {self.name}: {refused} What came is kept; restart the board and sync again.")
        return self.result

    def _bring(self, afresh: bool) -> None:
        """Receive the log, judge it, keep it, and only then confirm it.

        Where part of it came in an earlier sync and something is wrong, everything is read once more.
        """
        data, was_resumed = self._receive(afresh)
        is_readable, wrong = self._judge(data)
        if wrong and was_resumed:
            return self._bring(afresh=True)
        if is_readable:
            wrong = self._archive(data) or wrong
        elif not self.is_open:  # an open one may only not have come far enough
            wrong += f" It is kept in {self.raw.quarantine(self.device, self.entry.session, data, wrong)}."
        if self.is_open:
            self.result.outcome = "open"
            if is_readable and wrong:
                self._damaged(wrong)
            return None
        self._forget_partial()
        self.result.confirmed = self._confirm(data)
        if not self.result.confirmed:
            if was_resumed:
                return self._bring(afresh=True)
            wrong = wrong or f"The board's log of session {self.name} differs from what it sent; what it sent is kept. Sync again."
        if wrong:
            self._damaged(wrong)
        return None

    def _receive(self, afresh: bool) -> tuple[bytes, bool]:
        """The log as the board has it now, and whether its beginning came in an earlier sync. Each piece is on disk as it comes."""
        if afresh:
            self._forget_partial()
        with self.raw.partial(self.device, self.entry.session) as part:
            if not afresh and not part.offset and self._archived().exists():
                part.append(self.raw.read(self.device, self.entry.session))  # the session was open then
            resumed_at = part.offset
            if resumed_at <= self.entry.length and self._begins(part.data()[:HEAD_BYTES]):
                for chunk in self.board.read(self.entry.session, resumed_at, self.entry.length - resumed_at):
                    part.append(chunk)
                    self.result.received_bytes += len(chunk)
                    self.got(part.offset)
                return part.data(), resumed_at > 0
        return self._receive(afresh=True)

    def _begins(self, head: bytes) -> bool:
        """Whether the board's log begins with `head`; what was received before the board was erased is another log's."""
        return head == b"".join(self.board.read(self.entry.session, 0, len(head)))

    def _judge(self, data: bytes) -> tuple[bool, str]:
        """Whether the log can be read at all, and what is wrong with it ("": nothing)."""
        try:
            facts = digest(self.device, self.entry.session, data).session
        except DamagedData as error:
            return False, str(error)
        if self.is_open:
            return True, ""
        if len(data) < self.entry.length:
            return True, f"The board gave only {len(data)} of the {self.entry.length} bytes of session {self.name}."
        if facts["damage"] or facts["lost_records"]:
            found = f"{facts['damage']} bytes, {facts['lost_records']} records lost"
            return True, f"The log of session {self.name} is damaged on the board ({found}); the rest counts."
        return True, ""

    def _archive(self, data: bytes) -> str:
        """Archive and store a log that can be read; what speaks against that ("": nothing). It is quarantined then."""
        try:
            self.raw.commit(self.device, self.entry.session, data)
            self.store.ingest(self.device, self.entry.session, data)
        except DamagedData as conflict:
            return str(conflict)
        return ""

    def _confirm(self, data: bytes) -> bool:
        """Tell the board that its log is safe here; False where its own log is another."""
        try:
            self.board.confirm(self.entry.session, len(data), binascii.crc32(data))
        except Refused as refused:
            if refused.code != messages.MISMATCH:
                raise
            return False
        return True

    def _kept(self) -> bytes | None:
        """The log as it is kept here, archived or quarantined, where its length is the board's."""
        aside = sorted(self.raw.home.quarantine.glob(f"{self.device}-{self.entry.session:08d}-*.rsl"))
        for path in [self._archived(), *aside]:
            with explained(path):
                if path.is_file() and path.stat().st_size == self.entry.length:
                    return path.read_bytes()
        return None

    def _archived(self) -> Path:
        return self.raw.path(self.device, self.entry.session)

    def _forget_partial(self) -> None:
        with self.raw.partial(self.device, self.entry.session) as part:
            part.discard()

    def _damaged(self, why: str) -> None:
        self.result.outcome, self.result.why = "damaged", why


def _set_clock(board: Board, store: Store, hello: messages.Hello, result: SyncResult, now_s: Callable[[], float]) -> None:
    """Tell the board the time, and note at which of its ticks that was."""
    if now_s() * 1000 < EARLIEST_EPOCH_MS:
        result.warnings.append("This computer's clock is wrong (before 2026), so the board's was not set: set the clock and sync again.")
        return
    ticks_ms, epoch_ms = board.set_clock(now_s)
    if hello.epoch_ms:
        result.clock_was_off_ms = hello.epoch_ms + (ticks_ms - hello.ticks_ms) - epoch_ms
    result.clock_set_ms = epoch_ms
    store.add_clock_fact(hello.device, hello.boot, ticks_ms, epoch_ms, CLOCK_FROM_HOST)
