"""The wearable: makes its parts from the hardware and connects them.

    sensor -> sampling -> engine -> gap reasons -> session log -> flash
                    |                        |-> signals -> motor
                    |-> calibration mode           |-> link server -> host

Nothing here waits. Three tasks do a little work each: `sample`, `serve` and `housekeep`. A part that is missing or fails is
reported once as text, and in STATUS while it lasts; all others keep running.
"""

import gc

from button_actions import ButtonActions
from calibrator import Calibrator
from hal import unload
from reports import Faults
from retrostep_core.constants import const
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.load import Load
from retrostep_core.gait.totals import GaitTotals
from retrostep_core.link.server import Server
from retrostep_core.log.session_log import SessionLog
from sampling import GapReasons, Sampling
from signals import Signals
from task_loop import TaskLoop
from upkeep import Upkeep

# As in retrostep_core/codes.py. A private constant takes no memory.
_SHANK = const(0)
_END_BUTTON = const(2)
_END_INTERRUPTED = const(3)
_END_BATTERY = const(5)
_FAULT_LOG_DAMAGED = const(8)
_FAULT_SETTINGS = const(16)
_FAULT_MOUNT = const(32)
_FAULT_RESTARTED = const(64)
_SAMPLE_RATE_HZ = const(104)
# The state in STATUS, as in link/messages.py.
_IDLE = const(0)
_IN_SESSION = const(1)
# A UART fills its receive ring of 260 bytes in 22 ms.
_SERVE_EVERY_MS = const(20)
# While the device sleeps between bursts, so long that it can.
_SERVE_ASLEEP_MS = const(100)
_HOUSEKEEP_EVERY_MS = const(500)
_MEASURE_BATTERY_EVERY_MS = const(60000)
_COLLECT_EVERY_MS = const(10000)
# A host that has asked something probably asks again within this time: `serve` is called more often.
_CONVERSATION_MS = const(250)
# Bytes that are read at once, and in each ms: more than the fastest sync sends, and half of what a UART carries. More stay
# in the receive ring, so that a flood cannot take the time of the other tasks.
_READ_MOST = const(256)
_READ_BYTES_PER_MS = const(6)
# The server works at most this long before the other tasks get their turn.
_SERVE_MOST_MS = const(10)


