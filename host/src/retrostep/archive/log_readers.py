"""Many logs, read and summarized by several processes at once. The order is kept, and only a few batches are in memory.

The processes are started as commands, not by `multiprocessing`: that works the same on every system, whatever the main program is.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from queue import SimpleQueue
from types import TracebackType
from typing import TypeVar, cast

from retrostep.archive.log_rows import ReadLog, read_rows
from retrostep.archive.raw_logs import RawLog

PARALLEL_LOGS = 2_000
"""Fewer logs are read faster than processes start."""

MAX_PROCESSES = 8
BATCH = 200
"""So many logs go to a process at once."""

T = TypeVar("T")


def read_logs(logs: Iterable[RawLog], total: int) -> Iterator[tuple[RawLog, ReadLog]]:
    """Every log with its result, in order. `total` is how many there are, about."""
    processes = min(_cores(), MAX_PROCESSES)
    if total < PARALLEL_LOGS or processes < 2:
        yield from ((log, read_rows(log)) for log in logs)
        return
    with _Readers(processes) as readers:
        pending: deque[tuple[list[RawLog], Future[list[ReadLog]]]] = deque()
        for batch in batches(logs, BATCH):
            pending.append((batch, readers.submit(batch)))
            if len(pending) > 2 * processes:
                done, results = pending.popleft()
                yield from zip(done, results.result(), strict=True)
        for done, results in pending:
            yield from zip(done, results.result(), strict=True)


def batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """`values` in lists of `size`; the last one may be shorter."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


class _Readers:
    """Processes that read logs, and a thread for each that waits for its answers. All of them end with the context."""

    def __init__(self, count: int) -> None:
        self._idle: SimpleQueue[_Reader] = SimpleQueue()
        self._all = [_Reader() for _ in range(count)]
        for reader in self._all:
            self._idle.put(reader)
        self._threads = ThreadPoolExecutor(count)

    def submit(self, logs: list[RawLog]) -> "Future[list[ReadLog]]":
        """Let the next idle process read `logs`."""
        return self._threads.submit(self._read, logs)

    def _read(self, logs: list[RawLog]) -> list[ReadLog]:
        reader = self._idle.get()
        try:
            return reader.read(logs)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            # The process did not start or was killed, by the system for example. The logs are read here.
            return [] if reader.is_stopped else list(map(read_rows, logs))
        finally:
            self._idle.put(reader)

    def __enter__(self) -> "_Readers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for reader in self._all:
            reader.stop()
        self._threads.shutdown(cancel_futures=True)
        for reader in self._all:
            reader.close()


class _Reader:
    """One process that reads logs. It need not start: `read` reports that."""

    def __init__(self) -> None:
        self.is_stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError):
            self._process = _start([sys.executable, "-P", "-m", "retrostep.archive.log_worker"])

    def read(self, logs: list[RawLog]) -> list[ReadLog]:
        """Let the process read `logs`. OSError or EOFError where there is none."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise EOFError
        pickle.dump(logs, self._process.stdin, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()
        return cast(list[ReadLog], pickle.load(self._process.stdout))

    def stop(self) -> None:
        """End the process. A thread that waits in `read` gets an error."""
        self.is_stopped = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Close the pipes, once no thread uses them."""
        for pipe in (self._process.stdin, self._process.stdout) if self._process is not None else ():
            if pipe is not None:
                with suppress(OSError):  # what was not sent cannot be sent any more
                    pipe.close()


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    """Start a command with pipes, in a process group of its own: Ctrl-C ends this program, which then ends the process."""
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name != "nt",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _cores() -> int:
    """How many cores this process may use."""
    if sys.platform == "linux" and hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
