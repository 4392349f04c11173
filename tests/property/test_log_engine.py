"""The real engine's session in the log: steps, directions, bouts and totals tell one story."""

import pytest
from motion import BackwardRun, BackwardWalk, Run, Stand, Walk, Wear, generate
from ram_store import Clock, Identity, RamStore
from retrostep_core.gait.codes import COLD_START, WARN
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from retrostep_core.log import records as r
from retrostep_core.log.reader import Log, read_log
from retrostep_core.log.recovery import recover
from retrostep_core.log.session import Session

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
        self.session = Session(None, self.store, Identity(), clock, Limits(), side=1, mount="+x+y+z")
        self.engine = Engine(self.session, Limits(), side=1)
        self.session.engine = self.engine
        made = generate(PLAN, seed=seed, wear=Wear(mount="+x+y+z"))
        self.true_steps = made.truth.steps
        looked_ms = 0
        for i, sample in enumerate(made.samples):
            t_ms = 1000 + int(i * 1000 / made.rate_hz)
            values = [int(v * 1000) for v in sample[:3]] + [int(v * 10) for v in sample[3:]]
            self.engine.sample(t_ms, *(max(-32768, min(32767, v)) for v in values))
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
    assert first.closed and first.damage == [] and first.end.reason == r.BY_ITSELF
    assert 85_000 < first.duration_ms < 100_000


def test_totals_are_the_steps_as_they_were_labelled_in_the_end(worn: Worn) -> None:
    log = read_log(worn.store.logs[1])
    assert log.totals[:3] == labelled(log)
    assert log.totals.forward_steps > 60 and log.totals.backward_steps > 50
    assert log.totals.forward_ms + log.totals.backward_ms <= log.duration_ms
    times = [t for t, _ in log.steps]
    assert times == sorted(set(times)) and times[0] == 500


def test_bouts_follow_each_other_and_hold_the_steps(worn: Worn) -> None:
    log = read_log(worn.store.logs[1])
    assert [bout.direction for bout in log.bouts if bout.direction] == [1, 2, 1, 2]
    for before, after in zip(log.bouts, log.bouts[1:], strict=False):
        assert before.start_ms < before.end_ms <= after.start_ms
    assert sum(bout.steps for bout in log.bouts) >= 0.95 * len(log.steps)
    for bout in log.bouts:
        inside = [t for t, _ in log.steps if bout.start_ms <= t < bout.end_ms]
        assert abs(len(inside) - bout.steps) <= 1
        assert bout.cadence_mean_x10 <= bout.cadence_max_x10 < 2600


def test_the_engine_s_alerts_are_there(worn: Worn) -> None:
    log = read_log(worn.store.logs[1])
    assert {(alert.kind, alert.severity) for alert in log.alerts} >= {(COLD_START, WARN)}
    for alert in log.alerts:
        assert 0 <= alert.at_ms <= log.duration_ms


def test_a_cut_leaves_the_totals_of_what_was_flushed(worn: Worn) -> None:
    after = worn.store.cut()
    assert recover(after, after.boot).closed == 1
    log = read_log(after.logs[2])
    assert log.end.reason == r.INTERRUPTED and log.damage == []
    assert log.totals[:3] == labelled(log)
    assert len(log.steps) > 10
