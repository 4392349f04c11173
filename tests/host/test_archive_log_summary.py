"""The summary of a log: every column, computed by hand for logs made of known records."""

from binascii import crc32

import pytest
from retrostep.archive.dating import EPOCH_FIRST_MS, TICKS_LAST_MS, ClockFact
from retrostep.archive.log_summary import DETAIL_COLUMNS, LogSummary, generation_of, summarize_log, weighted_median
from retrostep.errors import DamagedData, UnsafeName
from retrostep_core import codes
from retrostep_core.code_names import GAP_NAMES
from retrostep_core.codes import BACKWARD, CEILING, FORWARD, RAMP, STILL, STOP, UNKNOWN, WARN
from retrostep_core.gait.limits import Limits
from retrostep_core.log import records as r
from support.logs import CORE_HASH, DEVICE, LogBuilder, at

NOON = at("2026-11-20 12:00")


def summary_of(log: LogBuilder, reason: int = codes.END_STILLNESS) -> LogSummary:
    return summarize_log(log.end(reason))


def rows_of_table(summary: LogSummary, name: str) -> list[dict[str, int]]:
    return [dict(zip(DETAIL_COLUMNS[name], row, strict=True)) for row in summary.details[name]]


def column(name: str, log: LogBuilder) -> object:
    return summary_of(log).session[name]


def directions(*changes: tuple[float, int], end_s: float = 100) -> LogBuilder:
    """A log with direction changes only, each at its time in s. It ends at `end_s`."""
    log = LogBuilder()
    for since_s, direction in changes:
        log.pack(r.DIRECTION, r.pack, r.DIRECTION, int(since_s * 1_000), int(since_s * 1_000), direction)
    log.t_ms = int(end_s * 1_000)
    return log


def test_every_column_of_a_session() -> None:
    log = LogBuilder(7, boot=3, start_ticks_ms=50_000, board="BOARD", generation=9, core_version=(1, 2, 3))
    log.clock(NOON).bout(FORWARD, 300, 150).bout(BACKWARD, 60, 160).alert(RAMP, WARN).alert(RAMP, STOP).bout(BACKWARD, 30, 180)
    log.bout(STILL, 20).mark(codes.MARK_STRETCH).gap(5_000, 5_400)
    data = log.end(codes.END_BUTTON)
    summary = summarize_log(data)
    assert summary.session == {
        "device": DEVICE,
        "generation": 9,
        "number": 7,
        "boot": 3,
        "start_ticks_ms": 50_000,
        "duration_ms": 410_000,
        "forward_steps": 750,
        "backward_steps": 250,
        "unknown_steps": 0,
        "forward_ms": 300_000,
        "backward_ms": 90_000,
        "longest_backward_ms": 90_000,
        "first_backward_ms": 300_000,
        "warm_up_ms": 300_000,
        "backward_walk_ms": 0,
        "backward_stage": 3,
        "backward_contacts": 0,
        "backward_impact_g8": 0,
        "backward_cadence_x10": 1_600,
        "ramp_warns": 1,
        "ramp_stops": 1,
        "warm_up_mark": False,
        "stretch_mark": True,
        "gaps": 1,
        "gap_ms": 400,
        "gap_reasons": 1 << codes.GAP_OVERRUN,
        "end_reason": codes.END_BUTTON,
        "damage": 0,
        "lost_records": 0,
        "contradictory": False,
        "core_version": "1.2.3",
        "core_hash": CORE_HASH.hex(),
        "board": "BOARD",
        "placement": 0,
        "side": 1,
        "mount": "+y+z+x",
        "found_mount": "",
        "trigger": 1,
        "limits": Limits().pack().hex(),
        "log_length": len(data),
        "log_crc": crc32(data),
    }
    assert summary.key == (DEVICE, 7, 9) and summary.damage == (0, 0) and not summary.is_damaged
    assert summary.clock_facts == [ClockFact(3, 50_000, NOON, codes.CLOCK_FROM_HOST)]
    assert summary.details["gaps"] == [(5_000, 5_400, 2)]
    assert summary.details["marks"] == [(410_000, codes.MARK_STRETCH)]
    assert rows_of_table(summary, "alerts")[1] == {"at_ms": 360_000, "kind": RAMP, "severity": STOP, "measured": 170, "limit": 150}
    assert rows_of_table(summary, "bouts")[0] == {
        "start_ms": 0, "end_ms": 300_000, "direction": FORWARD, "steps": 750, "cadence_mean_x10": 1_500, "cadence_max_x10": 1_500,
    }  # fmt: skip
    assert rows_of_table(summary, "epochs")[0] == {
        "t_ms": 10_000, "forward_steps": 25, "backward_steps": 0, "unknown_steps": 0, "forward_ms": 10_000, "backward_ms": 0,
        "cadence_x10": 1_500, "peak_mg": 3_000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "first_ms", "warm_up_ms", "longest_ms"),
    [
        ([], None, 0, 0),
        ([(0, FORWARD)], None, 100_000, 0),
        ([(0, FORWARD), (40, STILL), (60, FORWARD)], None, 80_000, 0),
        ([(0, FORWARD), (40, BACKWARD)], 40_000, 40_000, 60_000),
        ([(0, FORWARD), (40, BACKWARD), (50, FORWARD)], 40_000, 40_000, 10_000),
        ([(0, BACKWARD), (4.999, FORWARD), (60, BACKWARD), (65, STILL)], 60_000, 55_001, 5_000),  # a step back ends no warm-up
        ([(0, BACKWARD), (5, FORWARD), (60, BACKWARD), (99, STILL)], 0, 0, 39_000),
        ([(0, UNKNOWN), (10, FORWARD), (20, BACKWARD), (22, FORWARD), (50, BACKWARD), (53, STILL)], 20_000, 10_000, 3_000),
        ([(0, FORWARD), (10, BACKWARD), (20, BACKWARD), (30, STILL)], 10_000, 10_000, 20_000),  # one stretch
        ([(0, FORWARD), (10, BACKWARD), (10, FORWARD), (98, BACKWARD)], 98_000, 98_000, 2_000),  # taken back
        ([(0, FORWARD), (30, BACKWARD), (100, FORWARD), (120, BACKWARD)], 30_000, 30_000, 70_000),  # after the end
    ],
)
def test_warm_up_and_bouts_by_the_direction_changes(
    changes: list[tuple[float, int]], first_ms: int | None, warm_up_ms: int, longest_ms: int
) -> None:
    session = summary_of(directions(*changes)).session
    assert (session["first_backward_ms"], session["warm_up_ms"], session["longest_backward_ms"]) == (first_ms, warm_up_ms, longest_ms)


