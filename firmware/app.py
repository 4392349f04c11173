"""The wearable: makes its parts from the hardware and connects them.

    sensor -> sampling -> engine -> gap reasons -> session log -> flash
                    |                        |-> signals -> motor
                    |-> calibration mode           |-> link server -> host

Nothing here waits. Three tasks do a little work each: `sample`, `serve` and `housekeep`. A part that is missing or fails is
reported once as text, and in STATUS while it lasts; all others keep running.
"""

import gc

from button_actions import ButtonActions
from hal import unload
from host_link import HostLink
from reports import Faults
from retrostep_core.constants import const
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.load import Load
from retrostep_core.gait.totals import GaitTotals
from retrostep_core.log.session_log import SessionLog
from sampling import Sampling
from signals import Signals
from task_loop import TaskLoop

# As in retrostep_core/codes.py. A private constant takes no memory.
_SHANK = const(0)
_END_INTERRUPTED = const(3)
_END_BATTERY = const(5)
_FAULT_MOUNT = const(32)
_SAMPLE_RATE_HZ = const(104)
_ALL = const(0xFFFFFFFF)
# A UART fills its receive ring of 260 bytes in 22 ms.
_SERVE_EVERY_MS = const(20)
# While the device sleeps between bursts: long enough to sleep.
_SERVE_ASLEEP_MS = const(100)
_HOUSEKEEP_EVERY_MS = const(500)
_MEASURE_BATTERY_EVERY_MS = const(60000)
_COLLECT_EVERY_MS = const(10000)


