"""The wearable: samples to the engine, the session to its log, alerts to the wearer, the link to the host.

The pieces of the hardware come in by constructor (hal/wiring.py makes the board's). Nothing here waits: `sample`, `attend` and
`keep_house` do a little work each, and `run` calls them from three tasks. Whatever is missing or broken is said once as text and for
as long as it lasts in STATUS, and everything else goes on.
"""

import asyncio
import gc
import io
import sys

from hal import button, signal
from hal.lsm6ds import SensorFault
from hal.modules import forget, forget_since
from retrostep_core.gait.codes import GAP_OVERRUN, GAP_SAMPLES, GAP_SENSOR, SHANK, STOP
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.units import parse_mount
from retrostep_core.link import messages
from retrostep_core.link.server import Server
from retrostep_core.log import records
from retrostep_core.log.session import Session

# The link and the button are looked at this often; a UART fills its receive ring of 260 bytes in 22 ms.
_ATTEND_MS = 20
# While the line carries an answer, and for a moment after it: a host that syncs asks on.
_BUSY_MS = 2
_TALK_MS = 250
_HOUSE_MS = 500
_BATTERY_MS = 60000
_GC_MS = 10000
# Between attempts to find a sensor that is missing.
_RETRY_MS = 5000
_MISHAP_MS = 1000
# The same mishap is not told more often.
_MISHAP_AGAIN_MS = 60000
# So long the server works on before the other tasks get their turn.
_SERVE_MS = 10
FAULT_TEXTS = (
    (messages.FAULT_FLASH_SHORT, "flash is running short: sync soon; detail is left out of the log"),
    (messages.FAULT_FLASH_FULL, "flash is full or fails: sync now; counting goes on, the log does not"),
    (messages.FAULT_LOG_DAMAGED, "a log was damaged; what is sound in it is kept"),
)


