"""Bring a board's sessions into the archive and the store: whole, once, and confirmed to the board only when they are safe here."""

import binascii
import fcntl
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from retrostep_core.link import answers, messages
from retrostep_core.log.records import FROM_HOST

from retrostep.archive.dating import TOLERANCE_MS, ClockFact
from retrostep.archive.digest import Digest, digest, life_of
from retrostep.archive.disk import explained, make_folder
from retrostep.archive.home import Home
from retrostep.archive.keep import archive
from retrostep.archive.names import device_name, session_id
from retrostep.archive.raw import Partial, RawLogs
from retrostep.archive.store import Store
from retrostep.device.client import Board
from retrostep.device.core import core_hash, other_core
from retrostep.device.progress import Progress, silent
from retrostep.errors import DamagedData, DiskFull, NoAccess, Refused, StoreBusy, SyncRunning

EARLIEST_EPOCH_MS = 1_767_225_600_000
"""2026-01-01 UTC, before the first board was made: a computer that believes it is earlier must not set a board's clock."""


LOG_MOST_BYTES = 1 << 24
"""No board's flash holds a longer log; one that is said to be longer isn't asked for."""
HOLDER_WRITES_S = 0.5
"""How soon after taking the right to sync a device the holder has said who it is."""
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
    progress(device, 0, 0)
    with device_lock(raw.home, device, board.path):
        seen_at_ms = next((row.last_seen_at_ms for row in store.devices() if row.device == device), None)
        if seen_at_ms is not None and seen_at_ms > now_s() * 1000 + TOLERANCE_MS:
            hours = (seen_at_ms / 1000 - now_s()) / 3600
            result.warnings.append(
                f"This computer's clock is {hours:.1f} hours earlier than when {device} was last synced here: check it. "
                "Sessions about which clocks disagree stay undated until `retrostep session ID --date` says when they were."
            )
        fact = _set_clock(board, hello, result, now_s)

        def note() -> None:
            store.saw_device(hello)
            if fact is not None:
                store.add_clock_fact(device, fact.boot, fact.ticks_ms, fact.epoch_ms, fact.source, life=hello.life)
            result.warnings += _make_up(raw, store, device)
            result.athlete = next((worn.athlete for worn in store.assignments() if worn.device == device and worn.to_at_ms is None), None)

        sessions = [_Session(board, raw, store, device, hello.life, entry) for entry in board.list()]
        result.sessions = [session.result for session in sessions]
        with _Keeper() as keeper:
            keeper.do(note)
            wanted = []
            for session in sessions:
                if session.is_here():
                    keeper.do(session.store)
                else:
                    wanted.append(session)
            _bring(board, wanted, keeper, progress)
    result.seconds = round(time.monotonic() - begun, 3)
    return result


@contextmanager
def device_lock(home: Home, device: str, port: str) -> Iterator[None]:
    """Hold the right to sync `device`, which is at `port`, into `home`. Raises SyncRunning where another sync has it."""
    path = make_folder(home.incoming) / f"{device_name(device)}.lock"
    with explained(path):
        file = open(path, "a+")  # noqa: SIM115 - what happens while it is held must not be explained as trouble with this file
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            process = other = ""
            # Who has just taken it has yet to write so.
            end = time.monotonic() + HOLDER_WRITES_S
            while process != str(os.getpid()) and time.monotonic() < end:
                time.sleep(0.01)
                file.seek(0)
                process, _, other = file.read(200).strip().partition(" ")
            if process == str(os.getpid()) and other.isprintable():
                raise SyncRunning(
                    f"The board at {port} calls itself {device}, as the one at {other} does, which is being synced. If it is one board "
                    "on two cables, all is well; if they are two, unplug one of them and sync again."
                ) from error
            raise SyncRunning(f"{device} is being synced by another retrostep: wait until that is done, then sync again.") from error
        with explained(path):
            file.truncate(0)
            file.write(f"{os.getpid()} {port}\n")
            file.flush()
        yield


