"""A session from its first step to its end, and what of it survives faults."""

from retrostep_core import codes
from retrostep_core.log import decoded
from retrostep_core.log import records as r
from retrostep_core.log.reader import read_log, scan
from support.ram_store import RamStore, Wearer
from support.recovery import recover

UNKNOWN, FORWARD, BACKWARD, STILL = 0, 1, 2, 3


def whole(store, number=1):
    log = read_log(store.logs[number])
    assert log.damage == [], log.damage
    return log


def test_opens_at_the_first_step_and_ends_at_the_last_movement():
    store = RamStore()
    wearer = Wearer(store, now_ms=60000)
    wearer.pass_ms(5000)
    assert store.numbers() == []
    wearer.turn(FORWARD)
    wearer.run(30)
    last_ms = wearer.totals._step_ms[wearer.totals._next_step - 1]
    wearer.turn(STILL)
    still_ms = wearer.clock.now
    wearer.pass_ms(59000)
    assert wearer.session.open
    wearer.pass_ms(2000)
    assert not wearer.session.open
    log = whole(store)
    first_ms = log.header.start_ticks_ms + 500
    assert log.steps[0] == (500, FORWARD)
    assert log.header.session == 1 and log.header.boot == 1 and log.header.trigger == codes.START_STEPS
    assert log.header.mount == "+y+z+x" and log.header.side == 1 and log.header.limits == bytes(range(24))
    assert log.steps[-1][0] == last_ms - first_ms + 500
    assert log.end.reason == codes.END_STILLNESS
    assert log.duration_ms == still_ms - log.header.start_ticks_ms
    assert log.totals.forward_steps == len(log.steps) and log.totals.backward_steps == 0
    assert log.epochs[-1].t_ms <= log.duration_ms + 10000
    assert log.bouts == [decoded.Bout(0, log.duration_ms, FORWARD, len(log.steps), 1700, 1700)]
    assert log.battery[0].millivolt == 3900 and len(log.battery) == 2


def test_movement_without_a_direction_ends_where_it_stopped():
    for direction, since_before_ms, after_last_step_ms in (
        (STILL, 0, 400),
        (STILL, 150, 250),
        (STILL, 500, 0),
        (UNKNOWN, 100, 300),
        (FORWARD, 0, 0),
    ):
        store = RamStore()
        wearer = Wearer(store)
        wearer.turn(UNKNOWN)
        for _ in range(12):
            wearer.pass_ms(600)
            wearer.step()
        last_ms = wearer.clock.now
        wearer.pass_ms(400)
        wearer.turn(direction, wearer.clock.now - since_before_ms)
        if direction == FORWARD:
            # Time that is counted as running belongs to the session; what continues without steps does not.
            wearer.turn(STILL, last_ms)
        wearer.pass_ms(62000)
        log = whole(store)
        assert log.end.reason == codes.END_STILLNESS
        assert log.header.start_ticks_ms + log.duration_ms - last_ms == after_last_step_ms, (direction, since_before_ms)


def test_late_steps_open_it_where_they_happened():
    store = RamStore()
    wearer = Wearer(store, now_ms=1000)
    wearer.turn(FORWARD)
    wearer.pass_ms(4000)
    for ago in (2100, 1400, 700, 0):
        wearer.step(ago)
    wearer.session.stop(wearer.clock.now, codes.END_BUTTON)
    log = whole(store)
    assert log.header.start_ticks_ms == 5000 - 2100 - 500
    assert [t for t, _ in log.steps] == [500, 1200, 1900, 2600]
    assert log.end.reason == codes.END_BUTTON


def test_a_session_never_starts_before_the_one_before_ended():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(10)
    wearer.session.stop(wearer.clock.now)
    end_ms = wearer.clock.now
    wearer.pass_ms(200)
    wearer.step(300)  # happened before the stop: belongs to the past
    assert store.numbers() == [1]
    wearer.step(0)
    wearer.session.stop(wearer.clock.now)
    log = whole(store, 2)
    assert log.header.start_ticks_ms == end_ms
    assert log.steps == [(200, FORWARD)]
    assert log.totals.forward_steps == 1


