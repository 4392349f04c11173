"""The whole app on fake hardware: a leg that stands, walks and runs backward, a button, a line, and everything that breaks."""

import sys
from array import array
from binascii import crc32

from app import App
from disk import Disk
from hal.battery import Battery
from hal.board import Board
from hal.button import Button
from hal.clock import Clock
from hal.console import Console
from hal.identity import Identity
from hal.lsm6ds import SensorFault
from hal.signal import Signal
from hal.store import Store
from retrostep_core.gait import calibration
from retrostep_core.gait.codes import BACKWARD, COLD_START, FORWARD, GAP_OVERRUN, GAP_SENSOR, RAMP, STILL, STOP, UNKNOWN, WARN
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.units import parse_mount
from retrostep_core.link import answers, caller, messages
from retrostep_core.log import decoded, records
from retrostep_core.log.reader import read_log
from test_hal_board import VIRTUAL

# A shank's sagittal rate over one stride forward, 0.1 degree per second: a deep short swing one way, a long shallow one the other.
# The same stride backward is this one with time and sign turned round.
SHAPE = (
    (798, 906, 1021, 1141, 1263, 1382, 1496, 1602, 1694, 1770, 1826, 1861, 1872, 1861, 1826, 1770)
    + (1694, 1602, 1496, 1382, 1263, 1141, 1021, 906, 798, 698, 608, 529, 459, 400, 348, 303)
    + (260, 214, 156, 71, -57, -247, -521, -893, -1364, -1919, -2516, -3095, -3583, -3911, -4026, -3911)
    + (-3585, -3097, -2519, -1924, -1372, -903, -536, -269, -88, 28, 97, 135, 155, 165, 170, 172)
)


class Timebase:
    milli_hz = 104166


