"""Tasks are called when they are due, and continue after an unexpected error."""

import sys

from task_loop import TaskLoop


class Rig:
    """A loop whose time passes only while it sleeps."""

    def __init__(self):
        self.now_ms = 0
        self.lines = []
        self.calls = []
        self.loop = TaskLoop(self, lambda: self.now_ms, None)

    def queue_text(self, line):
        self.lines.append(line)

    def add(self, name, pause_ms, work=lambda: False, takes_ms=0):
        def call():
            self.calls.append((self.now_ms, name))
            self.now_ms += takes_ms
            return work()

        self.loop.add(call, pause_ms)

    def run(self, until_ms):
        while self.now_ms < until_ms:
            wait_ms = self.loop.run_due()
            assert wait_ms > 0
            self.now_ms += wait_ms

    def times(self, name):
        return [ms for ms, who in self.calls if who == name]


def test_each_task_has_its_own_interval():
    rig = Rig()
    rig.add("a", 20)
    rig.add("b", 50)
    rig.run(100)
    assert rig.times("a") == [0, 20, 40, 60, 80] and rig.times("b") == [0, 50]
    assert rig.calls[:2] == [(0, "a"), (0, "b")]


def test_a_task_with_more_work_is_called_again_soon():
    rig = Rig()
    more = [True, True, False, False]
    rig.add("a", 20, lambda: more.pop(0))
    rig.run(40)
    assert rig.times("a") == [0, 2, 4, 24]


def test_a_slow_task_delays_the_others_and_starves_none():
    rig = Rig()
    rig.add("slow", 10, takes_ms=100)
    rig.add("b", 20)
    rig.run(500)
    assert rig.times("b")[:3] == [100, 210, 320]


def test_a_task_that_is_in_the_loop_twice_never_waits_for_two_others():
    rig = Rig()
    rig.add("often", 100)
    rig.add("slow", 20, takes_ms=200)
    rig.loop.tasks.append(rig.loop.tasks[0])
    rig.add("slow, too", 500, takes_ms=300)
    while rig.now_ms < 5000:
        wait_ms = rig.loop.run_due()
        rig.now_ms += wait_ms
    times = rig.times("often")
    assert max([later - ms for ms, later in zip(times, times[1:])]) == 300
    assert len(rig.times("slow, too")) >= 5


def test_an_unexpected_error_is_reported_once_a_minute_and_the_task_continues():
    if sys.implementation.name != "micropython":
        return

    def work():
        raise ValueError("a fault of this program")

    rig = Rig()
    rig.add("broken", 20, work)
    rig.add("b", 500)
    rig.run(59000)
    assert rig.times("broken")[:3] == [0, 1000, 2000] and len(rig.times("b")) == 118
    assert len([line for line in rig.lines if "a fault of this program" in line]) == 1
    assert [line for line in rig.lines if "test_task_loop.py" in line], "the traceback names the file"
    rig.run(62000)
    assert len([line for line in rig.lines if "a fault of this program" in line]) == 2


def test_ctrl_c_ends_the_loop():
    rig = Rig()

    def work():
        raise KeyboardInterrupt

    rig.add("interrupted", 20, work)
    try:
        rig.loop.run_due()
    except KeyboardInterrupt:
        assert rig.calls == [(0, "interrupted")]
    else:
        raise AssertionError("Ctrl-C was taken for an error of the task")
