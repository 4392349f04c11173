"""The sync of one board: its sessions into the archive and the store. A session is confirmed to the board only when it is safe here."""

from __future__ import annotations

import binascii
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from retrostep_core.codes import CLOCK_FROM_HOST
from retrostep_core.link import answers, messages

from retrostep.archive.dating import TOLERANCE_MS, ClockFact
from retrostep.archive.identifiers import device_name
from retrostep.device.client import DeviceClient
from retrostep.device.core_version import core_hash, other_core
from retrostep.device.progress import Progress, no_progress
from retrostep.errors import BadAnswer, ClockBehind, DamagedData, DiskFull, NoAccess, Refused, RetrostepError, StoreBusy, StoreFailed
from retrostep.sync.background_writer import BackgroundWriter
from retrostep.sync.device_lock import device_lock
from retrostep.sync.session_transfer import SessionSync, SessionTransfer
from retrostep.sync.waiting_limits import send_waiting_limits

if TYPE_CHECKING:  # the database takes a second to load
    from retrostep.archive.store import Store

EARLIEST_EPOCH_MS = 1_767_225_600_000
"""2026-01-01 UTC, before the first board was made. A computer with an earlier clock must not set a board's clock."""


_NO_NUMBER = "The board lists a session with number 0, which no session has. It was not read; the others were."


@dataclass
class SyncResult:
    """The result of the sync of one board. `core`: the board runs the "same" core as this computer carries, or an "other" one.

    `nickname` is the device's own; `never_assigned`: no athlete ever wore the device.
    `clock_set_ms` is the time that the board's clock was set to (None: it was not set); `clock_was_off_ms` is how far it was fast before
    (None: it had not been set). `limits` is what became of limits that waited for it (waiting_limits). `warnings` are errors that did not
    stop the sync.
    """

    port: str
    device: str
    board: str
    core_version: str
    core: str
    nickname: str = ""
    athlete: str | None = None
    never_assigned: bool = False
    clock_set_ms: int | None = None
    clock_was_off_ms: int | None = None
    sessions: list[SessionSync] = field(default_factory=list)
    warnings: list[RetrostepError] = field(default_factory=list)
    limits: str = ""
    seconds: float = 0.0

    def of(self, outcome: str) -> list[SessionSync]:
        """The sessions with that outcome."""
        return [session for session in self.sessions if session.outcome == outcome]

    @property
    def received_bytes(self) -> int:
        """Bytes of logs that were received."""
        return sum(session.received_bytes for session in self.sessions)

    @property
    def exit_status(self) -> int:
        """4 where a log was damaged, otherwise 0."""
        return DamagedData.exit_status if self.of("damaged") else 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the fields above, `received_bytes`, and the number of sessions by outcome."""
        counts = {outcome: len(self.of(outcome)) for outcome in ("received", "open", "had", "damaged")}
        lists = {"sessions": [asdict(session) for session in self.sessions], "warnings": [str(warning) for warning in self.warnings]}
        return {**vars(self), **lists, **counts, "received_bytes": self.received_bytes}


def sync_board(board: DeviceClient, store: Store, progress: Progress = no_progress, now_s: Callable[[], float] = time.time) -> SyncResult:
    """Sync one board: set its clock, receive, archive and store its sessions, and confirm to it those that are safe.

    An interrupted sync resumes where it stopped. Raises LinkLost, NoApp, DiskFull, NoAccess, StoreBusy, StoreFailed, SyncRunning or
    UnsafeName; everything received until then is kept.
    """
    begun = time.monotonic()
    hello = board.hello()
    device = device_name(hello.device)
    is_same = hello.core_hash == core_hash()
    result = SyncResult(board.path, device, hello.board, ".".join(map(str, hello.core_version)), "same" if is_same else "other")
    result.nickname = hello.nickname
    if not is_same:
        result.warnings.append(other_core(board.path, hello))
    progress(device, 0, 0)
    with device_lock(store.data_dir, device, board.path):
        store.raw.remove_leftovers(device)
        _compare_clock(store, device, result, now_s)
        fact = _set_clock(board, hello, result, now_s)
        listed = board.list_sessions()
        transfers = [SessionTransfer(board, store, device, hello.generation, entry) for entry in listed if entry.session]
        without_number = [SessionSync(0, entry.length, "damaged", why=_NO_NUMBER) for entry in listed if not entry.session]
        result.sessions = without_number + [transfer.result for transfer in transfers]
        with BackgroundWriter() as writer:
            writer.submit(_record_device, store, hello, fact, result)
            wanted = []
            for transfer in transfers:
                if transfer.is_archived():
                    writer.submit(transfer.store)
                else:
                    wanted.append(transfer)
            _receive(board, wanted, writer, progress)
        try:
            result.limits = send_waiting_limits(board, store, device)
        except (Refused, BadAnswer) as error:
            result.warnings.append(error)
    result.seconds = round(time.monotonic() - begun, 3)
    return result


def contents(hello: answers.Hello) -> tuple[object, ...]:
    """What of a board's HELLO differs once there is something to sync after a sync: another device, a session that began or ended."""
    return hello.device, hello.generation, hello.boot, hello.state, hello.unsynced


