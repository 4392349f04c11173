"""Samples in body axes -> steps of both feet, direction, cadence, alerts and gaps."""

from array import array

from retrostep_core.gait.alerts import TICK_MS, Monitor
from retrostep_core.gait.codes import SHANK, STILL, UNKNOWN
from retrostep_core.gait.tally import Tally

_PERIOD_US = 9615
_GAP_PERIODS = 5
# A late decision re-labels no more than this: the first strides of a bout, until its direction is sure.
_CORRECTED_MS = 4000
# Nobody turns round or stops in so short a gap: direction, and the cadences to rise from, outlast it.
_BRIDGED_MS = 1000
# Until the detector has a cadence again after such a gap.
_RESUMED_MS = 3000


class Engine:
    """The gait engine: one call a sample or a block, fixed memory, integers only; the same output on every interpreter.

    sink       duck type: step(t_ms, at_ms, direction), direction(at_ms, since_ms, direction), cadence(at_ms, spm_x10),
               alert(at_ms, kind, severity, measured, limit), gap(from_ms, to_ms). `at` is the newest sample's time, `t` when it
               happened. Step times strictly rise; `since` never falls; a direction re-labels every step with t >= since.
    placement  SHANK: steps of both feet, direction, alerts. WAIST, POCKET: steps and cadence, direction `unknown`.
    side       LEFT, RIGHT or 0; the body axes are the same for either leg.
    mounted    False where the sensor's axes are unknown: a shank is then treated as a pocket.
    has_gyro   attribute; False for recordings without a gyroscope, likewise.
    """

    def __init__(self, sink: object, limits: object, placement: int = SHANK, side: int = 0, mounted: bool = True) -> None:
        self._sink = sink
        self.placement = placement
        self.side = side
        self.mounted = mounted
        self.has_gyro = True
        self.tally = Tally()
        self._monitor = Monitor(sink, limits)
        self._last_ms = -1
        self.tick_ms = 0
        self._step_ms = -1
        self._newest_x10 = 0
        self._resumed_ms = 0
        self._one = array("h", bytes(12))
        self._steps = None
        self._at_shank = False
        self._choose(self._sees_shank())

    def set_limits(self, limits: object) -> None:
        """These limits hold from now on."""
        self._monitor.set_limits(limits)

    def start_session(self, at_ms: int) -> None:
        """Zero the tally and what is said once a session."""
        self.tally.start(at_ms)
        self._monitor.start()

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples of array('h') ax ay az (mg) gx gy gz (0.1 degree per second); sample i is at t0_ms + i * period_us // 1000.

        A block that begins more than five periods after the last sample follows a gap; one that begins before it is taken to follow it.
        """
        if n <= 0:
            return
        last = self._last_ms
        if last >= 0:
            if t0_ms - last > _GAP_PERIODS * period_us // 1000:
                self._gap(last, t0_ms)
            elif t0_ms < last:
                t0_ms = last
        self._last_ms = t0_ms + (n - 1) * period_us // 1000
        if self._sees_shank() != self._at_shank:
            if last >= 0:
                self._steps.finish(last)
            self._choose(not self._at_shank)
        self._steps.samples(block, n, t0_ms, period_us)
        self.tally.now(self._last_ms)

    def sample(self, t_ms: int, ax: int, ay: int, az: int, gx: int, gy: int, gz: int) -> None:
        """One sample: ms, mg, 0.1 degree per second, body axes, at the nominal rate."""
        one = self._one
        one[0] = ax
        one[1] = ay
        one[2] = az
        one[3] = gx
        one[4] = gy
        one[5] = gz
        self.samples(one, 1, t_ms, _PERIOD_US)

    def finish(self, at_ms: int) -> None:
        """The end of the data: settle what is pending."""
        self.tally.now(at_ms)
        self._steps.finish(at_ms)

    def _gap(self, from_ms: int, to_ms: int) -> None:
        self.finish(from_ms)
        if to_ms - from_ms > _BRIDGED_MS:
            # Nobody knows what happened meanwhile: it is time of no direction.
            self.turn(from_ms, UNKNOWN, from_ms)
            self._monitor.restart()
        else:
            self._resumed_ms = to_ms + _RESUMED_MS
        self._steps.restart()
        self._sink.gap(from_ms, to_ms)

    def _sees_shank(self) -> bool:
        return self.placement == SHANK and self.mounted and self.has_gyro

    def _choose(self, shank: bool) -> None:
        """The detector to go on with; a board has the code of the one it needs in its heap, and not of the other."""
        self._at_shank = shank
        if shank:
            from retrostep_core.gait.shank import ShankSteps

            self._steps = ShankSteps(self)
        else:
            from retrostep_core.gait.waist import WaistSteps

            self._steps = WaistSteps(self)

    def tick(self, at_ms: int) -> None:
        """Four times a second, from the detector: compare with the limits."""
        self.tick_ms = at_ms + TICK_MS
        tally = self.tally
        tally.now(at_ms)
        if tally.cadence_x10 or at_ms >= self._resumed_ms:
            self._monitor.tick(at_ms, tally.direction, tally.cadence_x10, self._newest_x10, tally.forward_ms, tally.backward_ms)

    def credit(self, t_ms: int, at_ms: int) -> None:
        """A detector's step, in order of time: told to the sink, then counted."""
        if t_ms <= self._step_ms:
            t_ms = self._step_ms + 1
        self._step_ms = t_ms
        self.tally.now(at_ms)
        direction = self.tally.direction_at(t_ms)
        self._sink.step(t_ms, at_ms, direction)
        self.tally.step(t_ms, direction)

    def turn(self, since_ms: int, direction: int, at_ms: int) -> None:
        """A detector's statement of direction; `since` is kept from falling, and from changing what is long past."""
        tally = self.tally
        if direction == tally.direction:
            return
        if since_ms < at_ms - _CORRECTED_MS:
            since_ms = at_ms - _CORRECTED_MS
        if since_ms < tally.newest_since_ms:
            since_ms = tally.newest_since_ms
        if direction == STILL and since_ms <= self._step_ms:
            # Standing begins after the last step, the closing one included.
            since_ms = self._step_ms + 1
        tally.now(at_ms)
        tally.turn(since_ms, direction)
        self._sink.direction(at_ms, since_ms, direction)

    def pace(self, spm_x10: int, newest_x10: int, at_ms: int) -> None:
        """A detector's cadence in 0.1 steps a minute of both feet, 0 none, told when it changes; and that of the newest stride alone."""
        self._newest_x10 = newest_x10
        if spm_x10 != self.tally.cadence_x10:
            self.tally.cadence_x10 = spm_x10
            self._sink.cadence(at_ms, spm_x10)
