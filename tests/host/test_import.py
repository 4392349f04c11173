"""Training imported from files of other programs: its cadence, duplicates, rules, corrections, and files that are damaged or hostile."""

import errno
import json
import re
from pathlib import Path
from typing import Any

import pytest
from retrostep.activity_files import files, track
from retrostep.activity_files.files import Skipped, activities_in, read_activities
from retrostep.archive.imported import ImportedActivity
from retrostep.archive.moments import now_ms
from retrostep.archive.store import Store
from retrostep.errors import DamagedFile, RetrostepError, UnsafeName, UnusableActivity
from retrostep.output.report import facts
from retrostep.units import local_time
from retrostep_core.codes import BACKWARD, FORWARD, STILL
from support.activity_files import old_watch_fit, phone_gpx, watch_fit, watch_tcx
from support.cli import Retrostep, one_sentence
from support.logs import DEVICE, LogBuilder, at, session_log
from support.stored import receive

STARTED = "2026-11-20 16:30"
SPM = 171
GARMIN = "Activity Type,Date,Favorite,Title,Distance,Time,Avg HR,Avg Run Cadence,Moving Time,Elapsed Time\n"
STRAVA = "Activity ID,Activity Date,Activity Name,Activity Type,Elapsed Time,Distance,Moving Time,Average Cadence,Elapsed Time\n"


@pytest.fixture
def retrostep(tmp_path: Path) -> Retrostep:
    command = Retrostep(tmp_path / "home")
    command.home.mkdir()
    with command_store(command) as store:
        store.add_athlete("Ada")
    return command


def command_store(command: Retrostep) -> Store:
    return Store(f"sqlite:///{command.home / 'store.sqlite'}")


def one(data: bytes, name: str = "run") -> ImportedActivity:
    [found] = activities_in(data, name)
    assert isinstance(found, ImportedActivity), found
    return found


def why(data: bytes) -> str:
    [found] = activities_in(data, "run")
    assert isinstance(found, Skipped | UnusableActivity)
    return found.why if isinstance(found, Skipped) else str(found)


def training() -> bytes:
    """Warm-up, two backward bouts at 171 steps a minute with a walk between them, cool-down and standing."""
    log = LogBuilder(1).clock(at(STARTED))
    log.bout(FORWARD, 120, 160).bout(BACKWARD, 60, SPM).bout(FORWARD, 30, 110).bout(BACKWARD, 60, SPM)
    return log.bout(FORWARD, 60, 150).bout(STILL, 20).end()


def sync(store: Store, data: bytes, number: int = 1) -> None:
    receive(store, number, data)


LOCAL = local_time(at(STARTED))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(watch_fit(STARTED, 600, SPM / 2), id="FIT: strides and their fraction"),
        pytest.param(watch_fit(STARTED, 600, SPM / 2, every=5), id="FIT: a record every 5 s"),
        pytest.param(old_watch_fit(STARTED, 600, SPM / 2), id="FIT: of an old watch"),
        pytest.param(watch_fit(STARTED, 600, SPM), id="FIT: steps in the place of strides"),
        pytest.param(watch_tcx(STARTED, 600, 85.5), id="TCX: strides"),
        pytest.param(watch_tcx(STARTED, 600, 85.5).replace(b"x:RunCadence", b"Cadence"), id="TCX: strides, as older files name them"),
        pytest.param(watch_tcx(STARTED, 600, SPM), id="TCX: steps in the place of strides"),
        pytest.param(phone_gpx(STARTED, 600, 85.5), id="GPX: strides"),
        pytest.param(phone_gpx(STARTED, 600, 85.5).decode().replace("UTF-8", "UTF-16").encode("utf-16"), id="GPX: in UTF-16"),
        pytest.param(phone_gpx(STARTED, 600, 85.5).replace(b"p:cad>", b"cadence>"), id="GPX: as other programs name them"),
        pytest.param(phone_gpx(STARTED, 600, SPM), id="GPX: steps in the place of strides"),
        pytest.param(f"{GARMIN}Running,{LOCAL}:00,false,Run,2,00:10:00,--,171,10:00,10:00.0\n".encode(), id="Garmin's list: steps"),
        pytest.param(f'{STRAVA}1,"Nov 20, 2026, 4:30:00 PM",Run,Run,600,2.1,600,85.5,600\n'.encode(), id="Strava's list: strides"),
        pytest.param(f"date,duration,cadence_spm\n{LOCAL},10,171\n".encode(), id="a list of one's own"),
        pytest.param(f"Date;Duration;Cadence_spm\r\n{LOCAL};0:10:00;171,0\r\n".encode("utf-8-sig"), id="from a German spreadsheet"),
    ],
)
def test_every_file_has_171_steps_a_minute(data: bytes) -> None:
    found = one(data)
    assert (found.started_at_ms, found.duration_ms) == (at(STARTED), 600_000)
    [bout] = found.bouts
    assert (bout.start_ms, bout.end_ms, bout.direction) == (0, 600_000, FORWARD)
    assert bout.cadence_mean_x10 == 10 * SPM and bout.steps == 10 * SPM


