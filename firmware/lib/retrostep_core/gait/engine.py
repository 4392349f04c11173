"""Samples in body axes in; steps of both feet, direction, cadence, alerts and gaps out."""

from retrostep_core.constants import const
from retrostep_core.gait.alerts import Monitor
from retrostep_core.gait.output import GaitOutput
from retrostep_core.gait.sensor_check import SensorCheck
from retrostep_core.gait.totals import GaitTotals
from retrostep_core.gait.units import AS_DECLARED
from retrostep_core.intmath import isqrt

# As in retrostep_core/codes.py.
_UNKNOWN = const(0)
_SHANK = const(0)
_GAP_SAMPLES = const(1)
_GAP_GYRO = const(7)
_GAP_PERIODS = const(5)
# In a gap up to this long a person cannot stop or turn round: the direction, and the level that a rise is measured from, outlast it.
_SHORT_GAP_MS = const(1000)
# After a short gap the detector has a cadence again within this time.
_RESUMED_MS = const(3000)
# Detectors.
_WAIST_STEPS = const(0)
_SHANK_STEPS = const(1)
_UNMOUNTED_SHANK = const(2)
_SHANK_FORCE = const(3)
# While a sensor fault lasts, its gap is reported this often: a session may end, or lose its power, before the fault does.
_FAULT_GAP_MS = const(30000)