def test_directions_relabel_steps_and_totals_agree():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(UNKNOWN)
    wearer.run(6)
    wearer.turn(FORWARD, wearer.clock.now - 2000)
    wearer.run(20)
    wearer.turn(BACKWARD, wearer.clock.now - 1500)
    wearer.run(20)
    wearer.turn(STILL)
    wearer.pass_ms(61000)
    log = whole(store)
    count = [0, 0, 0, 0]
    for _, direction in log.steps:
        count[direction] += 1
    assert (count[FORWARD], count[BACKWARD], count[UNKNOWN]) == log.totals[:3]
    assert min(count[:3]) > 5
    assert [b.direction for b in log.bouts] == [UNKNOWN, FORWARD, BACKWARD]
    for before, after in zip(log.bouts, log.bouts[1:]):
        assert before.end_ms == after.start_ms
    assert sum([b.steps for b in log.bouts]) == len(log.steps)
    assert log.totals.forward_ms == log.bouts[1].end_ms - log.bouts[1].start_ms


def test_a_flicker_does_not_break_a_bout():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(10)
    wearer.turn(UNKNOWN)
    wearer.run(1)
    wearer.turn(FORWARD)
    wearer.run(10)
    wearer.turn(STILL)
    wearer.pass_ms(2000)
    wearer.turn(FORWARD)
    wearer.run(10)
    wearer.turn(STILL)
    wearer.pass_ms(5000)
    wearer.turn(FORWARD)
    wearer.run(10)
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert [(b.direction, b.end_ms - b.start_ms) for b in log.bouts] == [(FORWARD, log.bouts[0].end_ms), (FORWARD, 10000)]
    assert 32000 < log.bouts[0].end_ms < 33500
    assert log.bouts[1].start_ms - log.bouts[0].end_ms == 5000


def test_nothing_older_than_five_seconds_waits_for_a_flush():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    for _ in range(60):
        wearer.run(1)
        log = read_log(store.logs[1]) if store.logs else None
        if log is not None and wearer.clock.now > 8000:
            newest = log.header.start_ticks_ms + log.steps[-1][0]
            assert wearer.clock.now - newest <= 5500


def test_alerts_and_marks_are_on_flash_at_once():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(BACKWARD)
    wearer.run(7)
    wearer.session.alert(wearer.clock.now, 1, 2, 163, 150)
    assert read_log(store.logs[1]).alerts[-1][1:] == (1, 2, 163, 150)
    wearer.run(1)
    wearer.session.mark(wearer.clock.now, codes.MARK_STRETCH)
    log = read_log(store.logs[1])
    assert log.marks[-1].mark == codes.MARK_STRETCH
    assert log.header.start_ticks_ms + log.steps[-1][0] > wearer.clock.now - 1000


def test_steps_credited_late_after_a_button_s_start_are_counted():
    store = RamStore()
    wearer = Wearer(store, now_ms=8000)
    wearer.turn(FORWARD)
    wearer.pass_ms(2000)
    wearer.session.start(wearer.clock.now)
    wearer.pass_ms(400)
    for ago in (1500, 1000, 500, 0):
        wearer.step(ago)
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert log.header.trigger == codes.START_BUTTON and log.header.start_ticks_ms == 10000
    assert [t for t, _ in log.steps] == [0, 1, 2, 400]
    assert log.totals.forward_steps == 4


def test_a_mark_opens_a_session_so_that_it_is_kept():
    store = RamStore()
    wearer = Wearer(store)
    wearer.session.mark(wearer.clock.now, codes.MARK_STRETCH)
    wearer.pass_ms(61000)
    log = whole(store)
    assert log.header.trigger == codes.START_BUTTON and log.marks == [decoded.Mark(0, codes.MARK_STRETCH)]
    assert log.duration_ms == 0 and log.steps == []


def test_clock_rate_gap_and_battery():
    store = RamStore()
    wearer = Wearer(store)
    wearer.session.clock_fact(400, 1795000000000, codes.CLOCK_FROM_HOST)
    wearer.session.rate(500, 104000)
    wearer.turn(FORWARD)
    wearer.run(100)
    wearer.session.rate(wearer.clock.now, 104100)
    wearer.session.rate(wearer.clock.now, 104400)
    wearer.session.gap(wearer.clock.now - 300, wearer.clock.now)
    wearer.session.gap(wearer.clock.now - 30, wearer.clock.now, 2)
    wearer.session.clock_fact(wearer.clock.now, 1795000500000, codes.CLOCK_FROM_HOST)
    wearer.session.clock_fact(wearer.clock.now, 1795000500000, codes.CLOCK_FROM_HOST)
    wearer.run(520)
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert log.clocks[0] == decoded.Clock(400, 1795000000000, 1) and len(log.clocks) == 2
    assert [x.milli_hz for x in log.rates] == [104000, 104400]
    assert [(g.to_ms - g.from_ms, g.reason) for g in log.gaps] == [(300, 1), (30, 2)]
    assert len(log.battery) == 4  # start, 5 min, 10 min, end