class _Keeper:
    """Keeps what has come, one thing after the other in a thread of its own: the line need not wait for the disk.

    Where something goes wrong, what was asked after it is left undone.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "keeper")
        self._due: deque[Future[None]] = deque()
        self._failed = False

    def do(self, work: Callable[..., None], *arguments: Any) -> Future[None]:
        """Do that as soon as what was asked before is done."""
        self._due.append(self._pool.submit(self._do, work, *arguments))
        return self._due[-1]

    def _do(self, work: Callable[..., None], *arguments: Any) -> None:
        if self._failed:
            return
        try:
            work(*arguments)
        except BaseException:
            self._failed = True
            raise

    def check(self) -> None:
        """Raise what has gone wrong so far."""
        while self._due and self._due[0].done():
            self._due.popleft().result()

    def finish(self) -> None:
        """Wait for all of it; raise what went wrong first."""
        while self._due:
            self._due.popleft().result()

    def __enter__(self) -> "_Keeper":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown()
        if kind is None:
            self.finish()


def _make_up(raw: RawLogs, store: Store, device: str) -> list[str]:
    """Take into the store what an earlier sync archived before it was cut; what is wrong with it."""
    stored = {(row.life, row.number, row.log_length) for row, _ in store.sessions(device=device) if row.device == device}
    wrong = []
    for log in raw.of(device):
        with explained(log.path):
            is_stored = (log.life, log.session, log.path.stat().st_size) in stored
        if not is_stored:
            try:
                store.ingest(device, log.session, raw.read(device, log.session, log.life), life=log.life)
            except DamagedData as damaged:
                wrong.append(f"{damaged} It is in {log.path}.")
    return wrong


def _bring(board: Board, sessions: list["_Session"], keeper: _Keeper, progress: Progress) -> None:
    """Receive every session, one behind the other without a pause on the line, keep each, and confirm those that are archived.

    Confirming comes last, so that the line need not wait for it; the store takes the last ones in meanwhile.
    """
    done = total = 0
    while sessions:
        keeping: list[Future[None]] = []
        by_number = {session.number: session for session in sessions}
        wanted = [(session.number, offset, session.entry.length - offset) for session in sessions for offset in [session.begin()]]
        total += sum(length for _, _, length in wanted)
        try:
            for number, piece in board.read_logs(wanted):
                keeper.check()
                if isinstance(piece, bytes):
                    by_number[number].take(piece)
                    done += len(piece)
                    progress(by_number[number].name, done, total)
                elif piece is None:
                    keeping.append(keeper.do(by_number[number].keep, by_number[number].whole()))
                    keeper.do(by_number[number].store)
                else:
                    by_number[number].refuse(piece)
            for kept in keeping:
                kept.result()
        except (DiskFull, NoAccess, StoreBusy):
            wait(keeping)
            _confirm(board, by_number)
            raise
        finally:
            for session in sessions:
                session.release()
        _confirm(board, by_number)
        sessions = [session for session in sessions if session.is_wanted_again]


def _confirm(board: Board, sessions: dict[int, "_Session"]) -> None:
    """Tell the board which of the sessions, by their number, are safe."""
    safe = [(number, len(session.kept), binascii.crc32(session.kept)) for number, session in sessions.items() if session.kept is not None]
    for number, refused in board.confirm_logs(safe):
        sessions[number].confirmed(refused)


class _Session:
    """One session on its way from a board into the archive and the store: begin, take its pieces, whole, keep, store, confirmed; or refuse.

    Damage, and what the board refuses to give, is told in `result`, so that it spoils no other session. A session `is_wanted_again`
    where part of it had come in an earlier sync and something is wrong: it is read once more, from its beginning. `kept` is what is safe
    here and the board does not know of yet.
    """

    def __init__(self, board: Board, raw: RawLogs, store: Store, device: str, life: int, entry: answers.Entry) -> None:
        self.entry = entry
        self.number: int = entry.session
        self.is_open = bool(entry.flags & messages.OPEN)
        self.is_wanted_again = False
        self.result = SessionSync(entry.session, entry.length, "received")
        self._board, self._raw, self._store, self._device, self._life = board, raw, store, device, life
        self.name = session_id(device, entry.session)
        self._archived = raw.path(device, entry.session, life)
        self._afresh = False
        self._resumed_at = 0
        self._part: Partial | None = None
        self.kept: bytes | None = None
        self._facts: Digest | None = None

    def is_here(self) -> bool:
        """Whether nothing is to be read: all of it is safe here from an earlier sync, and the board knows by now."""
        if self.entry.length > LOG_MOST_BYTES:
            self._damaged(f"Session {self.name} is said to be {self.entry.length} bytes long, which cannot be; it was not read.")
            return True
        if self.is_open:
            return False
        try:
            kept = self._kept_before()
        except Refused as refused:
            self.refuse(refused)
            return True
        if kept is None:
            return False
        self.result.outcome, self.result.confirmed = "had", True
        life = life_of(kept, self._life)
        if not self._raw.path(self._device, self.number, life).exists():
            # Rescued in pieces, and so in quarantine; now the board says that they are all of it.
            facts, _ = self._judge(kept, life)
            if facts is not None:
                with suppress(DamagedData):
                    archive(self._raw, self._device, self.number, kept, life)
                    self._facts = facts
        self._forget_partial()
        return True

    def begin(self) -> int:
        """From which byte on the log is wanted: behind what had come of it before, if that is of the same log."""
        if self._afresh:
            self._forget_partial()
        with self._partial() as part:
            if not self._afresh and not part.offset and self._archived.exists():
                part.append(self._raw.read(self._device, self.number, self._life))  # the session was open then
            head = part.data()[:HEAD_BYTES]
            if head and (part.offset > self.entry.length or b"".join(self._board.read(self.number, 0, len(head))) != head):
                head = b""  # the board was erased in between, and this is another log's
            self._resumed_at = part.offset if head else 0
            if not head:
                part.discard()
        self._afresh = self.is_wanted_again = False
        return self._resumed_at

    def take(self, piece: bytes) -> None:
        """The next bytes of the log; on disk when this returns."""
        if self._part is None:
            self._part = self._partial()
        self._part.append(piece)
        self.result.received_bytes += len(piece)

    def whole(self) -> bytes:
        """All of the log, now that it has come."""
        with self._part or self._partial() as part:
            data = part.data()
        self._part = None
        return data

    def keep(self, data: bytes) -> None:
        """Judge the log, then archive it, or set it aside where it cannot be read. What the board may be told is then in `kept`."""
        life = life_of(data, self._life)  # a log of an earlier life may have outlived it
        facts, wrong = self._judge(data, life)
        if wrong and self._resumed_at:
            self._afresh = self.is_wanted_again = True
            return
        if facts is not None:
            try:
                archived = archive(self._raw, self._device, self.number, data, life)
                self._facts = facts if archived == data else digest(self._device, self.number, archived, life)
            except DamagedData as conflict:  # it is quarantined
                wrong = str(conflict)
        elif not self.is_open:  # an open one may only not have come far enough
            wrong += f" It is kept in {self._raw.quarantine(self._device, self.number, data, wrong, life)}."
        if not self.is_open:
            self.kept = data
            self._forget_partial()
        self.result.outcome = "open" if self.is_open else "received"
        if wrong and (facts is not None or not self.is_open):
            self._damaged(wrong)

    def store(self) -> None:
        """Take what was archived into the store; where this is cut short, the device's next sync does it."""
        if self._facts is not None:
            self._store.put(self._facts)
            self._facts = None

    def refuse(self, refused: Refused) -> None:
        """The board gives no more of it."""
        self._damaged(f"Session {self.name}: {refused} What came is kept; restart the board and sync again.")

    def confirmed(self, refused: Refused | None) -> None:
        """What the board said to `kept`: it is as its own log, or it isn't."""
        self.kept = None
        if refused is None:
            self.result.confirmed = True
        elif refused.code != messages.MISMATCH:
            self.refuse(refused)
        elif self._resumed_at:
            self._afresh = self.is_wanted_again = True
        elif self.result.outcome != "damaged":
            self._damaged(f"The board's log of session {self.name} differs from what it sent; what it sent is kept. Sync again.")

    def release(self) -> None:
        """Let go of the file of what has come; it stays."""
        if self._part is not None:
            self._part.close()
            self._part = None

    def _judge(self, data: bytes, life: int) -> tuple[Digest | None, str]:
        """What the log adds up to, if it can be read at all, and what is wrong with it ("": nothing)."""
        try:
            facts = digest(self._device, self.number, data, life)
        except DamagedData as error:
            return None, str(error)
        if self.is_open:
            return facts, ""
        if len(data) < self.entry.length:
            return facts, f"The board gave only {len(data)} of the {self.entry.length} bytes of session {self.name}."
        damage, lost = facts.session["damage"], facts.session["lost_records"]
        if damage or lost:
            found = f"{damage} bytes, {lost} record{'' if lost == 1 else 's'} lost"
            return facts, f"The log of session {self.name} is damaged on the board ({found}); the rest counts."
        return facts, ""

    def _agrees(self, data: bytes) -> bool:
        """Tell the board that `data` is safe here; False where its own log is another."""
        try:
            self._board.confirm(self.number, len(data), binascii.crc32(data))
        except Refused as refused:
            if refused.code != messages.MISMATCH:
                raise
            return False
        return True

    def _kept_before(self) -> bytes | None:
        """The log as it is kept here, archived or quarantined, where the board agrees that it is its own."""
        for path in self._where_kept():
            with explained(path):
                if not path.is_file() or path.stat().st_size != self.entry.length:
                    continue
                kept = path.read_bytes()
            if (path == self._archived and self.entry.flags & messages.CONFIRMED) or self._agrees(kept):
                return kept
            self._afresh = True  # another log under the same number: the board was erased in between
        return None

    def _where_kept(self) -> Iterator[Path]:
        """Files that may hold it; where it mostly is comes first, as looking further takes a while."""
        yield self._archived
        yield from (path for path in self._raw.copies(self._device, self.number) if path != self._archived)

    def _partial(self) -> Partial:
        return self._raw.partial(self._device, self.number, self._life)

    def _forget_partial(self) -> None:
        with self._partial() as part:
            part.discard()

    def _damaged(self, why: str) -> None:
        self.result.outcome, self.result.why = "damaged", why


def _set_clock(board: Board, hello: messages.Hello, result: SyncResult, now_s: Callable[[], float]) -> ClockFact | None:
    """Tell the board the time; at which of its ticks that was. None, and a warning, where one of the two does not know."""
    if not EARLIEST_EPOCH_MS <= now_s() * 1000 <= messages.EPOCH_MOST_MS:
        result.warnings.append("This computer's clock is wrong, so the board's was not set: set the clock and sync again.")
        return None
    fact = ClockFact(hello.boot, *board.set_clock(now_s), FROM_HOST)
    if not fact.is_plausible():
        result.warnings.append(f"{hello.device} does not know how long it has been on, so nothing is dated by that: restart it and sync.")
        return None
    if hello.epoch_ms:
        result.clock_was_off_ms = hello.epoch_ms + (fact.ticks_ms - hello.ticks_ms) - fact.epoch_ms
    result.clock_set_ms = fact.epoch_ms
    return fact
