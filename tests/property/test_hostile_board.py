"""A board may send anything for ever: every request ends in a bounded time, with a result or with one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from retrostep.archive.store import Store
from retrostep.device import calibrate, client
from retrostep.device.calibrate import calibrate as run_calibration
from retrostep.device.client import DeviceClient
from retrostep.device.live_events import live_events as watch
from retrostep.errors import BadAnswer, LinkLost, RetrostepError
from retrostep.sync.sync import sync_board
from retrostep_core.gait.limits import Limits
from support.hostile_board import (
    BEHAVIOURS,
    Clock,
    HostileBoard,
    echo,
    endless_list,
    full_lists,
    honest,
    late_frames,
    list_of_nothing,
    one_byte_frames,
    wrong_offsets,
)

SESSIONS = 3
LOG_BYTES = 20_000
READ_S = 2 * client.LOST_AFTER_S
REQUEST_S = client.LOST_AFTER_S + 1

REQUESTS: dict[str, tuple[Callable[[DeviceClient, Clock], object], float]] = {
    "hello": (lambda board, clock: board.hello(), 8),
    "list": (lambda board, clock: board.list_sessions(), client.LIST_S + REQUEST_S),
    "read": (lambda board, clock: b"".join(board.read(3, 0, LOG_BYTES)), READ_S + LOG_BYTES / 50),
    "read many": (
        lambda board, clock: list(board.read_logs([(n, 0, LOG_BYTES) for n in range(1, SESSIONS + 1)])),
        READ_S + SESSIONS * LOG_BYTES / 50,
    ),
    "confirm": (lambda board, clock: board.confirm(3, LOG_BYTES, 0), READ_S),
    "confirm many": (lambda board, clock: list(board.confirm_logs([(n, LOG_BYTES, 0) for n in range(1, SESSIONS + 1)])), READ_S),
    "clock": (lambda board, clock: board.set_clock(clock.time), 3 * REQUEST_S),
    "limits": (lambda board, clock: board.limits(), REQUEST_S),
    "set limits": (lambda board, clock: board.set_limits(Limits()), REQUEST_S),
    "status": (lambda board, clock: board.status(), REQUEST_S),
    "erase": (lambda board, clock: board.erase_confirmed(), REQUEST_S),
    "calibration": (lambda board, clock: board.calibration(), REQUEST_S),
    "calibrate": (lambda board, clock: run_calibration(board, lambda now: None), calibrate.LONGEST_S + 2 * REQUEST_S),
    "monitor": (lambda board, clock: list(watch(board, clock.monotonic() + 30)), 30 + 3 * REQUEST_S),
    "events": (lambda board, clock: list(board.events(5)), 6),
}
ANSWERED = ("", "HELLO", "HELLO CLOCK", "HELLO CLOCK LIST", "HELLO CLOCK LIST WATCH CALIBRATE")


pytestmark = pytest.mark.usefixtures("clock")


def ends(board: DeviceClient, clock: Clock, request: Callable[[DeviceClient, Clock], object], bound_s: float) -> None:
    """The request ends within its bound, with a result or with one sentence."""
    begun = clock.now_s
    try:
        request(board, clock)
    except RetrostepError as error:
        assert len(str(error).splitlines()) == 1 and str(error).endswith("."), error
    assert clock.now_s - begun <= bound_s, f"{clock.now_s - begun:.0f} s"


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_ends_whatever_the_board_sends(name: str, behaviour: Callable[[HostileBoard, float], bytes], clock: Clock) -> None:
    for answered in (b"", b"WATCH CALIBRATE"):
        hostile = HostileBoard(clock, lambda board, dt_s, names=answered: honest(board, names) or behaviour(board, dt_s))  # type: ignore[misc]
        ends(DeviceClient(hostile), clock, *REQUESTS[name])


@given(st.lists(st.tuples(st.sampled_from(BEHAVIOURS), st.integers(1, 500)), min_size=1, max_size=6), st.sampled_from(ANSWERED), st.data())
@settings(max_examples=150, deadline=None)
def test_every_request_ends_whatever_the_board_sends_in_turn(
    turns: list[tuple[Callable[[HostileBoard, float], bytes], int]], answered: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(REQUESTS)))
    plan = [behaviour for behaviour, ticks in turns for _ in range(ticks)]
    ticks = 0

    def send(board: HostileBoard, dt_s: float) -> bytes:
        nonlocal ticks
        ticks += 1
        return honest(board, answered.encode()) or plan[ticks % len(plan)](board, dt_s)

    clock = client.time
    ends(DeviceClient(HostileBoard(clock, send)), clock, *REQUESTS[name])  # type: ignore[arg-type]


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
@pytest.mark.parametrize("answered", ANSWERED[:4])
def test_a_sync_ends_whatever_the_board_sends(
    answered: str, behaviour: Callable[[HostileBoard, float], bytes], clock: Clock, tmp_path: Path
) -> None:
    hostile = HostileBoard(clock, lambda board, dt_s: honest(board, answered.encode()) or behaviour(board, dt_s))
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        bound_s = 8 + 3 * REQUEST_S + client.LIST_S + REQUEST_S + 2 * READ_S + LOG_BYTES / 50
        ends(DeviceClient(hostile), clock, lambda board, clock: sync_board(board, store, now_s=clock.time), bound_s)


@pytest.mark.parametrize("behaviour", [late_frames, wrong_offsets, one_byte_frames, echo])
def test_the_sentence_says_that_the_board_sends_something_else(behaviour: Callable[[HostileBoard, float], bytes], clock: Clock) -> None:
    with pytest.raises(LinkLost, match="keeps sending, but hardly anything that was asked for"):
        list(DeviceClient(HostileBoard(clock, behaviour)).read(3, 0, LOG_BYTES))


@pytest.mark.parametrize("behaviour", [endless_list, full_lists])
def test_a_list_that_no_flash_holds_is_refused(behaviour: Callable[[HostileBoard, float], bytes], clock: Clock) -> None:
    with pytest.raises(LinkLost, match="more sessions than any flash holds|hardly anything that was asked for"):
        DeviceClient(HostileBoard(clock, behaviour)).list_sessions()
    with pytest.raises(BadAnswer):
        DeviceClient(HostileBoard(clock, full_lists)).list_sessions()


def test_a_list_of_nothing_has_one_entry_without_a_number(clock: Clock) -> None:
    (entry,) = DeviceClient(HostileBoard(clock, list_of_nothing)).list_sessions()
    assert entry.session == 0