def test_a_host_that_sets_the_clock_for_ever_does_not_fill_the_log():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(5)
    for n in range(500):
        wearer.session.clock_fact(wearer.clock.now, 1795000000000 + 1000 * n, codes.CLOCK_FROM_HOST)
        wearer.pass_ms(20)
    flushes = store.flushes
    wearer.session.clock_fact(wearer.clock.now, 1796000000000, codes.CLOCK_FROM_HOST)
    assert store.flushes == flushes, "a clock that is not recorded costs no flush"
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert [clock.epoch_ms for clock in log.clocks] == [1795000000000 + 1000 * n for n in range(20)]
    assert store.size(1) < 1500
    wearer.run(5)
    wearer.session.clock_fact(wearer.clock.now, 1797000000000, codes.CLOCK_FROM_HOST)
    wearer.session.stop(wearer.clock.now)
    assert [clock.epoch_ms for clock in whole(store, 2).clocks] == [1796000000000, 1797000000000], "the next session counts again"


def test_an_epoch_holds_median_cadence_and_peak_and_idle_ones_are_left_out():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(5, cadence=False)
    for x10 in (1500, 1900, 1600, 0, 1700, 1650):
        wearer.session.cadence(wearer.clock.now, x10)
    wearer.session.peak(8123)
    wearer.run(4, cadence=False)
    wearer.turn(STILL)
    wearer.pass_ms(45000)
    wearer.turn(FORWARD)
    wearer.run(12, cadence=False)
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert (log.epochs[0].cadence_x10, log.epochs[0].peak_mg) == (1650, 8123)
    assert (log.epochs[1].cadence_x10, log.epochs[1].peak_mg) == (0, 0)
    assert len(log.epochs) == 2


def test_an_hour_of_running_stays_below_40_kb():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(3600)
    wearer.session.stop(wearer.clock.now)
    steps = 0
    for _, kind, _, payload in scan(store.logs[1]):
        if kind == r.STEPS:
            steps += payload[4]
    assert steps == wearer.totals.forward_steps > 10000
    assert len(store.logs[1]) <= 40000
    assert store.flushes <= 3600 // 4


def test_interrupted_sessions_are_closed_with_their_totals():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(28)
    wearer.turn(BACKWARD, wearer.clock.now - 1200)
    wearer.run(8)
    kept = store.logs[1]
    after = store.cut()
    result = recover(after, after.boot)
    assert result.closed == 1 and result.faults == 0
    assert after.logs[1][: len(kept)] == kept
    log = whole(after)
    assert log.end.reason == codes.END_INTERRUPTED
    count = [0, 0, 0, 0]
    for _, direction in log.steps:
        count[direction] += 1
    assert (count[FORWARD], count[BACKWARD], count[UNKNOWN]) == log.totals[:3]
    assert count[BACKWARD] > 10
    assert log.totals.forward_ms + log.totals.backward_ms <= log.duration_ms == log.steps[-1][0]
    assert log.duration_ms - log.totals.forward_ms - log.totals.backward_ms < 5
    again = recover(after, after.boot)
    assert again.closed == 0 and after.logs[1][: len(kept)] == kept and whole(after).end == log.end


def test_recovery_cuts_a_torn_tail_only():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(28)
    valid = store.logs[1]
    for tail in (b"\x02", b"\x02\x05\x20abc", valid[60:90], bytes(50), b"\xff" * 40):
        torn = store.cut()
        torn.logs[1] = valid + tail
        assert recover(torn, torn.boot).closed == 1
        log = whole(torn)
        assert log.end.reason == codes.END_INTERRUPTED and torn.logs[1][: len(valid)] == valid


def test_a_tail_that_cannot_be_cut_is_skipped():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(28)
    after = store.cut()
    after.truncate = lambda number, length: False
    torn = after.logs[1] + b"\x02\x05\x20abc"
    after.logs[1] = torn
    assert recover(after, after.boot).closed == 1
    assert after.logs[1][: len(torn)] == torn
    log = read_log(after.logs[1])
    assert log.closed and len(log.damage) == 1 and log.damage[0].length == 6 and log.damage[0].missing == 0
    assert recover(after, after.boot).closed == 0