def _receive(board: DeviceClient, transfers: list[SessionTransfer], writer: BackgroundWriter, progress: Progress) -> None:
    """Receive sessions one after the other without a pause on the line, archive each, and confirm those that are archived.

    They are confirmed at the end: the line does not wait for the disk, and the last ones are stored meanwhile.
    """
    done = total = 0
    while transfers:
        archiving: list[Future[None]] = []
        by_number = {transfer.number: transfer for transfer in transfers}
        wanted = [(each.number, offset, each.entry.length - offset) for each in transfers for offset in [each.begin()]]
        total += sum(length for _, _, length in wanted)
        try:
            for number, piece in board.read_logs(wanted):
                writer.raise_failure()
                transfer = by_number[number]
                if isinstance(piece, bytes):
                    transfer.receive(piece)
                    done += len(piece)
                    progress(transfer.name, done, total)
                elif piece is None:
                    archiving.append(writer.submit(transfer.archive, transfer.complete_log()))
                    writer.submit(transfer.store)
                else:
                    transfer.refuse(piece)
            for archived in archiving:
                archived.result()
        except (DiskFull, NoAccess, StoreBusy, StoreFailed):
            wait(archiving)
            _confirm(board, by_number)
            raise
        finally:
            for transfer in transfers:
                transfer.release()
        _confirm(board, by_number)
        transfers = [transfer for transfer in transfers if transfer.must_restart]


def _confirm(board: DeviceClient, transfers: dict[int, SessionTransfer]) -> None:
    """Confirm to the board those sessions, given by their number, that are safe here."""
    logs = {number: transfer.unconfirmed_log for number, transfer in transfers.items()}
    safe = [(number, len(log), binascii.crc32(log)) for number, log in logs.items() if log is not None]
    for number, refused in board.confirm_logs(safe):
        transfers[number].confirmed(refused)


def _record_device(store: Store, hello: answers.Hello, fact: ClockFact | None, result: SyncResult) -> None:
    """Record that the device was here and its clock fact, store what earlier syncs left, and look up who wears the device."""
    store.saw_device(hello, fact)
    assignments = [each for each in store.assignments() if each.device == result.device]
    result.athlete = next((each.athlete for each in assignments if each.to_at_ms is None), None)
    result.never_assigned = not assignments


def _compare_clock(store: Store, device: str, result: SyncResult, now_s: Callable[[], float]) -> None:
    """Warn where this computer's clock is earlier than at the last sync of the device."""
    seen_at_ms = next((row.last_seen_at_ms for row in store.devices() if row.device == device), None)
    if seen_at_ms is not None and seen_at_ms > now_s() * 1000 + TOLERANCE_MS:
        hours = (seen_at_ms / 1000 - now_s()) / 3600
        result.warnings.append(
            ClockBehind(
                f"This computer's clock is {hours:.1f} hours earlier than when {device} was last synced here: check it. "
                "Sessions about which clocks disagree stay undated."
            )
        )


def _set_clock(board: DeviceClient, hello: answers.Hello, result: SyncResult, now_s: Callable[[], float]) -> ClockFact | None:
    """Set the board's clock, and return the clock fact. None, with a warning, where this computer or the board has no valid time."""
    if not EARLIEST_EPOCH_MS <= now_s() * 1000 <= messages.EPOCH_MOST_MS:
        warning = "This computer's clock is wrong, so the board's clock was not set: set this computer's clock and sync again."
        result.warnings.append(RetrostepError(warning))
        return None
    fact = ClockFact(hello.boot, *board.set_clock(now_s), CLOCK_FROM_HOST)
    if not fact.is_plausible():
        warning = f"{hello.device} reports an impossible time since its start, so no session is dated by it: restart it and sync again."
        result.warnings.append(RetrostepError(warning))
        return None
    if hello.epoch_ms:
        result.clock_was_off_ms = hello.epoch_ms + (fact.ticks_ms - hello.ticks_ms) - fact.epoch_ms
    result.clock_set_ms = fact.epoch_ms
    return fact
