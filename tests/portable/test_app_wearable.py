"""The whole app on simulated hardware: the leg stands, walks and runs backward; the button, the link, and every fault."""

import builtins
import sys
from binascii import crc32

from retrostep_core import codes
from retrostep_core.codes import BACKWARD, COLD_START, FORWARD, GAP_OVERRUN, GAP_SENSOR, RAMP, STILL, STOP, UNKNOWN, WARN
from retrostep_core.gait import calibration
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json
from retrostep_core.gait.units import parse_mount
from retrostep_core.link import answers, messages
from retrostep_core.log import decoded, records
from retrostep_core.log.reader import read_log, scan
from support.disk import numbers
from support.wearable import Worn, hexed


def test_a_session_starts_and_ends_by_itself():
    worn = Worn()
    worn.live(5)
    assert not worn.app.session.open and numbers(worn.hardware.store) == []
    worn.live(20, 750)
    assert worn.app.session.open
    worn.live(3)
    worn.live(20, 800, True)
    worn.live(58)
    assert worn.app.session.open
    worn.live(10)
    assert not worn.app.session.open
    log = worn.log(1)
    assert log.header.device == "RS-010203040506" and log.header.board == "VIRTUAL" and log.header.trigger == codes.START_STEPS
    assert log.header.mount == "+y+z+x" and log.header.side == 1 and log.header.boot == 1
    assert log.end.reason == codes.END_STILLNESS
    assert 46 <= log.totals.forward_steps <= 56 and 44 <= log.totals.backward_steps <= 54
    assert 18000 <= log.totals.forward_ms <= 23000 and 17000 <= log.totals.backward_ms <= 24000
    assert log.battery[0] == decoded.Battery(log.battery[0].at_ms, 3900, 65)
    assert max([epoch.peak_mg for epoch in log.epochs]) == 3000
    assert log.gaps == []


def test_the_button_starts_marks_and_ends_a_session():
    worn = Worn()
    worn.live(2)
    worn.press(150)
    worn.live(1)
    assert worn.app.session.open and worn.hardware.felt() == "SL"
    worn.live(10, 750)
    worn.press(150, 150)
    worn.live(10, 800, True)
    worn.press(1200)
    worn.press(150, 150)
    worn.live(3)
    worn.press(150)
    assert not worn.app.session.open
    log = worn.log(1)
    assert log.header.trigger == codes.START_BUTTON and log.end.reason == codes.END_BUTTON
    assert [mark.mark for mark in log.marks] == [codes.MARK_WARM_UP, codes.MARK_BACKWARD, codes.MARK_STRETCH]


def test_an_alert_is_played_once_and_logged():
    worn = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 60}))})
    worn.live(10, 750)
    assert worn.hardware.motor == []
    worn.live(20, 800, True)
    assert [(alert.kind, alert.severity) for alert in read_open(worn).alerts] == [(COLD_START, WARN)]
    assert worn.hardware.felt() == "SS"


def test_a_fast_rise_of_cadence_is_a_stop_alert():
    worn = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 0}))})
    worn.live(5, 750)
    worn.live(15, 800, True)
    since_ms = worn.hardware.now_ms
    worn.live(10, 560, True)
    kinds = [(alert.kind, alert.severity) for alert in read_open(worn).alerts]
    assert (RAMP, STOP) in kinds, kinds
    assert worn.hardware.felt(since_ms).startswith(("LLL", "SSLLL"))


def test_a_stop_is_felt_again_until_the_cadence_is_back():
    worn = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 0}))})
    worn.live(5, 750)
    worn.live(15, 800, True)
    since_ms = worn.hardware.now_ms
    worn.live(20, 640, True)
    stops = [ms for ms in worn.hardware.pulses(since_ms) if ms > 300]
    assert len(stops) >= 12, "three long pulses every four seconds"
    assert max(stops) > 800, "25 % faster, with a limit of 15 %: longer pulses"
    worn.live(5, 800, True)
    since_ms = worn.hardware.now_ms
    worn.live(20, 800, True)
    assert "L" not in worn.hardware.felt(since_ms)


