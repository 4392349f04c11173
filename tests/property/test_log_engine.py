"""The real engine's session in the log: steps, directions, bouts and totals agree."""

from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motion import BackwardRun, BackwardWalk, Run, Stand, Walk, Wear, generate
from retrostep.archive.log_summary import summarize_log
from retrostep_core import codes
from retrostep_core.codes import BACKWARD, COLD_START, FORWARD, WARN
from retrostep_core.directions import direction_at
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.totals import GaitTotals
from retrostep_core.log import records as r
from retrostep_core.log.reader import Log, direction_changes, read_log, scan
from retrostep_core.log.session_log import SessionLog
from support.places import ROOT
from support.ram_store import Clock, Identity, RamStore, Wearer
from support.recovery import recover

EPOCH_MS = 10_000
PLAN = [
    Stand(4),
    Walk(25, 110),
    Stand(3),
    BackwardWalk(20, 100),
    Stand(2),
    Run(20, 165),
    BackwardRun(20, 150),
    Stand(70),
    Walk(15, 115),
    Stand(5),
]


class Worn:
    """A device on a synthetic leg: the engine's real samples, the session's real records, a store in memory."""

    def __init__(self, seed: int) -> None:
        self.store = RamStore()
        clock = Clock()
        totals = GaitTotals()
        self.session = SessionLog(totals, self.store, Identity(), clock, Limits(), side=1, mount="+x+y+z")
        self.engine = Engine(self.session, Limits(), side=1, totals=totals)
        made = generate(PLAN, seed=seed, wear=Wear(mount="+x+y+z"))
        self.true_steps = made.truth.steps
        looked_ms = 0
        for i, sample in enumerate(made.samples):
            t_ms = 1000 + int(i * 1000 / made.rate_hz)
            values = [int(v * 1000) for v in sample[:3]] + [int(v * 10) for v in sample[3:]]
            self.engine.samples(array("h", [max(-32768, min(32767, v)) for v in values]), 1, t_ms, 9615)
            if t_ms >= looked_ms + 500:
                looked_ms = clock.now = t_ms
                self.session.tick(t_ms, 3900, 80)


@pytest.fixture(scope="module", params=[3, 8])
def worn(request: pytest.FixtureRequest) -> Worn:
    return Worn(request.param)


def labelled(log: Log) -> tuple[int, ...]:
    directions = [direction for _, direction in log.steps]
    return directions.count(1), directions.count(2), directions.count(0) + directions.count(3)


def test_a_minute_of_standing_ends_a_session_and_the_next_step_opens_another(worn: Worn) -> None:
    assert worn.store.numbers() == [1, 2]
    assert worn.session.open and worn.session.number == 2
    first = read_log(worn.store.logs[1])
    assert first.closed and first.damage == [] and first.end.reason == codes.END_STILLNESS
    assert 85_000 < first.duration_ms < 100_000


def test_totals_agree_with_the_final_directions_of_the_steps(worn: Worn) -> None:
    log = read_log(worn.store.logs[1])
    assert log.totals[:3] == labelled(log)
    assert log.totals.forward_steps > 60 and log.totals.backward_steps > 50
    assert log.totals.forward_ms + log.totals.backward_ms <= log.duration_ms
    times = [t for t, _ in log.steps]
    assert times == sorted(set(times)) and times[0] == 500


def test_bouts_do_not_overlap_and_contain_the_steps(worn: Worn) -> None:
    log = read_log(worn.store.logs[1])
    assert [bout.direction for bout in log.bouts if bout.direction] == [1, 2, 1, 2]
    for before, after in zip(log.bouts, log.bouts[1:], strict=False):
        assert before.start_ms < before.end_ms <= after.start_ms
    assert sum(bout.steps for bout in log.bouts) >= 0.95 * len(log.steps)
    for bout in log.bouts:
        inside = [t for t, _ in log.steps if bout.start_ms <= t < bout.end_ms]
        assert abs(len(inside) - bout.steps) <= 1
        assert bout.cadence_mean_x10 <= bout.cadence_max_x10 < 2600


def test_the_alerts_of_the_engine_are_logged(worn: Worn) -> None:
    log = read_log(worn.store.logs[1])
    assert {(alert.kind, alert.severity) for alert in log.alerts} >= {(COLD_START, WARN)}
    for alert in log.alerts:
        assert 0 <= alert.at_ms <= log.duration_ms


def test_a_cut_leaves_the_totals_of_what_was_flushed(worn: Worn) -> None:
    after = worn.store.cut()
    assert recover(after, after.boot).closed == 1
    log = read_log(after.logs[2])
    assert log.end.reason == codes.END_INTERRUPTED and log.damage == []
    assert log.totals[:3] == labelled(log)
    assert len(log.steps) > 10


def check_every_cut(data: bytes) -> int:
    """Cut a log behind every record, and inside the next one: its END covers what its totals count. The number of cuts is returned."""
    cuts = 0
    for offset, kind, _, payload in scan(data):
        if kind == r.END:
            continue
        end = offset + len(payload) + r.OVERHEAD
        store = RamStore(boot=9_999)
        store.logs = {1: data[: end + 5]}
        before: Log = read_log(store.logs[1])
        assert recover(store, store.boot).closed == 1
        log: Log = read_log(store.logs[1])
        columns = summarize_log(store.logs[1]).session
        what = f"cut at byte {end}: {log.end}"
        assert not columns["contradictory"], what
        assert columns["forward_ms"] + columns["backward_ms"] <= log.end.t_ms, what
        assert all(t_ms <= log.end.t_ms for t_ms, _ in log.steps), what
        assert before.totals == log.end.totals, what
        assert 0 <= log.end.t_ms - before.duration_ms <= EPOCH_MS, f"recovery counts from an epoch on, {what}"
        last = log.epochs[-1].t_ms if log.epochs else 0
        if direction_at(direction_changes(log.directions), last) in (FORWARD, BACKWARD):
            assert log.end.t_ms >= last, what
        cuts += 1
    return cuts


def test_every_cut_of_a_log_is_closed_with_an_end_that_covers_its_totals(worn: Worn) -> None:
    assert sum(check_every_cut(data) for data in worn.store.logs.values()) > 50


@pytest.mark.parametrize("golden", sorted((ROOT / "tests" / "golden").glob("*.rsl")), ids=lambda path: path.stem)
def test_every_cut_of_a_golden_log_is_closed_with_an_end_that_covers_its_totals(golden: Path) -> None:
    assert check_every_cut(golden.read_bytes()) > 10


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("run"), st.integers(1, 25), st.sampled_from([110, 170, 190])),
            st.tuples(st.just("turn"), st.sampled_from([0, 1, 2, 3]), st.integers(0, 4000)),
            st.tuples(st.just("wait"), st.integers(100, 15_000), st.just(0)),
            st.tuples(st.just("mark"), st.just(1), st.just(0)),
        ),
        max_size=10,
    )
)
@settings(max_examples=40, deadline=None)
def test_every_cut_of_any_session_is_closed_with_an_end_that_covers_its_totals(acts: list[tuple[str, int, int]]) -> None:
    wearer = Wearer(RamStore())
    wearer.turn(FORWARD)
    for act, value, more in acts:
        if act == "run":
            wearer.run(value, more)
        elif act == "turn":
            wearer.turn(value, max(wearer.session.start_ms, wearer.clock.now - more))
        elif act == "wait":
            wearer.pass_ms(value)
        else:
            wearer.session.mark(wearer.clock.now, value)
    wearer.session.stop(wearer.clock.now)
    for data in wearer.store.logs.values():
        check_every_cut(data)
