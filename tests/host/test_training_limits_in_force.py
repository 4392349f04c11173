"""The alert limits that were in force while a session was recorded: part of its verdict, and shown with it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from retrostep.archive.store import Store
from retrostep.cli import main
from retrostep.output.sessions import limits_lines
from retrostep.training.alert_limits import alert_limits, missed_stops
from retrostep.training.rules.catalog import BY_NAME
from retrostep.training.rules.rule import Judgement, TrainingHistory
from retrostep.training.training_session import training_sessions
from retrostep_core.codes import BACKWARD, FORWARD
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json, limits_to_json
from support.logs import DEVICE, LogBuilder, at
from support.recordings import TODAY, recording


def packed(**values: float) -> str:
    return str(limits_from_json(values).pack().hex())


OFF = packed(ramp_warn_pct=0, ramp_stop_pct=0)


def ramp_alerts(*recordings: object) -> Judgement:
    on = TODAY.toordinal()
    history = TrainingHistory(on, on - 6, training_sessions(recordings), [])  # type: ignore[arg-type]
    (judgement,) = BY_NAME["ramp_alerts"].judge(history, BY_NAME["ramp_alerts"].limits)
    return judgement


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (OFF, "its stop alert for rising cadence was off"),
        (packed(ramp_stop_pct=0), "its stop alert for rising cadence was off"),
        (packed(ramp_stop_pct=15.1), "its limits for rising cadence were 10 and 15.1 % within 10 s, not 10 and 15 % within 10 s"),
        (packed(ramp_warn_pct=10.1), "its limits for rising cadence were 10.1 and 15 % within 10 s, not 10 and 15 % within 10 s"),
        (packed(ramp_window_s=9), "its limits for rising cadence were 10 and 15 % within 9 s, not 10 and 15 % within 10 s"),
        ("02" + Limits().pack().hex()[2:], "its alert limits cannot be read"),
        ("", "its alert limits cannot be read"),
        ("no hex", "its alert limits cannot be read"),
    ],
)
def test_no_stop_alert_is_unknown_with_weaker_limits(limits: str, why: str) -> None:
    judgement = ramp_alerts(recording(1, 60, limits=limits))
    assert (judgement.verdict, judgement.measured) == ("unknown", 0)
    assert judgement.why.endswith(f" There may have been cause for more: in recording a1/1, {why}.")


@pytest.mark.parametrize(
    "limits",
    [
        packed(),
        packed(ramp_stop_pct=14.9),
        packed(ramp_warn_pct=0),
        packed(ramp_window_s=11),
        packed(ceiling_warn_spm=0, ceiling_stop_spm=0, session_stop_s=0),
    ],
)
def test_no_stop_alert_is_ok_with_limits_as_strict_as_the_default(limits: str) -> None:
    judgement = ramp_alerts(recording(1, 60, limits=limits))
    assert (judgement.verdict, judgement.why) == ("ok", "The device gave 0 stop alerts for rising cadence on 2026-11-21.")
    assert missed_stops(limits) == ""


@pytest.mark.parametrize(("stops", "verdict"), [(1, "warn"), (2, "warn"), (3, "fail")])
def test_too_many_stop_alerts_stay_too_many(stops: int, verdict: str) -> None:
    judgement = ramp_alerts(recording(1, 60, ramp_stops=stops, limits=packed(ramp_stop_pct=20)))
    assert judgement.verdict == verdict and "cause for more" in judgement.why


def test_every_recording_of_the_session_counts_that_has_backward_running() -> None:
    hour = 1 / 24
    first, last = recording(1, 60), recording(1 - hour / 2, 60, number=2)
    assert ramp_alerts(first, last).verdict == "ok"
    assert ramp_alerts(first, last._replace(limits=OFF)).why.endswith("in recording a1/2, its stop alert for rising cadence was off.")
    assert ramp_alerts(first._replace(limits=OFF), last).verdict == "unknown"
    both = ramp_alerts(first._replace(limits=OFF), last._replace(limits=packed(ramp_window_s=2)))
    assert "in recording a1/1, its stop alert" in both.why and "; in recording a1/2, its limits for" in both.why
    assert ramp_alerts(first, last._replace(limits=OFF, backward_ms=0)).verdict == "ok", "without backward running there is no such alert"


def test_limits_by_name() -> None:
    assert alert_limits(packed(ramp_stop_pct=12.5, warm_up_s=60)) == {**limits_to_json(Limits()), "ramp_stop_pct": 12.5, "warm_up_s": 60}
    assert alert_limits("00" * 24) is None and alert_limits("zz") is None


def test_limits_in_words() -> None:
    assert limits_lines(packed()) == [
        "cadence rise: warn 10 %, stop 15 % in 10 s",
        "cadence: warn 220 steps/min, stop 240 steps/min",
        "warm-up: 5 min",
        "backward time: warn 5 min, stop 10 min",
    ]
    assert limits_lines(
        packed(ramp_warn_pct=0, ramp_stop_pct=12.5, ceiling_warn_spm=0, ceiling_stop_spm=0, warm_up_s=0, session_stop_s=0)
    ) == [
        "cadence rise: warn off, stop 12.5 % in 10 s",
        "cadence: off",
        "warm-up: off",
        "backward time: warn 5 min, stop off",
    ]
    assert limits_lines(packed(ramp_warn_pct=0, ramp_stop_pct=0, session_warn_s=0, session_stop_s=0))[::3] == [
        "cadence rise: off",
        "backward time: off",
    ]
    assert limits_lines("00") == ["not readable by this version"]


def test_session_and_check_show_the_limits_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path))
    limits = limits_from_json({"ramp_warn_pct": 0, "ramp_stop_pct": 0, "session_stop_s": 900})
    log = LogBuilder(1, limits=limits.pack()).clock(at("2026-11-20 12:00")).bout(FORWARD, 600).bout(BACKWARD, 60).end()
    with Store() as store:
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
        store.ingest(DEVICE, 1, log)

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "Limits      cadence rise: off\n            cadence: warn 220" in run("session", f"{DEVICE}/1")
    assert json.loads(run("session", f"{DEVICE}/1", "--json"))["limits"] == limits_to_json(limits)
    verdict = json.loads(run("check", "--on", "2026-11-22", "--json"))["athletes"][0]
    findings = {finding["rule"]: finding for finding in verdict["findings"]}
    assert findings["ramp_alerts"]["verdict"] == "unknown" and "was off" in findings["ramp_alerts"]["why"]
