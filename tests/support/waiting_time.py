"""Simulated time, which passes only while the host waits for a board: tests are quick, and no wait is too short on a busy computer."""

import pytest
from retrostep.device import boot_text, calibrate, client, live_events, patience, starting
from retrostep.sync import sync

from support import fake_board


class Clock:
    """`time` for the host: it advances by each wait, and slightly at each reading."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        self.now_s += 0.000_01
        return self.now_s

    def time(self) -> float:
        return 1_795_000_000 + self.monotonic()

    def sleep(self, seconds: float) -> None:
        self.now_s += max(0.0, seconds)


_WAITING = (boot_text, calibrate, client, fake_board, live_events, patience, starting, sync)


def time_of_waits(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put a Clock in the place of `time` in every module that waits for a board, and in the fake board."""
    clock = Clock()
    for module in _WAITING:
        monkeypatch.setattr(module, "time", clock)
    return clock
