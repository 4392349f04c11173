"""A sync over a line that loses, changes, doubles and delays bytes, with hosts killed and cables pulled at any byte.

Each attempt ends with complete, verified sessions or with one clear error. On a line without faults the next one completes. At no time is
a log confirmed to the board that is not archived byte for byte. Time passes only during a wait.
"""

import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.errors import RetrostepError
from retrostep.sync.sync import sync_board
from support.fake_board import FakeBoard, Noise
from support.logs import session_log
from support.waiting_time import time_of_waits


class Killed(BaseException):
    """The host process was killed."""


@dataclass(frozen=True)
class Attempt:
    """Faults of the line during one sync. `ends`: the host is killed, or the cable pulled, after this number of bytes
    to the host. A negative number counts back from the end of a sync without faults, where the answers to CONFIRM are."""

    down: Noise
    up: Noise
    swallow: float
    ends: tuple[str, int] | None
    restarts: bool


class Faulty(FakeBoard):
    """A board with faults that a test sets. `swallow`: its output is lost although the write succeeds, as with USB-Serial-JTAG."""

    swallow = 0.0
    killed_after: int | None = None

    def write(self, data: bytes | memoryview) -> int:
        if isinstance(data, memoryview) and self.swallow and self.chance.random() < self.swallow:
            return len(data)
        return super().write(data)

    def read(self, timeout_s: float) -> bytes:
        if self.killed_after is not None and self.reached_host >= self.killed_after:
            raise Killed
        before = self.reached_host
        data = super().read(timeout_s)
        last = self.cut_after if self.killed_after is None else self.killed_after
        # The board has received the request, and only the first bytes of its answer arrive.
        return data if last is None else data[: last - before]


RATES = st.sampled_from([0.0, 0.0, 1e-4, 1e-3])
UP_RATES = st.sampled_from([0.0, 0.0, 1e-3, 2e-2])
ATTEMPTS = st.builds(
    Attempt,
    down=st.builds(Noise, drop=RATES, flip=RATES, double=RATES, hold=st.sampled_from([0, 0.02, 0.2])),
    up=st.builds(Noise, drop=UP_RATES, flip=UP_RATES, double=UP_RATES),
    swallow=st.sampled_from([0.0, 0.02, 0.2]),
    ends=st.none() | st.tuples(st.sampled_from(["killed", "pulled"]), st.integers(0, 16_000) | st.integers(-150, -1)),
    restarts=st.booleans(),
)
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder, Store(f"sqlite:///{folder}/store.sqlite") as opened:
        yield opened


def assert_kept(board: Faulty, store: Store, device: str, logs: dict[int, bytes]) -> None:
    """Every confirmed log is archived, and every archived log equals the board's."""
    for number, log in logs.items():
        path = store.raw.path(device, number)
        assert not path.exists() or path.read_bytes() == log
        assert not board.flash.confirmed(number) or path.exists()
    assert not store.raw.quarantined()


def logs_of(device: str) -> dict[int, bytes]:
    """Three sessions; the second takes several requests."""
    return {
        1: session_log(1, device=device, forward_s=60),
        2: session_log(2, device=device, forward_s=1_200, backward_s=600, boot=2),
        7: session_log(7, device=device, forward_s=60, backward_s=30, boot=2, start_ticks_ms=20_000_000),
    }


@pytest.fixture(scope="module")
def clean_bytes(store: Store) -> int:
    """How many bytes reach the host in a sync without faults."""
    with tempfile.TemporaryDirectory() as flash:
        board = Faulty(Path(flash), device="clean")
        for number, log in logs_of("clean").items():
            board.put(number, log)
        sync_board(DeviceClient(board), store)
        return board.reached_host


SWALLOWING = Attempt(Noise(), Noise(), 0.2, None, False)
ROUGH = Attempt(Noise(1e-3, 1e-3, 1e-3, 0.2), Noise(2e-2, 2e-2, 2e-2), 0.2, None, True)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ATTEMPTS, min_size=1, max_size=4), st.integers(0, 1 << 30))
@example([SWALLOWING], 1)
@example([ROUGH, ROUGH], 2)
def test_a_sync_completes_or_ends_with_one_error_and_the_next_one_completes(
    store: Store, clean_bytes: int, attempts: list[Attempt], seed: int
) -> None:
    sync_through(store, clean_bytes, attempts, seed)


@pytest.mark.parametrize("how", ["killed", "pulled"])
def test_no_log_is_confirmed_early_wherever_the_answers_end(store: Store, clean_bytes: int, how: str) -> None:
    for place in range(2, 50, 4):
        sync_through(store, clean_bytes, [Attempt(Noise(), Noise(), 0.0, (how, -place), False)], place)


def sync_through(store: Store, clean_bytes: int, attempts: list[Attempt], seed: int) -> None:
    """Sync a board in these attempts, and then over a line without faults."""
    device = f"d{next(NUMBERS)}"
    logs = logs_of(device)
    with tempfile.TemporaryDirectory() as flash, pytest.MonkeyPatch.context() as patched:
        time_of_waits(patched)
        board = Faulty(Path(flash), device=device, seed=seed)
        for number, log in logs.items():
            board.put(number, log)
        for attempt in attempts:
            if attempt.restarts:
                board = Faulty(Path(flash), device=device, seed=seed + 1)
            board.down, board.up, board.swallow, board.reached_host = attempt.down, attempt.up, attempt.swallow, 0
            how, after = attempt.ends or ("", 0)
            after += clean_bytes if after < 0 else 0
            board.cut_after = after if how == "pulled" else None
            board.killed_after = after if how == "killed" else None
            try:
                result = sync_board(DeviceClient(board), store)
            except Killed:
                assert how == "killed"
            except RetrostepError as error:
                assert str(error).isprintable() and str(error).endswith(".")
            else:
                assert result.exit_status == 0 and {one.session for one in result.sessions} == set(logs)
                assert all(board.flash.confirmed(number) for number in logs)
            assert_kept(board, store, device, logs)

        board.down, board.up, board.swallow, board.cut_after, board.killed_after = Noise(), Noise(), 0.0, None, None
        result = sync_board(DeviceClient(board), store)
        assert result.exit_status == 0 and not result.of("open")
        assert_kept(board, store, device, logs)
        assert all(board.flash.confirmed(number) for number in logs)
        assert {number: store.raw.read(device, number) for number in logs} == logs
        assert {row.number for row, _ in store.sessions(device=device) if row.device == device} == set(logs)
        assert not list((store.data_dir.incoming / device).glob("*.part"))
        again = sync_board(DeviceClient(board), store)
        assert (len(again.of("had")), again.received_bytes) == (len(logs), 0)