class App:
    """The parts of the wearable. What a host may ask of them is in host_requests.py.

    faults     reports.py's Faults: what does not work
    hardware   the attributes of hal/hardware.py's Hardware; `button` and `imu` may be None
    """

    def __init__(self, hardware: object) -> None:
        from start_report import report_start

        board = hardware.board
        self.identity = hardware.identity
        self.clock = hardware.clock
        self.limits = board.limits
        self.store = hardware.store
        self._console = hardware.console
        self.feedback = hardware.feedback
        self.battery = hardware.battery
        self._ble = hardware.ble
        self._power = hardware.power
        self._watchdog = hardware.watchdog
        self.save_limits = hardware.save_limits
        totals = GaitTotals()
        load = Load(totals) if board.placement == _SHANK else None
        self.link = HostLink(self._console, self)
        self.signals = Signals(self.feedback, self.clock, totals, board.limits)
        self.session = SessionLog(
            totals,
            self.store,
            self.identity,
            self.clock,
            board.limits,
            board.placement,
            board.side,
            board.mount_text,
            board.auto_stop_s,
            self.signals,
            load=load,
        )
        self.session.auto_start = board.auto_start
        self.nickname = board.nickname
        self.clock.listener = self.session.clock_fact
        self.faults = Faults(self.session, self._console, self.feedback, self.clock)
        report_start(self._console, self.faults, self.store, board, self._watchdog.resets)
        unload("start_report")
        # The modules that a session begins with are in memory.
        self._is_prepared = False
        # Logs with lower numbers are not checked yet; 0 once all are.
        self._unchecked_below = _ALL
        self.engine = Engine(self.session, board.limits, board.placement, board.side, board.mount is not None, totals)
        if load is not None:
            self.engine.measure_load(load)
        self.sampling = Sampling(hardware.imu, self.engine, self.session, self.faults, self._console, self.clock)
        self._save_mount = hardware.save_mount
        self._calibration: object = None  # calibration_mode.CalibrationMode while a calibration is running
        self._calibrated = (0, 0, 0)  # state, strides and reason of the last calibration
        self._button = None
        if hardware.button is not None:
            self._button = ButtonActions(hardware.button, self, totals, self.signals, self.feedback, self._console)
        self._tasks = TaskLoop(self._console, self.clock.ticks_ms, hardware.power.sleep_ms)
        sample_task = self._tasks.add(self.sample, board.watermark * 1000 // _SAMPLE_RATE_HZ)
        self._serve_task = self._tasks.add(self.serve, _SERVE_EVERY_MS)
        # Either of the others may work on the flash, or import a module. The samples never wait for both.
        self._tasks.tasks.append(sample_task)
        self._tasks.add(self.housekeep, _HOUSEKEEP_EVERY_MS)
        self._battery_ms = -_MEASURE_BATTERY_EVERY_MS
        self._collected_ms = 0

    def connect(self, server: object) -> None:
        """A host speaks: pass the session's events on to the link's `server`. None: it has gone."""
        self.signals.connect(server)
        if server is not None and self.session.open:
            server.session(self.session.start_ms, self.session.number, True)

    @property
    def calibrated(self) -> tuple:
        """State, strides and reason (answers.Calibration) of the running calibration, or of the last one."""
        return self._calibrated if self._calibration is None else self._calibration.result

    @property
    def is_calibrating(self) -> bool:
        """Whether a calibration is running."""
        return self._calibration is not None

    def calibrate(self, begin: bool) -> None:
        """Start a calibration, also in place of a running one, or cancel it. It ends the session. ValueError if it is impossible."""
        self._calibrated = (0, 0, 0)
        if self._calibration is not None:
            self._calibration.leave()
            self._end_calibration()
        if not begin:
            return
        gc.collect()
        try:
            from calibration_mode import CalibrationMode

            self._calibration = CalibrationMode(self.sampling, self.engine, self.session, self.feedback, self.clock, self._save_mount)
        except MemoryError:
            raise ValueError("not enough memory for a calibration: reset the board and try again") from None
        finally:
            if self._calibration is None:
                self._end_calibration()
        self._poll_calibration()

    def start(self) -> None:
        """Close the log that an earlier boot left open, and start the sensor."""
        self._check_log()
        identity = self.identity
        facts = (identity.device, identity.board, self.clock.boot) + tuple(identity.core_version)
        self._print("%s on %s, boot %d, core %d.%d.%d" % facts)
        self.sampling.start()
        self._free_memory()

    def sample(self) -> None:
        """Task: pass all samples that are in the sensor to the engine, or to a calibration. Allocates nothing of its own.

        Only this task feeds the watchdog, also while the sensor is missing or fails: the others cannot hide that it hangs.
        """
        self._watchdog.feed(self.clock.ticks_ms())
        self.sampling.read()
        self._poll_calibration()

    def serve(self) -> bool:
        """Task: the button, the motor and the link. True if the link has, or will soon have, more work."""
        if self.session.open:
            if self.engine.finder is None:
                self._is_prepared = False
        elif not self._is_prepared:
            # In a call of its own: the one that ended the session may have taken long.
            self._prepare_session()
            return True
        now_ms = self.clock.ticks_ms()
        if self._button is not None and self._button.poll(now_ms):
            self._power.stay_awake(now_ms)
        self.feedback.poll(now_ms)
        if self.link.poll(now_ms):
            self._power.stay_awake(now_ms)
        is_busy = self.feedback.busy or self._calibration is not None or self._ble is not None
        self._serve_task[1] = _SERVE_ASLEEP_MS if self._power.choose(now_ms, self.session.open, is_busy) else _SERVE_EVERY_MS
        return self.link.is_asked(now_ms)

    def housekeep(self) -> None:
        """Task: the session's records and flushes, the battery, fault reports, work on the flash, garbage collection."""
        now_ms = self.clock.ticks_ms()
        if now_ms - self._battery_ms >= _MEASURE_BATTERY_EVERY_MS:
            self._battery_ms = now_ms
            had_failed = self.battery.failed
            self.battery.measure()
            if self.battery.failed and not had_failed:
                self._print("the battery's voltage cannot be measured on this chip. Its charge is unknown")
            if self.battery.is_empty and self.session.stop(now_ms, _END_BATTERY):
                self._print("the battery is empty: the session is closed")
        self.session.peak(self.sampling.take_peak_mg())
        self.session.tick(now_ms, self.battery.millivolt, self.battery.percent)
        if self.engine.is_turned:
            self.faults.add(_FAULT_MOUNT)
        else:
            self.faults.remove(_FAULT_MOUNT)
        self.faults.poll()
        self.signals.poll(now_ms, self.battery.percent)
        if self._ble is not None:
            kind, severity = self.signals.holding
            self._ble.poll(now_ms, self.session.open, self.engine.totals, kind, severity, self.battery.percent)
            if self._ble.failed:
                self._print("Bluetooth cannot be switched on: there is too little memory. It stays off")
                self._ble = None
        if not self.session.open and not self.link.busy and self._calibration is None:
            self.upkeep()
        if now_ms - self._collected_ms >= _COLLECT_EVERY_MS and not self.link.busy:
            self._collected_ms = now_ms
            self._free_memory()

    def upkeep(self) -> bool:
        """One slice of the work on the flash between sessions: prepare the next log, or check an older one. False if there was none."""
        return self.store.tend() or self._check_log()

    def run(self) -> None:
        """Start, and run the tasks until Ctrl-C. The log is then closed, and MicroPython shows its REPL."""
        try:
            self.start()
            self._watchdog.run()
            self._tasks.run()
        except KeyboardInterrupt:
            self._print("interrupted: the log is closed, the REPL follows")
        finally:
            # First of all: a second Ctrl-C may end the rest.
            self._watchdog.rest()
            self.stop()

    def stop(self) -> None:
        """Close the session's log, and switch the motor and the radio off."""
        now_ms = self.clock.ticks_ms()
        try:
            self.engine.finish(now_ms)
        except Exception as error:
            # The log must be closed in any case.
            self._tasks.report(error)
        self.session.stop(now_ms, _END_INTERRUPTED)
        self.feedback.off()
        if self._ble is not None:
            self._ble.stop()
        self.link.send_text()

    def _check_log(self) -> bool:
        """Check the newest log that is not checked yet: an earlier boot may have left it open. False if there is none."""
        if not self._unchecked_below:
            return False
        from upkeep import check_log

        self._unchecked_below = check_log(self.store, self._unchecked_below, self.faults, self._console)
        if self._unchecked_below:
            return True
        # Only the check of logs needs them.
        unload("upkeep")
        unload("recovery interrupted decoded reader totals_from_log", "retrostep_core.log.")
        return False

    def _poll_calibration(self) -> None:
        """Take the result of a calibration that has ended."""
        if self._calibration is not None and not self._calibration.poll():
            self._calibrated = self._calibration.result
            self._end_calibration()

    def _end_calibration(self) -> None:
        self._calibration = None
        unload("calibration_mode hal.calibration_signals retrostep_core.gait.calibration")

    def _prepare_session(self) -> None:
        """Find the mount again, and import what a session begins with: its first samples must not wait for an import."""
        self._is_prepared = True
        self.engine.find_mount()
        if self.engine.placement == _SHANK:
            import retrostep_core.gait.unmounted  # noqa: F401

    def _free_memory(self) -> None:
        """Free modules that are needed for a time only. Objects in use keep their code."""
        # A capture, and a sensor with a fault.
        unload("retrostep_core.log.raw_capture")
        unload("shank_force waist waist_bout", "retrostep_core.gait.")
        if self.session.open:
            unload("hal.store_upkeep")
            if self.engine.finder is None:
                unload("mount_finder hidden_directions units unmounted", "retrostep_core.gait.")
        gc.collect()

    def _print(self, text: str) -> None:
        self._console.queue_text("retrostep: " + text)
