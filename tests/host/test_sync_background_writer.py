"""Writing while receiving: every task is awaited, in order, and no failure is lost, wherever it happens."""

import threading
import time
from pathlib import Path

import pytest
from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.errors import StoreFailed
from retrostep.sync.background_writer import BackgroundWriter
from retrostep.sync.sync import sync_board
from support.fake_board import DEVICE, FakeBoard
from support.logs import session_log
from support.virtual_board_process import PATIENCE_S


class Failed(Exception):
    """What a task raises."""


def fail(done: list[str], name: str) -> None:
    done.append(name)
    raise Failed(name)


def test_leaving_waits_for_all_tasks_which_run_in_order_in_one_other_thread() -> None:
    done: list[tuple[int, int]] = []

    def task(number: int) -> None:
        time.sleep(0.02)
        done.append((number, threading.get_ident()))

    with BackgroundWriter() as writer:
        futures = [writer.submit(task, number) for number in range(5)]
        assert len(done) < 5
    assert [number for number, _ in done] == [0, 1, 2, 3, 4] and all(future.done() for future in futures)
    assert len({thread for _, thread in done}) == 1 and done[0][1] != threading.get_ident()


def test_a_failure_is_raised_while_later_tasks_still_wait() -> None:
    go_on, done = threading.Event(), []  # type: ignore[var-annotated]
    with pytest.raises(Failed), BackgroundWriter() as writer:
        first = writer.submit(fail, done, "first")
        writer.submit(go_on.wait, PATIENCE_S)
        while not first.done():
            time.sleep(0.001)
        try:
            writer.raise_failure()
        finally:
            go_on.set()
    assert done == ["first"]


def test_a_task_under_way_is_not_waited_for() -> None:
    go_on = threading.Event()
    with BackgroundWriter() as writer:
        writer.submit(lambda: None)
        under_way = writer.submit(lambda: None if go_on.wait(PATIENCE_S) else None)
        writer.raise_failure()
        assert not under_way.done()
        go_on.set()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_failure_anywhere_is_raised_at_the_end_and_what_follows_is_skipped(place: int) -> None:
    done: list[str] = []
    with pytest.raises(Failed, match="^bad$"), BackgroundWriter() as writer:
        for number in range(3):
            if number == place:
                writer.submit(fail, done, "bad")
            else:
                writer.submit(done.append, str(number))
    assert done == [str(number) for number in range(place)] + ["bad"]


def test_the_first_of_two_failures_counts() -> None:
    done: list[str] = []
    with pytest.raises(Failed, match="^first$"), BackgroundWriter() as writer:
        writer.submit(fail, done, "first")
        writer.submit(fail, done, "second")
    assert done == ["first"]


def test_a_failure_can_be_asked_for_as_soon_as_it_happened() -> None:
    with pytest.raises(Failed, match="later"), BackgroundWriter() as writer:
        writer.raise_failure()
        writer.submit(str).result()
        writer.raise_failure()
        blocked = threading.Event()
        writer.submit(blocked.wait, PATIENCE_S)
        writer.raise_failure()  # the task is not done: there is nothing to raise, and it is not awaited
        failing = writer.submit(fail, [], "later")
        blocked.set()
        assert isinstance(failing.exception(), Failed)
        writer.raise_failure()
        pytest.fail("the failure was not raised")


def test_the_error_of_the_caller_counts_and_tasks_are_awaited_all_the_same() -> None:
    done: list[str] = []

    def slow() -> None:
        time.sleep(0.05)
        done.append("slow")

    with pytest.raises(KeyError), BackgroundWriter() as writer:
        writer.submit(slow)
        writer.submit(fail, done, "bad")
        raise KeyError("the caller's")
    assert done == ["slow", "bad"]


LOGS = {number: session_log(number, forward_s=60 * number) for number in (1, 2, 3)}


@pytest.mark.parametrize("number", LOGS)
def test_a_session_that_the_store_refuses_fails_the_sync_and_is_stored_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The last one as well: by then everything is received and confirmed, and only the thread still works."""
    fake = FakeBoard(tmp_path / "flash")
    for each, log in LOGS.items():
        fake.put(each, log)
    add_log = Store.add_log

    def refused(self: Store, summary, *more):  # type: ignore[no-untyped-def]
        time.sleep(0.05)  # the line is idle by then
        if summary.key[1] == number:
            raise StoreFailed("The store failed.")
        return add_log(self, summary, *more)

    monkeypatch.setattr(Store, "add_log", refused)
    url = f"sqlite:///{tmp_path}/home/store.sqlite"
    with Store(url) as store:
        with pytest.raises(StoreFailed):
            sync_board(DeviceClient(fake), store)
        assert {row.number for row, _ in store.sessions()} == set(range(1, number))
    monkeypatch.undo()
    with Store(url) as store:
        assert sync_board(DeviceClient(fake), store).exit_status == 0
        assert {row.number for row, _ in store.sessions()} == set(LOGS)
        assert {log.session: store.raw.read(DEVICE, log.session) for log in store.raw.all()} == LOGS
        assert all(fake.flash.confirmed(each) for each in LOGS)
