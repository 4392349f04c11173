"""Walking, jogging and running are distinguished by cadence, impact and the length of bouts, worked out by hand."""

import pytest
from retrostep.archive.backward_gait import JOG, NONE, RUN, WALK
from retrostep.archive.log_summary import summarize_log
from retrostep_core.codes import BACKWARD, FORWARD, STILL
from support.logs import LogBuilder


def gait_of(log: LogBuilder) -> tuple[int, int]:
    """(stage, seconds that were walking)."""
    session = summarize_log(log.end()).session
    return session["backward_stage"], session["backward_walk_ms"] / 1_000


def struck(log: LogBuilder, peak_g8: int, contacts: int = 10) -> LogBuilder:
    """Impacts of the backward contacts of the last ten seconds."""
    peak_mg = peak_g8 * 125
    return log.load(BACKWARD, [contacts, 0, contacts * peak_mg, peak_mg, contacts * peak_mg, peak_mg, contacts * 100, 100])


@pytest.mark.parametrize(
    ("cadence_spm", "stage"), [(60, WALK), (119, WALK), (134, WALK), (135, JOG), (150, JOG), (174, JOG), (175, RUN), (190, RUN), (220, RUN)]
)
def test_without_impacts_cadence_decides(cadence_spm: int, stage: int) -> None:
    assert gait_of(LogBuilder().bout(BACKWARD, 30, cadence_spm)) == (stage, 30 if stage == WALK else 0)


@pytest.mark.parametrize(
    ("cadence_spm", "peak_g8", "stage"),
    [
        (119, 40, WALK),
        (121, 18, JOG),
        (121, 17, WALK),
        (149, 14, WALK),
        (149, 15, JOG),
        (150, 5, JOG),
        (159, 60, JOG),
        (161, 32, RUN),
        (161, 31, JOG),
        (189, 24, JOG),
        (189, 25, RUN),
        (190, 5, RUN),
    ],
)
def test_where_gaits_overlap_the_impact_decides(cadence_spm: int, peak_g8: int, stage: int) -> None:
    log = LogBuilder()
    for _ in range(3):
        struck(log.bout(BACKWARD, 10, cadence_spm), peak_g8)
    assert gait_of(log)[0] == stage


@pytest.mark.parametrize(
    ("bouts", "bout_s", "stage"),
    [(7, 6, RUN), (2, 5, RUN), (1, 9, NONE), (3, 4, NONE), (1, 10, RUN)],
)
def test_a_stage_takes_ten_seconds_and_a_bout_of_five(bouts: int, bout_s: int, stage: int) -> None:
    log = LogBuilder()
    for _ in range(bouts):
        log.bout(BACKWARD, bout_s, 200).bout(FORWARD, 14, 100)
    assert gait_of(log)[0] == stage, "seven times 20 m, as in the trials, are running"


def test_a_session_that_walks_and_then_runs() -> None:
    log = LogBuilder().bout(BACKWARD, 120, 100).bout(STILL, 10).bout(BACKWARD, 40, 200)
    assert gait_of(log) == (RUN, 120)


def test_a_log_without_epochs_is_judged_by_its_totals() -> None:
    log = LogBuilder()
    log.totals = [0, 50, 0, 0, 30_000]
    log.t_ms = 30_000
    assert gait_of(log) == (NONE, 30), "no bout shows that it was more than a few steps at a time"


def test_the_sum_of_impacts() -> None:
    log = LogBuilder()
    for peak_g8 in (16, 24):
        struck(log.bout(BACKWARD, 10, 150), peak_g8)
    session = summarize_log(log.end()).session
    assert (session["backward_contacts"], session["backward_impact_g8"]) == (20, 400)
