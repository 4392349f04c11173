"""How long to wait for a board: as long as enough of what arrives is useful. Useless bytes, however many, end the wait."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Patience:
    """Is over once `window_s` have passed with less than `least` units of progress, or once `longest_s` have passed in total.

    What a unit is, such as a byte that was asked for, is the caller's choice. Time in which the caller does not wait is not counted.
    """

    def __init__(self, window_s: float, least: int = 1, longest_s: float = math.inf) -> None:
        self._window_s, self._least = window_s, least
        self._since = time.monotonic()
        self._end = self._since + longest_s
        self._units = 0

    def progress(self, units: int) -> None:
        """Something useful has arrived; 0 units if it was not useful."""
        self._units += units
        if self._units >= self._least:
            self._units = 0
            self._since = time.monotonic()

    @property
    def left_s(self) -> float:
        """Seconds until it is over, if nothing useful arrives; 0 or less once it is over."""
        return min(self._since + self._window_s, self._end) - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether the wait is to end."""
        return self.left_s <= 0

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The time inside is not counted."""
        begun = time.monotonic()
        try:
            yield
        finally:
            paused_s = time.monotonic() - begun
            self._since += paused_s
            self._end += paused_s
