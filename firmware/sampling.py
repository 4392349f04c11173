"""The sensor's samples: read from its FIFO, and passed to the engine or to a calibration."""

from hal import unload
from hal.lsm6ds import SensorFault
from retrostep_core.constants import const

# As in retrostep_core/codes.py. A private constant takes no memory.
_GAP_SAMPLES = const(1)
_GAP_OVERRUN = const(2)
_GAP_SENSOR = const(3)
_FAULT_SENSOR = const(1)
# Between attempts to start a sensor that is missing.
_RETRY_MS = const(5000)
# No sensor is described, see FORMATS.md.
_NONE = const(13)


class Sampling:
    """Starts the sensor `imu` (hal/lsm6ds.py; None on a board without one), reads it, and tries again after a fault.

    reason     why the sensor does not work, with its detail * 256 added (FORMATS.md, "sensor"); 0 while it works
    """

    def __init__(self, imu: object, engine: object, session: object, faults: object, console: object, clock: object) -> None:
        self._imu = imu
        self._session = session
        self._faults = faults
        self._console = console
        self._clock = clock
        self._engine = engine
        self._sink = engine
        self._next_ms = 0
        self.running = False
        self.reason = 0

    def start(self) -> None:
        """Start the sensor. If it fails, the fault is reported, and `read` tries again every 5 s."""
        if self._imu is None:
            self._set_reason(_NONE)
            return
        try:
            self._imu.start()
        except SensorFault as fault:
            self._fail(fault)
            return
        self.running = True
        if self.reason:
            self._session.gap_reason = _GAP_SENSOR
        self._set_reason(self._engine.fault)

    def read(self) -> None:
        """Pass all samples that are in the sensor's FIFO on. Allocates nothing while the sensor works."""
        imu = self._imu
        if not self.running:
            if imu is not None and self._clock.ticks_ms() >= self._next_ms:
                self.start()
            return
        sink = self._sink
        session = self._session
        try:
            imu.check_fifo()
            if imu.overrun:
                session.gap_reason = _GAP_OVERRUN
            n = imu.read_block()
            load = self._engine.load
            while n:
                if load is not None:
                    load.block(imu.t0_ms, imu.t0_ms + n * imu.period_us // 1000, imu.impact)
                sink.samples(imu.block, n, imu.t0_ms, imu.period_us)
                if session.raw is not None:
                    session.samples(imu.block, n, imu.t0_ms, imu.period_us)
                n = imu.read_block()
                session.gap_reason = _GAP_SAMPLES
        except SensorFault as fault:
            self.running = False
            self._fail(fault)
            return
        if imu.rate_changed:
            session.rate(imu.t0_ms, imu.milli_hz)
        if self._engine.fault != self.reason:
            self._set_reason(self._engine.fault)

    def take_peak_mg(self) -> int:
        """The largest acceleration since the last call, in mg; 0 without a sensor."""
        return self._imu.take_peak_mg() if self.running else 0

    def divert(self, sink: object) -> None:
        """Pass the samples to `sink` from now on, in the axes of the sensor."""
        self._sink = sink
        if self._imu is not None:
            self._imu.set_mount(None)

    def restore(self, mount: tuple | None) -> None:
        """Pass the samples to the engine again, turned by `mount` (units.parse_mount)."""
        self._sink = self._engine
        if self._imu is not None:
            self._imu.set_mount(mount)

    def _fail(self, fault: SensorFault) -> None:
        self._next_ms = self._clock.ticks_ms() + _RETRY_MS
        self._set_reason(fault.args[0])

    def _set_reason(self, reason: int) -> None:
        """Report a sensor that fails, and one that works again."""
        if reason == self.reason:
            return
        self.reason = reason
        if not reason:
            self._faults.remove(_FAULT_SENSOR)
            self._console.queue_text("retrostep: the sensor works again")
            return
        from retrostep_core.sensor_text import sensor_text

        self._faults.add(_FAULT_SENSOR)
        self._faults.report("the sensor: " + sensor_text(reason & 255, reason >> 8))
        unload("retrostep_core.sensor_text")