def test_recovery_goes_on_where_a_log_cannot_be_read_or_closed():
    store = RamStore()
    for _ in range(3):
        wearer = Wearer(store)
        wearer.turn(FORWARD)
        wearer.run(20)
        store.open_number = 0
    honest = store.read_into

    def read_into(number, offset, buf):
        if number == 1:
            raise OSError(5)
        return honest(number, offset, buf)

    store.read_into = read_into
    result = recover(store, 2)
    assert (result.closed, result.faults) == (2, codes.FAULT_LOG_DAMAGED)
    store.read_into = honest
    store.failing = True
    assert (recover(store, 2).closed, recover(store, 2).faults) == (0, codes.FAULT_FLASH_FULL)
    store.failing = False
    assert recover(store, 2).closed == 1


def test_recovery_leaves_foreign_files_and_removes_empty_ones():
    store = RamStore()
    store.logs[3] = b"not a log at all" * 10
    store.logs[4] = b""
    result = recover(store, 1)
    assert result.faults == codes.FAULT_LOG_DAMAGED and result.closed == 0
    assert store.numbers() == [3] and store.logs[3] == b"not a log at all" * 10


def test_recovery_goes_on_behind_damage():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(58)
    after = store.cut()
    data = bytearray(after.logs[1])
    offset, lost = [(o, p[4]) for o, k, _, p in scan(bytes(data)) if k == r.STEPS][2]
    data[offset + 9] ^= 0x10
    after.logs[1] = bytes(data)
    result = recover(after, after.boot)
    assert result.closed == 1 and result.faults == codes.FAULT_LOG_DAMAGED
    assert after.logs[1][: len(data)] == bytes(data)
    log = read_log(after.logs[1])
    assert log.closed and len(log.damage) == 1
    assert (log.damage[0].offset, log.damage[0].missing) == (offset, 1)
    assert log.totals.forward_steps == len(log.steps) + lost


def test_recovery_counts_on_from_the_last_epoch():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(47)
    after = store.cut()
    recover(after, after.boot)
    log = whole(after)
    assert log.totals.forward_steps == len(log.steps) and log.end.reason == codes.END_INTERRUPTED


def test_a_failing_flash_is_a_fault_and_counting_continues():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(30)
    store.failing = True
    wearer.run(30)
    assert wearer.session.open and wearer.session.faults & codes.FAULT_FLASH_FULL
    store.failing = False
    wearer.run(90)
    assert not wearer.session.faults & codes.FAULT_FLASH_FULL
    wearer.session.stop(wearer.clock.now)
    log = read_log(store.logs[1])
    assert log.totals.forward_steps == wearer.totals.forward_steps
    assert log.closed and log.end.reason in (codes.END_BUTTON, codes.END_FLASH_FULL)
    if log.end.reason == codes.END_FLASH_FULL:
        assert log.damage and all([d.length == 0 for d in log.damage])
    assert log.steps[-1][0] > 140000


def test_a_write_that_landed_although_it_failed_is_not_written_twice():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(3)
    file = store.file
    honest = file.flush

    def flush():
        honest()
        raise OSError(5)

    file.flush = flush
    wearer.run(100)
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert log.totals.forward_steps == len(log.steps) == wearer.totals.forward_steps


def test_a_log_that_cannot_be_resumed_has_no_second_open_file():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(10)
    opened = []
    closed = []
    append = store.append

    def watched(session):
        file = append(session)
        opened.append(file)
        close = file.close
        file.close = lambda: (closed.append(file), close())
        return file

    store.append = watched
    store.file.close = lambda: closed.append("first")
    store.failing = True
    wearer.run(25)
    assert closed == ["first"], "the failed file is closed before the log is opened again, and only once"
    store.failing = False
    wearer.run(15)
    assert len(opened) == 1
    store.failing = True
    wearer.run(25)
    store.failing = False
    wearer.run(15)
    assert len(opened) == 2 and closed == ["first", opened[0]]
    wearer.session.stop(wearer.clock.now)
    assert closed == ["first"] + opened
    assert whole(store).totals.forward_steps == wearer.totals.forward_steps