def test_a_press_acknowledges_a_stop_and_is_logged():
    worn = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 0}))})
    worn.live(5, 750)
    worn.live(15, 800, True)
    worn.live(6, 640, True)
    worn.press(150)
    worn.live(2, 640, True)
    since_ms = worn.hardware.now_ms
    worn.live(10, 640, True)
    assert worn.hardware.felt(since_ms) == "" and worn.app.session.open
    worn.live(5)
    worn.press(150)
    assert not worn.app.session.open, "without a stop, a press ends the session"
    assert [mark.mark for mark in worn.log(1).marks] == [codes.MARK_ACKNOWLEDGED]


def test_a_used_up_session_is_felt_until_the_athlete_stops_running_backward():
    worn = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 0, "session_warn_s": 8, "session_stop_s": 12}))})
    worn.live(5, 750)
    worn.live(11, 800, True)
    assert worn.hardware.felt() == "SS"
    worn.live(30, 800, True)
    assert worn.hardware.felt() == "SS" + "LL" * 2
    worn.live(20, 800)
    assert worn.hardware.felt() == "SS" + "LL" * 2


def test_the_end_of_the_warm_up_is_felt_once_before_backward_running():
    worn = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 20}))})
    worn.live(19, 750)
    assert worn.hardware.felt() == ""
    worn.live(20, 750)
    assert worn.hardware.felt() == "SSL"
    cold = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 20}))})
    cold.live(10, 750)
    cold.live(10, 800, True)
    cold.live(30, 750)
    assert cold.hardware.felt() == "SS", "the cold start alone"


def test_after_backward_running_a_stretch_is_asked_for_until_a_press_marks_it():
    worn = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 0}))})
    worn.live(5, 750)
    worn.live(10, 800, True)
    worn.live(61)
    assert not worn.app.session.open and worn.hardware.felt() == ""
    worn.live(6)
    assert worn.hardware.felt() == "LSL"
    worn.live(60)
    assert worn.hardware.felt() == "LSL" * 2
    worn.live(200)
    assert worn.hardware.felt() == "LSL" * 2
    worn.press(150)
    assert worn.hardware.felt() == "LSL" * 2 + "S"
    assert worn.app.session.open, "the mark opens a recording of the same training"
    worn.live(70)
    assert [mark.mark for mark in worn.log(2).marks] == [codes.MARK_STRETCH] and worn.hardware.felt() == "LSL" * 2 + "S"


def test_no_stretch_is_asked_for_after_forward_running():
    worn = Worn()
    worn.live(10, 750)
    worn.live(120)
    assert not worn.app.session.open and worn.hardware.felt() == ""
    worn.press(150)
    assert worn.app.session.open and worn.log(2).marks == []


def test_an_empty_battery_closes_the_session():
    worn = Worn()
    worn.hardware.battery._read_uv = lambda: 1640000
    worn.live(240, 750)
    assert "battery is empty" in worn.hardware.line.printed()
    assert worn.log(1).end.reason == codes.END_BATTERY and worn.log(1).end.totals.forward_steps > 100


def test_a_low_battery_is_felt_every_ten_minutes():
    worn = Worn()
    worn.hardware.battery._read_uv = lambda: 1780000
    worn.live(70)
    assert worn.hardware.felt() == "LSS"
    worn.live(540, sampling=False)
    assert worn.hardware.felt() == "LSS" * 2


def test_asleep_between_bursts_it_counts_and_alerts_as_awake():
    class Lived:
        """One life of a device whose tasks run by themselves."""

        def __init__(self, is_asleep):
            self.worn = Worn(settings={"limits": hexed(limits_from_json({"warm_up_s": 0}))})
            self.hardware = self.worn.hardware
            self.asleep_ms = 0
            self.hardware.power._light_sleep_ms = self.sleep if is_asleep else None
            for seconds, stride_ms, backward in ((40, 0, False), (20, 750, False), (15, 800, True), (10, 640, True), (70, 0, False)):
                self.run(seconds, stride_ms, backward)
            log = self.worn.log(1)
            self.steps = [t_ms for t_ms, _ in log.steps]
            self.alerts = [(alert.kind, alert.severity, alert.at_ms) for alert in log.alerts]
            assert log.end.reason == codes.END_STILLNESS and not log.gaps

        def sleep(self, ms):
            self.asleep_ms += ms
            self.hardware.now_ms += ms

        def run(self, seconds, stride_ms, backward):
            self.worn.leg.stride_ms = stride_ms
            self.worn.leg.backward = backward
            end_ms = self.hardware.now_ms + seconds * 1000
            while self.hardware.now_ms < end_ms:
                self.hardware.power.sleep_ms(max(1, self.worn.app._tasks.run_due()))

    asleep, awake = Lived(True), Lived(False)
    assert awake.asleep_ms == 0 and asleep.asleep_ms > 60000, asleep.asleep_ms
    assert len(asleep.steps) > 90 and abs(len(asleep.steps) - len(awake.steps)) <= 1
    assert [alert[:2] for alert in asleep.alerts] == [alert[:2] for alert in awake.alerts] and asleep.alerts
    assert all([abs(a[2] - b[2]) < 500 for a, b in zip(asleep.alerts, awake.alerts)])
    assert len(asleep.hardware.felt()) > 5