class App:
    """`hardware`: board, store, clock, identity, console, signal, battery, save_limits, save_mount; button and imu, which may be None."""

    def __init__(self, hardware: object) -> None:
        # `hardware` and its board are not kept: their code, needed at the start only, is let go (main.py).
        board = hardware.board
        self.identity = hardware.identity
        self.clock = hardware.clock
        self.limits = board.limits
        self._trouble = board.trouble
        self._store = hardware.store
        self._console = hardware.console
        self._signal = hardware.signal
        self._battery = hardware.battery
        self._button = hardware.button
        self._save_limits = hardware.save_limits
        self._save_mount = hardware.save_mount
        self._imu = hardware.imu
        self._sampling = False
        self._guide = None
        self._calibrated = (0, 0, 0)  # the last calibration's state, strides, reason
        self._retry_ms = 0
        self._faults = messages.FAULT_SETTINGS if board.trouble else 0
        self._told = 0
        self._battery_ms = -_BATTERY_MS
        self._gc_ms = 0
        self._talk_ms = -_TALK_MS
        self._mishap_text = ""
        self._mishap_ms = 0
        self._interval_ms = board.watermark * 1000 // 104
        self._input = bytearray(64)
        self.session = Session(
            None,
            self._store,
            hardware.identity,
            hardware.clock,
            board.limits,
            placement=board.placement,
            side=board.side,
            mount=board.mount_text,
            auto_stop_s=board.auto_stop_s,
        )
        self._sink = _Reasons(self.session)
        self.engine = Engine(self._sink, board.limits, board.placement, board.side, board.mount is not None)
        self.session.engine = self.engine
        self.server = Server(self._store, self, self._console)
        self.session.watcher = _Watcher(self.server, self._signal, hardware.clock)
        hardware.clock.on_set = self.session.clock_fact

    def set_limits(self, limits: object) -> None:
        """These limits hold from now on and survive a reboot; OSError where they cannot be kept, and then the old ones stay."""
        self._save_limits(limits)
        self.limits = limits
        self.engine.set_limits(limits)
        self.session.limits = limits

    def calibrate(self, begin: bool) -> None:
        """Begin to find the mount, which ends the session, or leave off; ValueError where the sensor isn't worn on the shank."""
        if self.engine.placement != SHANK:
            raise ValueError("only a sensor worn on the shank is calibrated")
        self._calibrated = (0, 0, 0)
        if self._guide is not None:
            self._leave_guide()
        if not begin:
            return
        gc.collect()
        try:
            from guide import Guide
        except MemoryError:
            raise ValueError("there is no memory left for it: reset the board and begin again") from None
        now_ms = self.clock.ticks_ms()
        self.engine.finish(now_ms)
        self.session.stop(now_ms, records.BY_BUTTON)
        self._guide = Guide(self._signal, self.clock.ticks_ms, self._save_mount)
        if self._sampling:
            self._imu.turn(None)
        else:
            self._guide.no_samples()
            self._end_calibration()

    def calibration(self) -> object:
        """messages.Calibration: the one under way, or else the last one."""
        state, strides, reason = self._calibrated
        if self._guide is not None:
            found = self._guide.found
            state, strides, reason = found.state, found.strides, found.reason
        return messages.Calibration(state, strides, reason, self.session.mount)

    def status(self) -> object:
        """messages.Status; totals are the open session's."""
        session = self.session
        tally = self.engine.tally
        totals = records.ZERO
        if session.open:
            totals = records.Totals(tally.forward_steps, tally.backward_steps, tally.unknown_steps, tally.forward_ms, tally.backward_ms)
        store = self._store
        battery = self._battery
        return messages.Status(
            messages.IN_SESSION if session.open else messages.IDLE,
            session.number if session.open else 0,
            session.elapsed_ms(self.clock.ticks_ms()),
            tally.direction,
            tally.cadence_x10,
            totals,
            battery.millivolt,
            battery.percent,
            store.free_bytes(),
            store.unsynced,
            self.faults,
        )

    @property
    def faults(self) -> int:
        """messages.FAULT_* of now."""
        return self._faults | self.session.faults

    def start(self) -> None:
        """Close what an earlier boot left open, and begin to sample."""
        for sentence in self._trouble:
            self._say(sentence)
        store = self._store
        if store.broken:
            self._say("the flash cannot be read whole and is left as it is: run `retrostep rescue`; counting goes on, the log does not")
            self._faults |= messages.FAULT_LOG_DAMAGED
        elif store.damaged:
            self._say("state.bin was damaged: numbers go on from the highest in the logs")
            self._faults |= messages.FAULT_LOG_DAMAGED
        if store.stuck:
            self.session.faults |= messages.FAULT_FLASH_FULL
        self._recover()
        self._say(
            "%s on %s, boot %d, core %d.%d.%d" % ((self.identity.device, self.identity.board, self.clock.boot) + self.identity.core_version)
        )
        self._start_sensor()
        gc.collect()

    def sample(self) -> None:
        """Everything that waits in the sensor, through the engine. Allocates nothing of its own."""
        if not self._sampling:
            if self._imu is not None and self.clock.ticks_ms() >= self._retry_ms:
                self._start_sensor()
            return
        imu = self._imu
        taker = self.engine if self._guide is None else self._guide
        try:
            imu.look()
            if imu.overrun:
                self._sink.reason = GAP_OVERRUN
            n = imu.read()
            while n:
                taker.samples(imu.block, n, imu.t0_ms, imu.period_us)
                n = imu.read()
                self._sink.reason = GAP_SAMPLES
        except SensorFault as fault:
            self._sampling = False
            self._sensor_fault(str(fault))
            if self._guide is not None:
                self._guide.no_samples()
                self._end_calibration()
            return
        if taker is self._guide and taker.over:
            self._end_calibration()
        if imu.renewed:
            self.session.rate(imu.t0_ms, imu.timebase.milli_hz)

    def keep_house(self) -> None:
        """Twice a second: the session's housekeeping, the battery, the garbage."""
        now_ms = self.clock.ticks_ms()
        if now_ms - self._battery_ms >= _BATTERY_MS:
            self._battery_ms = now_ms
            self._battery.measure()
        if self._sampling:
            peak_mg = self._imu.peak_mg()
            if peak_mg > self.session.peak_mg:
                self.session.peak_mg = peak_mg
        self.session.tick(now_ms, self._battery.millivolt, self._battery.percent)
        faults = self.faults
        for fault, text in FAULT_TEXTS:
            if faults & fault and not self._told & fault:
                self._say(text)
                self._signal.play(signal.TROUBLE, now_ms, 1)
        self._told = faults
        if now_ms - self._gc_ms >= _GC_MS and not self.server.busy:
            self._gc_ms = now_ms
            gc.collect()

    def attend(self) -> bool:
        """The button, the signal and the link; True while the line has more to carry, or soon may."""
        now_ms = self.clock.ticks_ms()
        if self._button is not None:
            press = self._button.poll(now_ms)
            if press != button.NONE:
                self._pressed(press, now_ms)
        self._signal.poll(now_ms)
        console = self._console
        server = self.server
        n = console.read_into(self._input)
        while n:
            self._talk_ms = now_ms
            server.feed(self._input, n)
            n = console.read_into(self._input) if n == len(self._input) else 0
        while server.poll(now_ms) and self.clock.ticks_ms() - now_ms < _SERVE_MS:
            pass
        if server.between_frames:
            console.speak()
        if server.busy:
            self._talk_ms = now_ms
        return now_ms - self._talk_ms < _TALK_MS

    def stop(self) -> None:
        """Close the session's log, and leave the wearer and the line in peace."""
        now_ms = self.clock.ticks_ms()
        try:
            self.engine.finish(now_ms)
        except Exception as error:
            self._mishap(error)
        self.session.stop(now_ms, records.INTERRUPTED)
        self._signal.off()
        if self.server.between_frames:
            self._console.speak()

    def run(self) -> None:
        """Until Ctrl-C, which leaves a closed log and the REPL."""
        try:
            self.start()
            asyncio.run(self._tasks())
        except KeyboardInterrupt:
            self._say("interrupted: the log is closed, the REPL follows")
        finally:
            self.stop()
            # What is left of the tasks must not wake up in whatever the REPL runs next.
            asyncio.new_event_loop()

    async def _tasks(self) -> None:
        asyncio.create_task(self._again(self.attend, _ATTEND_MS))
        asyncio.create_task(self._again(self.keep_house, _HOUSE_MS))
        await self._again(self.sample, self._interval_ms)

    async def _again(self, work: object, pause_ms: int) -> None:
        """Do `work` for ever, every `pause_ms`, or sooner where it says that there is more."""
        while True:
            try:
                wait_ms = _BUSY_MS if work() else pause_ms
            except Exception as error:
                # A fault of this program: told, and survived as far as that goes. A wearable that stands still helps nobody.
                self._mishap(error)
                wait_ms = _MISHAP_MS
            await asyncio.sleep_ms(wait_ms)

    def _recover(self) -> None:
        known = set(sys.modules)
        from retrostep_core.log.recovery import recover

        recovery = recover(self._store, self._store.boot)
        forget_since(known)
        self._faults |= recovery.faults
        if recovery.closed:
            self._say("%d interrupted session(s) closed" % recovery.closed)

    def _say(self, text: str) -> None:
        self._console.say("retrostep: " + text)

    def _mishap(self, error: Exception) -> None:
        text = io.StringIO()
        sys.print_exception(error, text)
        text = text.getvalue()
        now_ms = self.clock.ticks_ms()
        if text == self._mishap_text and now_ms - self._mishap_ms < _MISHAP_AGAIN_MS:
            return
        self._mishap_text = text
        self._mishap_ms = now_ms
        for line in text.split("\n"):
            if line:
                self._say(line)

    def _start_sensor(self) -> None:
        if self._imu is None:
            # board.py has said why.
            self._faults |= messages.FAULT_SENSOR
            return
        try:
            self._imu.start()
        except SensorFault as fault:
            self._sensor_fault(str(fault))
            return
        self._sampling = True
        if self._faults & messages.FAULT_SENSOR:
            self._faults &= ~messages.FAULT_SENSOR
            self._sink.reason = GAP_SENSOR
            self._say("the sensor samples")

    def _sensor_fault(self, text: str) -> None:
        now_ms = self.clock.ticks_ms()
        self._retry_ms = now_ms + _RETRY_MS
        if not self._faults & messages.FAULT_SENSOR:
            self._faults |= messages.FAULT_SENSOR
            self._say(text)
            self._signal.play(signal.TROUBLE, now_ms, 1)

    def _end_calibration(self) -> None:
        """What was found holds from the next sample on."""
        found = self._guide.found
        self._calibrated = (found.state, found.strides, found.reason)
        if found.mount:
            self.session.mount = found.mount
            self.engine.mounted = True
        self._leave_guide()

    def _leave_guide(self) -> None:
        self._guide = None
        if self._imu is not None:
            self._imu.turn(parse_mount(self.session.mount))
        forget("guide")
        forget("retrostep_core.gait.calibration")

    def _pressed(self, press: int, now_ms: int) -> None:
        session = self.session
        pattern = signal.MARKED
        if self._guide is not None:
            self.calibrate(False)
            pattern = signal.STOP
        elif press == button.TRIPLE:
            pattern = signal.TROUBLE
            if not session.open:
                try:
                    self.calibrate(True)
                    return
                except ValueError as refusal:
                    self._say(str(refusal))
        elif press == button.SHORT:
            if session.open:
                session.stop(now_ms, records.BY_BUTTON)
                pattern = signal.STOP
            else:
                session.start(now_ms, records.BY_BUTTON)
                pattern = signal.START
        elif press == button.LONG:
            session.mark(now_ms, records.MARK_BACKWARD)
        elif self.engine.tally.backward_steps:
            # Whoever has run backward stretches; whoever has not yet warms up.
            session.mark(now_ms, records.MARK_STRETCH)
        else:
            session.mark(now_ms, records.MARK_WARM_UP)
        self._signal.play(pattern, now_ms)


class _Reasons:
    """The engine's sink: the session, with the reason for a gap that the engine cannot know."""

    def __init__(self, session: object) -> None:
        self.step = session.step
        self.direction = session.direction
        self.cadence = session.cadence
        self.alert = session.alert
        self._gap = session.gap
        self.reason = GAP_SAMPLES

    def gap(self, from_ms: int, to_ms: int) -> None:
        self._gap(from_ms, to_ms, self.reason)


class _Watcher:
    """Hears what the session hears: the host that watches, and the wearer when there is an alert."""

    def __init__(self, server: object, player: object, clock: object) -> None:
        self.step = server.step
        self.direction = server.direction
        self.cadence = server.cadence
        self.gap = server.gap
        self.session = server.session
        self._alert = server.alert
        self._player = player
        self._clock = clock

    def alert(self, at_ms: int, kind: int, severity: int, measured: int, limit: int) -> None:
        # The alert's own time is the newest sample's, a little past.
        stop = severity == STOP
        self._player.play(signal.HALT if stop else signal.WARN, self._clock.ticks_ms(), 3 if stop else 2)
        self._alert(at_ms, kind, severity, measured, limit)