def test_only_alerts_for_rising_cadence_count_by_severity() -> None:
    log = directions((0, BACKWARD))
    for kind, severity in ((RAMP, STOP), (RAMP, STOP), (RAMP, STOP), (RAMP, WARN), (CEILING, STOP), (CEILING, WARN)):
        log.alert(kind, severity)
    session = summary_of(log).session
    assert (session["ramp_warns"], session["ramp_stops"]) == (1, 3)


@pytest.mark.parametrize(("mark_s", "counts"), [(59.999, False), (60, True), (80, True)])
def test_a_stretch_counts_after_the_last_backward_bout(mark_s: float, counts: bool) -> None:
    log = directions((0, FORWARD), (10, BACKWARD), (20, STILL), (40, BACKWARD), (60, STILL))
    log.pack(r.MARK, r.pack, r.MARK, int(mark_s * 1_000), codes.MARK_STRETCH)
    assert column("stretch_mark", log) == counts
    assert column("stretch_mark", directions((0, FORWARD)).mark(codes.MARK_STRETCH)) is True


@pytest.mark.parametrize("mark", [codes.MARK_WARM_UP, codes.MARK_BACKWARD, codes.MARK_NOTE, codes.MARK_STRETCH])
def test_a_mark_is_what_it_is(mark: int) -> None:
    session = summary_of(directions((0, FORWARD)).mark(mark)).session
    assert (session["warm_up_mark"], session["stretch_mark"]) == (mark == codes.MARK_WARM_UP, mark == codes.MARK_STRETCH)


def test_gaps_add_up_except_those_of_a_full_flash() -> None:
    log = directions((0, FORWARD)).gap(1_000, 1_500).gap(2_000, 2_700, codes.GAP_SENSOR).gap(9_000, 8_000, codes.GAP_SAMPLES)
    log.gap(10_000, 90_000, codes.GAP_FLASH)
    session = summary_of(log).session
    assert (session["gaps"], session["gap_ms"]) == (3, 1_200), "one that ends before it starts lasts no time"
    assert session["gap_reasons"] == 1 << codes.GAP_OVERRUN | 1 << codes.GAP_SENSOR | 1 << codes.GAP_SAMPLES


