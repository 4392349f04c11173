"""The reading commands as a coach and as another program meet them: text, JSON, exit status, one sentence for every error."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from retrostep.archive.ingest import archive_log
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.store import Store
from retrostep.cli import run
from retrostep.device.core_version import core_hash
from retrostep_core.codes import BACKWARD, FORWARD
from support.logs import DEVICE, LogBuilder, at, session_log
from support.stored import receive

OTHER = "112233445566"
EVIL = "\x1b[2J\x07\u202egnp.exe\u2066\r\nAda ok"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("RETROSTEP_HOME", str(folder))
    return folder


@pytest.fixture
def retrostep(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command as the shell would: (exit status, stdout, stderr)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["retrostep", *arguments])
        status = 0
        try:
            run()
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d 12:00")


def fill(home: Path, *plan: tuple[str, int, int, float]) -> None:
    """(device, number, days ago, backward seconds) each: archived and stored as a sync would."""
    with Store() as store:
        for device, number, days, seconds in plan:
            data = session_log(number, device=device, started=days_ago(days), backward_s=seconds, boot=number, core_hash=core_hash())
            receive(store, number, data, device)


TWO = ((DEVICE, 1, 6, 100), (DEVICE, 2, 2, 200), (OTHER, 1, 6, 100), (OTHER, 2, 2, 100))


def no_tricks(text: str) -> bool:
    """Whether a terminal would only print it."""
    return all(char.isprintable() or char == "\n" for char in text)


def test_an_empty_store_says_what_to_do_next(retrostep: Command) -> None:
    assert retrostep("sessions") == (0, "No sessions. Plug a device in and run `retrostep sync`.\n", "")
    status, out, _ = retrostep("athletes")
    assert status == 0 and "retrostep athletes add NAME" in out
    status, out, _ = retrostep("check")
    assert status == 0 and "No athletes yet" in out
    for command, empty in (("sessions", {"sessions": []}), ("check", {"athletes": []}), ("athletes", {"athletes": [], "nobody": []})):
        status, out, _ = retrostep(command, "--json")
        assert (status, json.loads(out)) == (0, empty)


def test_from_logs_to_a_verdict(retrostep: Command, home: Path) -> None:
    fill(home, *TWO)
    assert retrostep("athletes", "add", "Ada")[0] == 0
    assert retrostep("athletes", "add", "Ben")[0] == 0
    status, out, _ = retrostep("athletes", "assign", "ccdd", "ada")
    assert (status, out) == (0, f"{DEVICE} is assigned to Ada, all its sessions included.\n")
    status, out, _ = retrostep("check")
    assert status == 3
    lines = out.splitlines()
    expected = [["FAIL", "new", "Ada"], ["UNKNOWN", "same", "Ben"], ["UNKNOWN", "unassigned", "no"]]
    assert [line.split()[:3] for line in lines[1:4]] == expected
    assert "+100 % on longest" in lines[1] and "no athlete" in lines[3], "who is over a limit comes first"
    assert any(line.endswith(": 1 fail, 2 unknown.") for line in lines)
    told = retrostep("check", "ada")[1]
    lines = told.splitlines()
    place = next(k for k, line in enumerate(lines) if "session_spike " in line)
    assert lines[place].split() == ["FAIL", "session_spike", "100", "%", "(fails", "above", "30", "%)", "session", f"{DEVICE}/2"]
    assert "100 % more than the longest session" in lines[place + 1]
    assert lines[place + 2].strip() == "Adjust: Make the next sessions as long as those before this one, and add at most 10 % at a time."
    assert told.count("Frandsen 2025, Br J Sports Med") == 1, "each source once"

    assert retrostep("athletes", "assign", OTHER, "Ben")[0] == 0
    status, out, _ = retrostep("check", "--athlete", "ben")
    assert status == 0 and "FAIL" not in out
    _, out, _ = retrostep("athletes")
    assert [line.split() for line in out.splitlines()[1:]] == [["Ada", "2", DEVICE], ["Ben", "2", OTHER]]


def test_check_json_is_the_fixed_structure(retrostep: Command, home: Path) -> None:
    fill(home, *TWO)
    retrostep("athletes", "add", "Ada")
    retrostep("athletes", "assign", DEVICE, "Ada")
    status, out, err = retrostep(
        "check", "--json", "--store", f"sqlite:///{home}/store.sqlite", "--athlete", "Ada", "--on", days_ago(0)[:10]
    )
    assert (status, err) == (3, "")
    report = json.loads(out)
    assert list(report) == ["athletes"]
    (athlete,) = report["athletes"]
    assert list(athlete)[:3] == ["athlete", "verdict", "findings"]
    assert (athlete["athlete"], athlete["verdict"]) == ("Ada", "fail")
    for finding in athlete["findings"]:
        assert list(finding)[:8] == ["rule", "verdict", "measured", "limit", "unit", "session", "why", "source"]
        assert finding["verdict"] in ("ok", "info", "warn", "fail", "unknown")
    assert json.loads(retrostep("check", "--json")[1])["athletes"][1]["athlete"] is None, "unassigned sessions are included"


def test_damage_alone_is_exit_status_four(retrostep: Command, home: Path) -> None:
    data = bytearray(session_log(1, started=days_ago(1), core_hash=core_hash()))
    data[-60] ^= 0xFF
    with Store() as store:
        store.ingest(DEVICE, 1, bytes(data))
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
    status, out, _ = retrostep("check")
    assert status == 4 and "log damaged" in out
    assert "log damaged (" in retrostep("sessions")[1]


def test_sessions_are_listed_and_filtered(retrostep: Command, home: Path) -> None:
    fill(home, *TWO)
    retrostep("athletes", "add", "Ada")
    retrostep("athletes", "assign", DEVICE, "Ada")

    def listed(*filters: str) -> list[str]:
        return [session["session"] for session in json.loads(retrostep("sessions", "--json", *filters)[1])["sessions"]]

    assert listed() == [f"{OTHER}/1", f"{DEVICE}/1", f"{OTHER}/2", f"{DEVICE}/2"]
    assert listed("--athlete", "ada") == [f"{DEVICE}/1", f"{DEVICE}/2"]
    assert listed("--device", "5566") == [f"{OTHER}/1", f"{OTHER}/2"]
    assert listed("--since", days_ago(3)[:10]) == [f"{OTHER}/2", f"{DEVICE}/2"]
    _, out, _ = retrostep("sessions")
    assert len(out.splitlines()) == 5 and "(not assigned)" in out and "3:20" in out


def test_one_session_in_full(retrostep: Command, home: Path) -> None:
    log = LogBuilder(7, start_ticks_ms=60_000).clock(at("2026-11-20 17:00"))
    log.bout(FORWARD, 300).bout(BACKWARD, 60, 150).alert(1, 2, 172, 150).alert(3, 1, 120, 300).mark(1).gap(5_000, 7_500)
    log.load(FORWARD, [10, 2, 30_000, 4_000, 40_000, 5_000, 10_000, 2_000])
    log.load(FORWARD, [30, 0, 150_000, 6_000, 180_000, 7_000, 30_000, 1_500])
    log.load(BACKWARD, [0, 4, 0, 0, 0, 0, 0, 0])
    # A fault that lasts is reported piece by piece.
    log.gap(20_000, 50_000, 7).gap(50_000, 80_000, 7)
    with Store() as store:
        store.ingest(DEVICE, 7, log.end())
    retrostep("note", "7", "--pain", "3", "--rpe", "6", "--text", "calf")
    status, out, _ = retrostep("session", "eeff/7")
    assert status == 0
    for words in (
        f"{DEVICE}/7",
        "not assigned. To assign the device: `retrostep athletes assign",
        "0:00 walking, 1:00 jogging or running; stage: jog",
        "5:00 forward before the first backward bout",
        "800 forward, 150 backward, 0 of unknown direction",
        "150 steps a minute backward",
        "1 min 3 s without valid samples (FIFO overrun, gyroscope dead)",
        "gap of 1 min: gyroscope dead",
        "forward 42 contacts: mean 4.5 g, highest 6.0 g along the shank (resultant 5.5 g, 7.0 g), rise 104 g/s; 2 clipped",
        "backward 4 contacts; 4 clipped",
        "alert: stop: cadence_ramp: rose 17.2 %; stop from 15 %",
        "alert: warn: cold_start: 2 min of warm-up; warn below 5 min",
        "mark: warm-up done",
        "gap of 2.5 s: FIFO overrun",
        "pain 3, RPE 6, calf",
    ):
        assert words in out, words
    _, out, _ = retrostep("session", "eeff/7", "--json")
    shown = json.loads(out)
    assert shown["session"] == f"{DEVICE}/7" and shown["started"] == "2026-11-20T17:00:00.000Z"
    assert [bout["direction"] for bout in shown["bouts"]] == ["forward", "backward"]
    assert [(of["direction"], of["contacts"], of["clipped"]) for of in shown["impacts"]] == [("forward", 42, 2), ("backward", 4, 4)]
    assert shown["impacts"][0]["axial_mean_g"] == 4.5 and shown["impacts"][1]["axial_mean_g"] is None
    assert [(load["contacts"], load["axial_max_g"]) for load in shown["loads"]] == [(12, 4.0), (30, 6.0), (4, 0.0)]
    assert shown["steps"] == {"forward": 800, "backward": 150, "unknown": 0}
    assert shown["alerts_given"][0] == {
        "at_s": 360.0,
        "kind": "cadence_ramp",
        "severity": "stop",
        "measured": 17.2,
        "limit": 15.0,
        "unit": "%",
    }
    assert shown["notes"][0]["text"] == "calf" and shown["notes"][0]["pain"] == 3


def test_codes_of_a_newer_device_are_shown_as_numbers(retrostep: Command, home: Path) -> None:
    log = LogBuilder(1).bout(FORWARD, 60).alert(200, 9).mark(99)
    with Store() as store:
        store.ingest(DEVICE, 1, log.end(250))
    status, out, _ = retrostep("session", "1")
    assert status == 0 and "alert: 9: 200: " in out and "mark: 99" in out and "250" in out
    assert json.loads(retrostep("session", "1", "--json")[1])["alerts_given"][0]["kind"] == "200"


def test_an_undated_session_is_dated_by_hand(retrostep: Command, home: Path) -> None:
    with Store() as store:
        for number, ticks in ((1, 0), (2, 7_200_000)):
            store.ingest(DEVICE, number, session_log(number, start_ticks_ms=ticks))
    assert retrostep("sessions")[1].count("undated: by") == 2
    status, out, _ = retrostep("session", "2", "--date", "2026-11-20 17:30")
    assert status == 0 and "started at 2026-11-20 17:30" in out
    sessions = json.loads(retrostep("sessions", "--json")[1])["sessions"]
    local = datetime(2026, 11, 20, 17, 30).astimezone()
    assert [session["dated"] for session in sessions] == ["manual", "manual"]
    assert datetime.fromisoformat(sessions[1]["started"]) == local
    assert datetime.fromisoformat(sessions[0]["started"]) == local - timedelta(hours=2), (
        "two hours of the same start of the device lie between"
    )
    assert "(by hand)" in retrostep("sessions")[1]


def test_a_date_by_hand_can_be_withdrawn(retrostep: Command, home: Path) -> None:
    """Every manual date of that start of the device; then the clocks count again, for its other sessions too. It can be dated again."""
    with Store() as store:
        for number, boot, started in ((1, 1, "2026-11-10 12:00"), (2, 2, None), (3, 2, None), (4, 3, "2026-11-14 12:00")):
            log = session_log(number, boot=boot, started=started, start_ticks_ms=7_200_000 * number)
            store.add_log(archive_log(store, summarize_log(log), log))
    before = retrostep("sessions")[1]
    assert retrostep("session", "2", "--no-date")[:2] == (0, f"Session {DEVICE}/2 has no manual date. Nothing was changed.\n")
    for date in ("2026-11-12 18:30", "2026-11-12 19:30"):
        assert retrostep("session", "2", "--date", date)[0] == 0
    assert retrostep("sessions")[1].count("(by hand)") == 2
    status, out, err = retrostep("session", "2", "--no-date", "--why", "another day")
    assert status == 0, err
    assert f"Saved: session {DEVICE}/2 has no manual date: undated: 2026-11-10" in out
    assert "(before: 2026-11-12 19:30 (by hand))" in out and f"Also moved: session {DEVICE}/3: 2026-11-12 21:30 (by hand) -> undated" in out
    assert retrostep("sessions")[1] == before
    assert "date: 2026-11-12 19:30 -> (by the clocks) (another day)" in retrostep("session", "2", "--history")[1]
    assert retrostep("store", "rebuild")[0] == 0 and retrostep("sessions")[1] == before
    assert retrostep("session", "2", "--date", "2026-11-12 18:30")[0] == 0 and retrostep("sessions")[1].count("(by hand)") == 2


def test_a_date_by_hand_that_cannot_be_is_refused(retrostep: Command, home: Path) -> None:
    """It contradicts other sessions of the device: nothing is saved, and the error names the other session."""
    with Store() as store:
        for number, started in ((1, "2026-11-10 12:00"), (2, None), (3, "2026-11-14 12:00")):
            log = session_log(number, boot=number, started=started)
            store.add_log(archive_log(store, summarize_log(log), log))
        entries = store.journal.size()
    shown = retrostep("session", "2")[1]
    assert "undated: 2026-11-10" in shown and "to 2026-11-14" in shown and f"retrostep session {DEVICE}/2 --date" in shown
    assert "bounded" in retrostep("session", "2", "--json")[1] and "undated: 2026-11-10" in retrostep("sessions")[1]
    for date, against in (("2026-11-09 18:00", f"{DEVICE}/1 before"), ("2026-11-15 18:00", f"{DEVICE}/3 after")):
        status, out, err = retrostep("session", "2", "--date", date)
        assert (status, out) == (1, "") and against in err and f"retrostep session {DEVICE}/" in err, err
    with Store() as store:
        assert store.journal.size() == entries
    status, out, _ = retrostep("session", "2", "--date", "2026-11-12 18:30")
    assert status == 0 and "started at 2026-11-12 18:30" in out
    assert retrostep("session", "2", "--date", "2026-11-12 19:30")[0] == 0
    assert retrostep("session", "2", "--date", "2026-11-12 18:30", "--json")[0] == 0
    rebuilt = (retrostep("session", "2")[1], retrostep("store", "rebuild")[0], retrostep("session", "2")[1])
    assert rebuilt[0] == rebuilt[2] and "2026-11-12 18:30 (by hand)" in rebuilt[0], "the latest entry counts"


def test_a_date_by_hand_in_the_hour_that_comes_twice(retrostep: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When summer time ends: sessions of the same night keep their order, although local time jumps back."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        with Store() as store:
            for number, minutes in ((1, 0), (2, 50), (3, 100)):
                store.ingest(DEVICE, number, session_log(number, start_ticks_ms=minutes * 60_000, forward_s=60))
        assert "started at 2026-10-25 02:30 (before: undated" in retrostep("session", "1", "--date", "2026-10-25 02:30+02:00")[1]
        sessions = json.loads(retrostep("sessions", "--json")[1])["sessions"]
        assert [(one["number"], one["started"]) for one in sessions] == [
            (1, "2026-10-25T00:30:00.000Z"), (2, "2026-10-25T01:20:00.000Z"), (3, "2026-10-25T02:10:00.000Z"),
        ]  # fmt: skip
        listed = retrostep("sessions")[1]
        assert "2026-10-25 02:20" in listed and "dated (by hand)" in listed, "fifty minutes after 02:30"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_pain_that_was_noted_is_judged(retrostep: Command, home: Path) -> None:
    fill(home, (DEVICE, 1, 2, 60))
    retrostep("athletes", "add", "Ada")
    retrostep("athletes", "assign", DEVICE, "Ada")
    assert retrostep("check")[0] == 0
    status, out, _ = retrostep("note", "1", "--pain", "6", "--next-day")
    assert (status, out) == (0, f"Noted for Ada's session of {days_ago(2)[:10]}: pain 6 on the day after.\n")
    status, out, _ = retrostep("check")
    assert status == 3 and "pain 6, next day" in out and "Pain 6 of 10" in retrostep("check", "Ada")[1]


def test_rules_are_listed_with_their_sources(retrostep: Command) -> None:
    rules = json.loads(retrostep("rules", "--json")[1])["rules"]
    assert {"session_spike", "first_exposure", "frequency", "ramp_alerts", "warm_up", "data_quality"} <= {rule["rule"] for rule in rules}
    spike = next(rule for rule in rules if rule["rule"] == "session_spike")
    assert (spike["warn"], spike["fail"], spike["unit"], spike["enabled"]) == (10, 30, "%", True)
    assert "Frandsen 2025" in spike["source"] and "carried over" in spike["basis"]
    _, out, _ = retrostep("rules")
    assert "session_spike  warns above 10 %, fails above 30 %" in out and "warm_up  warns below 5 min" in out
    assert "ramp_alerts  warns from 1 stop alert, fails from 3 stop alerts" in out and "stretch  warns when no stretch was marked" in out


def test_limits_are_set_with_who_and_why(retrostep: Command, home: Path) -> None:
    fill(home, *TWO[:2])
    retrostep("athletes", "add", "Ada")
    retrostep("athletes", "assign", DEVICE, "Ada")
    assert retrostep("check")[0] == 3
    call = ("rules", "set", "session_spike", "--warn", "150", "--fail", "200", "--athlete", "ada", "--by", "Kim", "--why", "10 years of it")
    assert retrostep(*call)[:2] == (0, "session_spike for Ada: warns above 150 %, fails above 200 %.\n")
    status, out, _ = retrostep("check", "--all")
    assert status == 0 and "The limits were set by Kim: 10 years of it" in out
    (override,) = next(rule for rule in json.loads(retrostep("rules", "--json")[1])["rules"] if rule["rule"] == "session_spike")[
        "overrides"
    ]
    assert (override["athlete"], override["warn"], override["fail"], override["who"]) == ("Ada", 150, 200, "Kim")
    assert "by Kim: 10 years of it" in retrostep("rules")[1]


def test_a_limit_may_have_a_unit(retrostep: Command) -> None:
    who = ("--by", "Kim", "--why", "cold weather")
    assert retrostep("rules", "set", "warm_up", "--warn", "8min", *who)[1] == "warm_up for all: warns below 8 min.\n"
    assert retrostep("rules", "set", "first_exposure", "--warn", "90", "--fail", "0.5 h", *who)[1] == (
        "first_exposure for all: warns above 1 min 30 s, fails above 30 min.\n"
    )
    assert retrostep("rules", "set", "share", "--warn", "25%", *who)[1] == "share for all: warns above 25 %.\n"
    status, out, err = retrostep("rules", "set", "share", "--warn", "5min", *who)
    assert (status, out) == (2, "") and "measures in %" in err
    assert retrostep("rules", "set", "share", "--off", *who)[1] == "share for all: off.\n"
    rules = {rule["rule"]: rule for rule in json.loads(retrostep("rules", "--json")[1])["rules"]}
    assert [rules[name]["overrides"][-1]["warn"] for name in ("warm_up", "first_exposure", "share")] == [480, 90, None]
    assert f"For all: off; from {datetime.now():%Y-%m-%d}, by Kim: cold weather" in retrostep("rules")[1]


def test_ctrl_c_says_only_what_is_true(retrostep: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "__enter__", stop)
    assert retrostep("check") == (1, "", "\nStopped.\n")
    monkeypatch.setattr("retrostep.cli.rescue.stop_program", stop)
    status, out, err = retrostep("rescue", "--port", "/dev/ttyNONE7")
    assert (status, out) == (1, "")
    assert err.endswith("Stopped. Every session rescued so far is kept. Run the same command again for the rest.\n")


def test_the_store_is_shown_and_rebuilt(retrostep: Command, home: Path) -> None:
    fill(home, *TWO)
    retrostep("athletes", "add", "Ada")
    with Store() as store:
        store.raw.commit(DEVICE, 9, b"not a log")
        store.raw.quarantine(OTHER, 9, b"nor this", "no log")
    before = retrostep("sessions", "--json")
    status = json.loads(retrostep("store", "status", "--json")[1])
    assert (status["sessions"], status["logs"], status["athletes"], len(status["quarantined"])) == (4, 5, 1, 1)
    assert str(home) in retrostep("store", "status")[1]
    for path in home.glob("store.sqlite*"):
        path.unlink()
    code, out, err = retrostep("store", "rebuild")
    assert code == 4 and out == "The store has 4 sessions.\n" and "cannot be read" in err and str(home / "quarantine") in err
    assert retrostep("sessions", "--json") == before
    assert [athlete["athlete"] for athlete in json.loads(retrostep("athletes", "--json")[1])["athletes"]] == ["Ada"]
    (home / f"logs/{DEVICE}/00000009.rsl").unlink()
    code, out, _ = retrostep("store", "rebuild", "--json")
    nothing_else = {"unreadable": [], "damaged_entries": 0, "lost": [], "changed": [], "restored_entries": 0, "set_aside": None}
    assert (code, json.loads(out)) == (0, {"sessions": 4, **nothing_else})


def test_nothing_from_outside_steers_the_terminal_or_breaks_json(retrostep: Command, home: Path) -> None:
    with Store() as store:
        log = LogBuilder(1, board="ok [red]x[/red]").clock(at("2026-11-20 17:00")).bout(FORWARD, 60)
        store.ingest(DEVICE, 1, log.end())
        store.add_athlete("[bold]Ada[/bold] \N{SNOWMAN}")
        store.assign(DEVICE, "[bold]Ada[/bold] \N{SNOWMAN}")
        store.note(DEVICE, 1, text=EVIL, pain=9)
        store.override("session_spike", who=EVIL, why=EVIL, warn=1, fail=2)
    for command in (("sessions",), ("session", "1"), ("athletes",), ("rules",), ("check", "--all"), ("store", "status")):
        _, out, err = retrostep(*command)
        assert no_tricks(out) and no_tricks(err), command
        _, out, _ = retrostep(*command, "--json") if command[-1] != "--all" else retrostep("check", "--json")
        assert out.isascii() and no_tricks(out), command
        json.loads(out)
    assert json.loads(retrostep("session", "1", "--json")[1])["notes"][0]["text"] == EVIL
    out = retrostep("session", "1")[1]
    assert "<U+001B>[2J" in out and "<U+202E>" in out and "ok [red]x[/red]" in out
    assert "[bold]Ada[" in retrostep("check")[1], "a name is never read as markup"


@pytest.mark.parametrize(
    ("arguments", "status", "cure"),
    [
        (("session", "x/1"), 1, "known: aabbccddeeff"),
        (("session", "nothing"), 1, "DEVICE/NUMBER"),
        (("sessions", "--athlete", "Zoe"), 1, "retrostep athletes add"),
        (("check", "--athlete", "Zoe"), 1, "retrostep athletes add"),
        (("athletes", "assign", DEVICE, "Zoe"), 1, "retrostep athletes add"),
        (("athletes", "assign", "../x", "Ada"), 1, "known: aabbccddeeff"),
        (("athletes", "add", "Ada"), 1, "choose a different name"),
        (("athletes", "add", "\x1b[2J"), 1, "printable"),
        (("sessions", "--store", "postgresql://club/db"), 1, "check the network"),
        (("sessions", "--store", "nonsense"), 1, "sqlite:///PATH"),
        (("check", "--on", "yesterday"), 2, "2026-11-20"),
        (("check", "--on", "2026-02-30"), 2, "2026-11-20"),
        (("check", "--days", "0"), 2, "--days"),
        (("note", "1"), 2, "--pain"),
        (("note", "1", "--pain", "11"), 2, "from 0 to 10"),
        (("note", "1", "--next-day"), 2, "--pain"),
        (("check", "--on", "9999-12-31"), 2, "1971 and 2099"),
        (("check", "--on", "0001-01-01"), 2, "1971 and 2099"),
        (("rules", "set", "share", "--warn", "1", "--by", "K", "--why", "x", "--until", "9999-12-31"), 2, "1971 and 2099"),
        (("sessions", "--store", "sqlite:///~nobody-of-that-name/x"), 1, "write sqlite:///PATH in full"),
        (("sessions", "--store", "sqlite://club/x"), 1, "sqlite:///PATH"),
        (("sessions", "--store", "sqlite://club:/x"), 1, "sqlite:///PATH"),
        (("session", "1", "--date", "2999-01-01"), 2, "1971 and 2099"),
        (("session", "1", "--date", "2001-01-01"), 2, "2020 and 2099"),
        (("session", "1", "--date", "2099-01-01"), 2, "future"),
        (("note", "1", "--text", "x" * 2_001), 2, "2000"),
        (("rules", "set", "nonsense", "--off", "--by", "K", "--why", "x"), 2, "session_spike"),
        (("rules", "set", "share", "--by", "K", "--why", "x"), 2, "--off"),
        (("rules", "set", "share", "--warn", "nan", "--by", "K", "--why", "x"), 2, "between 0"),
        (("rules", "set", "share", "--warn", "1", "--why", "x"), 2, "--by"),
    ],
)
def test_every_error_is_one_sentence_with_the_cure(retrostep: Command, arguments: tuple[str, ...], status: int, cure: str) -> None:
    retrostep("athletes", "add", "Ada")
    with Store() as store:
        store.ingest(DEVICE, 1, session_log(1))
    code, out, err = retrostep(*arguments)
    assert (code, out) == (status, "")
    assert cure in err and "Traceback" not in err and no_tricks(err)
    if status != 2:
        assert err.startswith("Error: ") and err.count("\n") == 1


@pytest.mark.parametrize("command", ["sessions", "session", "athletes", "note", "check", "rules", "store"])
def test_help_teaches_with_an_example(retrostep: Command, command: str) -> None:
    status, out, _ = retrostep(command, "-h")
    assert status == 0 and "Example:  retrostep" in out
    assert retrostep(command, "--help")[1] == out


def test_as_a_real_process_in_a_plain_terminal(home: Path) -> None:
    fill(home, *TWO)
    with Store() as store:
        store.add_athlete("Zo\u00eb \N{SNOWMAN}")
        store.assign(DEVICE, "Zo\u00eb \N{SNOWMAN}")
    environment = {"RETROSTEP_HOME": str(home), "PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    program = [sys.executable, "-c", "from retrostep.cli import run; run()"]
    done = subprocess.run([*program, "check"], env=environment, capture_output=True, text=True)
    assert done.returncode == 3 and done.stdout.splitlines()[1].startswith("FAIL    new    Zo\\xeb \\u26"), done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    done = subprocess.run([*program, "sessions"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 5


def test_output_into_a_closed_pipe_is_no_traceback(home: Path) -> None:
    fill(home, *TWO)
    program = f"{sys.executable} -c 'from retrostep.cli import run; run()' sessions --json"
    done = subprocess.run(
        ["sh", "-c", f"{program} | true"], env={"RETROSTEP_HOME": str(home), "PATH": "/usr/bin:/bin"}, capture_output=True
    )
    assert b"Traceback" not in done.stderr
