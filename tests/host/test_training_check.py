"""The check, from logs in a store to one verdict for each athlete."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from retrostep.archive.store import Store
from retrostep.errors import DoubtfulRecording, OtherCore, RetrostepError, Unassigned, Undated
from retrostep.training.check import Check, exit_status
from retrostep.training.data_quality import Core
from retrostep.training.finding import AthleteVerdict, Finding
from retrostep_core.codes import BACKWARD, END_INTERRUPTED, FORWARD
from support.logs import CORE_HASH, DEVICE, LogBuilder, at, session_log

CORE = Core((0, 1, 0), CORE_HASH.hex())
OTHER = "112233445566"
ON = date(2026, 11, 22)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        opened.add_athlete("Ada")
        opened.assign(DEVICE, "Ada")
        yield opened


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    before = os.environ.get("TZ")
    yield move
    if before is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()


def put(store: Store, number: int, data: bytes, device: str = DEVICE, received: str = "2026-11-22 20:00") -> None:
    store.ingest(device, number, data, datetime.fromisoformat(received).replace(tzinfo=UTC))


def plain(store: Store, number: int, started: str, backward_s: float, **more: object) -> None:
    """A complete session with enough warm-up, dated by a fact of its own boot."""
    put(store, number, session_log(number, started=started, backward_s=backward_s, boot=number, **more))  # type: ignore[arg-type]


def verdict_of(store: Store, athlete: str | None = "Ada", on: date = ON) -> AthleteVerdict:
    return next(verdict for verdict in Check(store, CORE, on).verdicts() if verdict.athlete == athlete)


def verdict_by_rule(verdict: AthleteVerdict) -> dict[str, str]:
    """Rule to the verdict of its worst finding."""
    return {finding.rule: finding.verdict for finding in reversed(verdict.findings)}


def is_problem(finding: Finding, kind: type[RetrostepError], **facts: str) -> bool:
    return type(finding.problem) is kind and finding.problem.facts == facts


def of_rule(verdict: AthleteVerdict, rule: str) -> list[Finding]:
    return [finding for finding in verdict.findings if finding.rule == rule]


def test_within_every_limit_is_ok_by_every_rule(store: Store) -> None:
    for number, day in enumerate((12, 15, 18, 21), 1):
        plain(store, number, f"2026-11-{day} 12:00", 100)
    verdict = verdict_of(store)
    assert verdict.verdict == "ok"
    assert set(verdict_by_rule(verdict)) == {
        "session_spike",
        "frequency",
        "rest_days",
        "ladder",
        "weekly_volume",
        "cadence_jump",
        "ramp_alerts",
        "warm_up",
        "stretch",
        "share",
        "data_quality",
    }
    assert all(finding.session == f"{DEVICE}/4" and finding.todo == "" for finding in verdict.findings)


def test_one_over_a_limit_fails_and_names_the_session(store: Store) -> None:
    for number, (day, seconds) in enumerate(((12, 100), (15, 100), (18, 140), (21, 100)), 1):
        plain(store, number, f"2026-11-{day} 12:00", seconds)
    verdict = verdict_of(store)
    assert verdict.verdict == "fail" and verdict.findings[0].rule == "session_spike"
    (finding,) = of_rule(verdict, "session_spike")
    assert finding.as_dict() == {
        "rule": "session_spike",
        "verdict": "fail",
        "measured": 40.0,
        "limit": 30,
        "unit": "%",
        "session": f"{DEVICE}/3",
        "why": "2 min 20 s backward on 2026-11-18, 40 % more than the longest session of the 30 days before (1 min 40 s on 2026-11-15).",
        "source": finding.source,
        "headline": "+40 % on longest",
        "next_step": {"step": "adjust", "text": "Make the next sessions as long as those before this one, and add at most 10 % at a time."},
        "accepted": None,
    }
    assert "Frandsen 2025" in finding.source and "forward running by distance, carried over" in finding.source
    assert finding.todo == "Make the next sessions as long as those before this one, and add at most 10 % at a time."


def test_a_check_stands_on_its_date_and_sees_nothing_later(store: Store) -> None:
    for number, (day, seconds) in enumerate(((12, 100), (15, 100), (18, 140)), 1):
        plain(store, number, f"2026-11-{day} 12:00", seconds)
    assert verdict_of(store, on=date(2026, 11, 17)).verdict != "fail"
    assert verdict_of(store, on=date(2026, 11, 18)).verdict == "fail"
    assert verdict_of(store, on=date(2026, 11, 24)).verdict == "fail"
    assert verdict_of(store, on=date(2026, 11, 25)).verdict == "unknown", "seven dates up to the 25th begin on the 19th"


def test_dates_are_the_coachs(store: Store, in_zone) -> None:  # type: ignore[no-untyped-def]
    for number, started in enumerate(("2026-11-20 23:30", "2026-11-21 22:30", "2026-11-22 00:10"), 1):
        plain(store, number, started, 60)

    def run_of_days(zone: str, on: date) -> float | None:
        in_zone(zone)
        return of_rule(verdict_of(store, on=on), "rest_days")[0].measured

    assert run_of_days("UTC", ON) == 3
    assert run_of_days("Pacific/Auckland", ON) == 2, "21 and 22 November there"
    assert run_of_days("America/New_York", ON) == 2, "20 and 21 November there"
    in_zone("America/New_York")
    assert len(of_rule(verdict_of(store, on=date(2026, 11, 20)), "data_quality")) == 1
    assert "1 recording in" in of_rule(verdict_of(store, on=date(2026, 11, 20)), "data_quality")[0].why


def test_dates_hold_across_the_change_of_clocks(store: Store, in_zone) -> None:  # type: ignore[no-untyped-def]
    in_zone("Europe/Berlin")
    # 25 October 2026 has 25 hours there: 30 dates before 24 November at 00:05 is 25 October, not 30 times 24 hours.
    plain(store, 1, "2026-10-24 22:10", 100)
    put(store, 2, session_log(2, started="2026-11-23 23:05", backward_s=150, boot=2), received="2026-11-24 09:00")
    assert of_rule(verdict_of(store, on=date(2026, 11, 24)), "session_spike")[0].measured == 50


def test_an_athlete_without_data_is_unknown_unless_the_device_was_there(store: Store) -> None:
    verdict = verdict_of(store)
    assert verdict_by_rule(verdict) == {"data_quality": "unknown"} and "no device of this athlete was synced" in verdict.findings[0].why
    store.saw_device(SimpleNamespace(device=DEVICE, board="VIRTUAL", core_version=(0, 1, 0), core_hash=CORE_HASH, boot=1))
    today = datetime.now().date()
    assert verdict_by_rule(verdict_of(store, on=today)) == {"data_quality": "info"}
    assert verdict_by_rule(verdict_of(store, on=date.fromordinal(today.toordinal() + 7))) == {"data_quality": "unknown"}


def test_forward_running_alone_is_ok(store: Store) -> None:
    plain(store, 1, "2026-11-21 12:00", 0)
    assert verdict_by_rule(verdict_of(store)) == {"data_quality": "ok"}


def test_an_undated_session_leaves_nothing_certain(store: Store) -> None:
    for number, day in enumerate((12, 15, 18), 1):
        plain(store, number, f"2026-11-{day} 12:00", 100)
    assert verdict_of(store).verdict == "ok"
    put(store, 9, session_log(9, backward_s=100, boot=9))
    verdict = verdict_of(store)
    assert verdict.verdict == "unknown"
    rules = verdict_by_rule(verdict)
    assert rules["session_spike"] == rules["frequency"] == rules["weekly_volume"] == rules["data_quality"] == "unknown"
    assert rules["ramp_alerts"] == rules["warm_up"] == "ok", "these look at one session only"
    (finding,) = of_rule(verdict, "data_quality")
    assert finding.session == f"{DEVICE}/9" and "between 2026-11-18" in finding.why and is_problem(finding, Undated, session=f"{DEVICE}/9")
    # Too much stays too much.
    plain(store, 4, "2026-11-21 12:00", 200)
    assert verdict_by_rule(verdict_of(store))["session_spike"] == "fail"


def test_an_undated_session_long_after_or_before_does_not_matter(store: Store) -> None:
    plain(store, 1, "2026-11-12 12:00", 100)
    plain(store, 2, "2026-11-21 12:00", 100)
    put(store, 3, session_log(3, backward_s=100, boot=3))
    assert verdict_of(store, on=date(2026, 11, 20)).verdict == "unknown", "it was after boot 2 was seen, which was on the 21st"
    assert "Undated" not in str(verdict_of(store, on=date(2026, 11, 20)).findings)
    assert verdict_by_rule(verdict_of(store))["session_spike"] == "unknown"


def test_a_session_dated_in_the_future_is_not_believed(store: Store) -> None:
    plain(store, 1, "2026-12-24 12:00", 100)
    verdict = verdict_of(store)
    assert verdict_by_rule(verdict)["data_quality"] == "unknown" and "not known when" in of_rule(verdict, "data_quality")[0].why


def test_gaps_interruption_and_another_core_are_reported(store: Store) -> None:
    log = LogBuilder(1).clock(at("2026-11-20 12:00")).bout(FORWARD, 400).bout(BACKWARD, 60).gap(10_000, 12_500)
    put(store, 1, log.end())
    (finding,) = of_rule(verdict_of(store), "data_quality")
    assert (finding.verdict, finding.measured, finding.limit, finding.unit) == ("unknown", 2.5, 1.0, "s")
    log = LogBuilder(2, boot=2, core_version=(0, 0, 9)).clock(at("2026-11-21 12:00")).bout(FORWARD, 400)
    put(store, 2, log.end(END_INTERRUPTED))
    whys = " ".join(finding.why for finding in of_rule(verdict_of(store), "data_quality"))
    assert "interrupted" in whys and "by firmware 0.0.9, which counts in another way" in whys
    assert verdict_of(store).verdict == "unknown"


def test_damage_is_met_and_leaves_the_verdict_unknown(store: Store) -> None:
    data = bytearray(session_log(1, started="2026-11-20 12:00", backward_s=60))
    data[-60] ^= 0xFF
    put(store, 1, bytes(data))
    check = Check(store, CORE, ON)
    (verdict,) = check.verdicts()
    assert check.met_damage and verdict_by_rule(verdict)["data_quality"] == "unknown"
    assert exit_status([verdict], damaged=check.met_damage) == 4


def test_devices_that_contradict_each_other_leave_the_verdict_unknown(store: Store) -> None:
    store.assign(OTHER, "Ada")
    plain(store, 1, "2026-11-21 12:00", 300)
    put(store, 1, session_log(1, started="2026-11-21 12:00", forward_s=900, device=OTHER), device=OTHER)
    verdict = verdict_of(store)
    assert verdict.verdict == "unknown"
    rules = verdict_by_rule(verdict)
    assert {rules[rule] for rule in ("first_exposure", "share", "ramp_alerts", "data_quality")} == {"unknown"}
    (finding,) = of_rule(verdict, "data_quality")
    assert verdict.findings[0] is finding, "the reason comes before the rules that it leaves unknown"
    (share,) = of_rule(verdict, "share")
    assert share.step == "ask" and "Run more forward" not in share.todo, "no advice for a limit that may be kept"
    assert finding.session == f"{DEVICE}/1" and is_problem(finding, DoubtfulRecording, session=f"{DEVICE}/1")
    assert finding.why == (
        "The session on 2026-11-21 cannot be judged for certain. Devices worn at the same time contradict each other: "
        f"{OTHER} recorded 0 s backward and 15 min forward, {DEVICE} recorded 5 min backward and 10 min forward."
    )
    # A week later it is no longer judged.
    plain(store, 2, "2026-11-28 12:00", 300)
    assert "contradict" not in str(of_rule(verdict_of(store, on=date(2026, 11, 28)), "data_quality"))
    assert "contradict" in str(of_rule(verdict_of(store, on=date(2026, 11, 27)), "data_quality"))


def test_a_device_on_each_leg_counts_once_though_one_was_stopped_and_started(store: Store) -> None:
    store.assign(OTHER, "Ada")
    plain(store, 1, "2026-11-21 12:00", 300)
    for number, started, forward_s, backward_s in ((1, "2026-11-21 12:00", 600, 120), (2, "2026-11-21 12:13", 0, 180)):
        log = session_log(number, started=started, forward_s=forward_s, backward_s=backward_s, device=OTHER, boot=number)
        put(store, number, log, device=OTHER)
    findings = {finding.rule: finding for finding in verdict_of(store).findings}
    assert (findings["first_exposure"].verdict, findings["first_exposure"].measured) == ("warn", 300)
    assert findings["share"].measured == 33.33 and findings["data_quality"].verdict == "ok"


def test_sessions_without_an_athlete_are_reported(store: Store) -> None:
    for number in (1, 2):
        log = session_log(number, started=f"2026-11-2{number} 12:00", backward_s=60, device=OTHER, boot=number)
        put(store, number, log, device=OTHER)
    verdict = verdict_of(store, None)
    assert verdict.verdict == "unknown"
    assert [(finding.rule, finding.session) for finding in verdict.findings] == [("data_quality", f"{OTHER}/2")]
    assert "2 sessions of device" in verdict.findings[0].why and is_problem(verdict.findings[0], Unassigned, device=OTHER)
    assert [each.athlete for each in Check(store, CORE, ON).verdicts("Ada")] == ["Ada"]
    assert [each.athlete for each in Check(store, CORE, date(2026, 11, 29)).verdicts()] == ["Ada"], "that is long ago by then"


def test_the_worst_come_first(store: Store) -> None:
    for place, (name, seconds) in enumerate((("Zoe", 900), ("Ben", 60), ("Cem", 140), ("Dan", 900)), 1):
        store.add_athlete(name)
        store.assign(f"dev{place}", name)
        log = session_log(1, started="2026-11-21 12:00", backward_s=seconds, forward_s=9_000, device=f"dev{place}")
        put(store, 1, log, device=f"dev{place}")
    put(store, 1, session_log(1, started="2026-11-21 12:00", backward_s=60, device=OTHER), device=OTHER)
    found = [(verdict.athlete, verdict.verdict) for verdict in Check(store, CORE, ON).verdicts()]
    assert found == [("Dan", "fail"), ("Zoe", "fail"), ("Cem", "warn"), ("Ada", "unknown"), (None, "unknown"), ("Ben", "info")]
    assert exit_status(Check(store, CORE, ON).verdicts("Cem"), damaged=False) == 0, "a warning is no limit exceeded"
    assert exit_status(Check(store, CORE, ON).verdicts("Zoe"), damaged=True) == 3


def test_limits_that_somebody_set_hold_and_are_named(store: Store) -> None:
    now = datetime.now(UTC)
    today = datetime.now().date()
    stamp = "%Y-%m-%d %H:%M"
    for number, hours in ((1, 200), (2, 2)):
        started = datetime.fromtimestamp(now.timestamp() - hours * 3_600, UTC).strftime(stamp)
        put(store, number, session_log(number, started=started, backward_s=100 * number, boot=number), received=now.strftime(stamp))
    assert verdict_by_rule(verdict_of(store, on=today))["session_spike"] == "fail"
    store.override("session_spike", who="Kim", why="ten years of it.", athlete="Ada", warn=200, fail=300)
    (finding,) = of_rule(verdict_of(store, on=today), "session_spike")
    assert (finding.verdict, finding.limit) == ("ok", 200)
    assert finding.why.endswith("The limits were set by Kim: ten years of it.")
    store.override("session_spike", who="Lee", why="for all", warn=1, fail=2)
    assert verdict_by_rule(verdict_of(store, on=today))["session_spike"] == "ok", "an athlete's own limits go before those for all"
    yesterday = date.fromordinal(today.toordinal() - 1)
    assert verdict_by_rule(verdict_of(store, on=yesterday)).get("session_spike") != "ok", "not before they were set"
    store.override("session_spike", who="Kim", why="enough", athlete="Ada", enabled=False)
    assert "session_spike" not in verdict_by_rule(verdict_of(store, on=today))


def test_acwr_is_off_until_somebody_wants_it(store: Store) -> None:
    on = datetime.now().date()
    noon = datetime(on.year, on.month, on.day, 12).timestamp()
    for number in range(1, 16):
        started = datetime.fromtimestamp(noon - (16 - number) * 3 * 86_400, UTC).strftime("%Y-%m-%d %H:%M")
        store.ingest(DEVICE, number, session_log(number, started=started, backward_s=60, boot=number))
    assert "acwr" not in verdict_by_rule(verdict_of(store, on=on))
    store.override("acwr", who="Kim", why="habit", warn=1.5)
    assert verdict_by_rule(verdict_of(store, on=on))["acwr"] == "ok"


def test_the_same_problem_is_reported_once(store: Store) -> None:
    for number in (1, 2):
        log = session_log(number, started=f"2026-11-2{number} 12:00", boot=number, core_version=(0, 0, 9))
        put(store, number, log)
    (finding,) = of_rule(verdict_of(store), "data_quality")
    assert finding.why.startswith("2 recordings, the latest on 2026-11-22,") and is_problem(finding, OtherCore, board="VIRTUAL")


def test_a_session_that_may_be_two_peoples_is_dated_and_not_assigned(store: Store) -> None:
    store.add_athlete("Ben")
    store.add_clock_fact(DEVICE, 1, 0, at("2026-11-18 08:00"))
    store.assign(DEVICE, "Ben", datetime(2026, 11, 20, tzinfo=UTC))
    put(store, 1, session_log(1, boot=2, backward_s=60))
    (finding,) = verdict_of(store, None).findings
    assert "to one athlete or to another" in finding.why and is_problem(finding, Undated, session=f"{DEVICE}/1")
