"""A thread that writes to the disk while the next data is received."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any


class BackgroundWriter:
    """Runs tasks one after the other in a thread of its own. Tasks queued after a failure are skipped.

    Use it as a context manager: leaving it waits for all tasks, and raises the first failure.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "background writer")
        self._pending: deque[Future[None]] = deque()
        self._failed = False

    def submit(self, task: Callable[..., None], *arguments: Any) -> Future[None]:
        """Queue `task(*arguments)`; the result is done when the task is, or when it was skipped."""
        self._pending.append(self._pool.submit(self._run, task, *arguments))
        return self._pending[-1]

    def raise_failure(self) -> None:
        """Raise the failure of a finished task, if there is one."""
        while self._pending and self._pending[0].done():
            self._pending.popleft().result()

    def __enter__(self) -> "BackgroundWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown()
        if kind is None:
            self.raise_failure()

    def _run(self, task: Callable[..., None], *arguments: Any) -> None:
        if self._failed:
            return
        try:
            task(*arguments)
        except BaseException:
            self._failed = True
            raise