def test_a_gap_of_an_unknown_reason_has_the_bit_after_the_known_ones() -> None:
    assert column("gap_reasons", directions((0, FORWARD)).gap(1_000, 1_500, 200)) == 1 << len(GAP_NAMES)


def with_totals(duration_ms: int, *totals: int) -> LogBuilder:
    log = LogBuilder()
    log.t_ms, log.totals = duration_ms, list(totals)
    return log


@pytest.mark.parametrize(
    ("log", "is_contradictory"),
    [
        (with_totals(60_000, 0, 0, 0, 60_000, 1_000), False),
        (with_totals(60_000, 0, 0, 0, 60_000, 1_001), True),
        (with_totals(60_000, 0, 0, 0, 1_001, 60_000), True),
        (with_totals(60_000, 300, 70, 2, 0, 0), False),  # 6 a second, and 2 s
        (with_totals(60_000, 301, 70, 2, 0, 0), True),
        (with_totals(60_000, 300, 71, 2, 0, 0), True),
        (with_totals(60_000, 300, 70, 3, 0, 0), True),
        (with_totals(60_999, 300, 70, 3, 0, 0), True),
        (with_totals(61_000, 300, 70, 8, 0, 0), False),
        (with_totals(0, 12, 0, 0, 0, 0), False),
        (with_totals(0, 13, 0, 0, 0, 0), True),
    ],
)
def test_totals_that_contradict_the_duration(log: LogBuilder, is_contradictory: bool) -> None:
    assert column("contradictory", log) is is_contradictory


def with_epochs(*epochs: tuple[int, int, int]) -> LogBuilder:
    """A log with epochs of (forward s, backward s, cadence), and one backward bout at 100.0 steps a minute."""
    log = LogBuilder()
    for forward_s, backward_s, cadence_x10 in epochs:
        log.t_ms += 10_000
        log.totals[3] += forward_s * 1_000
        log.totals[4] += backward_s * 1_000
        log.pack(r.EPOCH, r.pack, r.EPOCH, log.t_ms, *log.totals, cadence_x10, 0)
    log.pack(r.BOUT, r.pack, r.BOUT, 0, log.t_ms, BACKWARD, 50, 1_000, 2_000)
    return log


@pytest.mark.parametrize(
    ("epochs", "cadence_x10"),
    [
        ([(0, 10, 1_500), (0, 10, 1_600), (0, 10, 1_900)], 1_600),
        ([(0, 10, 1_500), (0, 10, 1_600)], 1_500),
        ([(10, 0, 1_900), (4, 6, 1_500)], 1_500),  # mostly backward
        ([(5, 5, 1_500)], 1_000),  # as much forward
        ([(0, 5, 1_500)], 1_500),
        ([(0, 4, 1_500)], 1_000),  # too short
        ([(0, 10, 0)], 1_000),
        ([(0, 10, 1_500), (10, 0, 1_700), (10, 0, 1_800)], 1_500),
        ([], 1_000),
    ],
)
def test_backward_cadence_is_the_median_of_backward_epochs(epochs: list[tuple[int, int, int]], cadence_x10: int) -> None:
    assert column("backward_cadence_x10", with_epochs(*epochs)) == cadence_x10


def test_without_backward_epochs_the_bouts_count_by_their_steps() -> None:
    log = LogBuilder()
    for direction, steps, mean_x10 in ((BACKWARD, 10, 1_500), (BACKWARD, 30, 1_600), (FORWARD, 900, 1_900), (BACKWARD, 500, 0)):
        log.pack(r.BOUT, r.pack, r.BOUT, 0, 9_000, direction, steps, mean_x10, 2_000)
    assert column("backward_cadence_x10", log) == 1_600
    assert column("backward_cadence_x10", LogBuilder()) == 0


@pytest.mark.parametrize(
    ("values", "median"),
    [
        ([], 0),
        ([(5, 1)], 5),
        ([(5, 1), (7, 1)], 5),
        ([(7, 2), (5, 1)], 7),
        ([(5, 2), (7, 2)], 5),
        ([(5, 2), (7, 3)], 7),
        ([(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)], 3),
        ([(1, 0), (2, -5), (9, 1)], 9),
        ([(1, 0)], 0),
    ],
)
def test_weighted_median(values: list[tuple[int, int]], median: int) -> None:
    assert weighted_median(values) == median


