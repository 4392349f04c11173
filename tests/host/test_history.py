"""A virtual board's past holds the sessions that were lived through, as a board would have logged them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flash_image import FlashImage
from history import Training, sensed, write_history
from motion import BackwardJog, Stand, Walk, random_person
from retrostep_core import codes
from retrostep_core.codes import BACKWARD, FORWARD
from retrostep_core.log import reader
from support.flash_files import log_path

FIRST = datetime(2026, 10, 1, 17, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlashImage]:
    image = FlashImage(tmp_path_factory.mktemp("history") / "ada.flash")
    person = random_person(3)
    parts = {
        "walk": sensed([Stand(2), Walk(20, 110), Stand(2)], 1, person, "left"),
        "back": sensed([Stand(2), BackwardJog(20, 150), Stand(3)], 2, person, "left"),
    }
    # The later one is listed first; the board records them in order of time.
    write_history(image, [Training(FIRST + timedelta(days=3), ("walk", "back")), Training(FIRST, ("walk",))], parts)
    yield image
    image.close()


def logs(image: FlashImage) -> list[reader.Log]:
    return [reader.read_log(image.read(log_path(number))) for number in (1, 2)]


def test_every_training_is_a_closed_session_of_its_own_boot(board: FlashImage) -> None:
    for number, log in enumerate(logs(board), 1):
        assert log.closed and not log.damage and not log.gaps
        assert (log.header.session, log.header.boot, log.header.board) == (number, number, "VIRTUAL")
        assert log.header.device == "RS-" + board.id.hex().upper()
        assert log.end.reason == codes.END_BUTTON
        assert [mark.mark for mark in log.marks] == [codes.MARK_STRETCH]


def test_clock_facts_date_the_sessions_in_order(board: FlashImage) -> None:
    for log, day in zip(logs(board), (0, 3), strict=True):
        fact = log.clocks[0]
        start = datetime.fromtimestamp((fact.epoch_ms - fact.ticks_ms + log.header.start_ticks_ms) / 1000, UTC)
        assert timedelta(0) < start - (FIRST + timedelta(days=day)) < timedelta(seconds=60)


def test_steps_are_those_of_the_legs(board: FlashImage) -> None:
    first, second = logs(board)
    assert first.totals.forward_steps == pytest.approx(20 * 110 / 60, abs=3) and first.totals.backward_steps == 0
    assert second.totals.backward_steps == pytest.approx(20 * 150 / 60, abs=4)
    assert {direction for _, direction in second.steps} >= {FORWARD, BACKWARD}


def test_the_board_goes_on_counting_behind_its_past(board: FlashImage) -> None:
    state = board.read("state.bin")
    assert int.from_bytes(state[:4], "little") == 2 and int.from_bytes(state[4:8], "little") == 3
    # The firmware is still there, and nothing of the computer's own files.
    assert board.read("main.py") and board.json("board.json")["name"] == "VIRTUAL"
