"""The transfer of one session with every answer of a board, and the clock of a board with every clock of a computer."""

import binascii
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from retrostep.archive.dating import TICKS_LAST_MS, TOLERANCE_MS, ClockFact
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.store import Store
from retrostep.device.client import MAX_LOG_BYTES
from retrostep.errors import ClockBehind, RetrostepError, SyncRunning
from retrostep.errors import Refused as RefusedError
from retrostep.sync.device_lock import device_lock
from retrostep.sync.session_transfer import HEADER_BYTES, SessionTransfer
from retrostep.sync.sync import EARLIEST_EPOCH_MS, SyncResult, _compare_clock, _set_clock
from retrostep_core.codes import CLOCK_FROM_HOST, FORWARD
from retrostep_core.link import answers, messages
from support.logs import DEVICE, LogBuilder, at, session_log

LOG = session_log(4, forward_s=600)
OTHER = session_log(4, forward_s=600, boot=7)


class Board:
    """Answers for the session in `log`; `refusal` is a code with which it refuses to confirm."""

    def __init__(self, log: bytes = LOG) -> None:
        self.log, self.refusal = log, 0
        self.confirmed: list[tuple[int, int, int]] = []
        self.read_parts: list[tuple[int, int, int]] = []

    def confirm(self, session: int, length: int, crc: int) -> None:
        self.confirmed.append((session, length, crc))
        code = self.refusal or (0 if crc == binascii.crc32(self.log[:length]) else messages.MISMATCH)
        if code:
            raise RefusedError("The board refused.", code)

    def read(self, session: int, offset: int, length: int) -> Iterator[bytes]:
        self.read_parts.append((session, offset, length))
        yield self.log[offset : offset + length // 2]
        yield self.log[offset + length // 2 : offset + length]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'home' / 'store.sqlite'}") as opened:
        yield opened


def transfer_of(store: Store, board: Board, *, length: int | None = None, flags: int = 0, generation: int = 0) -> SessionTransfer:
    entry = answers.Entry(4, len(board.log) if length is None else length, flags)
    return SessionTransfer(board, store, DEVICE, generation, entry)  # type: ignore[arg-type]


def receive(transfer: SessionTransfer, data: bytes) -> bytes:
    for start in range(0, len(data), 700):
        transfer.receive(data[start : start + 700])
    return transfer.complete_log()


def partial(store: Store, data: bytes | None = None) -> bytes:
    """The received beginning on the disk, after `data` is added."""
    with store.raw.partial(DEVICE, 4) as part:
        if data is not None:
            part.append(data)
        return part.data()


# Whether anything is to be received


@pytest.mark.parametrize(("length", "is_impossible"), [(MAX_LOG_BYTES, False), (MAX_LOG_BYTES + 1, True)])
def test_a_log_that_no_flash_can_hold_is_not_read(store: Store, length: int, is_impossible: bool) -> None:
    board = Board()
    transfer = transfer_of(store, board, length=length)
    assert transfer.is_archived() == is_impossible and not board.confirmed
    if is_impossible:
        assert (transfer.result.outcome, transfer.result.why) == (
            "damaged", f"Session {DEVICE}/4 has an impossible length, {length} bytes. It was not read.",
        )  # fmt: skip
        assert transfer.result.confirmed is False


def test_what_is_archived_is_confirmed_and_not_received(store: Store) -> None:
    board = Board()
    store.raw.commit(DEVICE, 4, LOG)
    partial(store, LOG[:50])
    transfer = transfer_of(store, board)
    assert transfer.is_archived() is True
    assert board.confirmed == [(4, len(LOG), binascii.crc32(LOG))] and not board.read_parts
    assert (transfer.result.outcome, transfer.result.confirmed, transfer.result.received_bytes, transfer.result.why) == ("had", True, 0, "")
    assert partial(store) == b"" and transfer.unconfirmed_log is None


def test_an_open_session_is_never_archived(store: Store) -> None:
    store.raw.commit(DEVICE, 4, LOG)
    transfer = transfer_of(store, Board(), flags=messages.OPEN)
    assert transfer.is_archived() is False and transfer.is_open is True and transfer_of(store, Board()).is_open is False


@pytest.mark.parametrize("archived", [None, LOG[:-1], LOG + b"\0"])
def test_a_log_of_another_length_is_received(store: Store, archived: bytes | None) -> None:
    board = Board()
    if archived is not None:
        store.raw.commit(DEVICE, 4, archived)
    assert transfer_of(store, board).is_archived() is False and not board.confirmed


def test_another_log_of_the_same_length_is_received_from_its_start(store: Store) -> None:
    assert len(OTHER) == len(LOG) != 0
    board = Board(OTHER)
    store.raw.commit(DEVICE, 4, LOG)
    partial(store, OTHER[:900])
    transfer = transfer_of(store, board)
    assert transfer.is_archived() is False and len(board.confirmed) == 1
    assert transfer.begin() == 0 and partial(store) == b"" and not board.read_parts


def test_a_board_that_refuses_to_confirm_is_asked_nothing_more(store: Store) -> None:
    board = Board()
    board.refusal = messages.FLASH
    store.raw.commit(DEVICE, 4, LOG)
    transfer = transfer_of(store, board)
    assert transfer.is_archived() is True
    assert (transfer.result.outcome, transfer.result.confirmed) == ("damaged", False)
    assert transfer.result.why == f"Session {DEVICE}/4: The board refused. What was received is kept; restart the board and sync again."


def test_a_log_in_quarantine_is_archived_once_the_board_agrees(store: Store) -> None:
    """As after a rescue that pieced it together."""
    board = Board()
    store.raw.quarantine(DEVICE, 4, OTHER, "another log of that number")
    store.raw.quarantine(DEVICE, 4, LOG[:400], "a piece")
    store.raw.quarantine(DEVICE, 4, LOG, "pieced together")
    transfer = transfer_of(store, board)
    assert transfer.is_archived() is True and store.raw.read(DEVICE, 4) == LOG
    assert transfer.result.outcome == "had" and {length for _, length, _ in board.confirmed} == {len(LOG)}
    transfer.store()
    assert [row.number for row, _ in store.sessions()] == [4]


def test_a_log_that_nothing_can_read_stays_in_quarantine_though_the_board_agrees(store: Store) -> None:
    board = Board(b"\0" * 500)
    store.raw.quarantine(DEVICE, 4, board.log, "unreadable")
    transfer = transfer_of(store, board)
    assert transfer.is_archived() is True and transfer.result.outcome == "had" and not store.raw.exists(DEVICE, 4)
    transfer.store()
    assert list(store.sessions()) == []


# Where it begins


def test_a_transfer_begins_where_the_last_one_stopped(store: Store) -> None:
    for received in (1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1, len(LOG) - 1, len(LOG)):
        with store.raw.partial(DEVICE, 4) as part:
            part.discard()
        board = Board()
        partial(store, LOG[:received])
        transfer = transfer_of(store, board)
        assert transfer.begin() == received and partial(store) == LOG[:received]
        assert board.read_parts == [(4, 0, min(received, HEADER_BYTES))]
    assert HEADER_BYTES == 128


@pytest.mark.parametrize("stale", [OTHER[:900], LOG + b"\0", LOG[:127] + b"?", b"?"])
def test_what_is_not_the_beginning_of_the_boards_log_is_discarded(store: Store, stale: bytes) -> None:
    partial(store, stale)
    assert transfer_of(store, Board()).begin() == 0 and partial(store) == b""


def test_a_log_that_was_archived_while_it_was_open_is_continued(store: Store) -> None:
    board = Board()
    store.raw.commit(DEVICE, 4, LOG[:600])
    transfer = transfer_of(store, board)
    assert transfer.begin() == 600 and partial(store) == LOG[:600]
    # What was received since then counts, not the archived log.
    store.raw.replace(DEVICE, 4, LOG[:300], "a test")
    assert transfer_of(store, board).begin() == 600
    with store.raw.partial(DEVICE, 4) as part:
        part.discard()
    assert transfer_of(store, board).begin() == 300
    assert transfer_of(store, board, generation=9).begin() == 0, "that is the log of another generation"


# What becomes of the received log


def test_a_complete_log_is_archived_and_waits_for_its_confirmation(store: Store) -> None:
    transfer = transfer_of(store, Board())
    transfer.begin()
    data = receive(transfer, LOG)
    assert data == LOG == partial(store) and transfer.result.received_bytes == len(LOG)
    transfer.archive(data)
    assert (transfer.unconfirmed_log, transfer.result.outcome, transfer.result.why) == (LOG, "received", "")
    assert store.raw.read(DEVICE, 4) == LOG and partial(store) == b"" and list(store.sessions()) == []
    transfer.store()
    assert [row.log_length for row, _ in store.sessions()] == [len(LOG)]
    transfer.confirmed(None)
    assert transfer.result.confirmed is True and transfer.unconfirmed_log is None and not transfer.must_restart
    store.add_log = None  # type: ignore[assignment, method-assign]  # it is stored once
    transfer.store()


def test_an_open_log_is_archived_and_not_confirmed(store: Store) -> None:
    log = bytes(LogBuilder(4).bout(FORWARD, 60).data)
    transfer = transfer_of(store, Board(log), flags=messages.OPEN)
    transfer.begin()
    transfer.archive(receive(transfer, log))
    assert (transfer.unconfirmed_log, transfer.result.outcome, transfer.result.why) == (None, "open", "")
    assert store.raw.read(DEVICE, 4) == log and partial(store) == log, "the rest will continue it"


def test_an_open_log_without_its_header_is_no_damage(store: Store) -> None:
    transfer = transfer_of(store, Board(LOG[:20]), flags=messages.OPEN)
    transfer.begin()
    transfer.archive(receive(transfer, LOG[:20]))
    assert (transfer.unconfirmed_log, transfer.result.outcome, transfer.result.why) == (None, "open", "")
    assert not store.raw.exists(DEVICE, 4) and not store.raw.quarantined() and partial(store) == LOG[:20]


def test_an_open_log_that_differs_from_the_archived_one_is_reported(store: Store) -> None:
    store.raw.commit(DEVICE, 4, LOG)
    transfer = transfer_of(store, Board(OTHER), flags=messages.OPEN)
    transfer.archive(receive(transfer, OTHER))
    assert transfer.result.outcome == "damaged" and "both are kept" in transfer.result.why and transfer.unconfirmed_log is None


def test_a_log_that_cannot_be_read_is_kept_in_quarantine_and_confirmed(store: Store) -> None:
    board = Board(b"\0" * 500)
    transfer = transfer_of(store, board)
    transfer.begin()
    transfer.archive(receive(transfer, board.log))
    (kept,) = store.raw.quarantined()
    assert store.raw.load(kept) == board.log == transfer.unconfirmed_log
    assert transfer.result.outcome == "damaged" and transfer.result.why.endswith(f" It is kept in {kept}.")
    assert partial(store) == b""


def test_a_log_of_which_the_board_sends_too_little_is_archived_and_reported(store: Store) -> None:
    transfer = transfer_of(store, Board(), length=len(LOG))
    transfer.begin()
    transfer.archive(receive(transfer, LOG[:-1]))
    assert store.raw.read(DEVICE, 4) == LOG[:-1] and transfer.unconfirmed_log == LOG[:-1]
    assert transfer.result.why == f"The board sent only {len(LOG) - 1} of the {len(LOG)} bytes of session {DEVICE}/4."


@pytest.mark.parametrize(("skipped", "lost"), [(1, "1 record lost"), (2, "2 records lost")])
def test_a_log_that_is_damaged_on_the_board_counts(store: Store, skipped: int, lost: str) -> None:
    builder = LogBuilder(4).bout(FORWARD, 60)
    builder.seq += skipped
    board = Board(builder.end())
    transfer = transfer_of(store, board)
    transfer.begin()
    transfer.archive(receive(transfer, board.log))
    assert transfer.result.why == f"The log of session {DEVICE}/4 is damaged on the board ({lost}); the rest counts."
    assert transfer.result.outcome == "damaged" and store.raw.read(DEVICE, 4) == board.log == transfer.unconfirmed_log


def test_a_resumed_log_with_a_problem_is_read_again_before_it_is_judged(store: Store) -> None:
    """The beginning may have rotted on the disk, or be of another log with the same header."""
    rotten = LOG[:300] + b"?" + LOG[301:600]
    partial(store, rotten)
    board = Board()
    transfer = transfer_of(store, board)
    assert transfer.begin() == 600
    transfer.archive(receive(transfer, LOG[600:]))
    assert transfer.must_restart is True and transfer.unconfirmed_log is None and not store.raw.exists(DEVICE, 4)
    assert transfer.begin() == 0 and transfer.must_restart is False and partial(store) == b""
    transfer.archive(receive(transfer, LOG))
    assert (transfer.result.outcome, store.raw.read(DEVICE, 4)) == ("received", LOG)


def test_the_generation_of_the_log_counts_and_not_that_of_the_board(store: Store) -> None:
    log = session_log(4, generation=5)
    transfer = transfer_of(store, Board(log), generation=77)
    transfer.begin()
    transfer.archive(receive(transfer, log))
    assert store.raw.read(DEVICE, 4, 5) == log and not store.raw.exists(DEVICE, 4, 77)
    broken = transfer_of(store, Board(b"\0" * 90), generation=77)
    broken.archive(receive(broken, b"\0" * 90))
    assert store.raw.quarantined()[0].name.startswith(f"{DEVICE}-0000004d-00000004-")


# The board's answer to the confirmation


@pytest.mark.parametrize(("resumed", "outcome", "restarts"), [(0, "damaged", False), (600, "received", True)])
def test_a_mismatch_of_a_resumed_log_starts_again_and_of_another_one_is_damage(
    store: Store, resumed: int, outcome: str, restarts: bool
) -> None:
    if resumed:
        partial(store, LOG[:resumed])
    transfer = transfer_of(store, Board())
    assert transfer.begin() == resumed
    transfer.archive(receive(transfer, LOG[resumed:]))
    transfer.confirmed(RefusedError("differs", messages.MISMATCH))
    assert (transfer.must_restart, transfer.result.outcome, transfer.result.confirmed) == (restarts, outcome, False)
    assert transfer.unconfirmed_log is None
    if not restarts:
        assert transfer.result.why == f"The board's log of session {DEVICE}/4 differs from what it sent; what it sent is kept. Sync again."
    else:
        assert transfer.begin() == 0


def test_a_reason_that_is_known_already_is_kept(store: Store) -> None:
    board = Board(b"\0" * 500)
    transfer = transfer_of(store, board)
    transfer.begin()
    transfer.archive(receive(transfer, board.log))
    why = transfer.result.why
    transfer.confirmed(RefusedError("differs", messages.MISMATCH))
    assert transfer.result.why == why and not transfer.must_restart


def test_any_other_refusal_is_reported(store: Store) -> None:
    partial(store, LOG[:600])
    transfer = transfer_of(store, Board())
    transfer.begin()
    transfer.archive(receive(transfer, LOG[600:]))
    transfer.confirmed(RefusedError("The flash failed.", messages.FLASH))
    assert (transfer.result.outcome, transfer.must_restart) == ("damaged", False) and "The flash failed." in transfer.result.why


def test_what_was_received_before_an_error_stays(store: Store) -> None:
    transfer = transfer_of(store, Board())
    transfer.begin()
    transfer.receive(LOG[:250])
    transfer.release()
    transfer.release()
    assert partial(store) == LOG[:250]
    assert transfer_of(store, Board()).complete_log() == LOG[:250]
    assert summarize_log(LOG).key == (DEVICE, 4, 0)


# The clocks of board and computer


def result() -> SyncResult:
    return SyncResult("/dev/fake", DEVICE, "VIRTUAL", "0.1.0", "same")


def board_at(ticks_ms: int) -> SimpleNamespace:
    """A board that has `ticks_ms` when its clock is set."""
    return SimpleNamespace(set_clock=lambda now_s: (ticks_ms, int(now_s() * 1_000)))


HELLO = SimpleNamespace(boot=3, device=DEVICE, epoch_ms=0, ticks_ms=1_000)


@pytest.mark.parametrize(
    ("epoch_ms", "is_set"),
    [(EARLIEST_EPOCH_MS - 1, False), (EARLIEST_EPOCH_MS, True), (messages.EPOCH_MOST_MS, True), (messages.EPOCH_MOST_MS + 1, False)],
)
def test_a_board_gets_only_a_time_that_is_possible(epoch_ms: int, is_set: bool) -> None:
    assert at("2026-01-01 00:00") == EARLIEST_EPOCH_MS
    synced = result()
    fact = _set_clock(board_at(9_000), HELLO, synced, lambda: epoch_ms / 1_000)  # type: ignore[arg-type]
    expected = ClockFact(3, 9_000, epoch_ms, CLOCK_FROM_HOST)
    if not is_set:
        assert fact is None and synced.clock_set_ms is None and "computer's clock is wrong" in str(synced.warnings[0])
    elif expected.is_plausible():
        assert (fact, synced.clock_set_ms, synced.clock_was_off_ms, synced.warnings) == (expected, epoch_ms, None, [])


def test_a_board_with_an_impossible_time_since_its_start_dates_nothing() -> None:
    synced = result()
    now_s = at("2026-11-20 12:00") / 1_000
    assert _set_clock(board_at(TICKS_LAST_MS), HELLO, synced, lambda: now_s) is None  # type: ignore[arg-type]
    assert synced.clock_set_ms is None and "impossible time since its start" in str(synced.warnings[0])


@pytest.mark.parametrize("off_ms", [-3_600_000, -1, 0, 1, 5_000])
def test_how_far_the_boards_clock_was_off(off_ms: int) -> None:
    """It is fast by `off_ms`, and its clock is set 500 ms after its HELLO."""
    now_ms = at("2026-11-20 12:00")
    hello = SimpleNamespace(boot=3, device=DEVICE, epoch_ms=now_ms - 500 + off_ms, ticks_ms=1_000)
    synced = result()
    _set_clock(board_at(1_500), hello, synced, lambda: now_ms / 1_000)  # type: ignore[arg-type]
    assert (synced.clock_was_off_ms, synced.clock_set_ms) == (off_ms, now_ms)


@pytest.mark.parametrize(("behind_ms", "warns"), [(TOLERANCE_MS, False), (TOLERANCE_MS + 1, True), (-9_000_000, False)])
def test_a_computer_that_is_behind_the_last_sync_is_a_warning(behind_ms: int, warns: bool) -> None:
    seen_at_ms = at("2026-11-20 12:00")
    devices = [
        SimpleNamespace(device="other", last_seen_at_ms=seen_at_ms + 10**9),
        SimpleNamespace(device=DEVICE, last_seen_at_ms=seen_at_ms),
    ]
    store = SimpleNamespace(devices=lambda: devices)
    synced = result()
    _compare_clock(store, DEVICE, synced, lambda: (seen_at_ms - behind_ms) / 1_000)  # type: ignore[arg-type]
    assert [type(warning) for warning in synced.warnings] == ([ClockBehind] if warns else [])
    if warns:
        assert "clock is 0.2 hours earlier" in str(synced.warnings[0])
    devices[1].last_seen_at_ms = None
    synced = result()
    _compare_clock(store, DEVICE, synced, lambda: 0)  # type: ignore[arg-type]
    assert synced.warnings == []


# One sync of a device at a time


def test_a_device_is_synced_once_at_a_time_and_devices_beside_each_other(store: Store) -> None:
    with device_lock(store.data_dir, DEVICE, "/dev/one"):
        with device_lock(store.data_dir, "other", "/dev/two"):
            pass
        with pytest.raises(SyncRunning) as refused, device_lock(store.data_dir, DEVICE, "/dev/two"):
            pytest.fail("both have it")
        assert f"/dev/two and /dev/one both call themselves {DEVICE}, and the one at /dev/one is being synced" in str(refused.value)
        with pytest.raises(SyncRunning, match="The boards at"), device_lock(store.data_dir, DEVICE, "/dev/three"):
            pytest.fail("both have it")
    for _ in range(2):
        with pytest.raises(RetrostepError, match="inside"), device_lock(store.data_dir, DEVICE, "/dev/two"):
            raise RetrostepError("inside")
    with device_lock(store.data_dir, DEVICE, "/dev/one"):
        pass
