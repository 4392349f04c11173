"""Work with every port for as long as something is plugged in there: a thread each, until the caller stops."""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from retrostep.errors import RetrostepError

T = TypeVar("T")

SCAN_S = 0.5
"""Seconds between two scans of the ports. Replugging a board takes longer, so a scan sees that it was away."""

RECHECK_S = 10.0
"""Seconds until a board whose work is done is asked for more work."""


class Hotplug(Generic[T]):
    """Runs one job for each plugged-in board, each in a thread of its own.

    scan()             the paths that are present now
    work(path, stop)   the work with a board that was plugged in
    has_more(path, stop, done)   whether there is more work after the result `done`; a RetrostepError counts as no
    passing                      errors whose cause is not the board: the work is tried again while the board stays plugged in
    """

    def __init__(
        self,
        scan: Callable[[], Iterable[str]],
        work: Callable[[str, threading.Event], T],
        has_more: Callable[[str, threading.Event, T], bool],
        passing: tuple[type[RetrostepError], ...] = (),
    ) -> None:
        self._passing = passing
        self._scan, self._work, self._has_more = scan, work, has_more
        self._stop = threading.Event()
        self._plugs: dict[str, int] = {}  # number of times that each path was plugged in
        self._present: dict[str, int] = {}  # the paths that are present now, with the number of that plug
        self._threads: dict[str, tuple[int, threading.Thread]] = {}  # the last thread of each path, and for which plug it is
        self._outcomes: queue.SimpleQueue[tuple[str, T | Exception]] = queue.SimpleQueue()

    def run(self, on_end: Callable[[str, T | RetrostepError], None]) -> None:
        """Call on_end(path, outcome) in this thread after each work: its result, or the RetrostepError that ended it.

        After an error the port is left alone until it is plugged in again. A passing error is reported once for as long as it lasts. Runs
        until an exception is raised here, such as Ctrl-C or an unexpected one of `work`: then threads finish what they were writing,
        `on_end` gets their outcomes, and it is raised again.
        """
        try:
            while True:
                self._update()
                self._report(on_end, SCAN_S)
        finally:
            self._stop.set()
            for _, thread in self._threads.values():
                thread.join()
            self._report(on_end, 0)

    def _update(self) -> None:
        """Scan the ports, and start a thread for each newly plugged-in board, once the thread of the port's previous board has ended."""
        present = dict.fromkeys(self._scan(), 0)
        for path in present:
            if path not in self._present:
                self._plugs[path] = self._plugs.get(path, 0) + 1
            present[path] = self._plugs[path]
        self._present = present
        for path, plug in present.items():
            known, thread = self._threads.get(path, (0, None))
            if known != plug and not (thread and thread.is_alive()):
                thread = threading.Thread(target=self._attend, args=(path, plug), name=f"board at {path}", daemon=True)
                self._threads[path] = plug, thread
                thread.start()

    def _report(self, on_end: Callable[[str, T | RetrostepError], None], wait_s: float) -> None:
        """Report what has ended, or ends within `wait_s`. Raises an unexpected error of the work."""
        end = time.monotonic() + wait_s
        while True:
            try:
                path, outcome = self._outcomes.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return
            if isinstance(outcome, Exception) and not isinstance(outcome, RetrostepError):
                raise outcome
            on_end(path, outcome)

    def _attend(self, path: str, plug: int) -> None:
        """Work with what was plugged in at `path`, until it is unplugged."""
        reported = ""
        try:
            while True:
                try:
                    done = self._work(path, self._stop)
                except self._passing as error:
                    if str(error) != reported:
                        self._outcomes.put((path, error))
                    reported = str(error)
                    if self._is_unplugged(path, plug):
                        return
                    continue
                reported = ""
                self._outcomes.put((path, done))
                while not self._is_unplugged(path, plug):
                    if self._more(path, done):
                        break
                else:
                    return
        except Exception as error:
            self._outcomes.put((path, error))

    def _is_unplugged(self, path: str, plug: int) -> bool:
        """Whether the board is unplugged, or the work stopped, within RECHECK_S."""
        until = time.monotonic() + RECHECK_S
        while time.monotonic() < until:
            if self._stop.wait(SCAN_S / 2) or self._present.get(path) != plug:
                return True
        return False

    def _more(self, path: str, done: T) -> bool:
        try:
            return self._has_more(path, self._stop, done)
        except RetrostepError:
            return False  # unplugged a moment ago, or in use by another program: the next recheck decides
