"""The reading commands as a coach and as another program meet them: text, JSON, exit status, one sentence for every error."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from logs import DEVICE, LogBuilder, at, session_log
from retrostep.archive.keep import keep
from retrostep.archive.store import Store
from retrostep.cli import run
from retrostep.device.core import core_hash
from retrostep_core.gait.codes import BACKWARD, FORWARD

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
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d 12:00")


def fill(home: Path, *plan: tuple[str, int, int, float]) -> None:
    """(device, number, days ago, backward seconds) each: archived and stored as a sync would."""
    with Store() as store:
        for device, number, days, seconds in plan:
            data = session_log(number, device=device, started=days_ago(days), backward_s=seconds, boot=number, core_hash=core_hash())
            store.raw.commit(device, number, data)
            store.ingest(device, number, data)


TWO = ((DEVICE, 1, 6, 100), (DEVICE, 2, 2, 200), (OTHER, 1, 6, 100), (OTHER, 2, 2, 100))


def no_tricks(text: str) -> bool:
    """Whether a terminal would only print it."""
    return all(char.isprintable() or char == "\n" for char in text)


def test_an_empty_store_says_what_to_do_next(retrostep: Command) -> None:
    assert retrostep("sessions") == (0, "No sessions. Plug a device in and run `retrostep sync`.\n", "")
    status, out, _ = retrostep("athletes")
    assert status == 0 and "retrostep athletes add NAME" in out
    status, out, _ = retrostep("check")
    assert status == 0 and "Nobody to check" in out
    for command, empty in (("sessions", {"sessions": []}), ("check", {"athletes": []}), ("athletes", {"athletes": [], "nobody": []})):
        status, out, _ = retrostep(command, "--json")
        assert (status, json.loads(out)) == (0, empty)


def test_from_logs_to_a_verdict(retrostep: Command, home: Path) -> None:
    fill(home, *TWO)
    assert retrostep("athletes", "add", "Ada")[0] == 0
    assert retrostep("athletes", "add", "Ben")[0] == 0
    status, out, _ = retrostep("athletes", "assign", "ccdd", "ada")
    assert (status, out) == (0, f"{DEVICE} is Ada's from its first session on.\n")
    status, out, _ = retrostep("check")
    assert status == 3
    lines = out.splitlines()
    assert lines[0] == "FAIL    Ada", "who is over a limit comes first"
    assert lines[1].split() == ["FAIL", "session_spike", "100", "%", "(limit", "30)", "session", f"{DEVICE}/2"]
    assert "100 % more than the longest session" in lines[2]
    assert lines[3].strip().startswith("Source: Frandsen 2025")
    assert lines[4].strip() == "Next: Keep the next session at 1 min 50 s backward or less."
    assert "UNKNOWN Ben" in lines and "UNKNOWN (nobody)" in lines
    assert lines[-1].endswith(": 1 fail, 2 unknown.")

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
    assert list(athlete) == ["athlete", "verdict", "findings"]
    assert (athlete["athlete"], athlete["verdict"]) == ("Ada", "fail")
    for finding in athlete["findings"]:
        assert list(finding) == ["rule", "verdict", "measured", "limit", "unit", "session", "why", "source"]
        assert finding["verdict"] in ("ok", "info", "warn", "fail", "unknown")
    assert json.loads(retrostep("check", "--json")[1])["athletes"][1]["athlete"] is None, "nobody's sessions are there too"


def test_damage_alone_is_exit_status_four(retrostep: Command, home: Path) -> None:
    data = bytearray(session_log(1, started=days_ago(1), core_hash=core_hash()))
    data[-60] ^= 0xFF
    with Store() as store:
        store.ingest(DEVICE, 1, bytes(data))
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
    status, out, _ = retrostep("check")
    assert status == 4 and "its log is damaged" in out
    assert "bytes of the log damaged" in retrostep("sessions")[1]


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
    assert len(out.splitlines()) == 5 and "(nobody)" in out and "3:20" in out


def test_one_session_whole(retrostep: Command, home: Path) -> None:
    log = LogBuilder(7, start_ticks_ms=60_000).clock(at("2026-11-20 17:00"))
    log.bout(FORWARD, 300).bout(BACKWARD, 60, 150).alert(1, 2, 172, 150).alert(3, 1, 120, 300).mark(1).gap(5_000, 7_500)
    with Store() as store:
        store.ingest(DEVICE, 7, log.end())
    retrostep("note", "7", "--pain", "3", "--rpe", "6", "--text", "calf")
    status, out, _ = retrostep("session", "eeff/7")
    assert status == 0
    for words in (
        f"{DEVICE}/7",
        "nobody: `retrostep athletes assign",
        "5:00 forward before the first backward bout",
        "800 forward, 150 backward, 0 of unknown direction",
        "150 steps a minute backward",
        "2.5 s of samples missing in 1 gap",
        "stop alert cadence_ramp: 17.2 %, limit 15 %",
        "warn alert cold_start: 120 s, limit 300 s",
        "mark: warm-up done",
        "gap of 2.5 s: FIFO overrun",
        "pain 3, RPE 6, calf",
    ):
        assert words in out, words
    _, out, _ = retrostep("session", "eeff/7", "--json")
    whole = json.loads(out)
    assert whole["session"] == f"{DEVICE}/7" and whole["started"] == "2026-11-20T17:00:00.000Z"
    assert [bout["direction"] for bout in whole["bouts"]] == ["forward", "backward"]
    assert whole["steps"] == {"forward": 800, "backward": 150, "unknown": 0}
    assert whole["alerts_given"][0] == {
        "at_s": 360.0,
        "kind": "cadence_ramp",
        "severity": "stop",
        "measured": 17.2,
        "limit": 15.0,
        "unit": "%",
    }
    assert whole["notes"][0]["text"] == "calf" and whole["notes"][0]["pain"] == 3


def test_codes_of_a_newer_device_are_shown_as_numbers(retrostep: Command, home: Path) -> None:
    log = LogBuilder(1).bout(FORWARD, 60).alert(200, 9).mark(99)
    with Store() as store:
        store.ingest(DEVICE, 1, log.end(250))
    status, out, _ = retrostep("session", "1")
    assert status == 0 and "9 alert 200" in out and "mark: 99" in out and "250" in out
    assert json.loads(retrostep("session", "1", "--json")[1])["alerts_given"][0]["kind"] == "200"


def test_an_undated_session_is_dated_by_hand(retrostep: Command, home: Path) -> None:
    with Store() as store:
        for number, ticks in ((1, 0), (2, 7_200_000)):
            store.ingest(DEVICE, number, session_log(number, start_ticks_ms=ticks))
    assert retrostep("sessions")[1].count("undated: by") == 2
    status, out, _ = retrostep("session", "2", "--date", "2026-11-20 17:30")
    assert status == 0 and "began at 2026-11-20 17:30" in out
    sessions = json.loads(retrostep("sessions", "--json")[1])["sessions"]
    local = datetime(2026, 11, 20, 17, 30).astimezone()
    assert [session["dated"] for session in sessions] == ["manual", "manual"]
    assert datetime.fromisoformat(sessions[1]["started"]) == local
    assert datetime.fromisoformat(sessions[0]["started"]) == local - timedelta(hours=2), (
        "two hours of the same start of the device lie between"
    )
    assert "(by hand)" in retrostep("sessions")[1]


def test_a_date_by_hand_that_cannot_be_is_refused(retrostep: Command, home: Path) -> None:
    """By what else is known of the device: nothing is kept of it, and the sentence names what stands against it."""
    with Store() as store:
        for number, started in ((1, "2026-11-10 12:00"), (2, None), (3, "2026-11-14 12:00")):
            keep(store.raw, store, DEVICE, number, session_log(number, boot=number, started=started))
        entries = store.entries.size()
    shown = retrostep("session", "2")[1]
    assert "undated: 2026-11-10" in shown and "to 2026-11-14" in shown and f"retrostep session {DEVICE}/2 --date" in shown
    assert "bounded" in retrostep("session", "2", "--json")[1] and "undated: 2026-11-10" in retrostep("sessions")[1]
    for date, against in (("2026-11-09 18:00", f"{DEVICE}/1 before"), ("2026-11-15 18:00", f"{DEVICE}/3 after")):
        status, out, err = retrostep("session", "2", "--date", date)
        assert (status, out) == (1, "") and against in err and f"retrostep session {DEVICE}/" in err, err
    with Store() as store:
        assert store.entries.size() == entries
    status, out, _ = retrostep("session", "2", "--date", "2026-11-12 18:30")
    assert status == 0 and "began at 2026-11-12 18:30" in out and "(by hand)" in out
    assert retrostep("session", "2", "--date", "2026-11-12 19:30")[0] == 0
    assert retrostep("session", "2", "--date", "2026-11-12 18:30", "--json")[0] == 0
    rebuilt = (retrostep("session", "2")[1], retrostep("store", "rebuild")[0], retrostep("session", "2")[1])
    assert rebuilt[0] == rebuilt[2] and "2026-11-12 18:30 (by hand)" in rebuilt[0], "the last that was said"


def test_a_date_by_hand_in_the_hour_that_comes_twice(retrostep: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When summer time ends: sessions of the same night keep their order, though the clock on the wall runs backward."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        with Store() as store:
            for number, minutes in ((1, 0), (2, 50), (3, 100)):
                store.ingest(DEVICE, number, session_log(number, start_ticks_ms=minutes * 60_000, forward_s=60))
        assert "2026-10-25 02:30 (by hand)" in retrostep("session", "1", "--date", "2026-10-25 02:30")[1]
        sessions = json.loads(retrostep("sessions", "--json")[1])["sessions"]
        assert [(one["number"], one["started"]) for one in sessions] == [
            (1, "2026-10-25T00:30:00.000Z"), (2, "2026-10-25T01:20:00.000Z"), (3, "2026-10-25T02:10:00.000Z"),
        ]  # fmt: skip
        assert "2026-10-25 02:20 (by hand)" in retrostep("sessions")[1], "fifty minutes after 02:30"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_pain_that_was_noted_is_judged(retrostep: Command, home: Path) -> None:
    fill(home, (DEVICE, 1, 2, 60))
    retrostep("athletes", "add", "Ada")
    retrostep("athletes", "assign", DEVICE, "Ada")
    assert retrostep("check")[0] == 0
    assert retrostep("note", "1", "--pain", "6")[0] == 0
    status, out, _ = retrostep("check")
    assert status == 3 and "Pain 6 of 10" in out


def test_rules_are_listed_with_their_sources(retrostep: Command) -> None:
    rules = json.loads(retrostep("rules", "--json")[1])["rules"]
    assert {"session_spike", "first_exposure", "frequency", "ramp_alerts", "warm_up", "data_quality"} <= {rule["rule"] for rule in rules}
    spike = next(rule for rule in rules if rule["rule"] == "session_spike")
    assert (spike["warn"], spike["fail"], spike["unit"], spike["enabled"]) == (10, 30, "%", True)
    assert "Frandsen 2025" in spike["source"] and "carried over" in spike["basis"]
    _, out, _ = retrostep("rules")
    assert "session_spike  warn above 10 %, fail above 30 %" in out and "warm_up  warn below 300 s" in out


def test_limits_are_set_with_who_and_why(retrostep: Command, home: Path) -> None:
    fill(home, *TWO[:2])
    retrostep("athletes", "add", "Ada")
    retrostep("athletes", "assign", DEVICE, "Ada")
    assert retrostep("check")[0] == 3
    call = ("rules", "set", "session_spike", "--warn", "150", "--fail", "200", "--athlete", "ada", "--by", "Kim", "--why", "10 years of it")
    assert retrostep(*call)[0] == 0
    status, out, _ = retrostep("check", "--all")
    assert status == 0 and "The limits were set by Kim: 10 years of it" in out
    (override,) = next(rule for rule in json.loads(retrostep("rules", "--json")[1])["rules"] if rule["rule"] == "session_spike")[
        "overrides"
    ]
    assert (override["athlete"], override["warn"], override["fail"], override["who"]) == ("Ada", 150, 200, "Kim")
    assert "by Kim: 10 years of it" in retrostep("rules")[1]


def test_the_store_is_shown_and_made_anew(retrostep: Command, home: Path) -> None:
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
    assert code == 4 and out == "4 sessions in the store.\n" and "cannot be read" in err and str(home / "quarantine") in err
    assert retrostep("sessions", "--json") == before
    assert [athlete["athlete"] for athlete in json.loads(retrostep("athletes", "--json")[1])["athletes"]] == ["Ada"]
    (home / f"logs/{DEVICE}/00000009.rsl").unlink()
    code, out, _ = retrostep("store", "rebuild", "--json")
    assert (code, json.loads(out)) == (0, {"sessions": 4, "unreadable": [], "damaged_entries": 0})


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
    assert "[bold]Ada[/bold] \N{SNOWMAN}" in retrostep("check")[1], "a name is never read as markup"


@pytest.mark.parametrize(
    ("arguments", "status", "cure"),
    [
        (("session", "x/1"), 1, "retrostep sessions"),
        (("session", "nothing"), 1, "DEVICE/NUMBER"),
        (("sessions", "--athlete", "Zoe"), 1, "retrostep athletes add"),
        (("check", "--athlete", "Zoe"), 1, "retrostep athletes add"),
        (("athletes", "assign", DEVICE, "Zoe"), 1, "retrostep athletes add"),
        (("athletes", "assign", "../x", "Ada"), 4, "no device's name"),
        (("athletes", "add", "Ada"), 1, "choose a name"),
        (("athletes", "add", "\x1b[2J"), 1, "printable"),
        (("sessions", "--store", "postgresql://club/db"), 1, "only sqlite"),
        (("sessions", "--store", "nonsense"), 1, "sqlite:///PATH"),
        (("check", "--on", "yesterday"), 2, "2026-11-20"),
        (("check", "--on", "2026-02-30"), 2, "2026-11-20"),
        (("check", "--days", "0"), 2, "--days"),
        (("note", "1"), 2, "--pain"),
        (("note", "1", "--pain", "11"), 2, "0<=x<=10"),
        (("note", "1", "--next-day"), 2, "--pain"),
        (("check", "--on", "9999-12-31"), 2, "1971 and 2099"),
        (("check", "--on", "0001-01-01"), 2, "1971 and 2099"),
        (("rules", "set", "share", "--warn", "1", "--by", "K", "--why", "x", "--until", "9999-12-31"), 2, "1971 and 2099"),
        (("sessions", "--store", "sqlite:///~nobody-of-that-name/x"), 1, "write the whole path"),
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
    assert done.returncode == 3 and done.stdout.startswith("FAIL    Zo\\xeb \\u2603"), done.stderr
    done = subprocess.run([*program, "sessions"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 5


def test_output_into_a_closed_pipe_is_no_traceback(home: Path) -> None:
    fill(home, *TWO)
    program = f"{sys.executable} -c 'from retrostep.cli import run; run()' sessions --json"
    done = subprocess.run(
        ["sh", "-c", f"{program} | true"], env={"RETROSTEP_HOME": str(home), "PATH": "/usr/bin:/bin"}, capture_output=True
    )
    assert b"Traceback" not in done.stderr
