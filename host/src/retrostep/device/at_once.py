"""Work with many boards at once: a thread each, so that what goes wrong with one spoils no other."""

import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from retrostep.device.open import Stop
from retrostep.errors import RetrostepError

T = TypeVar("T")


def at_once(paths: Iterable[str], work: Callable[[str, Stop], T], ended: Callable[[str, T | RetrostepError], None]) -> None:
    """work(path, stop) for every path, all at once; `ended` is called here with what came of each, as it comes to its end.

    Lines that are opened with `stop` end where they stand on Ctrl-C, which is raised again once every thread has put away what it was
    just keeping; the boards that it cut off have ended with Stopped then. A second Ctrl-C does not wait for them. An error of any other
    kind is raised when all have ended.
    """
    stop = Stop()
    came: queue.SimpleQueue[tuple[str, T | Exception]] = queue.SimpleQueue()

    def run(path: str) -> None:
        try:
            came.put((path, work(path, stop)))
        except Exception as error:
            came.put((path, error))

    threads = [threading.Thread(target=run, args=(path,), name=f"board at {path}", daemon=True) for path in paths]
    others: list[Exception] = []

    def take(path: str, outcome: T | Exception) -> None:
        if isinstance(outcome, Exception) and not isinstance(outcome, RetrostepError):
            others.append(outcome)
        else:
            ended(path, outcome)

    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            take(*came.get())
    except BaseException:
        stop.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        while not came.empty():
            take(*came.get())
        raise
    stop.close()
    if others:
        raise others[0]
