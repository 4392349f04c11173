"""A frozen, stuck, dead or wrongly scaled sensor: found in time, reported as gaps with a reason, and over when it works again."""

from retrostep_core.codes import GAP_GYRO, UNKNOWN
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from support.gait_leg import Heard, Leg

FROZEN, STUCK, GRAVITY = 5, 6, 8


class Broken:
    """Between the leg and its engine: what a broken sensor makes of the samples."""

    def __init__(self, heard):
        self.engine = Engine(heard, Limits())
        self.fault = ""
        self._last = [0] * 6

    def samples(self, block, n, t0_ms, period_us):
        for k in range(0, 6 * n, 6):
            # The swing accelerates the leg.
            block[k] += block[k + 4] // 5
            if self.fault == "frozen":
                block[k : k + 6] = self._block(block, self._last)
            elif self.fault == "rail":
                block[k + 1] = -15991
            elif self.fault == "stuck":
                block[k] = 321
            elif self.fault == "gyro":
                block[k + 3 : k + 6] = self._block(block, [0, 0, 0])
            elif self.fault == "gyro rail":
                block[k + 5] = 22937
            elif self.fault == "gyro noise":
                for j in range(3):
                    block[k + 3 + j] = (block[k] + j) % 3
            elif self.fault == "heavy":
                for j in range(3):
                    block[k + j] *= 2
            self._last = list(block[k : k + 6])
        self.engine.samples(block, n, t0_ms, period_us)

    def _block(self, block, values):
        copy = block[: len(values)]
        for k in range(len(values)):
            copy[k] = values[k]
        return copy

    def finish(self, at_ms):
        self.engine.finish(at_ms)


def broken(fault, ms=10000, size=26, stand=False, spm_x10=1500):
    """Walk, break, walk or stand for `ms`, work again: the leg and what was heard; the break begins at 12 s."""
    heard = Heard()
    sensor = Broken(heard)
    leg = Leg(sensor, size=size)
    leg.heard = heard
    leg.stand(2000)
    leg.walk(10000, spm_x10)
    leg.flush()
    sensor.fault = fault
    if stand:
        leg.stand(ms)
    else:
        leg.walk(ms, spm_x10)
    leg.flush()
    sensor.fault = ""
    leg.stand(3000)
    leg.walk(10000, spm_x10)
    leg.stand(3000)
    return leg, leg.finish(), sensor.engine


def span(heard, reason):
    """(from, to, their sum) of the gaps with this reason; all of them must be one after the other."""
    gaps = [gap for gap in heard.gaps if gap[2] == reason]
    for before, after in zip(gaps, gaps[1:]):
        assert before[1] == after[0]
    return (gaps[0][0], gaps[-1][1]) if gaps else (0, 0)


def test_each_fault_is_a_gap_with_its_reason_and_ends():
    for fault, reason, stand in (
        ("frozen", FROZEN, False),
        ("frozen", FROZEN, True),
        ("rail", STUCK, False),
        ("rail", STUCK, True),
        ("stuck", STUCK, False),
        ("gyro", GAP_GYRO, False),
        ("gyro rail", GAP_GYRO, True),
        ("gyro noise", GAP_GYRO, False),
        ("heavy", GRAVITY, True),
    ):
        leg, heard, engine = broken(fault, stand=stand)
        assert [gap[2] for gap in heard.gaps if gap[2] != reason] == [], (fault, heard.gaps)
        from_ms, to_ms = span(heard, reason)
        assert 10700 <= from_ms <= 15500, (fault, stand, heard.gaps)
        # A gyroscope works again when the leg turns, and gravity is seen at rest.
        assert 21400 <= to_ms <= 27500, (fault, stand, heard.gaps)
        assert engine.fault == 0


def test_nothing_is_counted_while_the_accelerometer_is_broken():
    for fault in ("frozen", "rail", "stuck"):
        leg, heard, engine = broken(fault)
        assert [t for t, _, _ in heard.steps if 15500 < t < 21800] == [], fault
        late = [t for t, _, _ in heard.steps if t > 25000]
        assert abs(len(late) - 25) <= 2, (fault, len(late))
        assert engine.totals.backward_steps == 0


def test_without_a_gyroscope_steps_are_counted_without_direction():
    leg, heard, engine = broken("gyro", ms=60000, spm_x10=1000)
    during = [step for step in heard.steps if 17000 < step[0] < 71000]
    assert abs(len(during) - 90) <= 5, len(during)
    assert [step for step in during if step[2] != UNKNOWN] == []
    after = [change[2] for change in heard.directions if change[0] > 75000]
    assert 1 in after, "the direction is known again"


def test_a_fault_that_lasts_is_reported_on_the_way():
    _, heard, _ = broken("gyro", ms=100000)
    gaps = [gap for gap in heard.gaps if gap[2] == GAP_GYRO]
    assert len(gaps) >= 4 and max([to_ms - from_ms for from_ms, to_ms, _ in gaps]) < 32000


def test_blocks_of_any_size_find_the_same_fault():
    for fault in ("frozen", "gyro"):
        ends = []
        for size in (1, 12, 60):
            _, heard, _ = broken(fault, size=size)
            ends.append(span(heard, FROZEN if fault == "frozen" else GAP_GYRO))
        for end in ends:
            assert abs(end[0] - ends[0][0]) <= 600 and abs(end[1] - ends[0][1]) <= 1200, ends


def test_no_fault_in_quiet_standing_in_clipped_runs_and_in_vibration():
    leg = Leg(noise=3)
    leg.stand(20000)
    leg.most_mg = 3000
    leg.most_dps10 = 2000
    leg.walk(20000, 1900)
    leg.stand(5000)
    assert leg.finish().gaps == []
    leg = Leg(noise=40)
    leg.stand(20000)
    assert leg.finish().gaps == []


def test_a_fault_at_the_start_is_found():
    heard = Heard()
    sensor = Broken(heard)
    sensor.fault = "gyro"
    leg = Leg(sensor)
    leg.stand(2000)
    leg.walk(40000, 1000)
    leg.flush()
    sensor.finish(leg.now_ms)
    assert sensor.engine.fault == GAP_GYRO
    assert abs(len(heard.steps) - 66) <= 8, len(heard.steps)
