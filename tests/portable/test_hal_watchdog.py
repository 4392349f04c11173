"""The watchdog's count of resets in a row, on a board that is restarted in different ways."""

import sys


class Machine:
    """Stands in for the module machine. Its memory survives every reset but a power-on."""

    PWRON_RESET, HARD_RESET, WDT_RESET, SOFT_RESET = 1, 2, 3, 5

    def __init__(self):
        self.kept = b""
        self.cause = self.PWRON_RESET
        self.timeouts = []
        self.fed = 0

    def reset_cause(self):
        return self.cause

    def RTC(self):
        return self

    def memory(self, data=None):
        if data is None:
            return self.kept
        self.kept = bytes(data)

    def WDT(self, timeout):
        self.timeouts.append(timeout)
        return self

    def feed(self):
        self.fed += 1


board = Machine()
before = sys.modules.get("machine")
sys.modules["machine"] = board
from hal import watchdog  # noqa: E402

if before is None:
    del sys.modules["machine"]
else:
    sys.modules["machine"] = before


def start(cause):
    """Restart: (resets in a row, timeouts that were set)."""
    board.cause = cause
    board.timeouts = []
    return watchdog.resets_in_a_row(), board.timeouts


def test_resets_by_the_watchdog_count_until_another_reset():
    board.kept = b"something else"
    assert start(board.PWRON_RESET) == (0, [])
    for expected in (1, 2, 3):
        app = watchdog.Watchdog()
        app.start()
        app.run()
        assert start(board.WDT_RESET)[0] == expected
    assert watchdog.Watchdog().resets == 3
    assert start(board.SOFT_RESET) == (3, []), "in safe mode no watchdog runs, and a soft reset stays there"
    assert start(board.HARD_RESET) == (0, [])


def test_a_minute_of_work_ends_the_row():
    start(board.PWRON_RESET)
    watchdog.Watchdog().start()
    start(board.WDT_RESET)
    app = watchdog.Watchdog()
    app.run()
    app.feed(59000)
    assert app.resets == 1
    app.feed(60001)
    assert app.resets == 0 and watchdog.Watchdog().resets == 0
    assert start(board.WDT_RESET)[0] == 1


def test_whoever_leaves_for_the_repl_gets_a_day():
    day_ms = 24 * 3600 * 1000
    start(board.PWRON_RESET)
    app = watchdog.Watchdog()
    board.fed = 0
    app.feed(0)
    assert board.fed == 0, "nothing to feed yet"
    app.start()
    app.run()
    app.rest()
    app.feed(1)
    assert board.fed == 1 and board.timeouts == [60000, 10000, day_ms]
    assert start(board.SOFT_RESET) == (0, [day_ms]), "it runs on after a soft reset"
    assert start(board.HARD_RESET) == (0, []) and start(board.SOFT_RESET) == (0, [])