def test_an_export_comes_back_as_it_was(retrostep: Retrostep, tmp_path: Path) -> None:
    with command_store(retrostep) as store:
        sync(store, training())
        store.assign(DEVICE, "Ada")
    elsewhere = Retrostep(tmp_path / "elsewhere")
    assert elsewhere("athletes", "add", "Ada").status == 0
    exported = {kind: tmp_path / f"run.{kind}" for kind in ("fit", "tcx", "csv")}
    for number, (kind, path) in enumerate(exported.items()):
        assert retrostep("export", f"{DEVICE}/1", "--format", kind, "--to", tmp_path / kind).status == 0
        [written] = (tmp_path / kind).iterdir()
        written.rename(path)
        assert "It is session" in retrostep("import", "Ada", path).out.replace("it is", "It is"), "its own session is here"
        ran = elsewhere("import", "Ada", path)
        assert ran.status == 0 and ("1 session imported" if number == 0 else "start and duration are the same") in ran.out
        session = elsewhere("session", "IMPORT/1", "--json").json
        assert session["backward_s"] == 120 and session["forward_s"] == 210 and session["steps"]["backward"] == 2 * SPM
        assert session["backward_cadence_spm"] == SPM
        assert [bout["cadence_spm"] for bout in session["bouts"] if bout["direction"] == "backward"] == pytest.approx([SPM, SPM], abs=0.2)
        assert session["imported_from"]["format"] == "FIT"
    for path in list(exported.values())[1:]:
        found = one(path.read_bytes())
        backward = [bout for bout in found.bouts if bout.direction == BACKWARD]
        assert [bout.cadence_mean_x10 for bout in backward] == [10 * SPM, 10 * SPM] and found.is_export
    ran = retrostep("import", "Ada", *exported.values())
    assert ran.status == 0 and "0 sessions imported for Ada, 3 skipped." in ran.out


