"""The tasks of the app. They take turns for ever; an unexpected error is reported, and the task continues."""

import io
import sys

from retrostep_core.constants import const

# A task that has more work is called again after this time.
_BUSY_MS = const(2)
# After an error a task pauses this long.
_ERROR_PAUSE_MS = const(1000)
# The same error is not reported more often.
_SAME_ERROR_MS = const(60000)


class TaskLoop:
    """Calls each task when it is due. `ticks_ms()` never falls; errors go as text to `console`.

    tasks    in the order of their turns; a task that must not wait for two others is in it twice
    """

    def __init__(self, console: object, ticks_ms: object, sleep_ms: object) -> None:
        self._console = console
        self._ticks_ms = ticks_ms
        self._sleep_ms = sleep_ms
        self.tasks: list[list] = []
        self._last_error = ""
        self._last_ms = 0

    def add(self, work: object, pause_ms: int) -> list:
        """`work()` is called every `pause_ms`, or sooner if it returns True because it has more to do. Item 1 of the task is its pause."""
        task = [work, pause_ms, 0]
        self.tasks.append(task)
        return task

    def run(self) -> None:
        """Call the tasks for ever."""
        while True:
            self._sleep_ms(self.run_due())

    def run_due(self) -> int:
        """Call each task that is due. Returns the time until the next one is, in ms."""
        next_ms = 0
        for task in self.tasks:
            work, pause_ms, due_ms = task
            if self._ticks_ms() >= due_ms:
                try:
                    wait_ms = _BUSY_MS if work() else pause_ms
                except Exception as error:
                    # Report unexpected errors and keep running.
                    self.report(error)
                    wait_ms = _ERROR_PAUSE_MS
                due_ms = task[2] = self._ticks_ms() + wait_ms
            if not next_ms or due_ms < next_ms:
                next_ms = due_ms
        wait_ms = next_ms - self._ticks_ms()
        return wait_ms if wait_ms > 0 else 0

    def report(self, error: Exception) -> None:
        """Print the traceback of an unexpected error, at most once a minute for the same one."""
        text = io.StringIO()
        sys.print_exception(error, text)
        text = text.getvalue()
        now_ms = self._ticks_ms()
        if text == self._last_error and now_ms - self._last_ms < _SAME_ERROR_MS:
            return
        self._last_error = text
        self._last_ms = now_ms
        for line in text.split("\n"):
            if line:
                self._console.queue_text("retrostep: " + line)