class App:
    """The link's server reads `identity`, `nickname`, `clock` and `limits`, and calls the methods below that a request needs.

    hardware   the attributes of hal/hardware.py's Hardware; `button` and `imu` may be None
    """

    def __init__(self, hardware: object) -> None:
        board = hardware.board
        self.identity = hardware.identity
        self.clock = hardware.clock
        self.limits = board.limits
        self._store = hardware.store
        self._console = hardware.console
        self._feedback = hardware.feedback
        self._battery = hardware.battery
        self._ble = hardware.ble
        self._power = hardware.power
        self._watchdog = hardware.watchdog
        self._save_limits = hardware.save_limits
        totals = GaitTotals()
        load = Load(totals) if board.placement == _SHANK else None
        self.server = Server(self._store, self, self._console)
        self._signals = Signals(self.server, self._feedback, self.clock, totals, board.limits)
        self.session = SessionLog(
            totals,
            self._store,
            self.identity,
            self.clock,
            board.limits,
            board.placement,
            board.side,
            board.mount_text,
            board.auto_stop_s,
            self._signals,
            load=load,
        )
        self.session.auto_start = board.auto_start
        self.nickname = board.nickname
        self.clock.listener = self.session.clock_fact
        self._faults = Faults(self.session, self._console, self._feedback, self.clock)
        if self._watchdog.resets:
            self._print("the program hung, and the watchdog has reset the board")
            self._faults.add(_FAULT_RESTARTED)
        self._upkeep = Upkeep(self._store, self._faults, self._console)
        for problem in board.problems:
            self._print(problem)
            self._faults.add(_FAULT_SETTINGS)
        gap_reasons = GapReasons(self.session)
        self.engine = Engine(gap_reasons, board.limits, board.placement, board.side, board.mount is not None, totals)
        if load is not None:
            self.engine.measure_load(load)
        self._sampling = Sampling(hardware.imu, self.engine, gap_reasons, self.session, self._faults, self._console, self.clock)
        self._calibrator = Calibrator(self._sampling, self.engine, self.session, self._feedback, self.clock, hardware.save_mount)
        self._button = None
        if hardware.button is not None:
            self._button = ButtonActions(
                hardware.button, self.session, totals, self._calibrator, self._signals, self._feedback, self._console
            )
        self._tasks = TaskLoop(self._console, self.clock.ticks_ms, hardware.power.sleep_ms)
        self._tasks.add(self.sample, board.watermark * 1000 // _SAMPLE_RATE_HZ)
        self._serve_task = self._tasks.add(self.serve, _SERVE_EVERY_MS)
        self._tasks.add(self.housekeep, _HOUSEKEEP_EVERY_MS)
        self._input = bytearray(_READ_MOST)
        # Bytes that may be read at the time of the last read.
        self._readable = _READ_MOST
        self._read_ms = 0
        self._battery_ms = -_MEASURE_BATTERY_EVERY_MS
        self._collected_ms = 0
        self._asked_ms = -_CONVERSATION_MS

    def set_limits(self, limits: object) -> None:
        """Save `limits` and apply them. Other limits end the session. OSError if they cannot be saved; the old ones then stay."""
        self._save_limits(limits)
        if limits != self.limits:
            # The header's limits hold for the whole log.
            self.session.stop(self.clock.ticks_ms(), _END_BUTTON)
        self.limits = limits
        self.engine.set_limits(limits)
        self.session.limits = limits
        self._signals.limits = limits

    def calibrate(self, begin: bool) -> None:
        """Start a calibration, which ends the session, or cancel it. ValueError if it is impossible."""
        if begin:
            self._calibrator.begin()
        else:
            self._calibrator.cancel()

    def identify(self) -> None:
        """Eight pulses of the motor and the LED, so that a person finds this device among others."""
        self._feedback.play((200, 200) * 8, self.clock.ticks_ms())

    def capture(self, minutes: int, label: str) -> None:
        """Record raw samples for `minutes`, or no more for 0. ValueError if it is impossible."""
        now_ms = self.clock.ticks_ms()
        if not minutes:
            self.session.end_capture(now_ms)
        elif self._calibrator.active:
            raise ValueError("a calibration is running")
        else:
            try:
                self.session.capture(now_ms, minutes, label)
            except MemoryError:
                raise ValueError("not enough memory to capture: reset the board and try again") from None

    def calibration(self) -> tuple:
        """The fields of answers.Calibration, of the running calibration or of the last one."""
        return self._calibrator.result()

    def status(self) -> tuple:
        """The fields of answers.Status. The totals are those of the open session."""
        session = self.session
        counted = self.engine.totals
        totals = (0, 0, 0, 0, 0)
        if session.open:
            totals = counted.forward_steps, counted.backward_steps, counted.unknown_steps, counted.forward_ms, counted.backward_ms
        return (
            _IN_SESSION if session.open else _IDLE,
            session.number if session.open else 0,
            session.elapsed_ms(self.clock.ticks_ms()),
            counted.direction,
            counted.cadence_x10,
            totals,
            self._battery.millivolt,
            self._battery.percent,
            self._store.free_bytes(),
            self._store.unsynced,
            self.faults,
            self._sampling.reason,
        )

    @property
    def faults(self) -> int:
        """The faults that exist now, as bits codes.FAULT_*."""
        return self._faults.bits

    def start(self) -> None:
        """Report the state of the flash, close the log that an earlier boot left open, and start the sensor."""
        store = self._store
        if store.unreadable:
            self._print("the file system is damaged. Nothing is written to it, so that its sessions can be rescued")
            self._faults.add(_FAULT_LOG_DAMAGED)
        elif store.state_damaged:
            self._print("state.bin was damaged: session numbers continue after the highest one in the logs")
            self._faults.add(_FAULT_LOG_DAMAGED)
        self._upkeep.start()
        identity = self.identity
        facts = (identity.device, identity.board, self.clock.boot) + tuple(identity.core_version)
        self._print("%s on %s, boot %d, core %d.%d.%d" % facts)
        self._sampling.start()
        self._free_memory()

    def sample(self) -> None:
        """Task: pass all samples that are in the sensor to the engine, or to a calibration. Allocates nothing of its own.

        Only this task feeds the watchdog, also while the sensor is missing or fails: the others cannot hide that it hangs.
        """
        self._watchdog.feed(self.clock.ticks_ms())
        self._sampling.read()
        self._calibrator.poll()

    def serve(self) -> bool:
        """Task: the button, the motor and the link. True if the link has, or will soon have, more work."""
        now_ms = self.clock.ticks_ms()
        if self._button is not None and self._button.poll(now_ms):
            self._power.stay_awake(now_ms)
        self._feedback.poll(now_ms)
        console = self._console
        server = self.server
        readable = min(_READ_MOST, self._readable + (now_ms - self._read_ms) * _READ_BYTES_PER_MS)
        self._read_ms = now_ms
        n = console.read_into(self._input, readable)
        self._readable = readable - n
        if n:
            self._asked_ms = now_ms
            self._power.stay_awake(now_ms)
            server.feed(self._input, n)
        while server.poll(now_ms) and self.clock.ticks_ms() - now_ms < _SERVE_MOST_MS:
            pass
        if server.between_frames:
            console.send_text()
        if server.busy:
            self._asked_ms = now_ms
        is_busy = self._feedback.busy or self._calibrator.active or self._ble is not None
        self._serve_task[1] = _SERVE_ASLEEP_MS if self._power.choose(now_ms, self.session.open, is_busy) else _SERVE_EVERY_MS
        return now_ms - self._asked_ms < _CONVERSATION_MS

    def housekeep(self) -> None:
        """Task: the session's records and flushes, the battery, fault reports, work on the flash, garbage collection."""
        now_ms = self.clock.ticks_ms()
        if now_ms - self._battery_ms >= _MEASURE_BATTERY_EVERY_MS:
            self._battery_ms = now_ms
            had_failed = self._battery.failed
            self._battery.measure()
            if self._battery.failed and not had_failed:
                self._print("the battery's voltage cannot be measured on this chip. Its charge is unknown")
            if self._battery.is_empty and self.session.stop(now_ms, _END_BATTERY):
                self._print("the battery is empty: the session is closed")
        self.session.peak(self._sampling.take_peak_mg())
        self.session.tick(now_ms, self._battery.millivolt, self._battery.percent)
        if self.engine.is_turned:
            self._faults.add(_FAULT_MOUNT)
        else:
            self._faults.remove(_FAULT_MOUNT)
        self._faults.poll()
        self._signals.poll(now_ms, self._battery.percent)
        if self._ble is not None:
            self._show_by_ble(now_ms)
        if not self.session.open and not self.server.busy and not self._calibrator.active:
            self._upkeep.step()
        if now_ms - self._collected_ms >= _COLLECT_EVERY_MS and not self.server.busy:
            self._collected_ms = now_ms
            self._free_memory()

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
        self._feedback.off()
        if self._ble is not None:
            self._ble.stop()
        if self.server.between_frames:
            self._console.send_text()

    def _show_by_ble(self, now_ms: int) -> None:
        kind, severity = self._signals.holding
        self._ble.poll(now_ms, self.session.open, self.engine.totals, kind, severity, self._battery.percent)
        if self._ble.failed:
            self._print("Bluetooth cannot be switched on: there is too little memory. It stays off")
            self._ble = None

    def _free_memory(self) -> None:
        # They are needed for a time only: until the mount is known, while the sensor has a fault, or for a capture. The objects in use
        # keep the code of these modules; it is freed with the last one.
        unload(
            "retrostep_core.gait.mount_finder",
            "retrostep_core.gait.hidden_directions",
            "retrostep_core.gait.units",
            "retrostep_core.gait.unmounted",
            "retrostep_core.gait.shank_force",
            "retrostep_core.gait.waist",
            "retrostep_core.gait.waist_bout",
            "retrostep_core.log.raw_capture",
        )
        gc.collect()

    def _print(self, text: str) -> None:
        self._console.queue_text("retrostep: " + text)
