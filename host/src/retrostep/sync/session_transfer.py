"""The transfer of one session: from a board into the archive and the store."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrostep_core.link import answers, messages

from retrostep.archive.identifiers import session_id
from retrostep.archive.ingest import archive_log, is_as_received
from retrostep.archive.log_summary import LogSummary, generation_of, summarize_log
from retrostep.archive.raw_logs import PartialLog
from retrostep.device.client import MAX_LOG_BYTES, DeviceClient
from retrostep.errors import DamagedData, Refused
from retrostep.units import damage_text

if TYPE_CHECKING:  # the database takes a second to load
    from retrostep.archive.store import Store

HEADER_BYTES = 128
"""The first bytes of a log, with its HEADER: boot and start tick. They are compared before a transfer resumes."""


@dataclass
class SessionSync:
    """The result for one session. `outcome`: received, open (received so far; it continues), had (archived before) or damaged.

    `restored`: the same log was received before, and had changed or was gone on this computer.
    """

    session: int
    length: int
    outcome: str
    received_bytes: int = 0
    confirmed: bool = False
    why: str = ""
    restored: bool = False


class SessionTransfer:
    """One session on its way. The order of calls:

    1. `is_archived`: nothing is to be received. Otherwise
    2. `begin`, which returns the offset to read from; then `receive` for every piece, or `refuse`
    3. `complete_log`, then `archive` with it, then `store`
    4. `confirmed`, with the board's answer, where `unconfirmed_log` is set: those bytes are safe here, and the board does not know it yet
    5. Again from 2 where `must_restart` is set: the board's log differs from the one that an earlier sync had begun to receive.

    Damage and refusals are in `result`, so that the other sessions continue.
    """

    def __init__(self, board: DeviceClient, store: Store, device: str, generation: int, entry: answers.Entry) -> None:
        self.entry = entry
        self.number: int = entry.session
        self.is_open = bool(entry.flags & messages.OPEN)
        self.must_restart = False
        self.result = SessionSync(entry.session, entry.length, "received")
        self.name = session_id(device, entry.session)
        self.unconfirmed_log: bytes | None = None
        self._board, self._raw, self._store, self._device, self._generation = board, store.raw, store, device, generation
        self._key = device, entry.session, generation
        self._from_start = False
        self._resumed_at = 0
        self._part: PartialLog | None = None
        self._summary: LogSummary | None = None

    def is_archived(self) -> bool:
        """Whether nothing is to be received: all of it is safe here from an earlier sync. That is confirmed to the board."""
        if self.entry.length > MAX_LOG_BYTES:
            self._set_damaged(f"Session {self.name} has an impossible length, {self.entry.length} bytes. It was not read.")
            return True
        if self.is_open:
            return False
        try:
            kept = self._find_kept()
        except Refused as refused:
            self.refuse(refused)
            return True
        if kept is None:
            return False
        self.result.outcome, self.result.confirmed = "had", True
        generation = generation_of(kept, self._generation)
        receipt = self._store.receipt((self._device, self.number, generation))
        if receipt is None or receipt.received_at_ms is None or not self._is_here(generation):
            # It was rescued in pieces, and so is in quarantine; or its receipt has no possible time, and now is a possible one.
            # By the board's answer these bytes are the complete log.
            summary, _ = self._judge(kept, generation)
            if summary is not None:
                with suppress(DamagedData):
                    self._summary = archive_log(self._store, summary, kept)
        self._discard_partial()
        return True

    def begin(self) -> int:
        """The offset to read from: after what an earlier sync received of the same log."""
        if self._from_start:
            self._discard_partial()
        with self._partial() as part:
            if not self._from_start and not part.offset and self._is_here(self._generation):
                part.append(self._raw.read(self._device, self.number, self._generation))  # archived while the session was open
            header = part.data()[:HEADER_BYTES]
            if header and (part.offset > self.entry.length or b"".join(self._board.read(self.number, 0, len(header))) != header):
                header = b""  # another log: the board was erased in between
            self._resumed_at = part.offset if header else 0
            if not header:
                part.discard()
        self._from_start = self.must_restart = False
        return self._resumed_at

    def receive(self, piece: bytes) -> None:
        """Write the next bytes of the log to the disk."""
        if self._part is None:
            self._part = self._partial()
        self._part.append(piece)
        self.result.received_bytes += len(piece)

    def complete_log(self) -> bytes:
        """The log, after its last piece."""
        with self._part or self._partial() as part:
            data = part.data()
        self._part = None
        return data

    def archive(self, data: bytes) -> None:
        """Archive the complete log, or move it to quarantine where it cannot be read. This sets `unconfirmed_log`."""
        generation = generation_of(data, self._generation)  # a log of an earlier generation may have survived on the board
        summary, problem = self._judge(data, generation)
        if problem and self._resumed_at:
            self._from_start = self.must_restart = True
            return
        if summary is not None:
            before = self._store.receipt(summary.key)
            self.result.restored = before is not None and (before.length, before.crc) == summary.identity
            try:
                self._summary = archive_log(self._store, summary, data)
            except DamagedData as conflict:  # it is in quarantine
                problem = str(conflict)
        elif not self.is_open:  # an open log may be too short to be read yet
            problem += f" It is kept in {self._raw.quarantine(self._device, self.number, data, problem, generation)}."
        if not self.is_open:
            self.unconfirmed_log = data
            self._discard_partial()
        self.result.outcome = "open" if self.is_open else "received"
        if problem and (summary is not None or not self.is_open):
            self._set_damaged(problem)

    def store(self) -> None:
        """Add the archived log to the store. If this is interrupted, the device's next sync does it."""
        if self._summary is not None:
            self._store.add_log(self._summary)
            self._summary = None

    def refuse(self, refused: Refused) -> None:
        """The board refused to send or to confirm the log."""
        self._set_damaged(f"Session {self.name}: {refused} What was received is kept; restart the board and sync again.")

    def confirmed(self, refused: Refused | None) -> None:
        """The board's answer about `unconfirmed_log`: None where it is the board's own log."""
        self.unconfirmed_log = None
        if refused is None:
            self.result.confirmed = True
        elif refused.code != messages.MISMATCH:
            self.refuse(refused)
        elif self._resumed_at:
            self._from_start = self.must_restart = True
        elif self.result.outcome != "damaged":
            self._set_damaged(f"The board's log of session {self.name} differs from what it sent; what it sent is kept. Sync again.")

    def release(self) -> None:
        """Close the file of the received part, and keep it."""
        if self._part is not None:
            self._part.close()
            self._part = None

    def _judge(self, data: bytes, generation: int) -> tuple[LogSummary | None, str]:
        """The summary of the log (None: unreadable), and what is wrong with it ("": nothing)."""
        try:
            summary = summarize_log(data, self._device, self.number, generation)
        except DamagedData as error:
            return None, str(error)
        if self.is_open:
            return summary, ""
        if len(data) < self.entry.length:
            return summary, f"The board sent only {len(data)} of the {self.entry.length} bytes of session {self.name}."
        if summary.is_damaged:
            found = damage_text(*summary.damage)
            return summary, f"The log of session {self.name} is damaged on the board ({found}); the rest counts."
        return summary, ""

    def _find_kept(self) -> bytes | None:
        """The log as it is archived or in quarantine, where the board agrees that it is its own; None where there is none.

        An archived log whose bytes changed on this computer is not what was received: it is received again.
        """
        archived = self._raw.path(self._device, self.number, self._generation)
        for path in self._kept_files(archived):
            if self._raw.size_of(path) != self.entry.length:
                continue
            kept = self._raw.load(path)
            if path != archived or self._is_here(self._generation):
                if path == archived and self.entry.flags & messages.CONFIRMED and self._is_known_to_be_good():
                    return kept
                self._raw.make_durable(path)
                if self._board_agrees(kept):
                    return kept
            self._from_start = True  # the bytes changed, or it is another log: the board was erased in between
        return None

    def _is_here(self, generation: int) -> bool:
        """Whether the log is archived with the bytes that were received."""
        key = self._device, self.number, generation
        return self._raw.exists(*key) and is_as_received(self._store, key, self._raw.read(*key))

    def _is_known_to_be_good(self) -> bool:
        """Whether the board need not be asked about the archived log.

        A damaged log may have got its receipt after it had rotted: a store that lost its journal makes receipts from the logs.
        """
        return self._store.receipt(self._key) is not None and self._store.has_undamaged_log(self._key)

    def _kept_files(self, archived: Path) -> Iterator[Path]:
        """Files that may hold the log. The search for copies is slow, so the usual place comes first."""
        yield archived
        yield from (path for path in self._raw.copies(self._device, self.number) if path != archived)

    def _board_agrees(self, data: bytes) -> bool:
        """Confirm `data` to the board; False where the board's own log is another."""
        try:
            self._board.confirm(self.number, len(data), binascii.crc32(data))
        except Refused as refused:
            if refused.code != messages.MISMATCH:
                raise
            return False
        return True

    def _partial(self) -> PartialLog:
        return self._raw.partial(self._device, self.number, self._generation)

    def _discard_partial(self) -> None:
        with self._partial() as part:
            part.discard()

    def _set_damaged(self, why: str) -> None:
        self.result.outcome, self.result.why = "damaged", why
