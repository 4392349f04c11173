"""Work with whatever is plugged in: each once, again after a replug or when there is more, and an end by Ctrl-C."""

import threading
import time
from collections.abc import Callable

import pytest
from retrostep.device import hotplug
from retrostep.device.hotplug import Hotplug
from retrostep.errors import LinkLost, RetrostepError, Stopped, StoreLost

MOST_S = 120.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotplug, "SCAN_S", 0.01)
    monkeypatch.setattr(hotplug, "RECHECK_S", 0.05)


class Bag:
    """Ports at which a test plugs boards in and out. It is played by `story`, a step after each scan whose condition holds."""

    def __init__(self, *story: tuple[Callable[["Bag"], bool], Callable[["Bag"], object]]) -> None:
        self.present: list[str] = []
        self.contents: dict[str, int] = {}
        self.broken: set[str] = set()
        self.worked: list[str] = []
        self.looks = 0
        self.ended: list[tuple[str, object]] = []
        self.at_once = threading.Barrier(2)
        self._story = list(story)
        self._until = time.monotonic() + MOST_S

    def scan(self) -> list[str]:
        assert time.monotonic() < self._until, (self.worked, self.ended)
        if self._story and self._story[0][0](self):
            self._story.pop(0)[1](self)
        return list(self.present)

    def work(self, path: str, stop: threading.Event) -> int:
        self.worked.append(path)
        if path in self.broken:
            raise LinkLost(f"{path} is broken")
        return self.contents.get(path, 0)

    def has_more(self, path: str, stop: threading.Event, done: int) -> bool:
        self.looks += 1
        if path not in self.present:
            raise LinkLost("gone")
        return self.contents.get(path, 0) != done

    def run(self, passing: tuple[type[RetrostepError], ...] = ()) -> None:
        with pytest.raises(KeyboardInterrupt):
            Hotplug(self.scan, self.work, self.has_more, passing).run(lambda path, outcome: self.ended.append((path, outcome)))


def ctrl_c(bag: Bag) -> None:
    raise KeyboardInterrupt


def always(bag: Bag) -> bool:
    return True


def test_a_board_is_worked_with_once_until_it_is_plugged_in_again() -> None:
    bag = Bag(
        (always, lambda bag: bag.present.append("a")),
        (lambda bag: bag.looks >= 2, lambda bag: bag.present.clear()),  # two looks found nothing new
        (always, lambda bag: bag.present.append("a")),
        (lambda bag: bag.worked == ["a", "a"], lambda bag: bag.contents.update(a=7)),
        (lambda bag: bag.worked == ["a", "a", "a"], ctrl_c),
    )
    bag.run()
    assert bag.ended == [("a", 0), ("a", 0), ("a", 7)]


def test_a_board_that_fails_is_left_alone_until_it_is_plugged_in_again() -> None:
    scans_since: list[int] = []
    bag = Bag(
        (always, lambda bag: (bag.broken.add("a"), bag.present.append("a"))),
        (lambda bag: len(bag.ended) == 1 and (scans_since.append(1) or len(scans_since) > 20), lambda bag: bag.present.clear()),
        (always, lambda bag: (bag.broken.clear(), bag.present.append("a"))),
        (lambda bag: len(bag.ended) == 2, ctrl_c),
    )
    bag.run()
    assert bag.worked == ["a", "a"] and str(bag.ended[0][1]) == "a is broken" and bag.ended[1] == ("a", 0)


def test_a_board_is_tried_again_after_an_error_that_is_not_its_own() -> None:
    class Unreachable(Bag):
        def work(self, path: str, stop: threading.Event) -> int:
            self.worked.append(path)
            if len(self.worked) < 4:
                raise StoreLost("no network" if len(self.worked) < 3 else "no server")
            return 5

    bag = Unreachable((always, lambda bag: bag.present.append("a")), (lambda bag: len(bag.ended) == 3, ctrl_c))
    bag.run(passing=(StoreLost,))
    assert [str(outcome) for _, outcome in bag.ended] == ["no network", "no server", "5"], "each error is reported once"


def test_boards_that_are_plugged_in_at_once_are_worked_with_at_once() -> None:
    class Both(Bag):
        def work(self, path: str, stop: threading.Event) -> int:
            self.at_once.wait(MOST_S)  # broken unless both are there
            return 0

    bag = Both((always, lambda bag: bag.present.extend("ab")), (lambda bag: len(bag.ended) == 2, ctrl_c))
    bag.run()
    assert sorted(bag.ended) == [("a", 0), ("b", 0)]


def test_ctrl_c_stops_the_work_and_reports_it() -> None:
    class Endless(Bag):
        def work(self, path: str, stop: threading.Event) -> int:
            self.worked.append(path)
            assert stop.wait(MOST_S)
            raise Stopped("stopped")

    bag = Endless((always, lambda bag: bag.present.append("a")), (lambda bag: bool(bag.worked), ctrl_c))
    bag.run()
    assert [type(outcome) for _, outcome in bag.ended] == [Stopped]


def test_a_board_that_was_unplugged_during_the_work_is_tried_again() -> None:
    """It is back before the thread of its first plug has noticed."""

    is_back = threading.Event()

    class Slow(Bag):
        def work(self, path: str, stop: threading.Event) -> int:
            self.worked.append(path)
            if len(self.worked) == 1:
                assert is_back.wait(MOST_S)
                raise LinkLost("unplugged")
            return 1

    bag = Slow(
        (always, lambda bag: bag.present.append("a")),
        (lambda bag: bool(bag.worked), lambda bag: bag.present.clear()),
        (always, lambda bag: bag.present.append("a")),
        (always, lambda bag: is_back.set()),
        (lambda bag: len(bag.ended) == 2, ctrl_c),
    )
    bag.run()
    assert isinstance(bag.ended[0][1], RetrostepError) and bag.ended[1] == ("a", 1)


def test_an_unexpected_error_ends_it() -> None:
    class Faulty(Bag):
        def work(self, path: str, stop: threading.Event) -> int:
            raise ZeroDivisionError

    bag = Faulty((always, lambda bag: bag.present.append("a")))
    with pytest.raises(ZeroDivisionError):
        Hotplug(bag.scan, bag.work, bag.has_more).run(lambda path, outcome: None)