def test_a_log_without_its_end_is_open() -> None:
    log = LogBuilder().bout(FORWARD, 25)
    session = summarize_log(bytes(log.data)).session
    assert (session["end_reason"], session["forward_ms"], session["duration_ms"]) == (0, 25_000, 25_000)
    assert column("end_reason", LogBuilder().bout(FORWARD, 25)) == codes.END_STILLNESS


def test_damage_and_lost_records_are_counted_apart() -> None:
    log = LogBuilder().bout(FORWARD, 40)
    complete = log.end()
    garbage = summarize_log(complete + b"\x00" * 5)
    assert garbage.damage == (5, 0) and garbage.is_damaged
    skipping = LogBuilder().bout(FORWARD, 40)
    skipping.seq += 2
    lost = summarize_log(skipping.end())
    assert lost.damage == (0, 2) and lost.is_damaged


def test_impossible_clock_records_are_left_out() -> None:
    log = LogBuilder(boot=4).clock(EPOCH_FIRST_MS - 1).clock(NOON, 77, codes.CLOCK_BY_HAND).clock(NOON, TICKS_LAST_MS)
    assert summary_of(log).clock_facts == [ClockFact(4, 77, NOON, codes.CLOCK_BY_HAND)]


def test_what_is_no_log_of_that_session_is_refused_with_the_reason() -> None:
    log = LogBuilder(7, generation=5).bout(FORWARD, 20).end()
    assert summarize_log(log, DEVICE).key == summarize_log(log, None, 7).key == summarize_log(log, None, None, 5).key
    for expected, why in (
        (("other", 7), "The log received as session other/7 is that of session 7 of 'aabbccddeeff'."),
        ((DEVICE, 8), "The log received as session aabbccddeeff/8 is that of session 7 of 'aabbccddeeff'."),
        ((None, 8), "The log received as a session is that of session 7 of 'aabbccddeeff'."),
        (
            (DEVICE, 7, 6),
            "The log received as session aabbccddeeff/7 is of another generation of the device: its flash was erased in between.",
        ),
        (
            (DEVICE, 7, 0),
            "The log received as session aabbccddeeff/7 is of another generation of the device: its flash was erased in between.",
        ),
    ):
        with pytest.raises(DamagedData) as refused:
            summarize_log(log, *expected)  # type: ignore[arg-type]
        assert str(refused.value) == why
    with pytest.raises(DamagedData, match="The log of session aabbccddeeff/7 cannot be read: these bytes hold no header"):
        summarize_log(b"", DEVICE, 7)
    with pytest.raises(DamagedData, match="The log of a session cannot be read: the log has format version 99, and this program reads"):
        summarize_log(b"RSL\x63" + log[4:])
    for hostile in (LogBuilder(device="../x"), LogBuilder(device="")):
        with pytest.raises(UnsafeName):
            summarize_log(hostile.end())
    with pytest.raises(UnsafeName):
        summarize_log(log, "../x", 7)


def test_a_start_that_no_board_reaches_is_refused() -> None:
    assert column("start_ticks_ms", LogBuilder(start_ticks_ms=TICKS_LAST_MS - 1)) == TICKS_LAST_MS - 1
    with pytest.raises(DamagedData, match=f"session {DEVICE}/1 starts {TICKS_LAST_MS} ms after the board, which is impossible"):
        summary_of(LogBuilder(start_ticks_ms=TICKS_LAST_MS))


def test_the_generation_is_read_from_the_header_alone() -> None:
    log = LogBuilder(generation=0xC0FFEE).bout(FORWARD, 600).end()
    assert generation_of(log) == generation_of(log[:200]) == 0xC0FFEE
    assert generation_of(LogBuilder(generation=0).end(), 7) == 0, "a log without a generation has none, whatever the board has now"
    assert generation_of(b"", 7) == generation_of(log[:30], 7) == generation_of(b"?" * 500, 7) == 7
    assert generation_of(b"?" * 500) == 0
    hidden = log[:4] + b"\0" * 1_100 + log[4:]
    assert generation_of(hidden, 7) == 7, "a header so far in is not looked for"