class Engine:
    """The gait engine: detector -> output (times, totals) -> alerts -> sink.

    One call a block. Fixed memory, integers only, the same events on every interpreter.

    sink       duck type: step(t_ms, at_ms, direction), direction(at_ms, since_ms, direction), cadence(at_ms, spm_x10),
               alert(at_ms, kind, severity, measured, limit), gap(from_ms, to_ms, reason),
               found_mount(at_ms, since_ms, mount). `at_ms` is the newest sample's time, `t_ms` the
               step's own. Step times strictly rise; `since_ms` never falls; a direction relabels every step with t_ms >= since_ms.
    placement  SHANK: steps of both feet, direction, alerts. WAIST, POCKET: steps and cadence, direction UNKNOWN.
    side       LEFT, RIGHT or 0; the body axes are the same for either leg.
    mounted    False where the sensor's axes are unknown: then a shank has steps of both feet and cadence, direction UNKNOWN until the
               mount is found.
    mount      which of the incoming axes of a shank point forward, left and up: as declared until strides show another mount. Samples are
               turned in their block then.
    has_gyro   attribute; False for recordings without a gyroscope: then a shank has steps from the accelerometer alone, direction UNKNOWN.
    fault      of the sensor: 0, or the codes.GAP_* that `SensorCheck` finds. A dead gyroscope is treated as a missing one; during any
               other fault nothing is counted. A fault is reported as gaps with its reason.
    finder     MountFinder until the mount is known; None after that, and where it is not needed
    load       Load of the worn leg, or None; set it with `measure_load`
    totals     GaitTotals that it counts in; its own if none are given. Alerts that come once a session may come again after a reset.
    """

    def __init__(
        self, sink: object, limits: object, placement: int = _SHANK, side: int = 0, mounted: bool = True, totals: GaitTotals | None = None
    ) -> None:
        self._sink = sink
        self.placement = placement
        self.side = side
        self.mounted = mounted
        self.has_gyro = True
        self.totals = totals or GaitTotals()
        self._monitor = Monitor(sink, limits)
        self._output = GaitOutput(sink, self.totals, self._monitor)
        self._last_ms = -1
        self._check = SensorCheck()
        self._skip = 0  # index of the sample that is checked next, from the start of the next block on
        self._is_blind = False  # no sample counts
        self._reported_ms = 0  # up to here the gap of the fault is reported
        self._detector: object = None
        self.mount = AS_DECLARED
        # A sensor that is tipped: cosine and sine in 1/256 of the tip forward, and of the tip to the left.
        self._is_tipped = False
        self._tips_x256 = [256, 0, 256, 0]
        self._is_mount_known = False
        self.finder: object = None
        self._resets = self.totals.resets
        self._chosen = _WAIST_STEPS
        self._choose_detector(self._wanted())
        self.find_mount()

    @property
    def fault(self) -> int:
        """The sensor's fault, 0 for none."""
        return self._check.fault

    @property
    def is_turned(self) -> bool:
        """Whether strides showed another mount than the declared one."""
        return self.mounted and self.mount is not AS_DECLARED

    @property
    def load(self) -> object:
        """What adds up the impacts of the worn leg; None where they mean nothing."""
        # The driver measures along the declared z.
        return self._output.load if self._chosen == _SHANK_STEPS and self.mount[2] == AS_DECLARED[2] else None

    def measure_load(self, load: object) -> None:
        """Give the contacts of the worn leg to `load`, a Load."""
        self._output.load = load

    def set_limits(self, limits: object) -> None:
        """These limits hold from now on."""
        self._monitor.set_limits(limits)

    def declare_mount(self) -> None:
        """Samples have the axes of a mount that was measured from now on: strides have to show another one again."""
        self.mounted = True
        self.mount = AS_DECLARED
        self._is_tipped = False
        self._is_mount_known = False
        self.finder = None
        self.find_mount()

    def samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """n samples of array('h') ax ay az (mg) gx gy gz (0.1 degrees per second); sample i is at t0_ms + i * period_us // 1000.

        A block that begins more than five periods after the last sample follows a gap; one that begins before it is moved behind it.
        """
        if n <= 0:
            return
        last_ms = self._last_ms
        if last_ms >= 0:
            if t0_ms - last_ms > _GAP_PERIODS * period_us // 1000:
                self._gap(last_ms, t0_ms)
            elif t0_ms < last_ms:
                t0_ms = last_ms
        self._last_ms = t0_ms + (n - 1) * period_us // 1000
        if self._skip < n:
            self._check_samples(block, n, t0_ms, period_us)
            self._change_detector(last_ms)
        self._skip -= n
        if self._resets != self.totals.resets:
            # Another session: the sensor may be worn another way.
            self._resets = self.totals.resets
            self.find_mount()
        if not self._is_blind:
            finder = self.finder if self._chosen == _SHANK_STEPS or self._chosen == _UNMOUNTED_SHANK else None
            if finder is not None:
                finder.samples(block, n, t0_ms)
            if self.mount is not AS_DECLARED:
                self._turn(block, n)
            if self._is_tipped:
                self._straighten(block, n)
            self._detector.samples(block, n, t0_ms, period_us)
            if finder is not None and finder.look():
                self._use_mount(finder)
        self.totals.advance(self._last_ms)

    def finish(self, at_ms: int) -> None:
        """The end of the data: report what is pending."""
        self.totals.advance(at_ms)
        self._detector.finish(at_ms)
        self._output.finish(at_ms)
        if self._check.fault:
            self._report(at_ms, self._check.fault)

    def _gap(self, from_ms: int, to_ms: int) -> None:
        self.finish(from_ms)
        is_short = to_ms - from_ms <= _SHORT_GAP_MS
        if is_short:
            self._output.pause_alerts(to_ms + _RESUMED_MS)
        else:
            # What happened in the gap is unknown.
            self._output.direction(from_ms, _UNKNOWN, from_ms)
            self._monitor.restart()
        self._detector.restart(is_short)
        if self.finder is not None:
            self.finder.restart()
        self._check.restart()
        self._skip = 0
        self._reported_ms = to_ms
        self._sink.gap(from_ms, to_ms, _GAP_SAMPLES)

    def _change_detector(self, last_ms: int) -> None:
        """Choose the detector again if what it needs has changed; the last sample before was at `last_ms`."""
        wanted = self._wanted()
        if wanted == self._chosen:
            return
        if last_ms >= 0:
            self._detector.finish(last_ms)
            # The other detector starts without a direction.
            self._output.direction(last_ms, _UNKNOWN, last_ms)
        self._choose_detector(wanted)

    def _check_samples(self, block: object, n: int, t0_ms: int, period_us: int) -> None:
        """Look at some of the samples, and report a sensor fault, while it lasts and at its end."""
        check = self._check
        check.has_gyro = self.has_gyro
        i = self._skip
        while i < n:
            fault = check.fault
            i += check.observe(block, 6 * i, t0_ms + i * period_us // 1000)
            if check.fault != fault:
                self._change_fault(fault)
        self._skip = i
        if check.fault and self._last_ms - self._reported_ms >= _FAULT_GAP_MS:
            self._report(self._last_ms, check.fault)

    def _change_fault(self, reason: int) -> None:
        """The sensor's fault was `reason`, and is another one, or over."""
        at_ms = self._last_ms
        since_ms = self._check.since_ms
        fault = self._check.fault
        self._is_blind = fault != 0 and fault != _GAP_GYRO
        if reason:
            self._report(since_ms, reason)
        if fault:
            # What was measured since the fault began is not movement.
            self._detector.finish(at_ms)
            self._output.direction(since_ms, _UNKNOWN, at_ms)
            self._monitor.restart()
            self._detector.restart(False)
            self._reported_ms = since_ms
            self._report(at_ms, fault)

    def _report(self, to_ms: int, reason: int) -> None:
        if to_ms > self._reported_ms:
            self._sink.gap(self._reported_ms, to_ms, reason)
            self._reported_ms = to_ms

    def _wanted(self) -> int:
        if self.placement != _SHANK:
            return _WAIST_STEPS
        if not self.has_gyro or self._check.fault == _GAP_GYRO:
            return _SHANK_FORCE
        if self._is_mount_known:
            return _SHANK_STEPS
        if not self.mounted:
            return _UNMOUNTED_SHANK
        return _UNMOUNTED_SHANK if self.finder is not None and self.finder.is_other_axis() else _SHANK_STEPS

    def find_mount(self) -> None:
        """Begin to find the mount of a shank, unless that is under way; until it is found, directions are hidden.

        Each session begins so. Call it when a session has ended: a sensor that is then strapped on another way counts no step as declared.
        """
        if self.placement == _SHANK and self.finder is None:
            # Imported here: its code is needed only until the mount is known.
            from retrostep_core.gait.mount_finder import MountFinder

            self.finder = self._output.finder = MountFinder(self.mounted)
            self.finder.mount = self.mount

    def _use_mount(self, finder: object) -> None:
        """The mount is known: report the directions so far, and turn the samples from now on."""
        self.finder = None
        self._is_mount_known = True
        if finder.mount == self.mount and self._chosen == _SHANK_STEPS:
            self._straighten_from(finder)
            self._output.release(self._last_ms)
            return
        self.mount = AS_DECLARED if finder.mount == AS_DECLARED else finder.mount
        if self._chosen != _SHANK_STEPS:
            self._detector.finish(self._last_ms)
            self._choose_detector(_SHANK_STEPS)
        self._straighten_from(finder)
        self._detector.resume(finder.direction)
        self._output.replace(self._last_ms)
        self._sink.found_mount(self._last_ms, finder.since_ms, self.mount)

    def _turn(self, block: object, n: int) -> None:
        """Turn the samples from the incoming axes to the body's, in their place."""
        (i, p), (j, q), (k, r) = self.mount
        # ~value instead of -value: it fits in 16 bits.
        p >>= 1
        q >>= 1
        r >>= 1
        at = 0
        while at < 6 * n:
            x = block[at + i] ^ p
            y = block[at + j] ^ q
            z = block[at + k] ^ r
            block[at] = x
            block[at + 1] = y
            block[at + 2] = z
            x = block[at + 3 + i] ^ p
            y = block[at + 3 + j] ^ q
            z = block[at + 3 + k] ^ r
            block[at + 3] = x
            block[at + 4] = y
            block[at + 5] = z
            at += 6

    def _straighten_from(self, finder: object) -> None:
        """Straighten the samples from now on, if the finder measured a tip."""
        tips = self._tips_x256
        self._is_tipped = False
        for k in (0, 1):
            tangent = finder.tips_x256[k]
            cosine = 65536 // isqrt(65536 + tangent * tangent)
            tips[2 * k] = cosine
            tips[2 * k + 1] = tangent * cosine >> 8
            if tangent:
                self._is_tipped = True

    def _straighten(self, block: object, n: int) -> None:
        """Turn what the detector uses most back to the leg's axes: the force forward and up, and the angular velocity about the side."""
        cosine, sine, side_cosine, side_sine = self._tips_x256
        at = 0
        while at < 6 * n:
            x = block[at]
            z = block[at + 2]
            block[at] = _int16((cosine * x - sine * z) >> 8)
            block[at + 2] = _int16((cosine * z + sine * x) >> 8)
            block[at + 4] = _int16((side_cosine * block[at + 4] - side_sine * block[at + 5]) >> 8)
            at += 6

    def _choose_detector(self, number: int) -> None:
        """Imported here: only one detector's code stays in RAM."""
        self._chosen = number
        if number == _SHANK_STEPS:
            from retrostep_core.gait.shank import ShankSteps

            self._detector = ShankSteps(self._output)
        elif number == _UNMOUNTED_SHANK:
            from retrostep_core.gait.unmounted import UnmountedShank

            self._detector = UnmountedShank(self._output)
        else:
            from retrostep_core.gait.waist import WaistSteps

            if number == _SHANK_FORCE:
                from retrostep_core.gait.shank_force import BothFeet

                both = BothFeet(self._output)
                both.steps = self._detector = WaistSteps(both, False)
            else:
                self._detector = WaistSteps(self._output)


def _int16(value: int) -> int:
    return 32767 if value > 32767 else -32768 if value < -32768 else value
