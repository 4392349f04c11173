"""Work with several boards at the same time, a thread each. An error with one board does not stop the others."""

import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from retrostep.errors import RetrostepError

T = TypeVar("T")


def run_parallel(
    paths: Iterable[str],
    work: Callable[[str, threading.Event], T],
    on_end: Callable[[str, T | RetrostepError], None],
    stop: threading.Event | None = None,
) -> None:
    """Call work(path, stop) for every path in a thread of its own, and on_end(path, outcome) in this thread as each ends.

    An outcome is what `work` returned, or the RetrostepError that it raised. Any other exception is raised here once all have ended.

    Ctrl-C (or an exception of `on_end`) sets `stop`: serial ports that were opened with it raise Stopped, each thread finishes what it
    was writing to disk, `on_end` gets the outcomes, and the exception is raised again. A second Ctrl-C does not wait for the threads.
    `stop` may be that of ports that are open already.
    """
    stop = stop or threading.Event()
    outcomes: queue.SimpleQueue[tuple[str, T | Exception]] = queue.SimpleQueue()
    unexpected: list[Exception] = []

    def run(path: str) -> None:
        try:
            outcomes.put((path, work(path, stop)))
        except Exception as error:
            outcomes.put((path, error))

    def end(path: str, outcome: T | Exception) -> None:
        if isinstance(outcome, Exception) and not isinstance(outcome, RetrostepError):
            unexpected.append(outcome)
        else:
            on_end(path, outcome)

    threads = [threading.Thread(target=run, args=(path,), name=f"board at {path}", daemon=True) for path in paths]
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            end(*outcomes.get())
    except BaseException:
        stop.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        while not outcomes.empty():
            end(*outcomes.get())
        raise
    if unexpected:
        raise unexpected[0]