def test_a_long_list_is_one_line_also_when_it_was_imported_before(retrostep: Retrostep, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("date,duration\n" + "".join(f"2026-10-{day:02} 10:00,30\n" for day in range(1, 26)))
    for words in ("25 sessions, IMPORT/1 to IMPORT/25", "Skipped 25 activities. The first: it was imported already, as session IMPORT/1."):
        lines = retrostep("import", "Ada", listed).out.splitlines()
        assert len(lines) == 2 and words in lines[0]
    listed.write_text("date,duration\n" + "".join(f"{day}.10.2026,30\n" for day in range(1, 31)))
    ran = retrostep("import", "Ada", listed)
    assert ran.status == 1 and "as 2026-11-20 17:30 and 0:45:10." in ran.err
    assert len(ran.err.splitlines()) == 21 and ran.err.endswith("list.csv: Not imported: 10 more.\n") and "30 not usable" in ran.out


def test_pauses_and_standing_are_no_movement() -> None:
    paused = one(watch_fit(STARTED, 600, 85, pauses=[(100, 130), (300, 500)]))
    assert [(bout.start_ms, bout.end_ms) for bout in paused.bouts] == [(0, 100_000), (130_000, 300_000), (500_000, 600_000)]
    assert paused.duration_ms == 600_000
    split = one(phone_gpx(STARTED, 600, 85, pause=(100, 150)))
    assert [(bout.start_ms, bout.end_ms) for bout in split.bouts] == [(0, 100_000), (150_000, 600_000)]
    blind = one(watch_tcx(STARTED, 600, None))
    assert [(bout.end_ms, bout.steps) for bout in blind.bouts] == [(600_000, 0)], "a file without cadence gives time without steps"
    assert "nobody moved" in why(watch_tcx(STARTED, 600, 0))


def test_days_without_a_time_of_day_do_not_overlap() -> None:
    found = activities_in(b"date,duration\n2026-11-20,30\n2026-11-20,30\n2026-11-21,30\n,\n", "list.csv")
    spans = [(each.started_at_ms, each.ended_at_ms) for each in found if isinstance(each, ImportedActivity)]
    assert len(spans) == 3 and spans[0][1] < spans[1][0] and spans[1][1] < spans[2][0]


def damaged(data: bytes) -> bool:
    try:
        activities_in(data, "run")
    except DamagedFile:
        return True
    return False


def test_damaged_and_hostile_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fit, tcx, gpx = watch_fit(STARTED, 60), watch_tcx(STARTED, 60), phone_gpx(STARTED, 60)
    assert all(damaged(fit[:length]) for length in (14, 60, len(fit) // 2, len(fit) - 1))
    assert damaged(fit[:100] + bytes([fit[100] ^ 4]) + fit[101:]) and damaged(b"\xff\xfe\x00\x01")
    assert damaged(tcx[: len(tcx) // 2]) and damaged(gpx[: len(gpx) // 2]) and damaged(tcx.replace(b"UTF-8", b"no-code"))
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    for text in (tcx.replace(b"\n<", b"\n" + bomb + b"<"), tcx.replace(b"\n<", b"\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><")):
        with pytest.raises(UnusableActivity, match="document type or entities"):
            activities_in(text, "run")
    with pytest.raises(UnusableActivity, match="nested"):
        activities_in(b"<a>" * 1_000_000, "run")
    monkeypatch.setattr(track, "MAX_POINTS", 30)
    for module in ("fit", "tcx", "gpx", "table"):
        monkeypatch.setattr(f"retrostep.activity_files.{module}.MAX_POINTS", 30)
    monkeypatch.setattr("retrostep.activity_files.fit._MAX_FRAMES", 60)
    for data in (fit, tcx, gpx):
        with pytest.raises(UnusableActivity, match="more"):
            activities_in(data, "run")
    for data, words in (
        (b"PK\x03\x04", "unpack it first"),
        (b"<svg></svg>", "neither a TCX nor a GPX file"),
        (b"<gpx><rte><rtept/></rte></gpx>", "without a track"),
        (b"a,b\n1,2\n", "no columns"),
        (b"", "no columns"),
        (b"date,duration\n\n", "no activity"),
        (watch_fit(STARTED, 5, kind="workout"), "kind workout"),
    ):
        with pytest.raises(UnusableActivity, match=words):
            activities_in(data, "run")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<a " + b" ".join(b"a%d=''" % number for number in range(200_000)), "longer tag"),
        (b"<a><!--" + bytes(100) * 20_000, "damaged XML"),
        (b"<a><!--" + b"x" * 2_000_000, "longer tag"),
        (b"<a>" + b"".join(b"<b%d/>" % number for number in range(3_000)), "kinds of elements"),
        (b"<a>" + b"".join(b"<b a%d=''/>" % number for number in range(3_000)), "kinds of elements"),
        (b"date,duration" + b"," * 100_000, "longer line"),
        (b"date,duration\n" + b'"\n",' * 50_000, "longer line"),
        (b"date,duration\n" + b"\n" * 30_000, "more than 20000 lines"),
    ],
)
def test_what_a_parser_would_keep_in_memory_is_bounded(data: bytes, words: str) -> None:
    with pytest.raises((UnusableActivity, DamagedFile), match=words):
        activities_in(data, "run")


def test_many_sessions_in_a_file_take_no_time_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrostep.activity_files.fit._MAX_SESSIONS", 0)
    with pytest.raises(UnusableActivity, match="more sessions than"):
        activities_in(watch_fit(STARTED, 5), "run")


def test_impossible_activities_are_refused() -> None:
    own = b"session,athlete,time,t_s,cadence_spm,direction,steps,alert\nX/1,Ada,2026-11-20T16:30:01Z,1,171,backward,%d,\n"
    assert one(own % 3).bouts[0].direction == BACKWARD and "contradict each other" in why(own % 60)
    assert "cycling" in why(watch_fit(STARTED, 60, sport="cycling")) and "cycling" in why(watch_tcx(STARTED, 60, sport="Biking"))
    assert "not named" in why(watch_tcx(STARTED, 60, sport=""))
    assert one(watch_tcx(STARTED, 60, 55, sport="Other")).bouts[0].cadence_mean_x10 == 1_100, "Garmin writes walks as Other"
    assert "future" in why(watch_fit("2090-01-01 10:00", 60)) and "before 2000" in why(watch_tcx("1990-01-01 10:00", 60))
    assert "up to 48 h" in why(b"date,duration\n2026-01-01,100:00:00\n")
    for line in (b"2026-02-30,10", b"2026-02-03,-10", b"2026-02-03,nan", b"2026-02-03,inf", b"9999-12-31,10", b"x,y", b"2026-02-03,"):
        assert "line 2 has no valid date" in why(b"date,duration\n" + line + b"\n") or "future" in why(b"date,duration\n" + line + b"\n")


def test_a_list_that_was_cut_gives_no_wrong_numbers() -> None:
    line = f"Running,{LOCAL}:00,false,Run,2,00:10:00,--,171,10:00,10:00.0".encode()
    found = [each for end in range(len(line) + 1) for each in activities_in(GARMIN.encode() + line[:end] + b" ", "run")]
    assert {each.duration_ms for each in found if isinstance(each, ImportedActivity)} == {600_000}
    assert sum(isinstance(each, DamagedFile) and "line 2 was cut" in str(each) for each in found) > 40
    own = b"session,athlete,time,t_s,cadence_spm,direction,steps,alert\nX/1,Ada,2026-11-20T16:30:01Z,1,171,backward,3,\nX/1,Ada,2026"
    assert damaged(own)


def test_one_bad_activity_does_not_keep_the_others_of_its_file_out() -> None:
    tcx = watch_tcx(STARTED, 60).decode()
    begin, end = tcx.index("<Activity "), tcx.index("</Activities>")
    bad = re.sub('StartTime="[^"]*"', 'StartTime="today"', tcx[begin:end])
    for activities in (bad + tcx[begin:end], tcx[begin:end] + bad):
        kinds = {type(each) for each in activities_in((tcx[:begin] + activities + tcx[end:]).encode(), "run")}
        assert kinds == {ImportedActivity, UnusableActivity}


def test_sports_that_only_sound_like_running_are_skipped() -> None:
    names = ("Trail Running", "VirtualRun", "RUN", "Crunches", "Trunk rotation", "Brunch", "Nordic Walking")
    assert [track.sport_named(name) for name in names] == ["running"] * 3 + ["crunches", "trunk rotation", "brunch", "walking"]


def test_a_gpx_file_needs_times_and_its_sport(retrostep: Retrostep, tmp_path: Path) -> None:
    run, ride, route = tmp_path / "run.gpx", tmp_path / "ride.gpx", tmp_path / "route.gpx"
    run.write_bytes(phone_gpx(STARTED, 600, None, kind=""))
    ride.write_bytes(phone_gpx("2026-11-21 16:30", 600, None, kind="1"))
    route.write_bytes(re.sub(b"<time>[^<]*</time>", b"", phone_gpx(STARTED, 600)))
    ran = retrostep("import", "Ada", run)
    assert "its sport is not named" in ran.out and "--sport running" in ran.out and "0 sessions imported" in ran.out
    ran = retrostep("import", "Ada", run, ride, route, "--sport", "running")
    assert ran.status == 1 and "run.gpx: session IMPORT/1, " in ran.out and "10:00 forward" in ran.out
    assert "ride.gpx: Skipped: its sport is cycling" in ran.out and "route.gpx: Not imported: its points have no times" in ran.err
    (tmp_path / "same.tcx").write_bytes(watch_tcx(STARTED, 600))
    assert "start and duration are the same" in retrostep("import", "Ada", tmp_path / "same.tcx").out
    assert retrostep("session", "IMPORT/1", "--json").json["imported_from"]["format"] == "GPX"


def test_one_bad_file_does_not_keep_the_others_out(retrostep: Retrostep, tmp_path: Path) -> None:
    good, cut, ride = tmp_path / "good.fit", tmp_path / "cut\x1b[31m.fit", tmp_path / "ride.tcx"
    good.write_bytes(watch_fit(STARTED, 600))
    cut.write_bytes(watch_fit("2026-11-21 16:30", 600)[:-9])
    ride.write_bytes(watch_tcx(STARTED, 600, sport="Biking"))
    ran = retrostep("import", "Ada", cut, ride, tmp_path / "gone.fit", good)
    assert ran.status == 4 and "1 session imported for Ada, 1 skipped, 2 not usable." in ran.out
    assert "good.fit: session IMPORT/1, " in ran.out and "171 steps a minute" in ran.out
    assert "ride.tcx: Skipped: its sport is cycling" in ran.out
    assert "damaged FIT file" in ran.err and "no such file" in ran.err and "\x1b" not in ran.err
    assert retrostep("import", "Ada", ride).status == 0 and retrostep("import", "Ada", tmp_path / "gone.fit").status == 1
    assert "no athlete 'Eve'" in one_sentence(retrostep("import", "Eve", good)) and retrostep("import", "Ada").status == 2
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "MAX_FILE_BYTES", 1_000)
        assert "larger than" in retrostep("import", "Ada", good).err


def share(command: Retrostep) -> dict[str, Any]:
    [athlete] = command("check", "--json", "--on", "2026-11-21").json["athletes"]
    return next(finding for finding in athlete["findings"] if finding["rule"] == "share")


def test_imported_running_lowers_the_share_and_a_device_counts_first(retrostep: Retrostep, tmp_path: Path) -> None:
    with command_store(retrostep) as store:
        sync(store, session_log(1, started=STARTED, forward_s=600, backward_s=600))
        store.assign(DEVICE, "Ada")
    assert share(retrostep)["measured"] == 50
    (tmp_path / "day.fit").write_bytes(watch_fit("2026-11-19 07:00", 3_600))
    assert retrostep("import", "Ada", tmp_path / "day.fit").status == 0
    assert share(retrostep)["measured"] == pytest.approx(100 * 600 / 4_800, abs=0.1)
    # A watch worn with the device: 40 min of which the device recorded the last 21 min.
    (tmp_path / "both.fit").write_bytes(watch_fit("2026-11-20 16:11", 2_400))
    ran = retrostep("import", "Ada", tmp_path / "both.fit")
    assert f"{DEVICE}/1 recorded 21 min of session IMPORT/2" in ran.out and ran.status == 0
    assert share(retrostep)["measured"] == pytest.approx(100 * 600 / (4_800 + 19 * 60), abs=0.1)
    [athlete] = retrostep("check", "--json", "--on", "2026-11-21").json["athletes"]
    assert not any("contradict" in finding["why"] for finding in athlete["findings"])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(facts, "CHARTED_SESSIONS", 1)
        assert retrostep("report", "--on", "2026-11-22", "--to", tmp_path / "club.html").status == 0
    page = (tmp_path / "club.html").read_text()
    assert f"{local_time(at('2026-11-19 07:00'))} (imported)</th>" in page
    assert f"Session {DEVICE}/1</li>" in page, "the one chart is of the backward session"
    (tmp_path / "again.tcx").write_bytes(watch_tcx("2026-11-20 16:05", 1_200))
    assert "overlaps session IMPORT/2 by 14 min" in retrostep("import", "Ada", tmp_path / "again.tcx").out


def test_imported_running_does_not_show_what_was_run_backward(retrostep: Retrostep, tmp_path: Path) -> None:
    (tmp_path / "run.fit").write_bytes(watch_fit(STARTED, 600))
    assert retrostep("import", "Ada", tmp_path / "run.fit").status == 0
    ran = retrostep("check", "--json", "--on", "2026-11-21")
    [athlete] = ran.json["athletes"]
    [finding] = [one for one in athlete["findings"] if one["rule"] == "data_quality"]
    assert finding["verdict"] == "unknown" and "No session but imported ones" in finding["why"]
    assert athlete["days_without_data"] is None and athlete["change"] == "same"


def test_an_imported_session_is_corrected_kept_and_forgotten(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETROSTEP_STORE", store_url)
    retrostep = Retrostep(tmp_path / "home")
    assert retrostep("athletes", "add", "Ada").status == 0
    for number in (1, 2, 3):
        (tmp_path / f"Ada {number}.fit").write_bytes(watch_fit(f"2026-11-0{number} 16:30", 600))
    assert retrostep("athletes", "add", "Ben").status == 0
    assert retrostep("import", "Ada", *sorted(tmp_path.glob("*.fit"))).status == 0
    assert retrostep("session", "IMPORT/1", "--exclude", "was a ride").status == 0
    assert retrostep("session", "IMPORT/2", "--athlete", "Ben").status == 0
    assert retrostep("note", "IMPORT/3", "--pain", "2").status == 0
    ran = retrostep("session", "IMPORT/3", "--date", "2026-11-03 10:00")
    assert ran.status == 1 and "its date is that of its file" in one_sentence(ran)
    assert "no device" in one_sentence(retrostep("athletes", "assign", "IMPORT", "Ben", "--new"))
    assert "its own file is the export" in one_sentence(retrostep("export", "IMPORT/3"))
    assert "1 imported session left out" in retrostep("export", "--athlete", "Ada").out

    def listed() -> list[tuple[Any, ...]]:
        rows = retrostep("sessions", "--json").json["sessions"]
        return [(row["session"], row["athlete"], row["excluded"], row["pain"], row["forward_s"], row["imported"]) for row in rows]

    before = listed()
    assert before == [
        ("IMPORT/1", "Ada", "was a ride", None, 600, True),
        ("IMPORT/2", "Ben", None, None, 600, True),
        ("IMPORT/3", "Ada", None, 2, 600, True),
    ]
    assert retrostep("store", "verify").status == 0
    assert retrostep("store", "rebuild").status == 0 and listed() == before
    if store_url.startswith("sqlite"):
        (tmp_path / "store.sqlite").unlink()
        assert listed() == before, "the journal has everything"
    assert "imported already" in retrostep("import", "Ada", tmp_path / "Ada 1.fit").out
    assert "Imported    Ada 3.fit (FIT, running)" in retrostep("session", "IMPORT/3").out

    assert retrostep("session", "IMPORT/2", "--as-assigned").status == 0 and listed()[1][1] == "Ada"
    assert retrostep("session", "IMPORT/2", "--athlete", "Ben").status == 0
    assert retrostep("athletes", "remove", "Ada", "--yes").status == 0
    assert [row[1] for row in listed()] == [None, "Ben", None]
    assert retrostep("athletes", "restore", "Ada").status == 0 and [row[1] for row in listed()] == ["Ada", "Ben", "Ada"]
    assert retrostep("athletes", "forget", "Ada", "--yes").status == 0
    assert listed() == [("IMPORT/2", "Ben", None, None, 600, True)]
    with Store(store_url, reading=True) as store:
        assert not [line for line in store.journal.lines() if b"Ada" in line.raw]
    assert retrostep("import", "Ben", tmp_path / "Ada 3.fit").status == 0 and listed()[1][:4] == ("IMPORT/3", "Ben", None, None)


def test_a_better_file_takes_the_place_of_an_excluded_one(retrostep: Retrostep, tmp_path: Path) -> None:
    first, second = tmp_path / "first.fit", tmp_path / "second.fit"
    first.write_bytes(watch_fit(STARTED, 600, None))
    second.write_bytes(watch_fit(STARTED, 600))
    assert retrostep("import", "Ada", first).status == 0 and "1 skipped" in retrostep("import", "Ada", second).out
    assert retrostep("session", "IMPORT/1", "--exclude", "no cadence").status == 0
    assert "1 session imported" in retrostep("import", "Ada", second).out
    assert "imported already, as session IMPORT/1" in retrostep("import", "Ada", first).out


def test_two_athletes_may_have_run_the_same_activity_together(retrostep: Retrostep, tmp_path: Path) -> None:
    """It is a duplicate only for the same athlete, from the same file or another one, also where it was moved or its athlete removed."""
    typed, watch = tmp_path / "group.csv", tmp_path / "group.fit"
    typed.write_text("date,duration\n2026-11-01 09:00,30\n2026-11-03 09:00,45\n")
    watch.write_bytes(watch_fit(STARTED, 600))
    for name in ("Ben", "Cleo"):
        retrostep("athletes", "add", name)
    for name in ("Ada", "Ben", "Cleo"):
        assert f"3 sessions imported for {name}." in retrostep("import", name, typed, watch).out
        again = retrostep("import", name, typed, watch)
        assert again.status == 0 and again.out.count("imported already") == 3
    listed = {row["session"]: row["athlete"] for row in retrostep("sessions", "--json").json["sessions"]}
    assert sorted(listed.values()) == ["Ada"] * 3 + ["Ben"] * 3 + ["Cleo"] * 3
    retrostep("session", "IMPORT/1", "--athlete", "Ben")
    assert "IMPORT/1 of Ben" in retrostep("import", "Ada", typed).out, "it was a mistake to import it for Ada"
    retrostep("athletes", "remove", "Cleo", "--yes")
    retrostep("athletes", "add", "Dan")
    assert retrostep("import", "Dan", typed).status == 0 and len(retrostep("sessions", "--athlete", "Dan", "--json").json["sessions"]) == 2
    assert retrostep("store", "rebuild").status == 0 and len(retrostep("sessions", "--json").json["sessions"]) == 11


def test_two_who_import_at_once_get_two_numbers(retrostep: Retrostep) -> None:
    runs = [one(watch_fit(f"2026-11-0{day} 16:30", 600)) for day in (1, 2, 1)]
    with command_store(retrostep) as store:
        store.add_imported("Ada", runs[:1])
        entry = next(line.entry for line in store.journal.lines() if line.entry and line.entry["entry"] == "import")
        later = {**entry, "started_at_ms": runs[1].started_at_ms, "digest": runs[1].digest}
        for fields in (later, entry):
            store.journal.append("import", now_ms(), **{name: fields[name] for name in fields if name not in ("entry", "at_ms", "seq")})
    with command_store(retrostep) as store:
        assert [(row.name, row.started_at_ms) for row, _ in store.sessions()] == [
            ("IMPORT/1", runs[0].started_at_ms),
            ("IMPORT/2", runs[1].started_at_ms),
        ]


def test_an_impossible_entry_is_counted_as_damaged(retrostep: Retrostep) -> None:
    with command_store(retrostep) as store:
        store.add_imported("Ada", [one(watch_fit(STARTED, 600))])
        entry = next(line.entry for line in store.journal.lines() if line.entry and line.entry["entry"] == "import")
        wrong: list[dict[str, Any]] = [
            {"duration_ms": 0},
            {"duration_ms": 1 << 40},
            {"bouts": [[0, 700_000, 1, 0, 0, 0]]},
            {"bouts": [[0, 9_000, 1, 0, 0, 0], [8_000, 10_000, 1, 0, 0, 0]]},
            {"bouts": [[0, 1_000, 3, 0, 0, 0]]},
            {"bouts": [[0, 1_000, 1, 900, 0, 0]]},
            {"bouts": [[0, 1_000, 1]]},
            {"number": 0},
            {"athlete": 5},
        ]
        fields = {name: entry[name] for name in entry if name not in ("entry", "at_ms", "seq")}
        for change in wrong:
            store.journal.append("import", now_ms(), **json.loads(json.dumps({**fields, "digest": str(change), **change})))
    with command_store(retrostep) as store:
        assert len(list(store.sessions())) == 1 and store.counts()["damaged_entries"] == len(wrong)


def test_a_file_that_this_user_may_not_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.fit").write_bytes(watch_fit(STARTED, 600))

    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "no", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(UnusableActivity, match="cannot be read: change its permissions$"):
        read_activities(tmp_path / "run.fit")


def test_a_file_may_have_any_name(retrostep: Retrostep) -> None:
    with command_store(retrostep) as store:
        [row] = store.add_imported("Ada", [one(watch_fit(STARTED, 600), "run \udcff\x1b\0.fit")])
        assert row.name == "IMPORT/1" and store.counts()["damaged_entries"] == 0
    assert "\x1b" not in retrostep("session", "IMPORT/1").out


def test_no_device_passes_for_imported_files(retrostep: Retrostep) -> None:
    with command_store(retrostep) as store, pytest.raises(UnsafeName):
        store.ingest("IMPORT", 1, session_log(1, device="IMPORT"))


def test_every_error_of_a_file_is_one_of_ours() -> None:
    seeds = [watch_fit(STARTED, 20), watch_tcx(STARTED, 5), phone_gpx(STARTED, 5), f"date,duration\n{LOCAL},10\n".encode()]
    for data in seeds:
        for at_byte in range(0, len(data), 3):
            for changed in (data[:at_byte] + bytes([data[at_byte] ^ 0xFF]) + data[at_byte + 1 :], data[:at_byte] + data[at_byte + 1 :]):
                try:
                    activities_in(changed, "run")
                except RetrostepError as error:
                    assert str(error).isprintable()