def test_a_flash_that_cannot_open_a_log_is_tried_again():
    store = RamStore()
    store.failing = True
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(30)
    assert wearer.session.open and wearer.session.number == 0 and wearer.session.faults & codes.FAULT_FLASH_FULL
    store.failing = False
    wearer.run(60)
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert log.header.start_ticks_ms < 2000
    assert log.totals.forward_steps == wearer.totals.forward_steps > len(log.steps) > 50


def test_detail_goes_before_totals_and_confirmed_logs_go_before_both():
    store = RamStore()
    for _ in range(2):
        wearer = Wearer(store)
        wearer.turn(FORWARD)
        wearer.run(600)
        wearer.session.stop(wearer.clock.now)
    store.confirm(2, store.size(2))
    used = store.capacity - store.free_bytes()
    store.capacity = used + 66000
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(600)
    assert store.numbers() == [1, 3]
    store.capacity = store.capacity - store.free_bytes() + 60000
    wearer.run(300)
    assert wearer.session.faults & codes.FAULT_FLASH_SHORT
    wearer.session.stop(wearer.clock.now)
    assert store.numbers() == [1, 3]
    log = whole(store, 3)
    assert log.gaps and all([g.reason == 4 for g in log.gaps])
    left_out = sum([g.to_ms - g.from_ms for g in log.gaps])
    assert 230000 < left_out <= 300000
    assert log.totals.forward_steps == wearer.totals.forward_steps > len(log.steps)
    assert log.epochs[-1].t_ms > 880000


def test_a_full_flash_ends_nothing_but_the_log():
    store = RamStore(capacity=9000)
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(3600)
    assert wearer.session.open and wearer.session.faults & codes.FAULT_FLASH_SHORT
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert log.closed and log.totals.forward_steps == wearer.totals.forward_steps
    assert len(log.steps) == 0 and len(log.epochs) == 60


def test_left_out_steps_are_recorded_ahead_for_a_log_that_is_cut():
    store = RamStore(capacity=40000)
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(95)
    assert wearer.session.faults & codes.FAULT_FLASH_SHORT
    after = store.cut()
    recover(after, after.boot)
    log = whole(after)
    assert log.steps == [] and log.totals.forward_steps > 200
    assert log.gaps[0].from_ms == 500 or log.gaps[0].from_ms == 0
    assert all([gap.reason == 4 for gap in log.gaps]) and log.gaps[-1].to_ms >= log.duration_ms
    store.capacity = 2000000
    wearer.run(60)
    wearer.session.stop(wearer.clock.now)
    log = whole(store)
    assert log.steps and log.steps[0][0] >= log.gaps[-1].to_ms


def test_the_end_is_written_although_its_first_write_fails():
    store = RamStore()
    wearer = Wearer(store)
    wearer.turn(FORWARD)
    wearer.run(20)
    file = store.file
    honest = file.flush
    calls = []

    def flush():
        calls.append(1)
        if len(calls) == 2:
            file.waiting = b""  # LittleFS writes nothing more to a file that failed
            raise OSError(5)
        honest()

    file.flush = flush
    wearer.session.stop(wearer.clock.now)
    assert len(calls) >= 2
    log = whole(store)
    assert log.closed and log.totals.forward_steps == wearer.totals.forward_steps


class Listener:
    def __init__(self):
        self.heard = []

    def step(self, t_ms, at_ms, direction):
        self.heard.append(("step", t_ms))

    def direction(self, at_ms, since_ms, direction):
        self.heard.append(("direction", direction))

    def cadence(self, at_ms, spm_x10):
        self.heard.append(("cadence", spm_x10))

    def alert(self, at_ms, kind, severity, measured, limit):
        self.heard.append(("alert", kind))

    def gap(self, from_ms, to_ms, reason):
        self.heard.append(("gap", from_ms))

    def session(self, start_ms, number, started):
        self.heard.append(("session", number, started))


def test_a_listener_gets_every_event():
    listener = Listener()
    wearer = Wearer(RamStore(), listener=listener)
    wearer.turn(BACKWARD)
    wearer.run(2)
    wearer.session.alert(wearer.clock.now, 1, 2, 163, 150)
    wearer.session.gap(1, 2)
    wearer.session.stop(wearer.clock.now)
    kinds = []
    for heard in listener.heard:
        if heard[0] not in kinds:
            kinds.append(heard[0])
    assert kinds == ["direction", "session", "step", "cadence", "alert", "gap"]
    assert ("session", 1, True) in listener.heard and listener.heard[-1] == ("session", 1, False)