def raws(data):
    """[(t_ms, samples)] of the RAW records of a log."""
    return [(int.from_bytes(p[:4], "little"), (len(p) - 6) // 12) for _, kind, _, p in scan(data) if kind == records.RAW]


def test_a_capture_logs_every_sample_for_its_minutes():
    worn = Worn()
    worn.hardware.store.free_bytes = lambda: 1500000
    worn.live(2)
    worn.answer("CAPTURE", 1, "72756e")
    worn.live(30, 750)
    worn.live(29)
    assert worn.app.session.raw is not None
    worn.live(40)
    assert worn.app.session.raw is None and worn.app.session.open, "a stillness ends the session after the capture"
    worn.live(60)
    assert not worn.app.session.open
    log, data = worn.log(1), worn.data(1)
    assert log.header.trigger == codes.START_HOST and not log.damage and not log.gaps
    found = raws(data)
    count = sum([n for _, n in found])
    assert abs(count - 6000) < 60, "a sample every 10 ms"
    assert max([b[0] - a[0] for a, b in zip(found, found[1:])]) < 170
    captures = [(p[4], p[6:]) for _, kind, _, p in scan(data) if kind == records.CAPTURE]
    assert captures == [(1, b"run"), (0, b"")]


def test_a_capture_is_refused_without_room_and_can_be_ended():
    worn = Worn()
    worn.hardware.store.free_bytes = lambda: 300000
    assert "room for 2 minutes" in worn.answer("CAPTURE", 3, "-").text
    assert not worn.app.session.open
    worn.hardware.store.free_bytes = lambda: 1500000
    worn.answer("CAPTURE", 3, "-")
    worn.live(5, 750)
    worn.answer("CAPTURE", 0, "-")
    assert worn.app.session.raw is None and worn.app.session.open
    worn.live(4)
    worn.press(150)
    assert len(raws(worn.data(1))) > 30
    assert worn.log(1).end is not None


def read_open(worn):
    """The log so far. Alerts are flushed at once."""
    return worn.log(worn.app.session.number)


def test_without_auto_start_only_the_button_starts_a_session():
    worn = Worn(settings={"auto_start": 0})
    worn.live(20, 750)
    assert not worn.app.session.open and worn.app.engine.totals.forward_steps > 10
    worn.press(100)
    assert worn.app.session.open
    worn.live(20, 750)
    assert worn.log(1).header.trigger == codes.START_BUTTON


def test_a_host_lets_the_device_blink_during_a_session():
    worn = Worn(settings={"nickname": "Ada left"})
    worn.live(20, 750)
    assert worn.answer("HELLO").nickname == "Ada left"
    begun_ms = worn.hardware.now_ms
    worn.answer("BLINK")
    worn.live(5, 750)
    assert len(worn.hardware.pulses(begun_ms)) == 8 and worn.app.session.open


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


def test_the_server_is_in_memory_only_while_a_host_speaks():
    worn = Worn()
    worn.live(5, 750)
    worn.hardware.line.flood(b"noise ~\nmore\n x~\nend")
    worn.live(0.1, 750)
    worn.hardware.line.flood(b"~ and the end of a line\n")
    worn.live(0.1, 750)
    assert worn.app.link.server is None
    for _ in range(2):
        assert worn.answer("STATUS").session == 1 and worn.app.link.server is not None
        worn.live(80, 750)
        assert worn.app.link.server is not None
        worn.live(15, 750)
        assert worn.app.link.server is None
        for name in ("link.server", "link.frames", "link.payloads", "gait.limit_ranges"):
            assert "retrostep_core." + name not in sys.modules, name
        assert "host_requests" not in sys.modules


def test_a_request_after_other_bytes_of_the_same_read_is_answered():
    worn = Worn()
    worn.hardware.line.flood(b"boot text\n")
    assert worn.answer("HELLO").device == "RS-010203040506"
    assert len(worn.hardware.line.frames) == 1


def test_without_memory_for_the_server_the_session_continues_and_a_later_request_is_answered():
    worn = Worn()
    worn.live(10, 750)
    load = builtins.__import__

    def fail(name, *rest):
        if name == "retrostep_core.link.server":
            raise MemoryError
        return load(name, *rest)

    builtins.__import__ = fail
    try:
        worn.hardware.line.ask("STATUS")
        worn.live(0.2, 750)
    finally:
        builtins.__import__ = load
    assert worn.app.link.server is None and "not enough memory to answer" in worn.hardware.line.printed()
    assert worn.app.session.open and worn.answer("STATUS").session == 1


def test_the_server_stays_while_an_answer_waits_for_the_line():
    worn = Worn()
    worn.live(10, 750)
    worn.answer("STATUS")
    worn.hardware.line.is_ready = False
    worn.hardware.line.ask("STATUS")
    worn.live(120, 750)
    assert worn.app.link.server is not None and len(worn.hardware.line.frames) == 1
    worn.hardware.line.is_ready = True
    worn.live(1, 750)
    assert len(worn.hardware.line.frames) == 2


def test_a_host_that_comes_during_a_session_gets_its_times():
    worn = Worn()
    worn.live(8)
    worn.live(10, 750)
    worn.answer("WATCH", 1)
    worn.live(5, 750)
    events = [answer for id, answer in worn.hardware.line.frames if id == 0 and answer.event == messages.EVENT_STEP]
    assert len(events) > 8
    start_ms = worn.app.session.start_ms
    assert start_ms > 7000
    assert 18000 < events[0].at_ms + start_ms < 19500 and 22000 < events[-1].at_ms + start_ms < 23200


def test_nothing_is_imported_while_the_samples_of_a_session_wait():
    worn = Worn()
    load = builtins.__import__
    imported = []

    def note(name, *rest):
        before = len(sys.modules)
        module = load(name, *rest)
        if len(sys.modules) > before:
            imported.append(name)
        return module

    sample = worn.app.sample

    def watched():
        builtins.__import__ = note
        try:
            sample()
        finally:
            builtins.__import__ = load

    worn.app.sample = watched
    worn.live(3)
    for number in (1, 2, 3):
        worn.live(30, 750)
        assert worn.app.session.number == number and worn.app.engine.finder is None
        assert "retrostep_core.gait.mount_finder" not in sys.modules, "its code is freed once the mount is known"
        assert "hal.store_upkeep" not in sys.modules
        worn.press(150)
        assert worn.app.session.open, "the wearer walks on, and a second later the next session has begun"
    assert imported == []


def test_the_link_is_served_more_often_after_a_request():
    worn = Worn()
    worn.live(1)
    assert not worn.app.serve()
    worn.hardware.line.ask("STATUS")
    assert worn.app.serve()
    worn.live(0.2)
    assert worn.app.serve(), "the host may ask again"
    worn.live(0.2)
    assert not worn.app.serve()


def test_a_flood_is_read_at_half_the_rate_of_a_line():
    worn = Worn()
    worn.live(1)
    line = worn.hardware.line
    line.flood(b"~x\n" * 8000)
    worn.app.serve()
    left = [line.waiting]
    assert 24000 - left[0] == 256, "what came while nothing was read"
    for _ in range(3):
        worn.live(1)
        left.append(line.waiting)
        assert left[-2] - left[-1] == 6000, left
    worn.live(2)
    assert line.waiting == 0 and worn.answer("STATUS")
    # The many calls after a request read no more than that either.
    line.flood(b"~x\n" * 200)
    for _ in range(5):
        worn.app.serve()
    assert line.waiting == 600 - 256


def test_the_clock_set_by_a_host_is_recorded():
    worn = Worn()
    worn.live(5, 750)
    worn.answer("CLOCK", 1795000000000)
    worn.press(150)
    clocks = worn.log(1).clocks
    assert len(clocks) == 1 and clocks[0].epoch_ms == 1795000000000 and clocks[0].source == codes.CLOCK_FROM_HOST
    assert abs(clocks[0].ticks_ms - 5100) <= 120


def test_pushed_limits_are_saved_and_apply_at_once():
    worn = Worn()
    limits = limits_from_json({"session_stop_s": 42})
    worn.answer("LIMITS", hexed(limits))
    assert worn.hardware.kept == [limits] and worn.app.limits == limits
    assert worn.answer("LIMITS").limits == limits.pack()
    worn.live(10, 750)
    worn.press(150)
    assert worn.log(1).header.limits == limits.pack()


def test_other_limits_end_the_session_so_that_the_header_holds_for_the_whole_log():
    worn = Worn()
    worn.live(10, 750)
    worn.answer("LIMITS", hexed(Limits()))
    assert worn.app.session.open and worn.app.session.number == 1, "they are in force already"
    limits = limits_from_json({"ramp_stop_pct": 0})
    asked = worn.hardware.line.ask("LIMITS", hexed(limits))
    worn.live(10, 750)
    assert asked in [id for id, answer in worn.hardware.line.frames]
    worn.press(150)
    first, second = worn.log(1), worn.log(2)
    assert first.end.reason == codes.END_BUTTON and first.header.limits == Limits().pack()
    assert second.header.limits == limits.pack() and second.header.trigger == codes.START_STEPS
    steps = [log.totals.forward_steps + log.totals.unknown_steps + log.totals.backward_steps for log in (first, second)]
    assert min(steps) > 20 and 48 <= sum(steps) <= 54, "no step is lost in between"


def test_limits_that_cannot_be_saved_are_refused():
    worn = Worn()
    worn.hardware.flash_full = True
    answer = worn.answer("LIMITS", hexed(limits_from_json({"session_stop_s": 42})))
    assert answer.code == messages.FLASH
    assert worn.app.limits == Limits()


def test_a_watching_host_gets_the_steps():
    worn = Worn()
    worn.answer("WATCH", 1)
    worn.live(10, 750)
    events = [answer for id, answer in worn.hardware.line.frames if id == 0]
    assert len([event for event in events if event.event == messages.EVENT_STEP]) > 10
    assert [event.b for event in events if event.event == messages.EVENT_SESSION] == [1]


def test_without_a_sensor_the_link_works_and_the_fault_is_reported_once():
    worn = Worn(missing=True)
    worn.live(12)
    assert worn.answer("STATUS").faults == codes.FAULT_SENSOR
    assert worn.answer("HELLO").device == "RS-010203040506"
    assert worn.hardware.line.printed().count("nothing answers") == 1
    assert worn.leg.starts == 3, "tried again every 5 s"
    worn.leg.missing = False
    worn.live(6)
    worn.live(10, 750)
    assert worn.app.session.open and worn.answer("STATUS").faults == 0


def test_a_board_without_a_sensor_answers():
    worn = Worn(board={"name": "BARE"})
    worn.live(2)
    assert worn.answer("HELLO").board == "BARE"
    assert worn.answer("STATUS").faults & codes.FAULT_SENSOR


def test_a_sensor_fault_during_a_session_is_a_gap():
    worn = Worn()
    worn.live(10, 750)
    worn.leg.missing = True
    worn.live(3, 750)
    assert worn.answer("STATUS").faults == codes.FAULT_SENSOR
    worn.leg.missing = False
    worn.live(20, 750)
    worn.press(150)
    log = worn.log(1)
    assert [gap.reason for gap in log.gaps] == [GAP_SENSOR]
    assert 4000 <= log.gaps[0].to_ms - log.gaps[0].from_ms <= 9000
    assert worn.answer("STATUS").faults == 0
    assert "no longer answers" in worn.hardware.line.printed() and "the sensor works again" in worn.hardware.line.printed()


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


def test_another_mount_than_the_declared_one_is_a_fault_that_is_felt():
    worn = Worn()
    worn.live(2)
    declared = worn.app.engine.mount
    worn.app.engine.mount = ((0, -1), (1, -1), (2, 1))
    worn.live(3)
    assert worn.answer("STATUS").faults == codes.FAULT_MOUNT
    assert worn.hardware.line.printed().count("another way round") == 1
    assert worn.hardware.felt() == "SSSS"
    worn.app.engine.mount = declared
    worn.live(2)
    assert worn.answer("STATUS").faults == 0


def test_a_device_that_sits_the_other_way_round_finds_its_mount_and_records_it():
    worn = Worn()
    worn.leg.mount = parse_mount("-y-z+x")
    worn.live(2)
    worn.live(20, 1000)
    assert worn.answer("STATUS").faults == codes.FAULT_MOUNT
    worn.press(150)
    log = worn.log(1)
    assert log.header.mount == "+y+z+x" and [mount.mount for mount in log.mounts] == ["-y-z+x"]
    assert log.totals.backward_steps == 0 and log.totals.forward_steps > 28
    # It is still worn so.
    worn.live(3)
    worn.live(6, 1000)
    worn.press(150)
    first = worn.log(2).mounts[0]
    assert (first.since_ms, first.mount) == (0, "-y-z+x")


def test_a_device_that_is_strapped_on_another_way_between_sessions_counts_again():
    worn = Worn()
    worn.live(3)
    worn.live(20, 1000)
    worn.live(65)
    worn.leg.mount = parse_mount("-y-z+x")
    worn.live(20, 1000)
    worn.press(150)
    log = worn.log(2)
    assert [mount.mount for mount in log.mounts] == ["-y-z+x"]
    assert log.totals.backward_steps == 0 and log.totals.forward_steps > 28


def test_damaged_settings_are_a_fault_and_all_else_works():
    worn = Worn(settings={"limits": "nonsense", "side": "right"})
    assert worn.answer("STATUS").faults == codes.FAULT_SETTINGS
    assert "push them again" in worn.hardware.line.printed()
    worn.live(10, 750)
    assert worn.app.session.open and worn.app.limits == Limits()


def test_little_flash_is_reported_as_text_and_pulses():
    worn = Worn()
    worn.hardware.store.free_bytes = lambda: 30000
    worn.live(10, 750)
    assert worn.answer("STATUS").faults == codes.FAULT_FLASH_SHORT
    assert worn.hardware.line.printed().count("little flash is left") == 1
    assert worn.hardware.felt() == "LLS"


def test_the_log_is_closed_even_if_the_engine_fails():
    if sys.implementation.name != "micropython":
        return
    worn = Worn()
    worn.live(10, 750)
    worn.app.engine.finish = lambda at_ms: 1 // 0
    worn.app.stop()
    assert worn.log(1).closed and "ZeroDivisionError" in worn.hardware.line.printed()


def test_an_interrupted_session_is_closed_at_the_next_start():
    worn = Worn()
    worn.live(30, 750)
    worn.disk.cut()
    again = Worn(worn.disk)
    log = again.log(1)
    assert log.end.reason == codes.END_INTERRUPTED and log.totals.forward_steps > 50
    again.live(0.2)
    assert "session 1 was interrupted" in again.hardware.line.printed()
    again.live(10, 750)
    again.press(150)
    assert again.log(2).header.boot == 2


def test_ctrl_c_closes_the_log():
    worn = Worn()
    worn.live(20, 750)
    worn.app.stop()
    log = worn.log(1)
    assert log.closed and log.end.reason == codes.END_INTERRUPTED and log.totals.forward_steps > 40
    assert worn.hardware.store.open_number == 0
    worn.app.stop()


def test_the_measured_rate_is_recorded():
    worn = Worn()
    worn.live(5, 750)
    worn.leg.rate_changed = True
    worn.app.sample()
    worn.leg.rate_changed = False
    worn.press(150)
    assert [rate.milli_hz for rate in worn.log(1).rates] == [104166]


def test_rest_without_gravity_is_a_sensor_fault_until_gravity_is_back():
    worn = Worn()
    worn.leg.weight_mg = 0
    worn.live(5)
    assert worn.answer("STATUS").faults == codes.FAULT_SENSOR
    worn.leg.weight_mg = 1000
    worn.live(2)
    assert worn.answer("STATUS").faults == 0
    worn.live(10, 750)
    assert worn.app.session.open and worn.answer("STATUS").totals.forward_steps > 10


def test_before_any_motion_there_is_no_direction():
    worn = Worn()
    status = worn.answer("STATUS")
    assert status.direction in (UNKNOWN, STILL) and status.totals == decoded.ZERO


def result(worn):
    answer = worn.answer("CALIBRATE")
    return answer.state, answer.reason, answer.mount


def test_a_calibration_finds_the_mount_and_applies_it():
    for sits in ("-y-z+x", "+z-x-y"):
        worn = Worn()
        worn.leg.mount = parse_mount(sits)
        worn.live(5)
        worn.hardware.motor.clear()
        assert worn.answer("CALIBRATE", 1) == answers.Calibration(calibration.STAND, 0, 0, "+y+z+x")
        worn.live(4)
        assert result(worn) == (calibration.WALK, 0, "+y+z+x")
        assert worn.hardware.felt() == "SSS" + "SLS"
        worn.live(6, 900)
        worn.live(1)
        assert result(worn) == (calibration.DONE, 0, sits)
        assert worn.answer("CALIBRATE").strides == 5
        # Four ticks; the fifth stride ends the calibration.
        assert worn.hardware.felt()[6:] == "SSSS" + "SLL"
        assert worn.hardware.kept == [sits]
        assert "calibration_mode" not in sys.modules
        worn.live(15, 800, True)
        assert worn.app.engine.totals.direction == BACKWARD
        worn.live(3)
        worn.live(15, 800)
        assert worn.app.engine.totals.direction == FORWARD
        assert read_open(worn).header.mount == sits


def test_a_calibration_is_done_once_its_mount_is_applied():
    worn = Worn()
    worn.leg.mount = parse_mount("-y-z+x")
    worn.live(5)
    worn.answer("CALIBRATE", 1)
    worn.live(4)
    ends_ms = worn.hardware.now_ms + 9000
    while worn.app.calibrated[0] != calibration.DONE and worn.hardware.now_ms < ends_ms:
        worn.live(0.02, 900)
    assert result(worn) == (calibration.DONE, 0, "-y-z+x")
    assert worn.leg.turned == parse_mount("-y-z+x")


def test_a_calibration_ends_the_session_and_counts_no_steps():
    worn = Worn()
    worn.live(10, 750)
    assert worn.app.session.open
    worn.answer("CALIBRATE", 1)
    assert not worn.app.session.open
    worn.live(3)
    worn.live(4, 900)
    assert result(worn)[0] == calibration.WALK and numbers(worn.hardware.store) == [1]
    assert worn.log(1).end.reason == codes.END_BUTTON


def test_a_calibration_that_fails_leaves_the_mount():
    worn = Worn()
    worn.live(2)
    worn.answer("CALIBRATE", 1)
    worn.live(3)
    worn.live(9.6, 900, True)
    worn.live(1)
    assert result(worn) == (calibration.FAILED, calibration.BACKWARD, "+y+z+x")
    assert worn.hardware.felt().endswith("LSSS") and worn.hardware.kept == []
    assert worn.leg.turned == parse_mount("+y+z+x")
    worn.live(3)
    worn.live(10, 800)
    assert worn.app.engine.totals.direction == FORWARD


def test_a_calibration_is_cancelled():
    worn = Worn()
    worn.live(2)
    worn.answer("CALIBRATE", 1)
    worn.live(3)
    assert worn.answer("CALIBRATE", 0) == answers.Calibration(calibration.IDLE, 0, 0, "+y+z+x")
    assert worn.leg.turned == parse_mount("+y+z+x")
    worn.live(10, 800)
    assert worn.app.session.open


def test_three_presses_start_a_calibration_and_one_cancels_it():
    worn = Worn()
    worn.live(2)
    worn.press(150, 150, 150)
    assert result(worn)[0] == calibration.STAND and not worn.app.session.open
    worn.press(150)
    assert result(worn)[0] == calibration.IDLE and not worn.app.session.open
    worn.press(150)
    assert worn.app.session.open
    since_ms = worn.hardware.now_ms
    worn.press(150, 150, 150)
    worn.live(1)
    assert result(worn)[0] == calibration.IDLE and worn.app.session.open, "they have no meaning during a session"
    assert worn.hardware.felt(since_ms) == "SSSSS"
    assert worn.log(1).marks == []


def test_without_samples_a_calibration_fails():
    worn = Worn(missing=True)
    worn.live(1)
    assert worn.answer("CALIBRATE", 1)[:3] == (calibration.FAILED, 0, calibration.SENSOR)
    worn = Worn()
    worn.live(2)
    worn.answer("CALIBRATE", 1)
    worn.live(3)
    worn.leg.missing = True
    worn.live(1)
    assert result(worn) == (calibration.FAILED, calibration.SENSOR, "+y+z+x")
    worn.leg.missing = False
    worn.live(10)
    worn.live(10, 800)
    assert worn.app.engine.totals.direction == FORWARD


def test_a_mount_that_cannot_be_saved_applies_until_the_next_start():
    worn = Worn()
    worn.leg.mount = parse_mount("-y-z+x")
    worn.hardware.flash_full = True
    worn.live(2)
    worn.answer("CALIBRATE", 1)
    worn.live(3)
    worn.live(6, 900)
    assert result(worn) == (calibration.DONE, calibration.LOST, "-y-z+x")
    assert worn.hardware.felt().endswith("LSSS")


def test_only_the_shank_is_calibrated():
    worn = Worn(settings={"placement": "waist"})
    worn.live(2)
    assert worn.answer("CALIBRATE", 1).code == messages.REFUSED
    worn.press(150, 150, 150)
    assert result(worn)[0] == calibration.IDLE and "shank" in worn.hardware.line.printed()


def test_impacts_are_logged_for_each_direction():
    worn = Worn()
    worn.live(20, 750)
    worn.live(20, 750, backward=True)
    worn.leg.clips = True
    worn.live(8, 750, backward=True)
    worn.press(150)
    log = worn.log(1)
    forward = [load for load in log.loads if load.direction == FORWARD]
    backward = [load for load in log.loads if load.direction == BACKWARD]
    assert 22 <= sum([load.count for load in forward]) <= 27
    assert 22 <= sum([load.count for load in backward]) <= 27
    assert 5 <= sum([load.clipped for load in log.loads]) <= 11
    for load in log.loads:
        assert load.count == 0 or (load.axial_mean_g8 == load.axial_max_g8 == 16 and load.resultant_max_g8 >= 16)
        assert load.count == 0 or load.rise_max_4g_s == 52


def test_a_battery_that_cannot_be_measured_is_reported_once_and_the_turn_goes_on():
    worn = Worn(start=False)

    def read_uv():
        raise OSError(-258, "ESP_ERR_INVALID_ARG")

    worn.hardware.battery._read_uv = read_uv
    worn.app.start()
    worn.live(150, 750)
    status = worn.answer("STATUS")
    assert (status.battery_mv, status.battery_percent) == (0, 255) and sum(status.totals[:3]) > 200
    text = worn.hardware.line.printed()
    assert text.count("the battery's voltage cannot be measured") == 1 and "Traceback" not in text


def test_only_the_sampling_task_feeds_the_watchdog_also_without_a_sensor():
    for missing in (False, True):
        worn = Worn(missing=missing)
        watchdog = worn.hardware.watchdog
        worn.live(1)
        assert worn.hardware.now_ms - watchdog.fed_ms < 200
        fed_ms = watchdog.fed_ms
        worn.live(2, sampling=False)
        assert watchdog.fed_ms == fed_ms


def test_a_restart_by_the_watchdog_is_a_fault_and_a_session_counts():
    worn = Worn(start=False)
    worn.hardware.watchdog.resets = 1
    worn = Worn(hardware=worn.hardware)
    worn.live(10, 750)
    assert worn.app.faults.bits == codes.FAULT_RESTARTED and worn.app.session.open
    assert "the watchdog has reset the board" in worn.hardware.line.printed()


def test_the_watchdog_watches_the_tasks_and_rests_for_the_repl():
    worn = Worn(start=False)

    def sleep_ms(ms):
        raise KeyboardInterrupt

    worn.app._tasks._sleep_ms = sleep_ms
    worn.app.run()
    assert worn.hardware.watchdog.calls == ["run", "rest"]
