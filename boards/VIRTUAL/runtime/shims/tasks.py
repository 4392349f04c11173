"""Tasks and their queue for asyncio, in virtual time.

The interpreter's own are written in C and use the host's clock. The behaviour is that of MicroPython's extmod/asyncio, with a sorted
list instead of a heap, since a board has only a few tasks.
"""

from time import ticks_diff, ticks_ms


def _core() -> object:
    import asyncio.core

    return asyncio.core


class TaskQueue:
    """Tasks sorted by the time to run them; in the order of pushing for equal times."""

    def __init__(self) -> None:
        self._tasks = []

    def peek(self) -> object:
        """The next task, or None."""
        return self._tasks[0] if self._tasks else None

    def push(self, task: object, key: int | None = None) -> None:
        """Queue `task` for the time `key`, or for now."""
        task.data = None
        task.ph_key = key = ticks_ms() if key is None else key
        tasks = self._tasks
        at = len(tasks)
        while at and ticks_diff(tasks[at - 1].ph_key, key) > 0:
            at -= 1
        tasks.insert(at, task)

    def pop(self) -> object:
        """Remove and return the next task."""
        return self._tasks.pop(0)

    def remove(self, task: object) -> None:
        """Remove `task`."""
        self._tasks.remove(task)


class Task:
    """A started coroutine. `state`: True while it runs, a TaskQueue of the tasks that wait for it, None or False when done."""

    def __init__(self, coro: object, globals: object = None) -> None:
        self.coro = coro
        self.data = None
        self.state = True
        self.ph_key = 0

    def __iter__(self) -> object:
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif type(self.state) is not TaskQueue:
            raise RuntimeError("can't wait")
        return self

    def __next__(self) -> None:
        if not self.state:
            raise self.data
        current = _core().cur_task
        self.state.push(current)
        current.data = self

    def done(self) -> bool:
        """True once the coroutine has ended."""
        return not self.state

    def cancel(self) -> bool:
        """Raise CancelledError in the coroutine; returns False if it has ended."""
        core = _core()
        if not self.state:
            return False
        if self is core.cur_task:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):
            task = task.data
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            core._task_queue.push(task)
        elif ticks_diff(task.ph_key, ticks_ms()) > 0:
            core._task_queue.remove(task)
            core._task_queue.push(task)
        task.data = core.CancelledError
        return True