class Leg:
    """The sensor on a leg: the driver's face, with samples every 10 ms. `stride_ms` 0 stands."""

    def __init__(self, clock):
        self._clock = clock
        self.block = array("h", bytes(2 * 6 * 16))
        self.t0_ms = 0
        self.period_us = 10000
        self.timebase = Timebase()
        self.overrun = False
        self.renewed = False
        self.stride_ms = 0
        self.backward = False
        self.missing = False
        self.starts = 0
        self.weight_mg = 1000
        self.mount = parse_mount("+y+z+x")  # how it sits
        self.turned = self.mount  # how the app has it turned
        self._made_ms = 0
        self._until_ms = 0
        self._phase = 0

    def turn(self, mount):
        self.turned = mount or ((0, 1), (1, 1), (2, 1))

    def start(self):
        self.starts += 1
        if self.missing:
            raise SensorFault("No sensor answers at I2C address 0x6A: check the wiring.")
        self._made_ms = self._clock.ticks_ms()

    def look(self):
        if self.missing:
            raise SensorFault("The LSM6DSOX no longer answers: check its wiring.")
        self._until_ms = self._clock.ticks_ms()
        if self.overrun:
            self._made_ms = self._until_ms - 2500
        return 0

    def read(self):
        n = 0
        self.t0_ms = self._made_ms + 10
        while n < 16 and self._made_ms + 10 <= self._until_ms:
            self._made_ms += 10
            self._feel(6 * n)
            n += 1
        return n

    def peak_mg(self):
        return 3000 if self.stride_ms else 1000

    def _feel(self, at):
        rate, hit = 0, 0
        if self.stride_ms:
            self._phase += 64 * 10 * 1000 // self.stride_ms
            phase = self._phase // 1000 % 64
            rate = -SHAPE[63 - phase] if self.backward else SHAPE[phase]
            hit = 2000 if phase < 3 else 0
        body = (-rate // 12 if self.backward else rate // 12, 0, self.weight_mg + hit, 0, rate, 0)
        sensor = [0] * 6
        for k, (index, sign) in enumerate(self.mount):
            sensor[index] = sign * body[k]
            sensor[3 + index] = sign * body[3 + k]
        for k, (index, sign) in enumerate(self.turned):
            self.block[at + k] = sign * sensor[index]
            self.block[at + 3 + k] = sign * sensor[3 + index]


class Line:
    """The serial line with a host at its other end."""

    def __init__(self):
        self._to_device = bytearray()
        self._decoder = caller.FrameDecoder()
        self.frames = []
        self.text = b""
        self._id = 0

    def readable(self):
        return len(self._to_device) > 0

    def writable(self):
        return True

    def readinto(self, buf):
        buf[0] = self._to_device[0]
        self._to_device = self._to_device[1:]
        return 1

    def write(self, data):
        for what in self._decoder.feed(bytes(data)):
            if what[0] == "text":
                self.text += what[1]
            else:
                self.frames.append((what[2], answers.unpack(what[1], what[3])))
        return len(data)

    def ask(self, name, *args):
        self._id += 1
        self._to_device += caller.request(self._id, name, *args)
        return self._id

    def said(self):
        for what in self._decoder.idle():
            self.text += what[1]
        return self.text.decode()


class Hardware:
    """What hal/wiring.py would build."""

    def __init__(self, disk, settings, board, store=Store):
        self.now_ms = 0
        self.pressed = False
        self.motor = []
        self.kept = []
        self.board = Board(board, settings)
        self.store = store(disk.root)
        self.clock = Clock(lambda: self.now_ms, lambda new, old: new - old, self.store.boot)
        self.identity = Identity(b"\1\2\3\4\5\6", self.board.name, bytes(8))
        self.line = Line()
        self.console = Console(self.line, self.line, self.line.readable, self.line.writable, self.clock.ticks_ms, "usb")
        self.button = Button(lambda: 0 if self.pressed else 1, True)
        self.signal = Signal(None, self.feel)
        self.battery = Battery(lambda: 1950000, 200)
        self.imu = Leg(self.clock) if self.board.imu else None
        self.flash_full = False

    def save_limits(self, limits):
        if self.flash_full:
            raise OSError(28)
        self.kept.append(limits)

    def save_mount(self, mount):
        if self.flash_full:
            raise OSError(28)
        self.kept.append(mount)

    def feel(self, on):
        if on and (not self.motor or self.motor[-1][1]):
            self.motor.append([self.now_ms, 0])
        if not on and self.motor and not self.motor[-1][1]:
            self.motor[-1][1] = self.now_ms

    def pulses(self, since_ms=0):
        """Lengths of the motor's pulses, ms."""
        return [end - start for start, end in self.motor if start >= since_ms]


class Worn:
    """The app on a leg, with time that the test moves in steps of 20 ms."""

    def __init__(self, disk=None, settings=None, board=None, start=True, missing=False, hardware=None):
        self.disk = disk or (None if hardware else Disk())
        self.hardware = hardware or Hardware(self.disk, settings or {}, VIRTUAL if board is None else board)
        if missing:
            self.hardware.imu.missing = True
        self.app = App(self.hardware)
        self.leg = self.hardware.imu
        if start:
            self.app.start()

    def live(self, seconds, stride_ms=0, backward=False, sampling=True):
        if self.leg is not None:
            self.leg.stride_ms = stride_ms
            self.leg.backward = backward
        hardware = self.hardware
        end = hardware.now_ms + int(seconds * 1000)
        while hardware.now_ms < end:
            hardware.now_ms += 20
            if sampling and hardware.now_ms % 120 == 0:
                self.app.sample()
            if hardware.now_ms % 500 == 0:
                self.app.keep_house()
            self.app.attend()

    def press(self, *lengths_ms):
        for length in lengths_ms:
            self.hardware.pressed = True
            self.live(length / 1000, self.leg.stride_ms, self.leg.backward)
            self.hardware.pressed = False
            self.live(0.14, self.leg.stride_ms, self.leg.backward)
        self.live(1.2, self.leg.stride_ms, self.leg.backward)

    def log(self, session):
        store = self.hardware.store
        buf = bytearray(store.size(session))
        assert store.read_into(session, 0, buf) == len(buf)
        log = read_log(bytes(buf))
        assert log.damage == []
        return log

    def answer(self, name, *args):
        asked = self.hardware.line.ask(name, *args)
        self.live(0.1, self.leg.stride_ms if self.leg else 0)
        got = [answer for id, answer in self.hardware.line.frames if id == asked]
        assert got, "no answer to " + name
        return got[-1]


def test_a_session_begins_and_ends_by_itself():
    worn = Worn()
    worn.live(5)
    assert not worn.app.session.open and worn.hardware.store.numbers() == []
    worn.live(20, 750)
    assert worn.app.session.open
    worn.live(3)
    worn.live(20, 800, True)
    worn.live(58)
    assert worn.app.session.open
    worn.live(10)
    assert not worn.app.session.open
    log = worn.log(1)
    assert log.header.device == "RS-010203040506" and log.header.board == "VIRTUAL" and log.header.trigger == records.BY_ITSELF
    assert log.header.mount == "+y+z+x" and log.header.side == 1 and log.header.boot == 1
    assert log.end.reason == records.BY_ITSELF
    assert 46 <= log.totals.forward_steps <= 56 and 44 <= log.totals.backward_steps <= 54
    assert 18000 <= log.totals.forward_ms <= 23000 and 17000 <= log.totals.backward_ms <= 24000
    assert log.battery[0] == decoded.Battery(log.battery[0].at_ms, 3900, 65)
    assert max([epoch.peak_mg for epoch in log.epochs]) == 3000
    assert log.gaps == []


def test_the_button_begins_marks_and_ends_a_session():
    worn = Worn()
    worn.live(2)
    worn.press(150)
    assert worn.app.session.open and worn.hardware.pulses() == [120, 120]
    worn.live(10, 750)
    worn.press(150, 150)
    worn.live(10, 800, True)
    worn.press(1200)
    worn.press(150, 150)
    worn.live(3)
    worn.press(150)
    assert not worn.app.session.open
    log = worn.log(1)
    assert log.header.trigger == records.BY_BUTTON and log.end.reason == records.BY_BUTTON
    assert [mark.mark for mark in log.marks] == [records.MARK_WARM_UP, records.MARK_BACKWARD, records.MARK_STRETCH]


def test_an_alert_is_felt_once_and_logged():
    worn = Worn(settings={"limits": hexed(Limits.from_dict({"warm_up_s": 60}))})
    worn.live(10, 750)
    assert worn.hardware.motor == []
    worn.live(20, 800, True)
    assert [(alert.kind, alert.severity) for alert in read_open(worn).alerts] == [(COLD_START, WARN)]
    assert worn.hardware.pulses() == [260, 260], "looked at every 20 ms, 250 ms are 260"


def test_a_cadence_that_climbs_stops_the_runner():
    worn = Worn(settings={"limits": hexed(Limits.from_dict({"warm_up_s": 0}))})
    worn.live(5, 750)
    worn.live(15, 800, True)
    since_ms = worn.hardware.now_ms
    worn.live(10, 560, True)
    kinds = [(alert.kind, alert.severity) for alert in read_open(worn).alerts]
    assert (RAMP, STOP) in kinds, kinds
    assert worn.hardware.pulses(since_ms)[-3:] == [700, 700, 700]


def read_open(worn):
    """The log so far: alerts are on flash at once."""
    return worn.log(worn.app.session.number)


def hexed(limits):
    from binascii import hexlify

    return hexlify(limits.pack()).decode()


def test_the_link_answers_while_steps_are_counted():
    worn = Worn()
    worn.live(10, 750)
    hello = worn.answer("HELLO")
    assert (hello.device, hello.board, hello.boot, hello.state) == ("RS-010203040506", "VIRTUAL", 1, messages.IN_SESSION)
    status = worn.answer("STATUS")
    assert status.session == 1 and status.totals.forward_steps > 10 and status.direction == FORWARD
    assert status.battery_mv == 3900 and status.faults == 0
    assert 1400 <= status.cadence_x10 <= 1800


def test_a_session_is_read_and_confirmed_over_the_link():
    worn = Worn()
    worn.live(10, 750)
    worn.live(65)
    entry = worn.answer("LIST", 0).sessions[0]
    worn.hardware.line.frames.clear()
    asked = worn.hardware.line.ask("READ", entry.session, 0, entry.length)
    worn.live(0.5)
    data = b"".join([answer.data for id, answer in worn.hardware.line.frames if id == asked])
    assert len(data) == entry.length and read_log(data).closed
    worn.answer("CONFIRM", entry.session, entry.length, crc32(data) & 0xFFFFFFFF)
    assert worn.hardware.store.confirmed(entry.session)
    assert worn.answer("STATUS").unsynced == 0


def test_a_host_that_asks_is_listened_to_more_closely_for_a_moment():
    worn = Worn()
    worn.live(1)
    assert not worn.app.attend()
    worn.hardware.line.ask("STATUS")
    assert worn.app.attend()
    worn.live(0.2)
    assert worn.app.attend(), "it may ask on"
    worn.live(0.2)
    assert not worn.app.attend()


def test_the_hosts_clock_is_a_fact_in_the_log():
    worn = Worn()
    worn.live(5, 750)
    worn.answer("CLOCK", 1795000000000)
    worn.press(150)
    clocks = worn.log(1).clocks
    assert len(clocks) == 1 and clocks[0].epoch_ms == 1795000000000 and clocks[0].source == records.FROM_HOST
    assert abs(clocks[0].ticks_ms - 5100) <= 120


def test_pushed_limits_are_kept_and_hold_at_once():
    worn = Worn()
    limits = Limits.from_dict({"session_stop_s": 42})
    worn.answer("LIMITS", hexed(limits))
    assert worn.hardware.kept == [limits] and worn.app.limits == limits
    assert worn.answer("LIMITS").limits == limits.pack()
    worn.live(10, 750)
    worn.press(150)
    assert worn.log(1).header.limits == limits.pack()


def test_limits_that_cannot_be_kept_are_refused():
    worn = Worn()
    worn.hardware.flash_full = True
    answer = worn.answer("LIMITS", hexed(Limits.from_dict({"session_stop_s": 42})))
    assert answer.code == messages.FLASH
    assert worn.app.limits == Limits()


def test_a_host_that_watches_sees_the_steps():
    worn = Worn()
    worn.answer("WATCH", 1)
    worn.live(10, 750)
    events = [answer for id, answer in worn.hardware.line.frames if id == 0]
    assert len([event for event in events if event.event == messages.EVENT_STEP]) > 10
    assert [event.b for event in events if event.event == messages.EVENT_SESSION] == [1]


def test_without_a_sensor_the_link_works_and_the_fault_is_said_once():
    worn = Worn(missing=True)
    worn.live(12)
    assert worn.answer("STATUS").faults == messages.FAULT_SENSOR
    assert worn.answer("HELLO").device == "RS-010203040506"
    assert worn.hardware.line.said().count("No sensor answers") == 1
    assert worn.leg.starts == 3, "looked for again every 5 s"
    worn.leg.missing = False
    worn.live(6)
    worn.live(10, 750)
    assert worn.app.session.open and worn.answer("STATUS").faults == 0


def test_a_board_that_describes_no_sensor_still_talks():
    worn = Worn(board={"name": "BARE"})
    worn.live(2)
    assert worn.answer("HELLO").board == "BARE"
    assert worn.answer("STATUS").faults & messages.FAULT_SENSOR


def test_a_sensor_that_fails_in_mid_session_leaves_a_gap():
    worn = Worn()
    worn.live(10, 750)
    worn.leg.missing = True
    worn.live(3, 750)
    assert worn.answer("STATUS").faults == messages.FAULT_SENSOR
    worn.leg.missing = False
    worn.live(20, 750)
    worn.press(150)
    log = worn.log(1)
    assert [gap.reason for gap in log.gaps] == [GAP_SENSOR]
    assert 4000 <= log.gaps[0].to_ms - log.gaps[0].from_ms <= 9000
    assert worn.answer("STATUS").faults == 0
    assert "no longer answers" in worn.hardware.line.said() and "the sensor samples" in worn.hardware.line.said()


def test_an_overrun_is_a_gap_with_its_reason():
    worn = Worn()
    worn.live(10, 750)
    worn.live(9, 750, sampling=False)
    worn.leg.overrun = True
    worn.app.sample()
    worn.leg.overrun = False
    worn.live(5, 750)
    worn.press(150)
    assert [gap.reason for gap in worn.log(1).gaps] == [GAP_OVERRUN]


def test_damaged_settings_are_a_fault_and_the_rest_goes_on():
    worn = Worn(settings={"limits": "nonsense", "side": "right"})
    assert worn.answer("STATUS").faults == messages.FAULT_SETTINGS
    assert "push them again" in worn.hardware.line.said()
    worn.live(10, 750)
    assert worn.app.session.open and worn.app.limits == Limits()


def test_a_flash_that_runs_short_is_felt_and_said():
    worn = Worn()
    worn.hardware.store.free_bytes = lambda: 30000
    worn.live(10, 750)
    assert worn.answer("STATUS").faults == messages.FAULT_FLASH_SHORT
    assert worn.hardware.line.said().count("flash is running short") == 1
    assert len(worn.hardware.pulses()) == 5


def test_an_engine_that_fails_at_the_end_does_not_cost_the_log():
    if sys.implementation.name != "micropython":
        return
    worn = Worn()
    worn.live(10, 750)
    worn.app.engine.finish = lambda at_ms: 1 // 0
    worn.app.stop()
    assert worn.log(1).closed and "ZeroDivisionError" in worn.hardware.line.said()


def test_an_interrupted_session_is_closed_at_the_next_start():
    worn = Worn()
    worn.live(30, 750)
    worn.disk.cut()
    again = Worn(worn.disk)
    log = again.log(1)
    assert log.end.reason == records.INTERRUPTED and log.totals.forward_steps > 50
    again.live(0.2)
    assert "1 interrupted session(s) closed" in again.hardware.line.said()
    again.live(10, 750)
    again.press(150)
    assert again.log(2).header.boot == 2


def test_ctrl_c_closes_the_log():
    worn = Worn()
    worn.live(20, 750)
    worn.app.stop()
    log = worn.log(1)
    assert log.closed and log.end.reason == records.INTERRUPTED and log.totals.forward_steps > 40
    assert worn.hardware.store.open_number == 0
    worn.app.stop()


def test_the_measured_rate_is_recorded():
    worn = Worn()
    worn.live(5, 750)
    worn.leg.renewed = True
    worn.app.sample()
    worn.leg.renewed = False
    worn.press(150)
    assert [rate.milli_hz for rate in worn.log(1).rates] == [104166]


def test_a_sensor_that_says_nothing_does_no_harm():
    worn = Worn()
    worn.leg.weight_mg = 0
    worn.live(5)
    worn.leg.weight_mg = 1000
    worn.live(10, 750)
    assert worn.app.session.open and worn.answer("STATUS").totals.forward_steps > 10


def test_right_before_any_motion_direction_is_not_claimed():
    worn = Worn()
    status = worn.answer("STATUS")
    assert status.direction in (UNKNOWN, STILL) and status.totals == records.ZERO


def test_a_fault_of_the_program_is_told_and_survived():
    if sys.implementation.name != "micropython":
        return
    import asyncio

    worn = Worn()
    calls = []

    class Enough(BaseException):
        pass

    def work():
        calls.append(1)
        if len(calls) in (2, 3):
            raise ValueError("a fault of this program")
        if len(calls) == 4:
            raise Enough

    try:
        asyncio.run(worn.app._again(work, 1))
    except Enough:
        worn.live(0.1)
    assert len(calls) == 4
    assert worn.hardware.line.said().count("a fault of this program") == 1


def told(worn):
    answer = worn.answer("CALIBRATE")
    return answer.state, answer.reason, answer.mount


def test_a_calibration_finds_the_mount_which_holds_at_once():
    for sits in ("-y-z+x", "+z-x-y"):
        worn = Worn()
        worn.leg.mount = parse_mount(sits)
        worn.live(5)
        worn.hardware.motor.clear()
        assert worn.answer("CALIBRATE", 1) == messages.Calibration(calibration.STAND, 0, 0, "+y+z+x")
        worn.live(3)
        assert told(worn) == (calibration.WALK, 0, "+y+z+x")
        assert worn.hardware.pulses() == [60, 60, 60, 120, 120]
        worn.live(6, 900)
        worn.live(1)
        assert told(worn) == (calibration.DONE, 0, sits)
        assert worn.answer("CALIBRATE").strides == 5
        # Four ticks while walking, the fifth stride ends it.
        assert worn.hardware.pulses()[5:] == [60, 60, 60, 60, 120, 120, 500]
        assert worn.hardware.kept == [sits]
        assert "guide" not in sys.modules
        worn.live(15, 800, True)
        assert worn.app.engine.tally.direction == BACKWARD
        worn.live(3)
        worn.live(15, 800)
        assert worn.app.engine.tally.direction == FORWARD
        assert read_open(worn).header.mount == sits


def test_a_calibration_ends_the_session_and_counts_no_steps():
    worn = Worn()
    worn.live(10, 750)
    assert worn.app.session.open
    worn.answer("CALIBRATE", 1)
    assert not worn.app.session.open
    worn.live(3)
    worn.live(4, 900)
    assert told(worn)[0] == calibration.WALK and worn.hardware.store.numbers() == [1]
    assert worn.log(1).end.reason == records.BY_BUTTON


def test_a_calibration_that_fails_leaves_the_mount():
    worn = Worn()
    worn.live(2)
    worn.answer("CALIBRATE", 1)
    worn.live(3)
    worn.live(9.6, 900, True)
    worn.live(1)
    assert told(worn) == (calibration.FAILED, calibration.BACKWARD, "+y+z+x")
    assert worn.hardware.pulses()[-2:] == [500, 500] and worn.hardware.kept == []
    assert worn.leg.turned == parse_mount("+y+z+x")
    worn.live(3)
    worn.live(10, 800)
    assert worn.app.engine.tally.direction == FORWARD


def test_a_calibration_is_left_off():
    worn = Worn()
    worn.live(2)
    worn.answer("CALIBRATE", 1)
    worn.live(3)
    assert worn.answer("CALIBRATE", 0) == messages.Calibration(calibration.IDLE, 0, 0, "+y+z+x")
    assert worn.leg.turned == parse_mount("+y+z+x")
    worn.live(10, 800)
    assert worn.app.session.open


def test_three_presses_begin_a_calibration_and_one_leaves_it_off():
    worn = Worn()
    worn.live(2)
    worn.press(150, 150, 150)
    assert told(worn)[0] == calibration.STAND and not worn.app.session.open
    worn.press(150)
    assert told(worn)[0] == calibration.IDLE and not worn.app.session.open
    worn.press(150)
    assert worn.app.session.open
    since_ms = worn.hardware.now_ms
    worn.press(150, 150, 150)
    assert told(worn)[0] == calibration.IDLE and worn.app.session.open, "in a session they mean nothing"
    assert worn.hardware.pulses(since_ms) == [60] * 5
    assert worn.log(1).marks == []


def test_a_sensor_that_is_missing_or_goes_is_no_calibration():
    worn = Worn(missing=True)
    worn.live(1)
    assert worn.answer("CALIBRATE", 1)[:3] == (calibration.FAILED, 0, calibration.SENSOR)
    worn = Worn()
    worn.live(2)
    worn.answer("CALIBRATE", 1)
    worn.live(3)
    worn.leg.missing = True
    worn.live(1)
    assert told(worn) == (calibration.FAILED, calibration.SENSOR, "+y+z+x")
    worn.leg.missing = False
    worn.live(10)
    worn.live(10, 800)
    assert worn.app.engine.tally.direction == FORWARD


def test_a_mount_that_cannot_be_kept_holds_all_the_same():
    worn = Worn()
    worn.leg.mount = parse_mount("-y-z+x")
    worn.hardware.flash_full = True
    worn.live(2)
    worn.answer("CALIBRATE", 1)
    worn.live(3)
    worn.live(6, 900)
    assert told(worn) == (calibration.DONE, calibration.LOST, "-y-z+x")
    assert worn.hardware.pulses()[-2:] == [500, 500]


def test_only_the_shank_is_calibrated():
    worn = Worn(settings={"placement": "waist"})
    worn.live(2)
    assert worn.answer("CALIBRATE", 1).code == messages.REFUSED
    worn.press(150, 150, 150)
    assert told(worn)[0] == calibration.IDLE and "shank" in worn.hardware.line.said()
